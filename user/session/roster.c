// SPDX-License-Identifier: Apache-2.0
#include "session/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/label_sets.h"
#include "session/roster_places.h"

/* From this version on the durable states of a bubble are marked (goroutineheader). */
#define MINOR_DURABLE 25

/* Words that follow a wait reason. */
enum suffix {
	SUFFIX_NONE,
	SUFFIX_DURABLE,
	SUFFIX_LEAKED,
	SUFFIX_COUNT,
};

struct roster {
	struct roster_source source;
	struct census_goroutine *sightings;
	size_t n, capacity, refused;

	struct report_goroutine *list;
	size_t n_list;
	struct label_sets *labels;
	size_t labels_unread;
	struct roster_places *places;
	char *words[UINT8_MAX + 1][SUFFIX_COUNT]; /* made when first needed */
};

int roster__new(const struct roster_source *source, struct roster **ret_roster)
{
	struct roster *roster = calloc(1, sizeof(*roster));

	if (!roster)
		return -ENOMEM;
	roster->source = *source;
	*ret_roster = roster;
	return 0;
}

void roster__clear(struct roster *roster)
{
	free(roster->sightings);
	free(roster->list);
	label_sets__free(roster->labels);
	roster_places__free(roster->places);
	roster->sightings = NULL;
	roster->list = NULL;
	roster->labels = NULL;
	roster->places = NULL;
	roster->n = roster->capacity = roster->refused = 0;
	roster->n_list = roster->labels_unread = 0;
}

void roster__free(struct roster *roster)
{
	if (!roster)
		return;
	roster__clear(roster);
	for (size_t i = 0; i < ARRAY_SIZE(roster->words); i++) {
		for (size_t j = 0; j < SUFFIX_COUNT; j++)
			free(roster->words[i][j]);
	}
	free(roster);
}

static bool make_room(struct roster *roster)
{
	size_t capacity = roster->capacity ? roster->capacity * 2 : 256;
	struct census_goroutine *grown;

	if (roster->n < roster->capacity)
		return true;
	capacity = min_of(capacity, (size_t)ROSTER_MAX_GOROUTINES);
	if (capacity == roster->capacity)
		return false;
	grown = reallocarray(roster->sightings, capacity, sizeof(*grown));
	if (!grown)
		return false;
	roster->sightings = grown;
	roster->capacity = capacity;
	return true;
}

void roster__add(struct roster *roster, const struct census_goroutine *g)
{
	if (make_room(roster))
		roster->sightings[roster->n++] = *g;
	else
		roster->refused++;
}

/* --- states in words ----------------------------------------------------------------------------- */

static bool is_waiting(const struct census_goroutine *g)
{
	return g->status == GO_STATUS_WAITING || g->status == GO_STATUS_LEAKED;
}

/* src/runtime/runtime2.go isIdleInSynctest, those whose words do not say so themselves. */
static bool is_durable(const char *words)
{
	static const char *const durable[] = {
		"chan receive (nil chan)",
		"chan send (nil chan)",
		"select (no cases)",
		"sleep",
		"sync.Cond.Wait",
		"coroutine",
		"synctest.Run",
		"synctest.Wait",
	};

	for (size_t i = 0; i < ARRAY_SIZE(durable); i++) {
		if (!strcmp(words, durable[i]))
			return true;
	}
	return false;
}

static enum suffix suffix_of(const struct roster *roster, const struct census_goroutine *g,
			     const char *words)
{
	if (g->status == GO_STATUS_LEAKED)
		return SUFFIX_LEAKED;
	if (g->in_bubble && roster->source.layout->minor >= MINOR_DURABLE && is_durable(words))
		return SUFFIX_DURABLE;
	return SUFFIX_NONE;
}

