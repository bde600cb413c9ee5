// SPDX-License-Identifier: Apache-2.0
#include "output/site_pattern.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_STARS     8
#define MIN_ID_DIGITS 4

/* Of a file's path that is longer only the end can be matched. */
#define MAX_PATH_TEXT 4096

/* What Go writes for type arguments (src/runtime/symtab.go funcNameForPrint): not a set of dots. */
#define TYPE_ARGUMENTS	       "[...]"
#define ESCAPED_TYPE_ARGUMENTS "\\[...]"

/* --- globs -------------------------------------------------------------------------------------- */

const char *site_glob__fault(const char *pattern, size_t length)
{
	size_t stars = 0;

	for (size_t i = 0; i < length; i++)
		stars += pattern[i] == '*';
	if (stars > MAX_STARS)
		return "more than 8 '*' in a pattern; leave some out, one matches '/' and '.' too";
	return NULL;
}

int site_glob__init(struct site_glob *glob, const char *pattern)
{
	size_t length = strlen(pattern), used = 0;

	if (length > SITE_GLOB_MAX || site_glob__fault(pattern, length))
		return -EINVAL;
	for (size_t i = 0; i < length;) {
		if (strncmp(&pattern[i], TYPE_ARGUMENTS, strlen(TYPE_ARGUMENTS)) == 0) {
			memcpy(&glob->text[used], ESCAPED_TYPE_ARGUMENTS,
			       strlen(ESCAPED_TYPE_ARGUMENTS));
			used += strlen(ESCAPED_TYPE_ARGUMENTS);
			i += strlen(TYPE_ARGUMENTS);
		} else {
			glob->text[used++] = pattern[i++];
		}
	}
	glob->text[used] = '\0';
	glob->plain = strcspn(glob->text, "*?[\\");
	return 0;
}

/* Most texts differ from most patterns in their first bytes. */
bool site_glob__matches(const struct site_glob *glob, const char *text)
{
	return strncmp(glob->text, text, glob->plain) == 0 && fnmatch(glob->text, text, 0) == 0;
}

/* --- what a pattern can be about ---------------------------------------------------------------- */

/* "file:line", then the same cut short at each '/'. */
static bool see_location(const struct report_frame *frame, site_text_fn see, void *ctx)
{
	const char *file = report__text(frame->file);
	size_t length = strlen(file);
	char text[MAX_PATH_TEXT + 16];

	if (!length || !frame->line)
		return true;
	if (length > MAX_PATH_TEXT)
		file += length - MAX_PATH_TEXT;
	snprintf(text, sizeof(text), "%s:%u", file, frame->line);
	for (const char *rest = text;;) {
		const char *slash = strchr(rest, '/');

		if (!see(ctx, rest))
			return false;
		if (!slash)
			return true;
		rest = slash + 1;
	}
}

static bool see_function(const char *function, site_text_fn see, void *ctx)
{
	return !*report__text(function) || see(ctx, function);
}

static bool see_frame(const struct report_frame *frame, site_text_fn see, void *ctx)
{
	return see_function(frame->function, see, ctx) && see_location(frame, see, ctx);
}

static void see_stack(const struct report_frame *stack, size_t n, site_text_fn see, void *ctx)
{
	for (size_t i = 0; i < n; i++) {
		if (!see_frame(&stack[i], see, ctx))
			return;
	}
}

void site_texts__visit(const struct report_site *site, site_text_fn see, void *ctx)
{
	if (!see_frame(&site->created_by, see, ctx) || !see_frame(&site->called_from, see, ctx) ||
	    !see_function(site->start_function, see, ctx))
		return;
	see_stack(site->stack, site->n_stack, see, ctx);
}

void site_texts__visit_place(const struct report_alloc_site *place, site_text_fn see, void *ctx)
{
	if (see_frame(&place->allocated_at, see, ctx))
		see_stack(place->stack, place->n_stack, see, ctx);
}

/* --- one pattern --------------------------------------------------------------------------------- */

static bool begins_id(const char *pattern, const char *id)
{
	size_t length = strlen(pattern);

	return length >= MIN_ID_DIGITS && strncasecmp(pattern, id, length) == 0;
}

struct question {
	struct site_glob glob;
	bool answer;
};

static bool ask_text(void *ctx, const char *text)
{
	struct question *question = ctx;

	question->answer = site_glob__matches(&question->glob, text);
	return !question->answer;
}

int site_pattern__check(const char *pattern, struct failure *failure)
{
	size_t length = strlen(pattern);
	const char *fault = length > SITE_GLOB_MAX ?
				    "longer than 512 bytes; cut it short with '*'" :
				    site_glob__fault(pattern, length);

	return fault ? failure__set(failure, -EINVAL, "%s", fault) : 0;
}

static bool is_part(const char *pattern, const char *function)
{
	return strstr(report__text(function), pattern);
}

static bool is_part_of_a_function(const char *pattern, const struct report_site *site)
{
	if (is_part(pattern, site->created_by.function) ||
	    is_part(pattern, site->called_from.function) || is_part(pattern, site->start_function))
		return true;
	for (size_t i = 0; i < site->n_stack; i++) {
		if (is_part(pattern, site->stack[i].function))
			return true;
	}
	return false;
}

enum site_match site_pattern__match(const char *pattern, const struct report_site *site)
{
	struct question question = {.answer = false};

	if (begins_id(pattern, site->id))
		return SITE_MATCH_WHOLE;
	if (!*pattern || site_glob__init(&question.glob, pattern))
		return SITE_MATCH_NONE;
	site_texts__visit(site, ask_text, &question);
	if (question.answer)
		return SITE_MATCH_WHOLE;
	return is_part_of_a_function(pattern, site) ? SITE_MATCH_PART : SITE_MATCH_NONE;
}
