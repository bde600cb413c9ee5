// SPDX-License-Identifier: Apache-2.0
#include "cli/explainer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/stream.h"
#include "output/text/explain.h"
#include "output/text/screen.h"
#include "naming/allow_list.h"

#define MIN_COLUMNS 60U
#define MAX_COLUMNS 200U
#define MAX_LISTED  10

/* ECMA-48: cursor to the top left corner; erase from it to the end of the line, of the screen. */
#define CURSOR_HOME "\033[H"
#define ERASE_LINE  "\033[K"
#define ERASE_BELOW "\033[J"

/* A site and whose it is. */
struct found {
	const struct report_target *target;
	const struct report_site *site;
};

/* The first ones of how many there are. */
struct found_list {
	size_t n;
	struct found first[MAX_LISTED];
};

static void note(struct found_list *list, const struct report_target *target,
		 const struct report_site *site)
{
	if (list->n < MAX_LISTED)
		list->first[list->n] = (struct found){target, site};
	list->n++;
}

static void find_meant(const struct report *report, const char *pattern, struct found_list *list)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		for (size_t i = 0; i < target->n_sites; i++) {
			if (site_pattern__match(pattern, &target->sites[i]))
				note(list, target, &target->sites[i]);
		}
	}
}

/* Puts a site where it belongs among the largest, which @list keeps in order. */
static void note_large(struct found_list *list, const struct report_target *target,
		       const struct report_site *site)
{
	size_t at = list->n;

	while (at > 0 && list->first[at - 1].site->goroutines < site->goroutines)
		at--;
	if (at == MAX_LISTED)
		return;
	if (list->n < MAX_LISTED)
		list->n++;
	memmove(&list->first[at + 1], &list->first[at],
		(list->n - at - 1) * sizeof(list->first[0]));
	list->first[at] = (struct found){target, site};
}

static void find_largest(const struct report *report, struct found_list *list)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		for (size_t i = 0; i < target->n_sites; i++)
			note_large(list, target, &target->sites[i]);
	}
}

/* --- lists of sites ------------------------------------------------------------------------------ */

#define VERDICT_COLUMN	12
#define COUNT_COLUMN	20
#define COUNT_WIDTH	10
#define FUNCTION_COLUMN 32

static void put_row(struct screen *screen, const struct report_site *site)
{
	const struct report_frame *at = &site->blocked_at;
	char count[24];

	snprintf(count, sizeof(count), "%llu", (unsigned long long)site->goroutines);
	screen__putf(screen, STYLE_BOLD, "  %s", site->id);
	screen__to(screen, VERDICT_COLUMN);
	screen__put(screen, STYLE_PLAIN, report__text(site->verdict));
	screen__put_right(screen, STYLE_PLAIN, count, COUNT_COLUMN, COUNT_WIDTH);
	screen__to(screen, FUNCTION_COLUMN);
	if (report__frame_known(at))
		screen__putf(screen, STYLE_PLAIN, "%s:%u", at->function, at->line);
	else
		screen__put(screen, STYLE_PLAIN, report__text(site->start_function));
	screen__end_line(screen);
}

static void put_rows(struct screen *screen, const struct found_list *list)
{
	for (size_t i = 0; i < min_of(list->n, (size_t)MAX_LISTED); i++)
		put_row(screen, list->first[i].site);
	if (list->n > MAX_LISTED)
		screen__putf(screen, STYLE_PLAIN, "  and %zu more", list->n - MAX_LISTED);
	if (list->n > MAX_LISTED)
		screen__end_line(screen);
}

static void put_too_many(struct screen *screen, const char *pattern, const struct found_list *list)
{
	screen__putf(screen, STYLE_PLAIN, "%zu sites match '", list->n);
	screen__put(screen, STYLE_PLAIN, pattern);
	screen__put(screen, STYLE_PLAIN, "'; give the id of one, or a more precise pattern:");
	screen__end_line(screen);
	put_rows(screen, list);
}

static void put_none(struct screen *screen, const char *pattern, const struct report *report)
{
	struct found_list largest = {0};

	find_largest(report, &largest);
	screen__put(screen, STYLE_PLAIN, "no site matches '");
	screen__put(screen, STYLE_PLAIN, pattern);
	screen__put(screen, STYLE_PLAIN,
		    largest.n ? "'; the largest sites are:" : "'; no goroutines seen yet");
	screen__end_line(screen);
	put_rows(screen, &largest);
}

/* --- one report ---------------------------------------------------------------------------------- */

static unsigned int columns_of(const struct explainer *explainer)
{
	return min_of(max_of(explainer->columns, MIN_COLUMNS), MAX_COLUMNS);
}

static int write_list(FILE *out, const struct explainer *explainer, const struct report *report,
		      const struct found_list *list)
{
	struct screen screen;
	int err;

	screen__init(&screen, columns_of(explainer), explainer->color);
	if (list->n)
		put_too_many(&screen, explainer->pattern, list);
	else
		put_none(&screen, explainer->pattern, report);
	err = screen__error(&screen);
	if (!err && fwrite(screen.data, 1, screen.len, out) != screen.len)
		err = -EIO;
	screen__release(&screen);
	return err;
}

static int write_found(FILE *out, const struct explainer *explainer, const struct report *report)
{
	struct found_list list = {0};
	int err = 0;

	find_meant(report, explainer->pattern, &list);
	if (!list.n || list.n > EXPLAINER_MAX_SITES)
		return write_list(out, explainer, report, &list);
	for (size_t i = 0; i < list.n && !err; i++) {
		if (i > 0)
			fputc('\n', out);
		err = explain__write(out, report, list.first[i].target, list.first[i].site,
				     columns_of(explainer), explainer->color);
	}
	return err;
}

/* In memory first: what goes out is written at once. */
static int render(const struct explainer *explainer, const struct report *report, char **ret_text,
		  size_t *ret_length)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	int err = out ? write_found(out, explainer, report) : -ENOMEM;

	/* Only what there is no memory for is not written. */
	if (out && fclose(out) && !err)
		err = -ENOMEM;
	if (err) {
		free(text);
		return err;
	}
	*ret_text = text;
	*ret_length = length;
	return 0;
}

/* What replaces the screen: as many lines as it has, the rest cut off. */
static void draw(const struct explainer *explainer, const char *text)
{
	/* The cursor rests on the last row. */
	size_t rows = explainer->rows ? explainer->rows - 1 : SIZE_MAX;
	FILE *out = explainer->out;

	/* What the user had on the screen goes up into the scrollback, once. */
	for (unsigned int i = 0; i < explainer->rows && !explainer->started; i++)
		fputc('\n', out);
	fputs(CURSOR_HOME, out);
	for (size_t row = 0; row < rows && *text; row++) {
		size_t length = strcspn(text, "\n");

		fprintf(out, "%s%.*s\n", ERASE_LINE, (int)min_of(length, (size_t)INT32_MAX), text);
		text += length + (text[length] == '\n');
	}
	fputs(ERASE_BELOW, out);
}

int explainer__write(struct explainer *explainer, const struct report *report)
{
	char *text __cleanup_free = NULL;
	size_t length = 0;
	int err;

	if (!explainer->terminal && !report->final)
		return 0;
	err = render(explainer, report, &text, &length);
	if (err)
		return err;
	if (explainer->terminal && !report->final) {
		draw(explainer, text);
	} else {
		if (explainer->started)
			fputs(CURSOR_HOME ERASE_BELOW, explainer->out);
		fwrite(text, 1, length, explainer->out);
	}
	explainer->started = true;
	return stream__flush(explainer->out);
}
