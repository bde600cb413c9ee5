// SPDX-License-Identifier: Apache-2.0
/* What was open, by look. */
#include "record/reader_private.h"

static void keep_points(void *of, const void *items, size_t n)
{
	struct timeline_resource *resource = of;

	resource->points = items;
	resource->n_points = n;
}

static void read_points(struct recording *recording, struct timeline_resource **by_number, size_t n)
{
	sqlite3_stmt *rows =
		rows__begin(recording,
			    "SELECT resource, time_ns, outstanding, opened, closed FROM "
			    "resource_points ORDER BY resource, time_ns",
			    0);
	struct group group = {.size = sizeof(struct timeline_resource_point), .keep = keep_points};

	while (rows__next(recording, &rows)) {
		uint64_t number = row__count(rows, 0);
		const struct timeline_resource_point point = {
			.time_ns = row__count(rows, 1),
			.outstanding = row__count(rows, 2),
			.opened = row__count(rows, 3),
			.closed = row__count(rows, 4),
		};

		group__add(recording, &group, number < n ? by_number[number] : NULL, &point);
	}
	group__end(recording, &group);
}

/* What is of no kind that this gleakd knows is left out. */
static void read_resources_of(struct recording *recording, struct reading *reading,
			      struct timeline_resource **by_number, size_t n)
{
	struct timeline_resource *resources = arena__take(&recording->arena, n, sizeof(*resources));
	sqlite3_stmt *rows = rows__begin(
		recording,
		"SELECT id, kind, held_by, calls FROM resources WHERE target = ? ORDER BY id",
		reading->id);
	size_t found = 0;

	while (rows__next(recording, &rows)) {
		enum resource_kind kind = resource_kind__find(row__text(recording, rows, 1));
		uint64_t number = row__count(rows, 0);
		struct timeline_resource *resource;

		if (!resources || found == n || number >= n || by_number[number] ||
		    kind == RESOURCE_KINDS)
			continue;
		resource = &resources[found++];
		resource->kind = kind;
		resource->held_by = row__text(recording, rows, 2);
		resource->calls = row__text(recording, rows, 3);
		by_number[number] = resource;
	}
	reading->target.resources = resources;
	reading->target.n_resources = found;
}

void reader_resources__read(struct recording *recording)
{
	struct timeline_resource **by_number;
	size_t n;

	if (!rows__have_tables(recording, "resources", "resource_points") ||
	    !rows__count(recording, "SELECT max(id) FROM resources", RECORD_MAX_RESOURCES, &n))
		return;
	n++;
	by_number = arena__take(&recording->arena, n, sizeof(struct timeline_resource *));
	if (!by_number)
		return;
	for (size_t i = 0; i < recording->n_readings; i++)
		read_resources_of(recording, &recording->readings[i], by_number, n);
	read_points(recording, by_number, n);
}
