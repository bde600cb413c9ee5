// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_follow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/bytes.h"
#include "heap/samples/survivors.h"
#include "heap/spans/spans.h"
#include "heap/view/counters.h"

#define MAX_OBJECTS (1u << 15)

/* One that has outlived so many collections is there to stay: its slot is hardly ever another's. */
#define OLD 3u

/* Where the allocator is, is looked at so often, for the objects that no other follows. */
#define PEEK_NS	 (20 * NSEC_PER_MSEC)
#define MAX_PEEK 1024u /* classes of all processors that are waited for */

/* Looks whose heap is remembered: those of the history, and one that it has not forgotten yet. */
#define KEPT_LOOKS (4 * ALLOC_LOOKS)

struct look {
	uint64_t ns;
	double heap_bytes;
};

/* What a class of a processor is waited for, and what was seen. */
struct peek {
	size_t wait;
	uint32_t hits;
	uint64_t span;
	uint8_t mspan[HEAP_MSPAN_MAX];
};

struct alloc_follow {
	const struct heap_runtime *runtime;
	struct alloc_follow_options options;
	struct alloc_flow *flow;
	struct alloc_followed *followed;
	struct alloc_history *history;
	unsigned int thinned; /* when the history began */
	uint32_t sweepgen;    /* of which all is known */
	bool known;
	struct look looks[KEPT_LOOKS];
	size_t n_looks;
	struct peek *peeks; /* MAX_PEEK of them */
	struct remote_span *reads;
	size_t n_peeks;
	uint64_t peeked_ns;
	uint64_t collections,
		missed; /* that were noticed, of these those that came with others at once */
};

static int begin_history(struct alloc_follow *follow)
{
	const struct alloc_history_options options = {
		.max = MAX_OBJECTS,
		.period_ns = follow->options.period_ns,
	};

	alloc_history__free(follow->history);
	follow->history = NULL;
	follow->n_looks = 0;
	follow->thinned = alloc_followed__thinned(follow->followed);
	return alloc_history__new(&options, &follow->history);
}

int alloc_follow__new(const struct heap_runtime *runtime, struct alloc_flow *flow,
		      const struct alloc_follow_options *options, struct alloc_follow **ret_follow)
{
	struct alloc_follow *follow = calloc(1, sizeof(*follow));
	int err;

	if (!follow)
		return -ENOMEM;
	follow->runtime = runtime;
	follow->options = *options;
	follow->flow = flow;
	follow->peeks = calloc(MAX_PEEK, sizeof(*follow->peeks));
	follow->reads = calloc(MAX_PEEK, sizeof(*follow->reads));
	err = follow->peeks && follow->reads ?
		      alloc_followed__new(flow, MAX_OBJECTS, &follow->followed) :
		      -ENOMEM;
	if (!err)
		err = begin_history(follow);
	if (err) {
		alloc_follow__free(follow);
		return err;
	}
	*ret_follow = follow;
	return 0;
}

void alloc_follow__free(struct alloc_follow *follow)
{
	if (!follow)
		return;
	alloc_history__free(follow->history);
	alloc_followed__free(follow->followed);
	free(follow->peeks);
	free(follow->reads);
	free(follow);
}

void alloc_follow__record(struct alloc_follow *follow, const struct gl_alloc *record,
			  const struct followed_hit *hit)
{
	const struct followed_place place = {
		.mcache = record->mcache,
		.span = record->span,
		.base = record->base,
		.sweepgen = record->sweepgen,
		.free_index = record->free_index,
		.span_class = record->span_class,
	};

	if (!record->mcache)
		return;
	if (record->kind == GL_ALLOC_LARGE)
		alloc_followed__large(follow->followed, &place);
	else if (record->kind == GL_ALLOC_FOUND)
		alloc_followed__found(follow->followed, &place);
	else if (record->span_class != GL_ALLOC_NO_CLASS)
		alloc_followed__hit(follow->followed, &place, hit);
}

void alloc_follow__gap(struct alloc_follow *follow, bool seeing)
{
	alloc_followed__gap(follow->followed, seeing);
}

void alloc_follow__renumber(struct alloc_follow *follow, const uint32_t *map)
{
	alloc_followed__renumber(follow->followed, map);
}

/* --- the last of each class ----------------------------------------------------------------------- */

/* Reads the caches' spans of all that are waited for: first which, then what they are. */
static int read_spans(struct alloc_follow *follow, const struct followed_wait *waits)
{
	const struct go_layout *l = follow->runtime->layout;
	int err;

	for (size_t k = 0; k < follow->n_peeks; k++) {
		const struct followed_place *place = &waits[follow->peeks[k].wait].place;

		follow->reads[k] = (struct remote_span){
			.address = place->mcache + l->mcache_alloc +
				   sizeof(uint64_t) * place->span_class,
			.buffer = &follow->peeks[k].span,
			.size = sizeof(follow->peeks[k].span),
		};
	}
	err = remote__read_spans(follow->runtime->remote, follow->reads, follow->n_peeks);
	for (size_t k = 0; k < follow->n_peeks && !err; k++)
		follow->reads[k] = (struct remote_span){
			.address = follow->reads[k].result ? 0 : follow->peeks[k].span,
			.buffer = follow->peeks[k].mspan,
			.size = l->mspan_sizeof,
		};
	return err ? err :
		     remote__read_spans(follow->runtime->remote, follow->reads, follow->n_peeks);
}

