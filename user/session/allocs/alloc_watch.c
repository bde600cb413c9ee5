// SPDX-License-Identifier: Apache-2.0
#include "session/allocs/alloc_watch.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "host/access.h"
#include "observe/alloc_records.h"
#include "probe/alloc_draws.h"
#include "session/allocs/alloc_feed.h"
#include "session/allocs/alloc_modules.h"
#include "session/allocs/allocs_private.h"
#include "session/allocs/target_samples.h"
#include "session/target_internal.h"

/*
 * 18,000 records: of a window that draws them there are some hundred, and at a gigabyte per second samples take nine
 * seconds for it.
 */
#define RING_BYTES	 (8u << 20)
#define EXACT_RING_BYTES (64u << 20)

/* The longest that a period of one open window goes on before it becomes figures. */
#define PERIOD_NS NSEC_PER_SEC

/* Real stacks are deeper than gleakd's at calibration, and out of the caches. */
#define DEEPER_AND_COLD 1.5

/* What a hit costs is known to about a tenth; the budget is kept where it is that much more. */
#define AT_MOST 1.1

/*
 * Between two looks: often enough for collections, after which what is followed is looked at; and while a window is
 * open that may have to be closed. One that was open for so long, and has cost nearly nothing, will be for a while.
 */
#define TICK_NS		 (5 * NSEC_PER_MSEC)
#define PRESSING_TICK_NS NSEC_PER_MSEC
#define CALM_NS		 (100 * NSEC_PER_MSEC)

struct alloc_watch {
	struct alloc_watch_options options;
	struct alloc_feed feed;
	size_t batch; /* of a round of reading */
	uint64_t malformed;
	bool rests;
	bool hurries; /* gleakd comes before everybody else on a processor */
	uint64_t ticked_ns;
	struct target *by_slot[GL_ALLOC_MAX_TARGETS]; /* NULL: free */
};

/* The target in slot *@at or the next one behind it; NULL: there are no more. */
static struct target *next_target(const struct alloc_watch *watch, size_t *at)
{
	while (*at < GL_ALLOC_MAX_TARGETS) {
		struct target *target = watch->by_slot[(*at)++];

		if (target)
			return target;
	}
	return NULL;
}

/* --- records --------------------------------------------------------------------------------------- */

static void on_checked(void *ctx, const struct gl_alloc *record)
{
	struct alloc_watch *watch = ctx;
	struct target *target = watch->by_slot[record->slot];

	if (target && target__pid(target) == (pid_t)record->tgid)
		target_allocs__take(target, record);
}

/* A busy target can produce as fast as we consume: the round ends after one ringful. */
static bool on_record(void *ctx, const void *data, size_t size)
{
	struct alloc_watch *watch = ctx;

	if (!alloc_record__decode(data, size, on_checked, ctx))
		watch->malformed++;
	return ++watch->batch < watch->feed.ring_records;
}

/* @now: where the allocator is, is of interest at this moment. */
static void drain(struct alloc_watch *watch, bool now)
{
	struct target *target;

	for (size_t i = 0; (target = next_target(watch, &i));) {
		struct target_allocs *allocs = target->allocs;
		uint64_t lost = allocs->counts.lost;

		if (allocs->follow && allocs->attached && !allocs->gap)
			alloc_follow__peek(allocs->follow, now);
		(void)!alloc_probes__counts(watch->feed.probes, allocs->slot, &allocs->counts);
		if (allocs->follow && allocs->counts.lost != lost)
			alloc_follow__gap(allocs->follow, allocs->attached && !allocs->gap);
	}
	watch->batch = 0;
	bpf_ring__consume(watch->feed.ring, on_record, watch);
	for (size_t i = 0; (target = next_target(watch, &i));) {
		if (target->allocs->attached && target->allocs->counts.gap)
			target_allocs__draws(target, target->allocs->counts.gap);
	}
	/* Else there are records that are older. */
	for (size_t i = 0;
	     watch->batch < watch->feed.ring_records && (target = next_target(watch, &i));) {
		if (target->allocs->follow)
			alloc_follow__found(target->allocs->follow);
	}
}

/* --- what is attached ------------------------------------------------------------------------------ */

static void hurry(struct alloc_watch *watch, bool hurries)
{
	if (watch->hurries != hurries)
		access__come_first(hurries);
	watch->hurries = hurries;
}

