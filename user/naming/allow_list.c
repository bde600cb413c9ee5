// SPDX-License-Identifier: Apache-2.0
#include "naming/allow_list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/read.h"
#include "base/text.h"
#include "base/utf8.h"
#include "host/access.h"
#include "output/site_pattern.h"

/* Longer than any function's name and path that somebody would type. */
#define MAX_LINE 4096
/* For what another program writes it, as "--allow <(jq ...)" in a shell. */
#define PATIENCE_NS (5 * NSEC_PER_SEC)

struct entry {
	char *pattern; /* as in the file */
	char *reason;
	struct site_glob *glob;
	unsigned int line;
	uint64_t used;
};

struct allow_list {
	size_t n, capacity;
	struct entry *entries;
};

/* --- reading ------------------------------------------------------------------------------------ */

struct reader {
	const char *path;
	unsigned int line;
	struct failure *failure;
};

static int bad_line(const struct reader *reader, int err, const char *fault)
{
	return failure__set(reader->failure, err, "%.300s, line %u: %s", reader->path, reader->line,
			    fault);
}

/*
 * Where the contents of a line end and its comment begins. A '#' between words counts only when it
 * stands alone: "see #12" is no comment, and "pattern # why" is told that it lacks a reason.
 */
static size_t before_comment(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool first = i == 0 || text__is_blank(line[i - 1]);
		bool alone = i + 1 == length || text__is_blank(line[i + 1]);

		if (line[i] == '#' && (i == 0 || (first && alone)))
			return i;
	}
	return length;
}

static size_t trim_end(const char *line, size_t length)
{
	while (length && text__is_blank(line[length - 1]))
		length--;
	return length;
}

static void release(struct entry *entry)
{
	free(entry->pattern);
	free(entry->reason);
	free(entry->glob);
}

static int add(struct allow_list *list, const struct reader *reader, const char *line,
	       size_t pattern_length, const char *reason, size_t reason_length)
{
	struct entry entry = {.line = reader->line};
	char *raw = strndup(reason, reason_length);
	int err = raw ? 0 : -ENOMEM;

	if (!err && !array__reserve(list->entries, list->capacity, list->n + 1))
		err = -ENOMEM;
	if (!err) {
		entry.pattern = strndup(line, pattern_length);
		entry.reason = utf8__repair(raw);
		entry.glob = malloc(sizeof(*entry.glob));
		if (!entry.pattern || !entry.reason || !entry.glob)
			err = -ENOMEM;
	}
	free(raw);
	if (!err)
		err = site_glob__init(entry.glob, entry.pattern);
	if (err) {
		release(&entry);
		return err;
	}
	list->entries[list->n++] = entry;
	return 0;
}

static int read_line(struct allow_list *list, const struct reader *reader, const char *line,
		     size_t length)
{
	size_t pattern = 0, reason;
	const char *fault;

	if (memchr(line, '\0', length))
		return bad_line(reader, -EINVAL,
				"a NUL byte; the list is plain text in UTF-8, save it as such");
	if (length > MAX_LINE)
		return bad_line(reader, -E2BIG, "longer than 4096 bytes; shorten the reason");
	while (length && text__is_blank(*line)) {
		line++;
		length--;
	}
	length = trim_end(line, before_comment(line, length));
	if (!length)
		return 0;
	while (pattern < length && !text__is_blank(line[pattern]))
		pattern++;
	for (reason = pattern; reason < length && text__is_blank(line[reason]);)
		reason++;
	if (reason == length)
		return bad_line(reader, -EINVAL,
				"a pattern without a reason; write after it why this is known and "
				"wanted (without '#')");
	if (pattern > SITE_GLOB_MAX)
		return bad_line(reader, -E2BIG,
				"a pattern of more than 512 bytes; cut its beginning short with "
				"'*'");
	fault = site_glob__fault(line, pattern);
	if (fault)
		return bad_line(reader, -EINVAL, fault);
	if (list->n == ALLOW_LIST_MAX_PATTERNS)
		return bad_line(reader, -E2BIG,
				"more than 4096 patterns; join some with '*' or '?'");
	return add(list, reader, line, pattern, &line[reason], length - reason);
}

