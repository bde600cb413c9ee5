// SPDX-License-Identifier: Apache-2.0
#include "session/goroutines/goroutine_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "golang/wait_reason.h"
#include "naming/label_sets.h"
#include "session/goroutines/goroutine_places.h"

/* From this version on the durable states of a bubble are marked (goroutineheader). */
#define MINOR_DURABLE 25

/* Words that follow a wait reason. */
enum suffix {
	SUFFIX_NONE,
	SUFFIX_DURABLE,
	SUFFIX_LEAKED,
	SUFFIX_COUNT,
};

struct goroutine_list {
	struct goroutine_list_source source;
	struct census_goroutine *sightings;
	size_t n, capacity, refused;

	struct report_goroutine *items;
	size_t n_list;
	struct label_sets *labels;
	size_t labels_unread;
	struct goroutine_places *places;
	char *waits[UINT8_MAX + 1][SUFFIX_COUNT]; /* made when first needed */
};

int goroutine_list__new(const struct goroutine_list_source *source,
			struct goroutine_list **ret_roster)
{
	struct goroutine_list *list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list->source = *source;
	*ret_roster = list;
	return 0;
}

void goroutine_list__clear(struct goroutine_list *list)
{
	free(list->sightings);
	free(list->items);
	label_sets__free(list->labels);
	goroutine_places__free(list->places);
	list->sightings = NULL;
	list->items = NULL;
	list->labels = NULL;
	list->places = NULL;
	list->n = list->capacity = list->refused = 0;
	list->n_list = list->labels_unread = 0;
}

void goroutine_list__free(struct goroutine_list *list)
{
	if (!list)
		return;
	goroutine_list__clear(list);
	for (size_t i = 0; i < ARRAY_SIZE(list->waits); i++) {
		for (size_t j = 0; j < SUFFIX_COUNT; j++)
			free(list->waits[i][j]);
	}
	free(list);
}

static bool make_room(struct goroutine_list *list)
{
	size_t max = list->source.max ? list->source.max : GOROUTINE_LIST_MAX;

	return list->n < max && array__reserve(list->sightings, list->capacity, list->n + 1);
}

void goroutine_list__add(struct goroutine_list *list, const struct census_goroutine *g)
{
	if (make_room(list))
		list->sightings[list->n++] = *g;
	else
		list->refused++;
}

/* --- states as text ------------------------------------------------------------------------------ */

static enum suffix suffix_of(const struct goroutine_list *list, const struct census_goroutine *g,
			     const char *reason)
{
	if (g->status == GO_STATUS_LEAKED)
		return SUFFIX_LEAKED;
	if (g->in_bubble && list->source.layout->minor >= MINOR_DURABLE &&
	    wait_reason__is_durable(reason))
		return SUFFIX_DURABLE;
	return SUFFIX_NONE;
}

/* The text of a wait reason and what follows it; NULL without memory. */
static const char *wait_text(struct goroutine_list *list, const struct census_goroutine *g)
{
	static const char *const suffixes[SUFFIX_COUNT] = {"", " (durable)", " (leaked)"};
	const char *reason = go_layout__wait_reason(list->source.layout, g->wait_reason);
	enum suffix suffix = suffix_of(list, g, reason);
	char **made = &list->waits[g->wait_reason][suffix];

	if (!*made && asprintf(made, "%s%s", *reason ? reason : "waiting", suffixes[suffix]) < 0)
		*made = NULL;
	return *made;
}

/* src/runtime/traceback.go gStatusStrings. */
static const char *state_text(struct goroutine_list *list, const struct census_goroutine *g)
{
	switch (g->status) {
	case GO_STATUS_RUNNABLE:
		return "runnable";
	case GO_STATUS_RUNNING:
		return "running";
	case GO_STATUS_SYSCALL:
		return "syscall";
	case GO_STATUS_COPYSTACK:
		return "copystack";
	case GO_STATUS_PREEMPTED:
		return "preempted";
	default: /* waiting or leaked: a census gives no others */
		return wait_text(list, g);
	}
}

