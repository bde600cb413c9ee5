// SPDX-License-Identifier: Apache-2.0
#include "session/resources/open_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "host/access.h"
#include "observe/alloc_records.h"
#include "probe/open_plan.h"
#include "session/allocs/alloc_feed.h"
#include "session/resources/openings_private.h"
#include "session/target_internal.h"

#define RING_BYTES (4u << 20)

/* As in alloc_watch.c: real stacks are deeper than at calibration, and a hit's cost is known to a tenth. */
#define DEEPER_AND_COLD 1.5
#define AT_MOST		1.1

_Static_assert(OPEN_MAX_TARGETS *OPEN_WATCHED <= GL_ALLOC_MAX_TARGETS, "each has a slot");

/* How soon windows are looked at again: while one is new or dear, and while one is cheap, or waited for. */
#define PRESSING_TICK_NS (5 * NSEC_PER_MSEC)
#define TICK_NS		 (50 * NSEC_PER_MSEC)
#define CALM_NS		 (100 * NSEC_PER_MSEC)
#define WINDOW_PRICE_NS	 (10 * NSEC_PER_MSEC)
/* And while the budget has nothing for them. */
#define GOVERNED_TICK_NS NSEC_PER_SEC

/* Of the budget; the rest is for what is opened. */
#define POOLS_SHARE 0.5

struct open_watch {
	struct open_watch_options options;
	struct alloc_feed feed;
	size_t batch;
	uint64_t malformed;
	size_t n;
	struct target *all[OPEN_MAX_TARGETS]; /* NULL: it is gone */
};

/* --- records --------------------------------------------------------------------------------------- */

static void on_checked(void *ctx, const struct gl_alloc *record)
{
	struct open_watch *watch = ctx;
	size_t number = record->slot / OPEN_WATCHED;
	struct target *target = number < watch->n ? watch->all[number] : NULL;

	if (target && target__pid(target) == (pid_t)record->tgid && record->kind == GL_ALLOC_OPEN)
		target_openings__take(target, record);
}

static bool on_record(void *ctx, const void *data, size_t size)
{
	struct open_watch *watch = ctx;

	if (!alloc_record__decode(data, size, on_checked, ctx))
		watch->malformed++;
	return ++watch->batch < watch->feed.ring_records;
}

/* A window, and the last hits of one that is over. */
static bool is_counted(const struct open_lane *lane, uint64_t now_ns)
{
	return lane->attached || (lane->closed_ns && now_ns - lane->closed_ns < NSEC_PER_SEC);
}

void open_watch__drain(struct open_watch *watch)
{
	uint64_t now_ns = clock__monotonic_ns();

	for (size_t i = 0; i < watch->n * OPEN_WATCHED; i++) {
		struct target *target = watch->all[i / OPEN_WATCHED];
		struct open_lane *lane = target ? &target->openings->lanes[i % OPEN_WATCHED] : NULL;

		if (lane && is_counted(lane, now_ns))
			(void)!alloc_probes__counts(watch->feed.probes, i, &lane->counts);
	}
	watch->batch = 0;
	bpf_ring__consume(watch->feed.ring, on_record, watch);
}

/* --- windows --------------------------------------------------------------------------------------- */

static const char *of_what(const struct open_lane *lane)
{
	return lane->slot % OPEN_WATCHED == OPEN_WATCH_POOLS ? " (pools)" : "";
}

/* A window is to be closed in time, however many wait for a processor. */
static void come_first(const struct open_watch *watch, bool first)
{
	if (watch->options.part <= 0)
		access__come_first(first);
}

static void open_window(struct open_watch *watch, struct target *target, struct open_lane *lane)
{
	const struct alloc_modules modules = {lane->modules, lane->n_modules};

	come_first(watch, true);
	if (alloc_modules__attach(&modules, watch->feed.probes, target, lane->slot,
				  &lane->missing)) {
		come_first(watch, false);
		return;
	}
	lane->attached = true;
	lane->opened_ns = clock__monotonic_ns();
	lane->closed_ns = 0;
	lane->n_windows++;
	alloc_windows__set(&lane->windows, true, clock__monotonic_ns());
	log_debug("what process %d opens%s: probes attached, for the %llu. time",
		  target__pid(target), of_what(lane), (unsigned long long)lane->n_windows);
}