/* The words of a wait reason and what follows them; NULL without memory. */
static const char *wait_words(struct roster *roster, const struct census_goroutine *g)
{
	static const char *const suffixes[SUFFIX_COUNT] = {"", " (durable)", " (leaked)"};
	const char *words = go_layout__wait_reason(roster->source.layout, g->wait_reason);
	enum suffix suffix = suffix_of(roster, g, words);
	char **made = &roster->words[g->wait_reason][suffix];

	if (!*made && asprintf(made, "%s%s", *words ? words : "waiting", suffixes[suffix]) < 0)
		*made = NULL;
	return *made;
}

/* src/runtime/traceback.go gStatusStrings. */
static const char *state_words(struct roster *roster, const struct census_goroutine *g)
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
		return wait_words(roster, g);
	}
}

/* The runtime remembers since when only for what a GC has seen blocked. */
static double waiting_seconds(const struct census_goroutine *g)
{
	if (!(is_waiting(g) || g->in_syscall) || !g->waitsince_ns ||
	    g->waitsince_ns > g->read_at_ns)
		return 0;
	return (double)(g->read_at_ns - g->waitsince_ns) / (double)NSEC_PER_SEC;
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
static void sort_sightings(struct roster *roster)
{
	size_t kept = 0;

	if (roster->n)
		qsort(roster->sightings, roster->n, sizeof(roster->sightings[0]), by_goid);
	for (size_t i = 0; i < roster->n; i++) {
		if (kept && roster->sightings[kept - 1].goid == roster->sightings[i].goid)
			kept--;
		roster->sightings[kept++] = roster->sightings[i];
	}
	roster->n = kept;
}

static int read_labels(struct roster *roster, struct remote *remote, struct labels_wanted *wanted)
{
	int unread = label_sets__new(&roster->labels);

	for (size_t i = 0; i < roster->n; i++) {
		const struct census_goroutine *g = &roster->sightings[i];

		wanted[i] = (struct labels_wanted){g->address, g->goid, g->labels, NULL};
	}
	if (!unread)
		unread = label_sets__read(roster->labels, remote, roster->source.layout, wanted,
					  roster->n);
	if (unread < 0)
		return unread;
	roster->labels_unread = (size_t)unread;
	return 0;
}

static int add_goroutine(struct roster *roster, const struct census_goroutine *g,
			 const struct report_labels *labels)
{
	struct report_goroutine *out = &roster->list[roster->n_list];
	const struct report_place *place;
	int err = roster_places__find(roster->places, g, &place);

	if (err)
		return err;
	if (place->system && !roster->source.system)
		return 0;
	*out = (struct report_goroutine){
		.goid = g->goid,
		.parent_goid = g->parent_goid,
		.state = state_words(roster, g),
		.parked = is_waiting(g) && !g->on_system_stack,
		.locked_to_thread = g->locked_to_thread,
		.in_bubble = g->in_bubble,
		.waiting_seconds = waiting_seconds(g),
		.labels = labels,
		.place = place,
	};
	if (!out->state)
		return -ENOMEM;
	roster->n_list++;
	return 0;
}

int roster__complete(struct roster *roster, struct remote *remote)
{
	struct labels_wanted *wanted = NULL;
	int err = roster_places__new(&roster->source, &roster->places);

	sort_sightings(roster);
	if (!err) {
		wanted = calloc(roster->n + 1, sizeof(*wanted));
		roster->list = calloc(roster->n + 1, sizeof(*roster->list));
		err = wanted && roster->list ? 0 : -ENOMEM;
	}
	if (!err)
		err = read_labels(roster, remote, wanted);
	for (size_t i = 0; i < roster->n && !err; i++)
		err = add_goroutine(roster, &roster->sightings[i], wanted[i].found);
	free(wanted);
	if (err)
		roster->n_list = 0;
	return err;
}

const struct report_goroutine *roster__list(const struct roster *roster, size_t *ret_n)
{
	*ret_n = roster->n_list;
	return roster->list;
}

size_t roster__refused(const struct roster *roster)
{
	return roster->refused;
}

size_t roster__labels_unread(const struct roster *roster)
{
	return roster->labels_unread;
}