static void open_window(struct alloc_watch *watch, struct target *target)
{
	struct target_allocs *allocs = target->allocs;
	const struct alloc_modules modules = {allocs->modules, allocs->n_modules};

	if (alloc_probes__draw(watch->feed.probes, allocs->slot, allocs->gap))
		return;
	/* It is to be closed in time, however many wait for a processor. */
	if (allocs->source == ALLOC_SOURCE_WINDOWS)
		hurry(watch, true);
	if (alloc_modules__attach(&modules, watch->feed.probes, target, allocs->slot,
				  &allocs->ended))
		return;
	allocs->attached = true;
	if (process__cpu_ns(target__pid(target), &allocs->opened_cpu_ns))
		allocs->opened_cpu_ns = 0;
	allocs->opened_ns = clock__monotonic_ns();
	allocs->valid_from_ns = allocs->opened_ns;
	allocs->valid_to_ns = UINT64_MAX;
	allocs->n_windows++;
	if (allocs->follow)
		alloc_follow__gap(allocs->follow, !allocs->gap);
	if (!allocs->gap) {
		allocs->period_began_ns = allocs->opened_ns;
		allocs->period_cpu_ns = allocs->opened_cpu_ns;
	}
	if (!allocs->began_ns) {
		allocs->began_ns = allocs->opened_ns;
		allocs->counted_known = !heap_class_counts__read(allocs->runtime, &allocs->counted);
	}
	alloc_windows__set(&allocs->windows, true, allocs->opened_ns);
	log_debug("allocations of process %d: probes attached, for the %llu. time",
		  target__pid(target), (unsigned long long)allocs->n_windows);
}

static void close_window(struct target *target)
{
	struct target_allocs *allocs = target->allocs;

	target_allocs__note_window(target, clock__monotonic_ns());
	allocs->valid_to_ns = allocs->opened_ns;
	allocs->closed_known = !heap_class_counts__read(allocs->runtime, &allocs->closed);
	alloc_modules__detach(&(struct alloc_modules){allocs->modules, allocs->n_modules});
	allocs->attached = false;
	if (allocs->follow)
		alloc_follow__gap(allocs->follow, false);
	alloc_windows__set(&allocs->windows, false, allocs->valid_to_ns);
	log_debug("allocations of process %d: probes detached, which took %.1f ms",
		  target__pid(target),
		  (double)(clock__monotonic_ns() - allocs->valid_to_ns) / NSEC_PER_MSEC);
}

/* --- when ------------------------------------------------------------------------------------------ */

/* What a record of each hit would take, by this period. */
static double share_of_all(const struct target_allocs *allocs)
{
	double hits = (double)(allocs->counts.hits - allocs->settled.hits);

	return alloc_windows__share(allocs->window_ns, allocs->window_cpu_ns,
				    hits * (allocs->cost.hit_ns + allocs->cost.record_ns));
}

/* No budget is so large that a program should spend more than this in records. */
#define MAX_SHARE 0.2

/* All hits are told when that leaves half of the budget, until the account is used up. */
static bool affords_all(const struct target_allocs *allocs)
{
	return share_of_all(allocs) < fmin(allocs->windows.max_overhead, MAX_SHARE) / 2;
}

/* Whether the window should be closed to tell all hits from now on, or to draw some. */
static bool should_change(const struct target_allocs *allocs)
{
	if (allocs->source != ALLOC_SOURCE_WINDOWS || allocs->windows.max_overhead <= 0)
		return false;
	return allocs->gap ? affords_all(allocs) : share_of_all(allocs) > MAX_SHARE;
}

/* How many of the next window's hits are told, by what there was in the one that has been closed. */
static void choose_gap(struct target_allocs *allocs)
{
	uint64_t hits = allocs->counts.hits - allocs->settled.hits;
	bool used_up = alloc_windows__is_used_up(&allocs->windows);

	if (allocs->source != ALLOC_SOURCE_WINDOWS || allocs->windows.max_overhead <= 0)
		return;
	if (affords_all(allocs))
		allocs->gap = 0;
	else if (hits && (allocs->gap || used_up || share_of_all(allocs) > MAX_SHARE))
		allocs->gap = alloc_draws__gap(hits, allocs->counts.amount - allocs->settled.amount,
					       alloc_weights__is_busy(&allocs->weights));
}

