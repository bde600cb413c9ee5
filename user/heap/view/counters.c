// SPDX-License-Identifier: Apache-2.0
#include "heap/view/counters.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "golang/memory_globals.h"
#include "heap/spans/spans.h"

#define STATS_MAX   2048u /* bytes of a heapStatsDelta; 1176 in the largest version */
#define MSTATS_MAX  16384u
#define WORD	    8u
#define ATTEMPTS    4
#define MAX_BYTES   (1ULL << GO_HEAP_BITS)
#define MAX_OBJECTS (MAX_BYTES / 8)

/* Sums over the shards of one read; each may be negative alone (src/runtime/mstats.go). */
struct sums {
	uint64_t released, stacks, work, bits, large_bytes, large_objects, small_bytes,
		small_objects;
	uint64_t total_bytes, total_objects; /* freed or not */
};

static bool layout_is_complete(const struct go_layout *l)
{
	return l->mstats_heapStats != GO_LAYOUT_ABSENT && l->mstats_other_sys != GO_LAYOUT_ABSENT &&
	       l->mstats_other_sys < MSTATS_MAX && l->heapStats_sizeof <= STATS_MAX &&
	       l->heapStats_smallFreeCount != GO_LAYOUT_ABSENT &&
	       l->heapStats_smallFreeCount < l->heapStats_sizeof;
}

static void add_small(const struct go_layout *l, const uint8_t *stats, struct sums *sums)
{
	for (uint8_t class = 1; heap_spans__class_size(class); class ++) {
		uint32_t at = class * WORD;
		uint64_t n, allocated;

		if (l->heapStats_smallFreeCount + at + WORD > l->heapStats_sizeof)
			return;
		allocated = bytes__u64(stats, l->heapStats_smallAllocCount + at);
		n = allocated - bytes__u64(stats, l->heapStats_smallFreeCount + at);
		sums->total_objects += allocated;
		sums->total_bytes += allocated * heap_spans__class_size(class);
		sums->small_objects += n;
		sums->small_bytes += n * heap_spans__class_size(class);
	}
}

static void add_shard(const struct go_layout *l, const uint8_t *stats, struct sums *sums)
{
	if (l->heapStats_released != GO_LAYOUT_ABSENT)
		sums->released += bytes__u64(stats, l->heapStats_released);
	sums->stacks += bytes__u64(stats, l->heapStats_inStacks);
	sums->work += bytes__u64(stats, l->heapStats_inWorkBufs);
	if (l->heapStats_inPtrScalarBits != GO_LAYOUT_ABSENT)
		sums->bits += bytes__u64(stats, l->heapStats_inPtrScalarBits);
	sums->large_bytes += bytes__u64(stats, l->heapStats_largeAlloc) -
			     bytes__u64(stats, l->heapStats_largeFree);
	sums->large_objects += bytes__u64(stats, l->heapStats_largeAllocCount) -
			       bytes__u64(stats, l->heapStats_largeFreeCount);
	sums->total_bytes += bytes__u64(stats, l->heapStats_largeAlloc);
	sums->total_objects += bytes__u64(stats, l->heapStats_largeAllocCount);
	/* Several of them share a small object, which is counted as well. */
	if (l->heapStats_tinyAllocCount != GO_LAYOUT_ABSENT)
		sums->total_objects += bytes__u64(stats, l->heapStats_tinyAllocCount);
	add_small(l, stats, sums);
}

/* All that is read of a process, at once: each read goes by way of others. */
#define OWN_FIELDS 5
struct raw {
	uint32_t sweepgen;
	uint64_t pages;
	uint64_t own[OWN_FIELDS];
	uint64_t live, limit, goal, pause, assist;
	uint8_t stats[GO_HEAP_STATS * STATS_MAX];
};

/* What math.MaxInt64 is: no limit. With one the goal is a lower one most of the time. */
#define NO_LIMIT ((uint64_t)INT64_MAX)

#define MAX_SPANS (OWN_FIELDS + 8)

struct wanted {
	struct remote_span spans[MAX_SPANS];
	size_t n;
	size_t n_needed; /* of these, without which nothing is known */
};

static void want(struct wanted *wanted, uint64_t address, void *buffer, size_t size)
{
	wanted->spans[wanted->n++] = (struct remote_span){address, buffer, (uint32_t)size, 0};
}

static void want_memstats(const struct heap_runtime *runtime, struct raw *raw,
			  struct wanted *wanted)
{
	const struct go_layout *l = runtime->layout;
	/* Memory that the runtime has mapped for itself (MemStats: MSpanSys, MCacheSys, ... OtherSys). */
	const uint32_t fields[OWN_FIELDS] = {l->mstats_mspan_sys, l->mstats_mcache_sys,
					     l->mstats_buckhash_sys, l->mstats_gcMiscSys,
					     l->mstats_other_sys};