void alloc_follow__peek(struct alloc_follow *follow, bool now)
{
	uint64_t now_ns = clock__monotonic_ns();
	const struct followed_wait *waits;
	size_t n;

	follow->n_peeks = 0;
	if ((!now && now_ns - follow->peeked_ns < PEEK_NS) ||
	    follow->runtime->layout->mspan_sizeof > HEAP_MSPAN_MAX)
		return;
	follow->peeked_ns = now_ns;
	waits = alloc_followed__waits(follow->followed, &n);
	for (size_t i = 0; i < n && follow->n_peeks < MAX_PEEK; i++) {
		if (waits[i].valid && waits[i].place.span_class)
			follow->peeks[follow->n_peeks++] =
				(struct peek){.wait = i, .hits = waits[i].hits};
	}
	if (follow->n_peeks && read_spans(follow, waits))
		follow->n_peeks = 0;
}

void alloc_follow__found(struct alloc_follow *follow)
{
	const struct go_layout *l = follow->runtime->layout;

	for (size_t k = 0; k < follow->n_peeks; k++) {
		const struct peek *peek = &follow->peeks[k];
		const struct followed_place place = {
			.span = peek->span,
			.base = bytes__u64(peek->mspan, l->mspan_startAddr),
			.sweepgen = bytes__u32(peek->mspan, l->mspan_sweepgen),
			/* No span has more objects than that, whatever its width. */
			.free_index = bytes__u16(peek->mspan, l->mspan_freeindex),
		};

		if (!follow->reads[k].result)
			alloc_followed__seen(follow->followed, peek->wait, peek->hits, &place);
	}
	follow->n_peeks = 0;
}

/* --- after a collection -------------------------------------------------------------------------- */

static void settle(struct alloc_follow *follow, struct followed_object *object,
		   const struct survivor *survivor)
{
	bool sure = object->survived >= OLD || alloc_followed__all_seen(follow->followed, object);

	if (survivor->fate == SURVIVOR_SAME)
		return;
	/*
	 * Several collections have passed. Then of all of an age nothing is known: where only those were left
	 * out that may be others by now, the dead would count too much.
	 */
	if (survivor->missed && !sure)
		object->state = FOLLOWED_LOST;
	else if (survivor->fate == SURVIVOR_DEAD)
		object->state = FOLLOWED_DEAD;
	else
		alloc_followed__survived(follow->followed, object, survivor->sweepgen);
}

/* A batch of those of which the last collection is not known. Returns how many are still not. */
static int check(struct alloc_follow *follow, struct followed_object *const *objects, size_t n,
		 size_t *left)
{
	struct survivor survivors[SURVIVORS_MAX];
	int err;

	for (size_t i = 0; i < n; i++)
		survivors[i] = (struct survivor){
			.mspan = objects[i]->mspan,
			.base = objects[i]->base,
			.index = objects[i]->index,
			.sweepgen = objects[i]->sweepgen,
		};
	err = survivors__check(follow->runtime, survivors, n);
	for (size_t i = 0; i < n && !err; i++) {
		settle(follow, objects[i], &survivors[i]);
		*left += survivors[i].fate == SURVIVOR_SAME;
	}
	return err;
}

static int check_all(struct alloc_follow *follow, uint32_t sweepgen, size_t *left)
{
	struct followed_object *batch[SURVIVORS_MAX], *objects;
	size_t n, n_batch = 0;
	int err = 0;

	objects = alloc_followed__objects(follow->followed, &n);
	for (size_t i = 0; i < n && !err; i++) {
		if (objects[i].sweepgen != sweepgen)
			batch[n_batch++] = &objects[i];
		if (n_batch == SURVIVORS_MAX || (n_batch && i + 1 == n)) {
			err = check(follow, batch, n_batch, left);
			n_batch = 0;
		}
	}
	return err;
}

void alloc_follow__tick(struct alloc_follow *follow, const struct followed_time *time)
{
	uint32_t sweepgen;
	size_t left = 0;

	if (survivors__sweepgen(follow->runtime, &sweepgen) ||
	    (follow->known && sweepgen == follow->sweepgen))
		return;
	if (sweepgen != follow->sweepgen) {
		follow->collections++;
		follow->missed += follow->collections > 1 && sweepgen - follow->sweepgen > 2;
		alloc_followed__replace(follow->followed);
	}
	/* Spans that wait to be swept are asked again. */
	follow->known = !check_all(follow, sweepgen, &left) && !left;
	follow->sweepgen = sweepgen;
	alloc_followed__drop(follow->followed, time);
}