static void close_window(const struct open_watch *watch, struct target *target,
			 struct open_lane *lane)
{
	lane->closed_ns = clock__monotonic_ns();
	lane->watched_ns += lane->closed_ns - lane->opened_ns;
	alloc_modules__detach(&(struct alloc_modules){lane->modules, lane->n_modules});
	come_first(watch, false);
	lane->attached = false;
	alloc_windows__set(&lane->windows, false, clock__monotonic_ns());
	log_debug("what process %d opens%s: probes detached", target__pid(target), of_what(lane));
}

/* Of a target's CPU time; one without a limit has one here: who opens things is worth no more. */
static double overhead_of(const struct open_watch *watch, const struct target *target)
{
	double max = target->options.max_overhead, part = watch->options.part;

	return part > 0 && max > 0 ? max * part : watch->options.max_overhead;
}

static double share_of(const struct open_lane *lane)
{
	return lane->slot % OPEN_WATCHED == OPEN_WATCH_POOLS ? POOLS_SHARE : 1 - POOLS_SHARE;
}

/* Where the budget allows nobody to be told who begins and ends, it has nothing for who opens what either. */
static bool is_wanted(const struct open_watch *watch, const struct target *target,
		      const struct open_lane *lane)
{
	if (watch->options.always)
		return true;
	return lane->wanted &&
	       (watch->options.part <= 0 || target->governor.mode != PROBE_MODE_CENSUS);
}

static void look_at(struct open_watch *watch, struct target *target, struct open_lane *lane)
{
	bool wanted = is_wanted(watch, target, lane);
	uint64_t cpu_ns;

	if (lane->missing.text[0] || (!wanted && !lane->attached))
		return;
	if (process__cpu_ns(target__pid(target), &cpu_ns)) {
		if (lane->attached)
			close_window(watch, target, lane);
		return;
	}
	lane->windows.max_overhead = overhead_of(watch, target) * share_of(lane);
	wanted = alloc_windows__tick(&lane->windows, clock__monotonic_ns(), cpu_ns,
				     target_openings__spent_ns(target->openings, lane)) &&
		 wanted;
	if (!wanted && lane->attached)
		close_window(watch, target, lane);
	if (wanted && !lane->attached)
		open_window(watch, target, lane);
}

/* When it is to be looked at again; 0: nobody wants to know anything. */
static uint64_t pause_of(const struct open_watch *watch, const struct target *target,
			 const struct open_lane *lane, uint64_t now_ns)
{
	if (lane->missing.text[0] || target__state(target) != TARGET_LIVE)
		return 0;
	if (!lane->attached && is_wanted(watch, target, lane))
		return TICK_NS;
	if (!lane->attached)
		return lane->wanted ? GOVERNED_TICK_NS : 0;
	return now_ns - lane->opened_ns < CALM_NS || alloc_windows__is_used_up(&lane->windows) ?
		       PRESSING_TICK_NS :
		       TICK_NS;
}

/* Probes on goroutines have what those on openings do not need. */
static void share(const struct open_watch *watch, struct target *target, bool busy)
{
	struct target_openings *openings = target->openings;

	if (watch->options.part > 0 && openings->shares != busy)
		target__share_overhead(target, TARGET_OPENINGS, busy ? watch->options.part : 0);
	openings->shares = busy;
}

static uint64_t tick_target(struct open_watch *watch, struct target *target)
{
	uint64_t again_ns = 0;

	for (size_t i = 0; i < OPEN_WATCHED; i++) {
		struct open_lane *lane = &target->openings->lanes[i];
		uint64_t pause_ns;

		look_at(watch, target, lane);
		pause_ns = pause_of(watch, target, lane, clock__monotonic_ns());
		if (pause_ns && (!again_ns || pause_ns < again_ns))
			again_ns = pause_ns;
	}
	share(watch, target, again_ns);
	return again_ns;
}

uint64_t open_watch__tick(struct open_watch *watch)
{
	uint64_t again_ns = 0;

	open_watch__drain(watch);
	for (size_t i = 0; i < watch->n; i++) {
		uint64_t pause_ns = watch->all[i] ? tick_target(watch, watch->all[i]) : 0;

		if (pause_ns && (!again_ns || pause_ns < again_ns))
			again_ns = pause_ns;
	}
	return again_ns;
}

/* --- a target -------------------------------------------------------------------------------------- */