	want(wanted, runtime->memstats + l->mstats_heapStats, raw->stats,
	     (size_t)GO_HEAP_STATS * l->heapStats_sizeof);
	for (size_t i = 0; i < OWN_FIELDS; i++)
		want(wanted, runtime->memstats + fields[i], &raw->own[i], sizeof(raw->own[i]));
}

static bool has_memstats(const struct heap_runtime *runtime)
{
	return runtime->memstats && layout_is_complete(runtime->layout);
}

static bool has_pauses(const struct heap_runtime *runtime)
{
	return runtime->memstats && runtime->layout->mstats_pause_total_ns != GO_LAYOUT_ABSENT;
}

static int read_raw(const struct heap_runtime *runtime, struct raw *raw)
{
	const struct go_layout *l = runtime->layout;
	struct wanted wanted = {.n = 0};
	int err;

	if (l->mheap_pagesInUse == GO_LAYOUT_ABSENT)
		return -EFAULT;
	*raw = (struct raw){
		.limit = NO_LIMIT, .goal = MAX_BYTES, .pause = UINT64_MAX, .assist = UINT64_MAX};
	want(&wanted, runtime->mheap + l->mheap_sweepgen, &raw->sweepgen, sizeof(raw->sweepgen));
	want(&wanted, runtime->mheap + l->mheap_pagesInUse, &raw->pages, sizeof(raw->pages));
	if (has_memstats(runtime))
		want_memstats(runtime, raw, &wanted);
	if (runtime->gc_controller)
		want(&wanted, runtime->gc_controller + l->gcController_heapMarked, &raw->live,
		     sizeof(raw->live));
	wanted.n_needed = wanted.n;
	if (runtime->gc_controller && l->gcController_memoryLimit != GO_LAYOUT_ABSENT)
		want(&wanted, runtime->gc_controller + l->gcController_memoryLimit, &raw->limit,
		     sizeof(raw->limit));
	if (runtime->gc_controller && l->gcController_heapGoal != GO_LAYOUT_ABSENT)
		want(&wanted, runtime->gc_controller + l->gcController_heapGoal, &raw->goal,
		     sizeof(raw->goal));
	if (runtime->gc_controller && l->gcController_assistTime != GO_LAYOUT_ABSENT)
		want(&wanted, runtime->gc_controller + l->gcController_assistTime, &raw->assist,
		     sizeof(raw->assist));
	if (has_pauses(runtime))
		want(&wanted, runtime->memstats + l->mstats_pause_total_ns, &raw->pause,
		     sizeof(raw->pause));
	err = remote__read_spans(runtime->remote, wanted.spans, wanted.n);
	for (size_t i = 0; i < wanted.n_needed && !err; i++)
		err = wanted.spans[i].result;
	return err;
}

static void count_memstats(const struct go_layout *l, const struct raw *raw,
			   struct heap_counters *counters)
{
	struct sums sums = {0};
	uint64_t own = 0;

	for (size_t i = 0; i < OWN_FIELDS; i++)
		own += raw->own[i];
	for (size_t i = 0; i < GO_HEAP_STATS; i++)
		add_shard(l, raw->stats + i * l->heapStats_sizeof, &sums);
	counters->returned = l->heapStats_released != GO_LAYOUT_ABSENT && sums.released < MAX_BYTES;
	counters->released_bytes = counters->returned ? sums.released : 0;
	counters->stack_bytes = sums.stacks;
	counters->allocated_bytes = sums.large_bytes + sums.small_bytes;
	counters->allocated_objects = sums.large_objects + sums.small_objects;
	counters->total_bytes = sums.total_bytes;
	counters->total_objects = sums.total_objects;
	counters->work_bytes = sums.work + sums.bits;
	counters->runtime_bytes = own;
	counters->counted =
		counters->stack_bytes < MAX_BYTES && counters->allocated_bytes < MAX_BYTES &&
		counters->allocated_objects < MAX_OBJECTS && counters->work_bytes < MAX_BYTES &&
		counters->runtime_bytes < MAX_BYTES &&
		counters->total_bytes >= counters->allocated_bytes;
}

static void count(const struct heap_runtime *runtime, const struct raw *raw,
		  struct heap_counters *counters)
{
	/* Each collection adds two (src/runtime/mgc.go gcSweep). */
	counters->gc_cycles = raw->sweepgen / 2;
	counters->heap_bytes = raw->pages * GO_PAGE_SIZE;
	if (has_memstats(runtime))
		count_memstats(runtime->layout, raw, counters);
	counters->marked = runtime->gc_controller && raw->live; /* 0 before the first one */
	counters->live_bytes = raw->live;
	counters->has_goal = raw->limit == NO_LIMIT && raw->goal < MAX_BYTES;
	counters->goal_bytes = counters->has_goal ? raw->goal : 0;
	counters->timed = has_pauses(runtime) && raw->pause <= INT64_MAX;
	counters->pause_ns = counters->timed ? raw->pause : 0;
	counters->assisted = raw->assist <= INT64_MAX;
	counters->assist_ns = counters->assisted ? raw->assist : 0;
}

