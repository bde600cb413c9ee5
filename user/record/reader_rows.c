// SPDX-License-Identifier: Apache-2.0
/* Rows of a recording, and lists that stay short. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/reader_private.h"

static void fail(struct recording *recording)
{
	if (!recording->err)
		recording->err = record__failed(recording->db, recording->path, recording->failure);
}

static void fail_memory(struct recording *recording)
{
	if (!recording->err)
		recording->err = failure__set(recording->failure, -ENOMEM, "%s: out of memory",
					      recording->path);
}

sqlite3_stmt *rows__begin(struct recording *recording, const char *sql, int64_t argument)
{
	sqlite3_stmt *rows = NULL;

	if (recording->err)
		return NULL;
	if (sqlite3_prepare_v2(recording->db, sql, -1, &rows, NULL)) {
		fail(recording);
		return NULL;
	}
	if (sqlite3_bind_parameter_count(rows))
		sqlite3_bind_int64(rows, 1, argument);
	return rows;
}

bool rows__next(struct recording *recording, sqlite3_stmt **rows)
{
	int result = *rows && !recording->err ? sqlite3_step(*rows) : SQLITE_DONE;

	if (result == SQLITE_ROW && !recording->arena.failed)
		return true;
	if (result == SQLITE_ROW)
		fail_memory(recording);
	else if (result != SQLITE_DONE)
		fail(recording);
	sqlite3_finalize(*rows);
	*rows = NULL;
	return false;
}

size_t rows__count(struct recording *recording, const char *sql, uint64_t max, size_t *ret_n)
{
	sqlite3_stmt *rows = rows__begin(recording, sql, 0);

	*ret_n = 0;
	while (rows__next(recording, &rows))
		*ret_n = (size_t)min_of(row__count(rows, 0), max);
	return *ret_n;
}

bool rows__have_tables(struct recording *recording, const char *one, const char *other)
{
	char sql[160];
	size_t n;

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ('%s', '%s')",
		 one, other);
	return rows__count(recording, sql, 2, &n) == 2;
}

uint64_t row__count(sqlite3_stmt *row, int column)
{
	return (uint64_t)max_of(sqlite3_column_int64(row, column), (sqlite3_int64)0);
}

bool row__known(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) != SQLITE_NULL;
}

const char *row__text(struct recording *recording, sqlite3_stmt *row, int column)
{
	return arena__text(&recording->arena, (const char *)sqlite3_column_text(row, column));
}

/* --- series -------------------------------------------------------------------------------------- */

void series__begin(struct series *series, size_t size)
{
	*series = (struct series){.size = size, .stride = 1};
}

/* Every second goes. */
static void thin(struct series *series)
{
	for (size_t i = 1; 2 * i < series->n; i++)
		memcpy(series->items + i * series->size, series->items + 2 * i * series->size,
		       series->size);
	series->n = (series->n + 1) / 2;
	series->stride *= 2;
}

void series__add(struct recording *recording, struct series *series, const void *item)
{
	if (!series->items) {
		series->items = calloc(TIMELINE_MAX_POINTS, series->size);
		if (!series->items) {
			fail_memory(recording);
			return;
		}
	}
	memcpy(series->last, item, series->size);
	series->has_last = series->seen % series->stride;
	if (!series->has_last) {
		if (series->n == TIMELINE_MAX_POINTS - 1)
			thin(series);
		series->has_last = series->seen % series->stride;
	}
	if (!series->has_last)
		memcpy(series->items + series->n++ * series->size, item, series->size);
	series->seen++;
}

const void *series__end(struct recording *recording, struct series *series, size_t *ret_n)
{
	char *items;

	if (series->has_last)
		memcpy(series->items + series->n++ * series->size, series->last, series->size);
	*ret_n = series->n;
	items = series->n ? arena__take(&recording->arena, series->n, series->size) : NULL;
	if (items)
		memcpy(items, series->items, series->n * series->size);
	else
		*ret_n = 0;
	free(series->items);
	series->items = NULL;
	return items;
}

void group__end(struct recording *recording, struct group *group)
{
	const void *items;
	size_t n;

	if (!group->of)
		return;
	items = series__end(recording, &group->series, &n);
	group->keep(group->of, items, n);
	group->of = NULL;
}

void group__add(struct recording *recording, struct group *group, void *of, const void *item)
{
	if (!of)
		return;
	if (of != group->of) {
		group__end(recording, group);
		series__begin(&group->series, group->size);
		group->of = of;
	}
	series__add(recording, &group->series, item);
}

/* --- the longest --------------------------------------------------------------------------------- */

int longest__begin(struct longest *longest, size_t max)
{
	*longest = (struct longest){.heap = calloc(max, sizeof(struct span)), .max = max};
	return longest->heap ? 0 : -ENOMEM;
}

static uint64_t length_of(const struct span *span)
{
	return span->end_ns - span->begin_ns;
}

static void swap(struct span *a, struct span *b)
{
	struct span both = *a;

	*a = *b;
	*b = both;
}

static void sift_up(struct longest *longest, size_t i)
{
	while (i && length_of(&longest->heap[i]) < length_of(&longest->heap[(i - 1) / 2])) {
		swap(&longest->heap[i], &longest->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct longest *longest)
{
	for (size_t i = 0, least = 0;; i = least) {
		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < longest->n; k++) {
			if (length_of(&longest->heap[k]) < length_of(&longest->heap[least]))
				least = k;
		}
		if (least == i)
			return;
		swap(&longest->heap[i], &longest->heap[least]);
	}
}

void longest__add(struct longest *longest, const struct span *span)
{
	if (longest->n < longest->max) {
		longest->heap[longest->n] = *span;
		sift_up(longest, longest->n++);
	} else if (length_of(span) > length_of(&longest->heap[0])) {
		longest->heap[0] = *span;
		sift_down(longest);
	}
}

static int by_begin(const void *a, const void *b)
{
	const struct span *left = a, *right = b;

	if (left->begin_ns != right->begin_ns)
		return left->begin_ns < right->begin_ns ? -1 : 1;
	return (left->goid > right->goid) - (left->goid < right->goid);
}

void longest__sort(struct longest *longest)
{
	qsort(longest->heap, longest->n, sizeof(struct span), by_begin);
}
