// SPDX-License-Identifier: Apache-2.0
#include "report/objects.h"

#include <errno.h>
#include <stdlib.h>

struct members {
	size_t n;
	struct wait_member items[SITE_OBJECTS_MAX_MEMBERS];
};

struct search {
	struct target *target;
	const struct site_objects_wanted *wanted;
	size_t n, n_full;
	struct members *members; /* one each */
};

/* Few sites are wanted: the walk over them is shorter than a hash. */
static bool add_member(void *ctx, uint32_t handle, uint64_t g_address)
{
	struct search *search = ctx;
	uint64_t goid;
	uint32_t site;

	if (!tracker__site_of_handle(target__tracker(search->target), handle, &site, &goid))
		return true;
	for (size_t i = 0; i < search->n; i++) {
		struct members *members = &search->members[i];

		if (search->wanted[i].site != site || members->n == SITE_OBJECTS_MAX_MEMBERS)
			continue;
		members->items[members->n++] =
			(struct wait_member){.goid = goid, .address = g_address};
		search->n_full += members->n == SITE_OBJECTS_MAX_MEMBERS;
	}
	return search->n_full < search->n;
}

static void read_site(struct target *target, struct wait_reader *reader,
		      struct site_objects_wanted *wanted, const struct members *members)
{
	const struct go_layout *layout = go_binary__layout(target__binary(target));
	const char *words = go_layout__wait_reason(layout, wanted->wait_reason);
	struct site_objects seen;

	wanted->found = (struct wait_objects){0};
	/* What cannot be read is not known: that is no failure of the report. */
	if (wait_reader__read(reader, wanted->wait_class, words, members->items, members->n,
			      &wanted->found))
		return;
	seen = (struct site_objects){
		.looked_at = wanted->found.looked_at,
		.distinct = wanted->found.distinct,
		.shared_by = wanted->found.shared_by,
		.with_timer = wanted->found.with_timer,
		.with_buffer = wanted->found.with_buffer,
		.queue = wanted->found.n_top && wanted->found.top[0].capacity > 0,
		.values = wanted->found.n_top && wanted->found.top[0].value_bytes > 0,
	};
	tracker__note_objects(target__tracker(target), wanted->site, &seen);
}

int site_objects__look(struct target *target, struct site_objects_wanted *wanted, size_t n)
{
	struct search search = {.target = target, .wanted = wanted};
	struct wait_reader *reader = target__wait_reader(target);

	if (!n || target__state(target) != TARGET_LIVE)
		return 0;
	search.n = min_of(n, (size_t)SITE_OBJECTS_MAX_SITES);
	search.members = calloc(search.n, sizeof(*search.members));
	if (!reader || !search.members) {
		free(search.members);
		return -ENOMEM;
	}
	wait_reader__begin(reader);
	census__slots(target__slots(target), add_member, &search);
	for (size_t i = 0; i < search.n; i++)
		if (search.members[i].n)
			read_site(target, reader, &wanted[i], &search.members[i]);
	free(search.members);
	return 0;
}