int heap_counters__read(const struct heap_runtime *runtime, struct heap_counters *ret_counters)
{
	bool whole = false;
	struct raw raw;
	int err = 0;

	*ret_counters = (struct heap_counters){0};
	/* A count that is being moved from one shard to another may be missing for a moment. */
	for (int i = 0; i < ATTEMPTS && !err && !whole; i++) {
		err = read_raw(runtime, &raw);
		if (!err)
			count(runtime, &raw, ret_counters);
		whole = ret_counters->counted || !has_memstats(runtime);
	}
	return err;
}

int heap_counters__last_gc(const struct heap_runtime *runtime, uint64_t *ret_ns)
{
	uint32_t at = runtime->layout->mstats_last_gc_nanotime;

	if (!runtime->memstats || at == GO_LAYOUT_ABSENT)
		return -ENODATA;
	return remote__read_u64(runtime->remote, runtime->memstats + at, ret_ns);
}

/* src/runtime/mgc.go gcMarkTermination: pause_end[numgc % 256] = unixNow; then numgc++. */
int heap_counters__collections(const struct heap_runtime *runtime,
			       uint64_t ret_ns[HEAP_COLLECTIONS_MAX])
{
	const struct go_layout *l = runtime->layout;
	uint64_t ends[HEAP_COLLECTIONS_MAX], last_ns, last_unix, again_ns;
	uint32_t cycles;
	int n = 0, err = heap_counters__last_gc(runtime, &last_ns);

	if (!err &&
	    (l->mstats_pause_end == GO_LAYOUT_ABSENT || l->mstats_last_gc_unix == GO_LAYOUT_ABSENT))
		err = -ENODATA;
	if (!err)
		err = remote__read(runtime->remote, runtime->memstats + l->mstats_numgc, &cycles,
				   sizeof(cycles));
	if (!err)
		err = remote__read(runtime->remote, runtime->memstats + l->mstats_pause_end, ends,
				   sizeof(ends));
	if (!err)
		err = remote__read_u64(runtime->remote, runtime->memstats + l->mstats_last_gc_unix,
				       &last_unix);
	if (!err)
		err = heap_counters__last_gc(runtime, &again_ns);
	if (err)
		return err;
	if (again_ns != last_ns)
		return -EAGAIN;
	for (uint32_t i = 0; i < min_of(cycles, (uint32_t)HEAP_COLLECTIONS_MAX); i++) {
		uint64_t end = ends[(cycles - 1 - i) % HEAP_COLLECTIONS_MAX];

		/* What goes backwards, or to before the clock began, was not taken by this clock. */
		if (end > last_unix || last_unix - end >= last_ns ||
		    (n && last_ns - (last_unix - end) > ret_ns[n - 1]))
			break;
		ret_ns[n++] = last_ns - (last_unix - end);
	}
	return n;
}

static void add_classes(const struct go_layout *l, const uint8_t *stats,
			struct heap_class_counts *counts)
{
	counts->objects[0] += bytes__u64(stats, l->heapStats_largeAllocCount);
	counts->large_bytes += bytes__u64(stats, l->heapStats_largeAlloc);
	for (uint32_t class = 1; class < HEAP_COUNTED_CLASSES; class ++)
		counts->objects[class] +=
			bytes__u64(stats, l->heapStats_smallAllocCount + class * WORD);
}

static int read_classes(const struct heap_runtime *runtime, struct heap_class_counts *counts)
{
	const struct go_layout *l = runtime->layout;
	uint8_t stats[GO_HEAP_STATS * STATS_MAX];
	int err = remote__read(runtime->remote, runtime->memstats + l->mstats_heapStats, stats,
			       (size_t)GO_HEAP_STATS * l->heapStats_sizeof);

	*counts = (struct heap_class_counts){0};
	for (size_t i = 0; i < GO_HEAP_STATS && !err; i++)
		add_classes(l, stats + i * l->heapStats_sizeof, counts);
	return err;
}

int heap_class_counts__read(const struct heap_runtime *runtime,
			    struct heap_class_counts *ret_counts)
{
	const struct go_layout *l = runtime->layout;
	struct heap_class_counts before;
	int err;

	if (!runtime->memstats || !layout_is_complete(l) ||
	    l->heapStats_smallAllocCount + HEAP_COUNTED_CLASSES * WORD > l->heapStats_sizeof)
		return -ENODATA;
	err = read_classes(runtime, ret_counts);
	/* A count that is being moved from one shard to another may be there twice, or not at all. */
	for (int i = 0; i < ATTEMPTS && !err; i++) {
		before = *ret_counts;
		err = read_classes(runtime, ret_counts);
		if (!memcmp(&before, ret_counts, sizeof(before)))
			break;
	}
	return err;
}