static bool wants_window(const struct alloc_watch *watch, struct target *target, uint64_t now_ns)
{
	struct target_allocs *allocs = target->allocs;
	/* Only those that can become dear at any moment. */
	bool rests = watch->rests && allocs->source == ALLOC_SOURCE_WINDOWS;
	uint64_t cpu_ns;

	if (process__cpu_ns(target__pid(target), &cpu_ns))
		return false;
	alloc_paces__share(allocs);
	return alloc_windows__tick(&allocs->windows, now_ns, cpu_ns,
				   target_allocs__charge(allocs)) &&
	       !rests;
}

/* While one window is open all the time nothing is missed. */
static struct followed_time followed_time(const struct target_allocs *allocs, uint64_t now_ns)
{
	uint64_t watched_ns = allocs->began_ns ? now_ns - min_of(now_ns, allocs->began_ns) : 0;
	bool seen_all = allocs->attached && allocs->n_windows == 1;

	return (struct followed_time){
		.now_ns = now_ns,
		.watched_ns = max_of(watched_ns, (uint64_t)1),
		.apart_ns = seen_all || !allocs->n_windows ? 0 : watched_ns / allocs->n_windows,
	};
}

static void look_at(struct alloc_watch *watch, struct target *target)
{
	struct target_allocs *allocs = target->allocs;
	uint64_t now_ns = clock__monotonic_ns();
	struct followed_time time = followed_time(allocs, now_ns);
	bool wanted, period_over;

	if (allocs->missing.text[0])
		return;
	if (allocs->follow)
		alloc_follow__tick(allocs->follow, &time);
	if (allocs->ended.text[0])
		return;
	wanted = wants_window(watch, target, now_ns);
	wanted = alloc_paces__turn(target, watch->feed.probes, watch->rests, wanted, now_ns);
	period_over = allocs->attached &&
		      now_ns - max_of(allocs->period_began_ns, allocs->valid_from_ns) > PERIOD_NS;
	if (period_over)
		target_allocs__note_window(target, now_ns);
	if (period_over && should_change(allocs))
		wanted = false;
	if (!wanted && allocs->attached) {
		drain(watch, true);
		close_window(target);
		drain(watch, false);
		choose_gap(allocs);
		target_allocs__settle(target);
	} else if (period_over) {
		target_allocs__settle(target);
	}
	if (wanted && !allocs->attached) {
		/* What is seen in full stands for itself alone: the pause is as the time before. */
		if (!allocs->gap)
			target_allocs__settle(target);
		open_window(watch, target);
	}
}

static bool is_attached(const struct alloc_watch *watch)
{
	const struct target *target;

	for (size_t i = 0; (target = next_target(watch, &i));) {
		if (target->allocs->attached || alloc_paces__reads(&target->allocs->paces))
			return true;
	}
	return false;
}

/* Whether it can become too dear before long. */
static bool is_pressing(const struct target_allocs *allocs, uint64_t now_ns)
{
	return allocs->attached && allocs->source == ALLOC_SOURCE_WINDOWS &&
	       (now_ns < allocs->valid_from_ns + CALM_NS ||
		alloc_windows__is_used_up(&allocs->windows));
}

/* Whether a window of someone's is open that is to be closed in time; @calm: or may be before long. */
static bool is_urgent(const struct alloc_watch *watch, uint64_t now_ns, bool calm)
{
	const struct target *target;

	for (size_t i = 0; (target = next_target(watch, &i));) {
		if (is_pressing(target->allocs, calm ? target->allocs->valid_from_ns : now_ns))
			return true;
	}
	return false;
}

/* Who has nothing else to do stays ahead, as what is open may soon be dear. */
static bool should_hurry(const struct alloc_watch *watch, uint64_t now_ns)
{
	return is_urgent(watch, now_ns, watch->options.part <= 0);
}

uint64_t alloc_watch__tick(struct alloc_watch *watch)
{
	uint64_t now_ns = clock__monotonic_ns();
	struct target *target;

	if (!is_attached(watch) && now_ns < watch->ticked_ns + TICK_NS)
		return watch->ticked_ns + TICK_NS - now_ns;
	watch->ticked_ns = now_ns;
	if (is_attached(watch))
		drain(watch, false);
	for (size_t i = 0; (target = next_target(watch, &i));)
		look_at(watch, target);
	hurry(watch, should_hurry(watch, now_ns));
	/* Each time somebody else has a processor less for a moment, also where there is nothing to do. */
	return is_urgent(watch, now_ns, false) ? PRESSING_TICK_NS : TICK_NS;
}

uint64_t alloc_watch__rest(struct alloc_watch *watch, bool rests)
{
	watch->rests = rests;
	return alloc_watch__tick(watch);
}

