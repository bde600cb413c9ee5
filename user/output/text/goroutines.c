// SPDX-License-Identifier: Apache-2.0
/*
 * Every goroutine, those that stand at one place in one block:
 *
 *	503 goroutines [chan receive, 3m] {tenant: blue}
 *	  17-518, 600
 *	goroutine 20 [chan receive, 3m, locked to thread]
 *	    main.worker                        …/counts/main.go:44
 *	    created by main.run in goroutine 1 …/counts/main.go:40
 *
 * It is the runtime's own dump, with what that repeats for each goroutine said once.
 */
#include "output/text/goroutines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/number.h"
#include "base/utf8.h"
#include "output/text/block.h"

#define NUMBERS_INDENT 2
#define FRAME_INDENT   4
#define PATH_INDENT    8
#define NUMBERS_LINES  2
#define NUMBERS_TAIL   60 /* the last numbers and how many more there are, and what folding leaves */
#define MAX_ALIGNED    64
#define MIN_FILE       8  /* a location in fewer columns says nothing */
#define MIN_PATH       34 /* what a function's name leaves for its path */

#define CREATED_BY "created by "

/* Goroutines at one place; or of those, the ones that also look the same. */
struct group {
	const struct report_goroutine **members;
	size_t n;
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The runtime's dump has whole minutes, too. */
static uint64_t minutes(const struct report_goroutine *goroutine)
{
	return goroutine->waiting_ns / (60 * NSEC_PER_SEC);
}

static int compare_labels(const struct report_labels *a, const struct report_labels *b)
{
	size_t n_a = a ? a->n : 0, n_b = b ? b->n : 0;
	int order = 0;

	for (size_t i = 0; i < min_of(n_a, n_b) && !order; i++) {
		order = strcmp(a->items[i].key, b->items[i].key);
		if (!order)
			order = strcmp(a->items[i].value, b->items[i].value);
	}
	return order ? order : compare(n_a, n_b);
}

static int compare_heads(const struct report_goroutine *a, const struct report_goroutine *b)
{
	int order = strcmp(report__text(a->state), report__text(b->state));

	if (!order)
		order = compare(minutes(b), minutes(a));
	if (!order)
		order = compare(a->locked_to_thread, b->locked_to_thread);
	if (!order)
		order = compare(a->in_bubble, b->in_bubble);
	return order ? order : compare_labels(a->labels, b->labels);
}

static int by_place_and_head(const void *a, const void *b)
{
	const struct report_goroutine *left = *(const struct report_goroutine *const *)a;
	const struct report_goroutine *right = *(const struct report_goroutine *const *)b;
	int order = compare((uintptr_t)left->place, (uintptr_t)right->place);

	if (!order)
		order = compare_heads(left, right);
	return order ? order : compare(left->goid, right->goid);
}

static int by_goid(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return compare(*left, *right);
}

/* The largest first; among equals those with the oldest goroutine. */
static int by_size(const void *a, const void *b)
{
	const struct group *left = a, *right = b;
	int order = compare(right->n, left->n);

	return order ? order : compare(left->members[0]->goid, right->members[0]->goid);
}

/* --- heads --------------------------------------------------------------------------------------- */

static void put_label_text(struct screen *screen, const char *label)
{
	bool quoted = !*label || label[strcspn(label, " \t,:{}\"\\")] != '\0';

	screen__put(screen, STYLE_PLAIN, quoted ? "\"" : "");
	screen__put(screen, STYLE_PLAIN, label);
	screen__put(screen, STYLE_PLAIN, quoted ? "\"" : "");
}

static void put_labels(struct screen *screen, const struct report_labels *labels)
{
	if (!labels || !labels->n)
		return;
	for (size_t i = 0; i < labels->n; i++) {
		screen__put(screen, STYLE_PLAIN, i ? ", " : " {");
		put_label_text(screen, labels->items[i].key);
		screen__put(screen, STYLE_PLAIN, ": ");
		put_label_text(screen, labels->items[i].value);
	}
	screen__put(screen, STYLE_PLAIN, labels->cut ? ", and more}" : "}");
}

/* "17-19, 23", to free(). When that takes more than @max bytes: "17-19 and 1,009 more". */
static char *number_list(const uint64_t *numbers, size_t n, size_t max)
{
	char *text = NULL, more[NUMBER_COUNT_SIZE];
	size_t size, i;
	FILE *stream = open_memstream(&text, &size);

	for (i = 0; stream && i < n && (size_t)ftell(stream) < max; i++) {
		size_t first = i;

		while (i + 1 < n && numbers[i + 1] == numbers[i] + 1)
			i++;
		fprintf(stream, first ? ", %llu" : "%llu", (unsigned long long)numbers[first]);
		if (i > first)
			fprintf(stream, i > first + 1 ? "-%llu" : ", %llu",
				(unsigned long long)numbers[i]);
	}
	if (stream && i < n) {
		number__count(n - i, more);
		fprintf(stream, " and %s more", more);
	}
	if (stream && fclose(stream) == 0)
		return text;
	free(text);
	return NULL;
}

static void put_numbers(struct screen *screen, const struct group *group, bool verbose)
{
	uint64_t *numbers = malloc(group->n * sizeof(*numbers));
	bool all = verbose || screen->options.whole;
	size_t max = all ? SIZE_MAX : NUMBERS_LINES * screen->options.columns - NUMBERS_TAIL;
	char *text = NULL;

	for (size_t i = 0; numbers && i < group->n; i++)
		numbers[i] = group->members[i]->goid;
	if (numbers)
		text = number_list(numbers, group->n, max);
	free(numbers);
	screen__to(screen, NUMBERS_INDENT);
	if (!text) {
		screen__put_owned(screen, STYLE_PLAIN, NULL);
		return;
	}
	screen__wrap(screen, STYLE_PLAIN, text, UINT32_MAX);
	free(text);
}

static void put_head(struct screen *screen, const struct group *group, bool verbose)
{
	const struct report_goroutine *first = group->members[0];
	char waiting[DURATION_SIZE];

	if (group->n == 1)
		screen__putf(screen, STYLE_BOLD, "goroutine %llu", (unsigned long long)first->goid);
	else
		screen__put_owned(screen, STYLE_BOLD, number__counted(group->n, "goroutine"));
	screen__putf(screen, STYLE_BOLD, " [%s", report__text(first->state));
	if (minutes(first)) {
		duration__format(minutes(first) * 60 * NSEC_PER_SEC, waiting);
		screen__putf(screen, STYLE_BOLD, ", %s", waiting);
	}
	if (first->locked_to_thread)
		screen__put(screen, STYLE_BOLD, ", locked to thread");
	if (first->in_bubble)
		screen__put(screen, STYLE_BOLD, ", synctest bubble");
	screen__put(screen, STYLE_BOLD, "]");
	put_labels(screen, first->labels);
	screen__end_line(screen);
	if (group->n > 1)
		put_numbers(screen, group, verbose);
}

static void put_heads(struct screen *screen, const struct group *block, bool verbose)
{
	for (size_t i = 0; i < block->n;) {
		struct group same = {block->members + i, 1};

		while (i + same.n < block->n &&
		       compare_heads(block->members[i], block->members[i + same.n]) == 0)
			same.n++;
		put_head(screen, &same, verbose);
		i += same.n;
	}
}

/* --- where they stand ---------------------------------------------------------------------------- */

/* Which goroutines ran the go statement: "in goroutine 1", "in goroutines 1, 17-20"; to free(). */
static char *parents_text(const struct group *block)
{
	uint64_t *parents = malloc(block->n * sizeof(*parents));
	char *list = NULL, *text = NULL;
	size_t n = 0, kept = 0;

	for (size_t i = 0; parents && i < block->n; i++) {
		if (block->members[i]->parent_goid)
			parents[n++] = block->members[i]->parent_goid;
	}
	if (n)
		qsort(parents, n, sizeof(*parents), by_goid);
	for (size_t i = 0; i < n; i++) {
		if (!kept || parents[kept - 1] != parents[i])
			parents[kept++] = parents[i];
	}
	if (parents && !kept)
		text = strdup("");
	else if (parents)
		list = number_list(parents, kept, SIZE_MAX);
	if (list && asprintf(&text, " in goroutine%s %s", kept > 1 ? "s" : "", list) < 0)
		text = NULL;
	free(list);
	free(parents);
	return text;
}

static void put_path(struct screen *screen, const struct report_frame *frame, unsigned int column)
{
	const char *file = report__text(frame->file);

	if (!*file || (!screen->options.whole && screen__room(screen) < MIN_FILE))
		return;
	screen__next(screen, column);
	screen__put_location(screen, STYLE_PLAIN, file, frame->line, screen__room(screen));
}

/* A frame; @created says which goroutines did, for the go statement. */
static void put_frame(struct screen *screen, const struct report_frame *frame, const char *created,
		      unsigned int path_column, bool verbose)
{
	enum style style = frame->own && !created ? STYLE_BOLD : STYLE_PLAIN;
	unsigned int width;

	screen__to(screen, FRAME_INDENT);
	if (created)
		screen__put(screen, STYLE_DIM, CREATED_BY);
	width = verbose ? screen__room(screen) : path_column - 2 - screen->column;
	if (report__frame_known(frame))
		text_part__function(screen, style, frame, width);
	else
		screen__put(screen, style, "?");
	/* Without room for all of them, parents go first. */
	if (created && (verbose || screen->options.whole ||
			screen->column + utf8__width(created) + 2 <= path_column))
		screen__put(screen, STYLE_DIM, created);
	if (verbose) {
		screen__put(screen, STYLE_DIM, frame->inlined && !created ? " (inlined)" : "");
		screen__end_line(screen);
	}
	put_path(screen, frame, verbose ? PATH_INDENT : path_column);
	screen__end_line(screen);
}

static unsigned int frame_width(const struct report_frame *frame, const char *created)
{
	size_t width = report__frame_known(frame) ? text_part__function_width(frame) : 1;

	if (created)
		width += strlen(CREATED_BY) + utf8__width(created);
	return (unsigned int)min_of(width, (size_t)UINT16_MAX);
}

static void put_place(struct screen *screen, const struct group *block, bool verbose)
{
	const struct report_place *place = block->members[0]->place;
	bool known = report__frame_known(&place->created_by);
	char *created = parents_text(block);
	unsigned int widest = 0, column;

	if (!created) {
		screen__put_owned(screen, STYLE_PLAIN, NULL);
		return;
	}
	for (size_t i = 0; i < place->n_stack; i++)
		widest = max_of(widest, frame_width(&place->stack[i], NULL));
	if (known)
		widest = max_of(widest, frame_width(&place->created_by, created));
	column = screen->options.whole ? MAX_ALIGNED : screen->options.columns - MIN_PATH;
	column = min_of(FRAME_INDENT + widest + 2, column);
	for (size_t i = 0; i < place->n_stack; i++)
		put_frame(screen, &place->stack[i], NULL, column, verbose);
	if (!place->n_stack) {
		screen__to(screen, FRAME_INDENT);
		screen__put(screen, STYLE_DIM, "stack not known");
		screen__end_line(screen);
	}
	if (known)
		put_frame(screen, &place->created_by, created, column, verbose);
	free(created);
}

/* --- all ----------------------------------------------------------------------------------------- */

/* Blocks of @members, which are sorted; returns how many. */
static size_t find_blocks(const struct report_goroutine **members, size_t n, struct group *blocks)
{
	size_t n_blocks = 0;

	for (size_t i = 0; i < n; i++) {
		if (i && members[i]->place == members[i - 1]->place)
			blocks[n_blocks - 1].n++;
		else
			blocks[n_blocks++] = (struct group){&members[i], 1};
	}
	return n_blocks;
}

void text_part__goroutines(struct screen *screen, const struct report_target *target, bool verbose)
{
	size_t n = target->n_goroutine_list, n_blocks;
	const struct report_goroutine **members = calloc(n + 1, sizeof(*members));
	struct group *blocks = calloc(n + 1, sizeof(*blocks));

	if (!members || !blocks) {
		screen__put_owned(screen, STYLE_PLAIN, NULL);
		n = 0;
	}
	for (size_t i = 0; i < n; i++)
		members[i] = &target->goroutine_list[i];
	if (n)
		qsort(members, n, sizeof(*members), by_place_and_head);
	n_blocks = n ? find_blocks(members, n, blocks) : 0;
	if (n_blocks)
		qsort(blocks, n_blocks, sizeof(*blocks), by_size);
	for (size_t i = 0; i < n_blocks; i++) {
		if (i)
			screen__end_line(screen);
		put_heads(screen, &blocks[i], verbose);
		put_place(screen, &blocks[i], verbose);
	}
	free(blocks);
	free(members);
}
