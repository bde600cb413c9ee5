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
	uint64_t stacks, work, bits, large_bytes, large_objects, small_bytes, small_objects;
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

/* Memory that the runtime has mapped for itself (MemStats: MSpanSys, MCacheSys, ... OtherSys). */
static int read_own(const struct heap_runtime *runtime, uint64_t *ret_bytes)
{
	const struct go_layout *l = runtime->layout;
	const uint32_t fields[] = {l->mstats_mspan_sys, l->mstats_mcache_sys,
				   l->mstats_buckhash_sys, l->mstats_gcMiscSys,
				   l->mstats_other_sys};
	int err = 0;

	*ret_bytes = 0;
	for (size_t i = 0; i < ARRAY_SIZE(fields) && !err; i++) {
		uint64_t part = 0;

		err = remote__read_u64(runtime->remote, runtime->memstats + fields[i], &part);
		*ret_bytes += part;
	}
	return err;
}

static int read_memstats(const struct heap_runtime *runtime, struct heap_counters *counters)
{
	const struct go_layout *l = runtime->layout;
	uint8_t stats[GO_HEAP_STATS * STATS_MAX];
	struct sums sums = {0};
	uint64_t own;
	int err;

	if (!layout_is_complete(l))
		return 0;
	err = remote__read(runtime->remote, runtime->memstats + l->mstats_heapStats, stats,
			   (size_t)GO_HEAP_STATS * l->heapStats_sizeof);
	if (!err)
		err = read_own(runtime, &own);
	if (err)
		return err;
	for (size_t i = 0; i < GO_HEAP_STATS; i++)
		add_shard(l, stats + i * l->heapStats_sizeof, &sums);
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
	return 0;
}

/* A count that is being moved from one shard to another may be missing for a moment. */
static int read_counts(const struct heap_runtime *runtime, struct heap_counters *counters)
{
	int err = 0;

	for (int i = 0; i < ATTEMPTS && !err && !counters->counted; i++)
		err = read_memstats(runtime, counters);
	return err;
}

/* What math.MaxInt64 is: no limit. With one the goal is a lower one most of the time. */
#define NO_LIMIT ((uint64_t)INT64_MAX)

static void read_goal(const struct heap_runtime *runtime, struct heap_counters *counters)
{
	const struct go_layout *l = runtime->layout;
	uint64_t limit = NO_LIMIT, goal;

	if (l->gcController_heapGoal == GO_LAYOUT_ABSENT)
		return;
	if (l->gcController_memoryLimit != GO_LAYOUT_ABSENT &&
	    remote__read_u64(runtime->remote, runtime->gc_controller + l->gcController_memoryLimit,
			     &limit))
		return;
	if (limit != NO_LIMIT ||
	    remote__read_u64(runtime->remote, runtime->gc_controller + l->gcController_heapGoal,
			     &goal) ||
	    goal >= MAX_BYTES)
		return;
	counters->goal_bytes = goal;
	counters->has_goal = true;
}

int heap_counters__read(const struct heap_runtime *runtime, struct heap_counters *ret_counters)
{
	const struct go_layout *l = runtime->layout;
	uint64_t pages;
	uint32_t sweepgen;
	int err = remote__read(runtime->remote, runtime->mheap + l->mheap_sweepgen, &sweepgen,
			       sizeof(sweepgen));

	*ret_counters = (struct heap_counters){0};
	if (!err && l->mheap_pagesInUse == GO_LAYOUT_ABSENT)
		err = -EFAULT;
	if (!err)
		err = remote__read_u64(runtime->remote, runtime->mheap + l->mheap_pagesInUse,
				       &pages);
	if (err)
		return err;
	/* Each collection adds two (src/runtime/mgc.go gcSweep). */
	ret_counters->gc_cycles = sweepgen / 2;
	ret_counters->heap_bytes = pages * GO_PAGE_SIZE;
	if (runtime->memstats)
		err = read_counts(runtime, ret_counters);
	if (!err && runtime->gc_controller) {
		err = remote__read_u64(runtime->remote,
				       runtime->gc_controller + l->gcController_heapMarked,
				       &ret_counters->live_bytes);
		ret_counters->marked = !err;
	}
	if (!err && runtime->gc_controller)
		read_goal(runtime, ret_counters);
	if (!err && runtime->memstats && l->mstats_pause_total_ns != GO_LAYOUT_ABSENT)
		ret_counters->timed =
			!remote__read_u64(runtime->remote,
					  runtime->memstats + l->mstats_pause_total_ns,
					  &ret_counters->pause_ns) &&
			ret_counters->pause_ns <= INT64_MAX;
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