/* The runtime remembers since when only for what a GC has seen blocked. */
static uint64_t waiting_ns(const struct census_goroutine *g)
{
	if (!(go_status__waits(g->status) || g->in_syscall) || !g->waitsince_ns ||
	    g->waitsince_ns > g->read_at_ns)
		return 0;
	return g->read_at_ns - g->waitsince_ns;
}

/* --- the list ------------------------------------------------------------------------------------ */

static int by_goid(const void *a, const void *b)
{
	uint64_t left = ((const struct census_goroutine *)a)->goid;
	uint64_t right = ((const struct census_goroutine *)b)->goid;

	return (left > right) - (left < right);
}

/*
 * A goroutine that exits and one that takes over its g keep their own numbers, so that two sightings
 * of one goid are the same goroutine read twice: the first is dropped.
 */
static void sort_sightings(struct goroutine_list *list)
{
	size_t kept = 0;

	if (list->n)
		qsort(list->sightings, list->n, sizeof(list->sightings[0]), by_goid);
	for (size_t i = 0; i < list->n; i++) {
		if (kept && list->sightings[kept - 1].goid == list->sightings[i].goid)
			kept--;
		list->sightings[kept++] = list->sightings[i];
	}
	list->n = kept;
}

static int read_labels(struct goroutine_list *list, struct remote *remote,
		       struct labels_wanted *wanted)
{
	int unread = label_sets__new(&list->labels);

	for (size_t i = 0; i < list->n; i++) {
		const struct census_goroutine *g = &list->sightings[i];

		wanted[i] = (struct labels_wanted){g->address, g->goid, g->labels, NULL};
	}
	if (!unread)
		unread = label_sets__read(list->labels, remote, list->source.layout, wanted,
					  list->n);
	if (unread < 0)
		return unread;
	list->labels_unread = (size_t)unread;
	return 0;
}

static int add_goroutine(struct goroutine_list *list, const struct census_goroutine *g,
			 const struct report_labels *labels)
{
	struct report_goroutine *out = &list->items[list->n_list];
	const struct report_place *place;
	int err = goroutine_places__find(list->places, g, &place);

	if (err)
		return err;
	if (place->system && !list->source.system)
		return 0;
	*out = (struct report_goroutine){
		.goid = g->goid,
		.parent_goid = g->parent_goid,
		.state = state_text(list, g),
		.parked = census_goroutine__is_parked(g),
		.locked_to_thread = g->locked_to_thread,
		.in_bubble = g->in_bubble,
		.waiting_ns = waiting_ns(g),
		.labels = labels,
		.place = place,
	};
	if (!out->state)
		return -ENOMEM;
	list->n_list += !list->source.wants || list->source.wants(list->source.wants_ctx, out);
	return 0;
}

int goroutine_list__complete(struct goroutine_list *list, struct remote *remote)
{
	struct labels_wanted *wanted = NULL;
	int err = goroutine_places__new(&list->source, &list->places);

	sort_sightings(list);
	if (!err) {
		wanted = calloc(list->n + 1, sizeof(*wanted));
		list->items = calloc(list->n + 1, sizeof(*list->items));
		err = wanted && list->items ? 0 : -ENOMEM;
	}
	if (!err)
		err = read_labels(list, remote, wanted);
	for (size_t i = 0; i < list->n && !err; i++)
		err = add_goroutine(list, &list->sightings[i], wanted[i].found);
	free(wanted);
	if (err)
		list->n_list = 0;
	return err;
}

const struct report_goroutine *goroutine_list__list(const struct goroutine_list *list,
						    size_t *ret_n)
{
	*ret_n = list->n_list;
	return list->items;
}

size_t goroutine_list__refused(const struct goroutine_list *list)
{
	return list->refused;
}

size_t goroutine_list__labels_unread(const struct goroutine_list *list)
{
	return list->labels_unread;
}