/* --- from look to look --------------------------------------------------------------------------- */

static void note_look(struct alloc_follow *follow, uint64_t now_ns,
		      const struct heap_counters *counters)
{
	if (follow->n_looks == KEPT_LOOKS) {
		follow->n_looks--;
		memmove(&follow->looks[0], &follow->looks[1],
			follow->n_looks * sizeof(follow->looks[0]));
	}
	follow->looks[follow->n_looks++] = (struct look){
		.ns = now_ns,
		.heap_bytes = counters->marked ? (double)counters->live_bytes : 0,
	};
}

struct alloc_object *alloc_follow__objects(const struct alloc_follow *follow, size_t *ret_n)
{
	const struct followed_object *objects;
	const struct alloc_flow_entry *entries;
	struct alloc_object *seen;
	size_t n_entries;

	objects = alloc_followed__objects(follow->followed, ret_n);
	entries = alloc_flow__entries(follow->flow, &n_entries);
	seen = calloc(*ret_n + 1, sizeof(*seen));
	for (size_t i = 0; seen && i < *ret_n; i++)
		seen[i] = (struct alloc_object){
			.address = objects[i].address,
			.bucket = alloc_follow__bucket(&entries[objects[i].entry]),
		};
	return seen;
}

struct followed_kind *alloc_follow__kinds(const struct alloc_follow *follow, size_t *ret_n)
{
	const struct followed_object *objects;
	const struct alloc_flow_entry *entries;
	struct followed_kind *kinds;
	size_t n_entries;

	objects = alloc_followed__objects(follow->followed, ret_n);
	entries = alloc_flow__entries(follow->flow, &n_entries);
	kinds = calloc(*ret_n + 1, sizeof(*kinds));
	for (size_t i = 0; kinds && i < *ret_n; i++)
		kinds[i] = (struct followed_kind){
			.address = objects[i].address,
			.bytes = entries[objects[i].entry].tiny ? 0 :
								  entries[objects[i].entry].bytes,
			.stack = entries[objects[i].entry].stack,
		};
	return kinds;
}

static int take(struct alloc_follow *follow, uint64_t now_ns, uint32_t gc_cycles)
{
	struct alloc_object *seen;
	size_t n;
	int err;

	seen = alloc_follow__objects(follow, &n);
	if (!seen)
		return -ENOMEM;
	err = alloc_history__take(follow->history, now_ns, gc_cycles, seen, n);
	free(seen);
	return err;
}

static void tell(const struct alloc_follow *follow)
{
	const struct alloc_flow_entry *entries;
	double followed = 0, lost = 0, hits = 0;
	size_t n, n_objects;

	entries = alloc_flow__entries(follow->flow, &n);
	for (size_t i = 0; i < n; i++) {
		hits += (double)entries[i].hits;
		followed += entries[i].followed;
		lost += entries[i].lost;
	}
	alloc_followed__objects(follow->followed, &n_objects);
	log_debug(
		"objects that are followed: %zu; of %.0f hits that were told %.0f by weight, of which "
		"%.0f were lost; %llu collections, %llu with others at once",
		n_objects, hits, followed, lost, (unsigned long long)follow->collections,
		(unsigned long long)follow->missed);
}

void alloc_follow__look(struct alloc_follow *follow, const struct followed_time *time)
{
	uint64_t now_ns = time->now_ns;
	struct heap_counters counters;

	alloc_follow__tick(follow, time);
	alloc_followed__count(follow->followed, time);
	/* What was forgotten for room was not freed. */
	if ((!follow->history || follow->thinned != alloc_followed__thinned(follow->followed)) &&
	    begin_history(follow))
		return;
	if (heap_counters__read(follow->runtime, &counters))
		return;
	tell(follow);
	if (take(follow, now_ns, counters.gc_cycles) == 1)
		note_look(follow, now_ns, &counters);
}

static double heap_at(const struct alloc_follow *follow, uint64_t ns)
{
	for (size_t i = 0; i < follow->n_looks; i++) {
		if (follow->looks[i].ns == ns)
			return follow->looks[i].heap_bytes;
	}
	return 0;
}

void alloc_follow__past(const struct alloc_follow *follow, struct followed_past *ret_past)
{
	const struct alloc_times *times;

	*ret_past = (struct followed_past){
		.history = follow->history,
		.min_window_ns = follow->options.min_window_ns,
	};
	if (!follow->history)
		return;
	times = alloc_history__times(follow->history);
	for (unsigned int i = 0; i < times->n; i++)
		ret_past->heap_bytes[i] = heap_at(follow, times->ns[i]);
}
