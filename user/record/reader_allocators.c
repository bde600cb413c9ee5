// SPDX-License-Identifier: Apache-2.0
/* Who allocated, by interval. */
#include "record/reader_private.h"

static void keep_points(void *of, const void *items, size_t n)
{
	struct timeline_allocator *allocator = of;

	allocator->points = items;
	allocator->n_points = n;
}

static void read_points(struct recording *recording, struct timeline_allocator **by_number,
			size_t n)
{
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT allocator, time_ns, alloc_bytes, alloc_objects FROM allocator_points "
		"ORDER BY allocator, time_ns",
		0);
	struct group group = {.size = sizeof(struct timeline_allocator_point), .keep = keep_points};

	while (rows__next(recording, &rows)) {
		uint64_t number = row__count(rows, 0);
		const struct timeline_allocator_point point = {
			.time_ns = row__count(rows, 1),
			.bytes = row__count(rows, 2),
			.objects = row__count(rows, 3),
		};

		group__add(recording, &group, number < n ? by_number[number] : NULL, &point);
	}
	group__end(recording, &group);
}

static void read_allocators_of(struct recording *recording, struct reading *reading,
			       struct timeline_allocator **by_number, size_t n)
{
	struct timeline_allocator *all = arena__take(&recording->arena, n, sizeof(*all));
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT a.id, a.by, a.name, a.goid, f.function, a.start_function FROM allocators a "
		"LEFT JOIN frames f ON f.id = a.created_by WHERE a.target = ? ORDER BY a.id",
		reading->id);
	size_t found = 0;

	while (rows__next(recording, &rows)) {
		uint64_t number = row__count(rows, 0);
		struct timeline_allocator *allocator;

		if (!all || found == n || number >= n || by_number[number])
			continue;
		allocator = &all[found++];
		allocator->by = row__text(recording, rows, 1);
		allocator->name = row__text(recording, rows, 2);
		allocator->goid = row__count(rows, 3);
		allocator->created_by = row__text(recording, rows, 4);
		allocator->start_function = row__text(recording, rows, 5);
		by_number[number] = allocator;
	}
	reading->target.allocators = all;
	reading->target.n_allocators = found;
}

void reader_allocators__read(struct recording *recording)
{
	struct timeline_allocator **by_number;
	size_t n;

	if (!rows__have_tables(recording, "allocators", "allocator_points") ||
	    !rows__count(recording, "SELECT max(id) FROM allocators", RECORD_MAX_GROUPS, &n))
		return;
	n++;
	by_number = arena__take(&recording->arena, n, sizeof(struct timeline_allocator *));
	if (!by_number)
		return;
	for (size_t i = 0; i < recording->n_readings; i++)
		read_allocators_of(recording, &recording->readings[i], by_number, n);
	read_points(recording, by_number, n);
}