static int plan_modules(struct target *target, enum open_watched watched, struct failure *failure)
{
	struct open_lane *lane = &target->openings->lanes[watched];
	size_t n = min_of(module_map__count(target->modules), (size_t)ALLOC_MAX_MODULES);
	size_t sites = 0;

	for (size_t i = 0; i < n; i++) {
		const struct loaded_module *loaded = module_map__at(target->modules, i);
		struct alloc_module *module = &lane->modules[lane->n_modules];
		int err;

		if (!loaded->binary)
			continue;
		err = open_plan__make(loaded->binary, watched, &module->plan, failure);
		if (err)
			return err;
		module->bias = loaded->bias;
		module->fd = executable__fd(target->executable, loaded->number);
		sites += module->plan.n;
		lane->n_modules += module->plan.n != 0;
	}
	return sites ? 0 :
		       failure__set(failure, -ENOENT,
				    "it has none of the functions that open things, or their code "
				    "is not understood");
}

static void tell_sites(const struct open_lane *lane)
{
	for (size_t i = 0; i < lane->n_modules; i++) {
		const struct alloc_plan *plan = &lane->modules[i].plan;

		for (size_t k = 0; k < plan->n; k++)
			log_debug("opening site %s+0x%x 0x%llx %s", plan->sites[k].site.function,
				  plan->sites[k].site.func_offset,
				  (unsigned long long)plan->sites[k].site.address,
				  probe_class__name(plan->sites[k].site.class));
	}
}

static int plan_lane(struct open_watch *watch, struct target *target, size_t number,
		     enum open_watched watched)
{
	struct open_lane *lane = &target->openings->lanes[watched];
	const struct alloc_recording recording = {.follows = false};
	int err;

	lane->slot = number * OPEN_WATCHED + watched;
	alloc_windows__init(&lane->windows, overhead_of(watch, target) * share_of(lane),
			    WINDOW_PRICE_NS, hash__keyed_word(clock__monotonic_ns()));
	err = plan_modules(target, watched, &lane->missing);
	if (!err)
		err = alloc_probes__describe(watch->feed.probes, lane->slot,
					     go_binary__layout(target->executable->binary),
					     target__pid(target), &recording, &lane->missing);
	if (!err)
		tell_sites(lane);
	return err == -ENOMEM ? err : 0;
}

int open_watch__add(struct open_watch *watch, struct target *target, struct failure *failure)
{
	size_t number = 0;
	int err;

	while (number < watch->n && watch->all[number])
		number++;
	if (number == OPEN_MAX_TARGETS)
		return 0;
	err = target_openings__open(target, watch);
	if (!err) {
		target->openings->cost = (struct alloc_cost){
			.hit_ns = watch->feed.cost.hit_ns * AT_MOST,
			.record_ns = watch->feed.cost.record_ns * DEEPER_AND_COLD,
		};
		for (enum open_watched i = 0; i < OPEN_WATCHED && !err; i++)
			err = plan_lane(watch, target, number, i);
		watch->all[number] = target;
		watch->n = max_of(watch->n, number + 1);
	}
	return err ? failure__set(failure, err, "out of memory") : 0;
}

/* --- its life -------------------------------------------------------------------------------------- */

int open_watch__new(const struct open_watch_options *options, struct open_watch **ret_watch,
		    struct failure *failure)
{
	struct open_watch *watch = calloc(1, sizeof(*watch));
	int err;

	if (!watch)
		return failure__set(failure, -ENOMEM, "out of memory");
	watch->options = *options;
	err = alloc_feed__open(&watch->feed, PROGRAMS_OPENINGS, RING_BYTES, failure);
	if (err) {
		open_watch__free(watch);
		return err;
	}
	*ret_watch = watch;
	return 0;
}

void open_watch__forget(struct open_watch *watch, const struct target *target)
{
	for (size_t i = 0; i < watch->n; i++) {
		if (watch->all[i] == target)
			watch->all[i] = NULL;
	}
}

void open_watch__free(struct open_watch *watch)
{
	if (!watch)
		return;
	alloc_feed__close(&watch->feed);
	free(watch);
}

bool open_watch__uprobe_multi(const struct open_watch *watch)
{
	return watch->feed.uprobe_multi;
}

int open_watch__ring_fd(const struct open_watch *watch)
{
	return alloc_probes__ring_fd(watch->feed.probes);
}