void alloc_watch__settle(struct alloc_watch *watch)
{
	struct target *target;

	drain(watch, true);
	for (size_t i = 0; (target = next_target(watch, &i));) {
		struct target_allocs *allocs = target->allocs;
		struct followed_time time = followed_time(allocs, clock__monotonic_ns());

		if (allocs->missing.text[0])
			continue;
		target_allocs__settle(target);
		if (allocs->follow)
			alloc_follow__look(allocs->follow, &time);
	}
}

/* --- a target -------------------------------------------------------------------------------------- */

static enum alloc_source source_for(const struct alloc_watch *watch, uint64_t rate)
{
	if (watch->options.exact)
		return ALLOC_SOURCE_ALL;
	if (!rate)
		return ALLOC_SOURCE_WINDOWS;
	return watch->options.samples ? ALLOC_SOURCE_SAMPLE_HITS : ALLOC_SOURCE_NONE;
}

/* Where the runtime has samples, it keeps them itself. */
static int follow_objects(const struct alloc_watch *watch, struct target_allocs *allocs,
			  struct failure *failure)
{
	const struct alloc_follow_options options = {
		.period_ns = watch->options.period_ns,
		.min_window_ns = watch->options.min_window_ns,
	};

	if (alloc_follow__new(allocs->runtime, allocs->flow, &options, &allocs->follow))
		return failure__set(failure, -ENOMEM, "out of memory");
	return 0;
}

/* What other probes have cost in the last second is what they cost in the next one, to about that. */
#define OTHERS_AT_MOST 1.5

/*
 * The rest is what is not counted: the kernel's work on its code when probes come and go, caches that are cold behind
 * a hit, and gleakd beside it.
 */
#define FOR_HITS 0.8

/* Who allows all of it, and more than all cannot be spent: hits are charged with more than they are likely to cost. */
#define NO_END 4.0

/*
 * What others leave of what a target's probes may cost. One without a limit has one here: each allocation is more than
 * anybody asked for.
 */
static double overhead_of(const struct alloc_watch *watch, struct target *target)
{
	double part = watch->options.part, max = target->options.max_overhead;

	if (watch->options.max_overhead >= 1)
		return NO_END;
	if (part <= 0 || max <= 0)
		return FOR_HITS * watch->options.max_overhead;
	return FOR_HITS * fmax(max * part, max - OTHERS_AT_MOST * target->governor.overhead);
}

void alloc_watch__second(struct alloc_watch *watch)
{
	struct target *target;

	for (size_t i = 0; (target = next_target(watch, &i));) {
		if (target->allocs->source == ALLOC_SOURCE_WINDOWS)
			target->allocs->max_overhead = overhead_of(watch, target);
	}
}

static int prepare(struct alloc_watch *watch, struct target *target, uint64_t rate, size_t slot)
{
	struct target_allocs *allocs;
	struct failure *failure;
	struct failure opened = {""};
	struct alloc_recording recording;
	int err = target_allocs__open(target, &opened);

	if (!target->allocs)
		return err;
	allocs = target->allocs;
	failure = &allocs->missing;
	*failure = opened;
	allocs->source = source_for(watch, rate);
	allocs->rate = rate;
	allocs->slot = slot;
	allocs->who = watch->options.who;
	allocs->again = watch->options.part > 0;
	if (allocs->source == ALLOC_SOURCE_WINDOWS)
		target__share_overhead(target, TARGET_ALLOCATIONS, watch->options.part);
	allocs->max_overhead = allocs->source == ALLOC_SOURCE_ALL ? 0 : overhead_of(watch, target);
	alloc_windows__init(&allocs->windows, allocs->max_overhead,
			    alloc_windows__price(allocs->max_overhead),
			    hash__keyed_word(clock__monotonic_ns()));
	/* Each sample stands for others, and without a limit each hit is wanted. */
	recording = (struct alloc_recording){
		.follows = allocs->source != ALLOC_SOURCE_SAMPLE_HITS,
		.draws = allocs->windows.max_overhead > 0 && allocs->source == ALLOC_SOURCE_WINDOWS,
	};
	allocs->cost = (struct alloc_cost){
		.hit_ns = watch->feed.cost.hit_ns * AT_MOST,
		.record_ns = watch->feed.cost.record_ns * DEEPER_AND_COLD,
	};
	if (!err)
		err = target_allocs__plan(target, failure);
	if (!err)
		err = alloc_probes__describe(watch->feed.probes, allocs->slot,
					     go_binary__layout(target->executable->binary),
					     target__pid(target), &recording, failure);
	if (!err && recording.follows)
		err = follow_objects(watch, allocs, failure);
	return err;
}

