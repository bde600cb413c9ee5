// SPDX-License-Identifier: Apache-2.0
#include "report/alloc_places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/hash.h"
#include "base/index.h"

#define MAX_SITES (1u << 17)

int alloc_places__init(struct alloc_places *places)
{
	*places = (struct alloc_places){0};
	return index__new(MAX_SITES, &places->by_place);
}

void alloc_places__done(struct alloc_places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		free(places->stacks[i]);
		free(places->all[i].type);
		for (size_t k = 0; k < REPORT_MAX_HELD_BY; k++)
			free(places->all[i].held_by[k]);
	}
	free(places->stacks);
	free(places->keys);
	free(places->all);
	index__free(places->by_place);
}

static bool find(const struct alloc_places *places, uint64_t key, size_t *ret_i)
{
	struct index_search search = index__search(places->by_place, hash__keyed_word(key));

	while (index__next(&search)) {
		if (places->keys[search.number] != key)
			continue;
		*ret_i = search.number;
		return true;
	}
	return false;
}

int alloc_places__of(struct alloc_places *places, const struct site_frames *frames, size_t *ret_i)
{
	struct report_alloc_site site = {.allocated_at = frames->blocked_at};
	size_t i = places->n;
	int err;

	if (find(places, frames->place, ret_i))
		return 0;
	if (!array__reserve(places->all, places->capacity, i + 1) ||
	    !array__reserve(places->keys, places->keys_capacity, i + 1) ||
	    !array__reserve(places->stacks, places->stacks_capacity, i + 1))
		return -ENOMEM;
	err = index__add(places->by_place, hash__keyed_word(frames->place), (uint32_t)i);
	if (err)
		return err;
	snprintf(site.id, sizeof(site.id), "%08x", (uint32_t)(frames->place ^ frames->place >> 32));
	places->all[i] = site;
	places->keys[i] = frames->place;
	places->stacks[i] = NULL;
	places->n++;
	*ret_i = i;
	return 0;
}

int alloc_places__keep_stack(struct alloc_places *places, size_t i,
			     const struct site_frames *frames)
{
	struct report_frame *stack = malloc((frames->n_stack + 1) * sizeof(*stack));

	if (!stack)
		return -ENOMEM;
	memcpy(stack, frames->stack, frames->n_stack * sizeof(*stack));
	free(places->stacks[i]);
	places->stacks[i] = stack;
	places->all[i].stack = stack;
	places->all[i].n_stack = frames->n_stack;
	return 0;
}

/* --- from build to build ------------------------------------------------------------------------ */

static int copy_text(char **to, const char *from)
{
	if (*to || !from)
		return 0;
	*to = strdup(from);
	return *to ? 0 : -ENOMEM;
}

static const struct report_alloc_site *find_by_id(const struct alloc_places *places,
						  const struct index *by_id, const char *id)
{
	struct index_search search = index__search(by_id, hash__keyed(id, strlen(id)));

	while (index__next(&search)) {
		if (!strcmp(places->all[search.number].id, id))
			return &places->all[search.number];
	}
	return NULL;
}

/* What grows, which are few places, is held by the same as when that was looked at last. */
static int inherit(struct report_alloc_site *site, const struct report_alloc_site *was,
		   double seconds)
{
	uint64_t before = was ? was->alloc_bytes : 0;
	int err = 0;

	site->rate_known = seconds > 0 || (was && was->rate_known);
	if (seconds <= 0)
		site->bytes_per_second = was ? was->bytes_per_second : 0;
	else
		site->bytes_per_second =
			(double)(site->alloc_bytes - min_of(site->alloc_bytes, before)) / seconds;
	if (!was || !alloc_site__grows(site) || site->held_by[0])
		return 0;
	err = copy_text(&site->type, was->type);
	for (size_t k = 0; k < REPORT_MAX_HELD_BY && !err; k++)
		err = copy_text(&site->held_by[k], was->held_by[k]);
	return err;
}

int alloc_places__inherit(struct alloc_places *places, const struct alloc_places *before,
			  double seconds)
{
	struct index *by_id;
	int err = index__new(max_of(before->n, (size_t)1), &by_id);

	for (size_t i = 0; i < before->n && !err; i++) {
		const char *id = before->all[i].id;

		err = index__add(by_id, hash__keyed(id, strlen(id)), (uint32_t)i);
	}
	for (size_t i = 0; i < places->n && !err; i++)
		err = inherit(&places->all[i], find_by_id(before, by_id, places->all[i].id),
			      seconds);
	index__free(by_id);
	return err;
}

bool alloc_places__lack_holders(const struct alloc_places *places)
{
	for (size_t i = 0; i < places->n; i++) {
		if (alloc_site__grows(&places->all[i]) && !places->all[i].held_by[0])
			return true;
	}
	return false;
}

void alloc_places__suppress(struct alloc_places *places, struct allow_list *allow)
{
	for (size_t i = 0; i < places->n; i++) {
		struct report_alloc_site *site = &places->all[i];
		const char *reason = allow && alloc_site__grows(site) ?
					     allow_list__match_place(allow, site) :
					     NULL;

		site->suppressed = reason;
		site->suppressed_reason = reason;
	}
}

/* --- their order --------------------------------------------------------------------------------- */

static double key_of(const struct report_alloc_site *site, enum report_alloc_order order)
{
	switch (order) {
	case REPORT_BY_IN_USE_BYTES:
		return (double)site->in_use_bytes;
	case REPORT_BY_IN_USE_OBJECTS:
		return (double)site->in_use_objects;
	case REPORT_BY_ALLOC_BYTES:
		return (double)site->alloc_bytes;
	case REPORT_BY_ALLOC_OBJECTS:
		return (double)site->alloc_objects;
	case REPORT_BY_GROWTH:
		return site->growth_per_minute;
	}
	return 0;
}

struct ordering {
	enum report_alloc_order by;
	bool growing_first;
};

static int compare(const void *a, const void *b, void *ctx)
{
	const struct report_alloc_site *x = a, *y = b;
	const struct ordering *ordering = ctx;
	bool x_grows = alloc_site__grows(x), y_grows = alloc_site__grows(y);
	enum report_alloc_order order =
		ordering->growing_first && x_grows && y_grows ? REPORT_BY_GROWTH : ordering->by;
	double key_x = key_of(x, order), key_y = key_of(y, order);

	if (ordering->growing_first && x_grows != y_grows)
		return x_grows ? -1 : 1;
	if (key_x != key_y)
		return key_x < key_y ? 1 : -1;
	if (x->alloc_bytes != y->alloc_bytes)
		return x->alloc_bytes < y->alloc_bytes ? 1 : -1;
	return strcmp(x->id, y->id);
}

void alloc_places__sort(struct alloc_places *places, enum report_alloc_order order,
			bool growing_first)
{
	struct ordering ordering = {.by = order, .growing_first = growing_first};

	if (places->n)
		qsort_r(places->all, places->n, sizeof(places->all[0]), compare, &ordering);
}

void alloc_places__tell_due(struct alloc_places *places, uint64_t now_ns, uint64_t realtime_ns)
{
	for (size_t i = 0; i < places->n; i++) {
		uint64_t due_ns = places->all[i].judgement.due_ns;

		/* What is due is judged at the next look. */
		places->all[i].due_ns = due_ns > now_ns ? realtime_ns + (due_ns - now_ns) : 0;
	}
}