static int read_lines(struct allow_list *list, struct reader *reader, const char *text,
		      size_t length)
{
	static const char mark[] = "\xef\xbb\xbf"; /* editors on Windows put it first */
	size_t at = length >= 3 && memcmp(text, mark, 3) == 0 ? 3 : 0;

	while (at < length) {
		const char *end = memchr(&text[at], '\n', length - at);
		size_t taken = end ? (size_t)(end - &text[at]) : length - at;
		size_t line = taken && text[at + taken - 1] == '\r' ? taken - 1 : taken;
		int err;

		reader->line++;
		err = read_line(list, reader, &text[at], line);
		if (err)
			return err;
		at += taken + 1;
	}
	return 0;
}

static ssize_t read_file(const char *path, char *buffer, struct failure *failure)
{
	/* O_NONBLOCK: opening a FIFO would wait for a writer. O_NOCTTY: it may be a terminal. */
	int fd __cleanup_close = access__input(path, O_NONBLOCK | O_NOCTTY);
	ssize_t length =
		fd < 0 ? fd : read__within(fd, buffer, ALLOW_LIST_MAX_BYTES + 1, PATIENCE_NS);

	if (length == -ETIMEDOUT)
		return failure__set(failure, -ETIMEDOUT,
				    "cannot read the allow-list %.300s: it did not come to an end "
				    "within %llu s; write to it at once, or give --allow a file",
				    path, PATIENCE_NS / NSEC_PER_SEC);
	if (length < 0)
		return failure__set(failure, (int)length,
				    "cannot read the allow-list %.300s: %s; check the path of "
				    "--allow",
				    path, strerror((int)-length));
	if ((size_t)length > ALLOW_LIST_MAX_BYTES)
		return failure__set(failure, -E2BIG,
				    "the allow-list %.300s is longer than 1 MiB; is it the right "
				    "file?",
				    path);
	return length;
}

int allow_list__read(const char *path, struct allow_list **ret_list, struct failure *failure)
{
	struct reader reader = {.path = path, .failure = failure};
	struct allow_list *list = calloc(1, sizeof(*list));
	char *text __cleanup_free = calloc(1, ALLOW_LIST_MAX_BYTES + 1);
	ssize_t length = -ENOMEM;
	int err;

	if (list && text)
		length = read_file(path, text, failure);
	err = length < 0 ? (int)length : read_lines(list, &reader, text, (size_t)length);
	if (err == -ENOMEM)
		failure__set(failure, err, "no memory for the allow-list %.300s; shorten it", path);
	if (err) {
		allow_list__free(list);
		return err;
	}
	*ret_list = list;
	return 0;
}

void allow_list__free(struct allow_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++)
		release(&list->entries[i]);
	free(list->entries);
	free(list);
}

/* --- matching ----------------------------------------------------------------------------------- */

/* The first entry of the file that matches any of the texts. */
struct search {
	const struct allow_list *list;
	size_t found; /* list->n: none yet */
};

static bool search_text(void *ctx, const char *text)
{
	struct search *search = ctx;

	for (size_t i = 0; i < search->found; i++) {
		if (site_glob__matches(search->list->entries[i].glob, text))
			search->found = i;
	}
	return search->found > 0;
}

static const char *use(struct allow_list *list, size_t found)
{
	if (found == list->n)
		return NULL;
	list->entries[found].used++;
	return list->entries[found].reason;
}

const char *allow_list__match(struct allow_list *list, const struct report_site *site)
{
	struct search search = {.list = list, .found = list->n};

	if (list->n)
		site_texts__visit(site, search_text, &search);
	return use(list, search.found);
}

const char *allow_list__match_place(struct allow_list *list, const struct report_alloc_site *place)
{
	struct search search = {.list = list, .found = list->n};

	if (list->n)
		site_texts__visit_place(place, search_text, &search);
	return use(list, search.found);
}

const char *allow_list__unused(const struct allow_list *list, size_t n, unsigned int *ret_line)
{
	for (size_t i = 0; i < list->n; i++) {
		if (list->entries[i].used || n-- > 0)
			continue;
		*ret_line = list->entries[i].line;
		return list->entries[i].pattern;
	}
	return NULL;
}