static size_t free_slot(const struct alloc_watch *watch)
{
	size_t slot = 0;

	while (slot < GL_ALLOC_MAX_TARGETS && watch->by_slot[slot])
		slot++;
	return slot;
}

int alloc_watch__add(struct alloc_watch *watch, struct target *target, struct failure *failure)
{
	size_t slot = free_slot(watch);
	uint64_t rate;
	int err = target_samples__rate(target, &rate, failure);

	if (err == -ESRCH || err == -ENOMEM)
		return err;
	if (err)
		rate = 0;
	if (source_for(watch, rate) == ALLOC_SOURCE_NONE)
		return 0;
	if (slot == GL_ALLOC_MAX_TARGETS)
		return failure__set(failure, -ENOSPC,
				    "allocations of no more than %d processes are watched",
				    GL_ALLOC_MAX_TARGETS);
	err = prepare(watch, target, rate, slot);
	if (err == -ENOMEM || err == -ESRCH)
		return failure__set(failure, err, "%s",
				    err == -ENOMEM ? "out of memory" : "the process is gone");
	if (err)
		return 0;
	watch->by_slot[slot] = target;
	target->allocs->watch = watch;
	return 0;
}

void alloc_watch__remove(struct alloc_watch *watch, struct target *target)
{
	struct target_allocs *allocs = target->allocs;

	if (!allocs || allocs->watch != watch)
		return;
	target->former_allocs_ns = target_allocs__cost_ns(target);
	watch->by_slot[allocs->slot] = NULL;
	allocs->watch = NULL;
	target_allocs__close(target);
	hurry(watch, should_hurry(watch, clock__monotonic_ns()));
	target__share_overhead(target, TARGET_ALLOCATIONS, 0);
}

/* --- what it would cost ----------------------------------------------------------------------------- */

#define FORECAST_NS (200 * NSEC_PER_MSEC)

static int count_all(const struct target *target, uint64_t *ret_n)
{
	struct heap_class_counts counts;
	int err = heap_class_counts__read(target->allocs->runtime, &counts);

	*ret_n = 0;
	for (size_t c = 0; c < HEAP_COUNTED_CLASSES && !err; c++)
		*ret_n += counts.objects[c];
	return err;
}

int alloc_watch__forecast(const struct alloc_watch *watch, const struct target *target,
			  double *ret_per_second, double *ret_slowdown)
{
	const struct timespec wait = {.tv_nsec = FORECAST_NS};
	uint64_t cpu_before, cpu_after, before, after;
	pid_t pid = target__pid(target);
	double hits_ns, cpu_ns;

	if (!target->allocs || target->allocs->missing.text[0] || count_all(target, &before) ||
	    process__cpu_ns(pid, &cpu_before))
		return -ENODATA;
	nanosleep(&wait, NULL);
	if (count_all(target, &after) || process__cpu_ns(pid, &cpu_after))
		return -ENODATA;
	hits_ns = (double)(after - before) * (watch->feed.cost.hit_ns + watch->feed.cost.record_ns);
	cpu_ns = (double)(cpu_after - cpu_before);
	*ret_per_second = (double)(after - before) * NSEC_PER_SEC / FORECAST_NS;
	*ret_slowdown = cpu_ns > 0 ? 1 + hits_ns / cpu_ns : 1;
	return 0;
}

/* --- its life -------------------------------------------------------------------------------------- */

int alloc_watch__new(const struct alloc_watch_options *options, struct alloc_watch **ret_watch,
		     struct failure *failure)
{
	struct alloc_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return failure__set(failure, -ENOMEM, "out of memory");
	watch->options = *options;
	err = alloc_feed__open(&watch->feed, PROGRAMS_ALLOCATIONS,
			       options->exact ? EXACT_RING_BYTES : RING_BYTES, failure);
	if (err) {
		alloc_watch__free(watch);
		return err;
	}
	*ret_watch = watch;
	return 0;
}

void alloc_watch__free(struct alloc_watch *watch)
{
	if (!watch)
		return;
	alloc_feed__close(&watch->feed);
	free(watch);
}

bool alloc_watch__uprobe_multi(const struct alloc_watch *watch)
{
	return watch->feed.uprobe_multi;
}

int alloc_watch__ring_fd(const struct alloc_watch *watch)
{
	return alloc_probes__ring_fd(watch->feed.probes);
}
