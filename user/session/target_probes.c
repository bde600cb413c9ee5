// SPDX-License-Identifier: Apache-2.0
/* What is attached to a target, what that costs it, and when it changes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "session/target_internal.h"

/*
 * docs/overhead.md, in a program that does other things, too; a calibration knows better. A trap
 * that is not emulated single-steps.
 */
#define EMULATED_NS    1400
#define SINGLE_STEP_NS 20000

/* Long enough for a mean, short enough for who waits for a first report. */
#define LOOK_NS	     (200 * NSEC_PER_MSEC)
#define LOOK_SAMPLES 4

/* --- attaching ---------------------------------------------------------------------------------- */

/*
 * What of the mode asked for the plan's sites allow, and in words what a missing one costs. Without
 * both ends of a lifetime, events say less than a census.
 */
static void settle_mode(struct target *target)
{
	unsigned int wanted = probe_mode__events(target->mode), missing = 0;

	for (int e = 0; e < PROBE_EVENT_COUNT; e++) {
		const struct probe_site *site = &target->plan.sites[e];

		if (!(wanted & 1u << e) || site->present)
			continue;
		missing |= 1u << e;
		snprintf(target->mode_reason, sizeof(target->mode_reason), "no %s events: %s",
			 probe_event__name((enum probe_event)e), site->reason);
	}
	while (missing & probe_mode__events(target->mode))
		target->mode--;
}

/* In real programs a hit was measured to cost up to a fifth more still (docs/doctor.md). */
static uint64_t cost_of(const struct target *target, enum probe_event event)
{
	const struct probe_site *site = &target->plan.sites[event];
	const struct calibration *calibration = target->options.calibration;
	uint64_t ns = calibration ? calibration__ns(calibration, event, site) : 0;

	if (ns)
		return ns * 6 / 5;
	return site->class == PROBE_CLASS_EMULATED ? EMULATED_NS : SINGLE_STEP_NS;
}

static void start_governor(struct target *target)
{
	struct governor_options options = {
		.max_overhead = target->options.max_overhead,
		.highest = target->mode,
		.begin_low = target->options.begin_low,
		.calibrated = target->options.calibration,
	};

	for (enum probe_event event = 0; event < PROBE_EVENT_COUNT; event++)
		options.ns_per_hit[event] = cost_of(target, event);
	governor__init(&target->governor, &options);
	target->mode = target->governor.mode;
}

/* The runtime's own module comes first, and brings the others. */
static int attach_first(struct target *target, struct failure *failure)
{
	int err =
		module_probes__new(target->options.probes, target->process.id.pid, &target->probes);

	if (err)
		return failure__set(failure, err, "out of memory");
	err = module_probes__set(target->probes, probe_mode__events(target->mode), failure);
	if (!err)
		err = module_probes__add(target->probes, module_map__at(target->modules, 0),
					 &target->plan, executable__fd(target->executable, 0),
					 failure);
	if (!err)
		target_probes__add_modules(target);
	return err;
}

/*
 * What the target does while nothing is attached yet: some moments, for those who would otherwise find out
 * by attaching what it costs.
 */
static void look(struct target *target)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS / LOOK_SAMPLES};
	struct contrast_sample samples[LOOK_SAMPLES];
	uint64_t goids = census__goids_issued(target->census), cpu_ns = 0;
	uint64_t then_ns = clock__monotonic_ns();

	if (process__cpu_ns(target->process.id.pid, &cpu_ns))
		return;
	for (size_t i = 0; i < LOOK_SAMPLES; i++) {
		uint64_t goids_now, cpu_now, now_ns;

		nanosleep(&pause, NULL);
		goids_now = census__goids_issued(target->census);
		now_ns = clock__monotonic_ns();
		if (process__cpu_ns(target->process.id.pid, &cpu_now))
			return;
		samples[i] = (struct contrast_sample){
			.seconds = (double)(now_ns - then_ns) / (double)NSEC_PER_SEC,
			.cpu_ns = (double)(cpu_now - min_of(cpu_now, cpu_ns)),
			.creations = goids && goids_now >= goids ? (double)(goids_now - goids) : -1,
		};
		goids = goids_now;
		cpu_ns = cpu_now;
		then_ns = now_ns;
	}
	governor__look(&target->governor, samples, LOOK_SAMPLES);
	target->mode = target->governor.mode;
}

int target_probes__open(struct target *target, struct failure *failure)
{
	unsigned int events;
	int err = probe_plan__make(target->executable->binary, &target->plan, failure);

	if (err == -ENOENT) {
		snprintf(target->mode_reason, sizeof(target->mode_reason), "%s",
			 failure ? failure->text : "no probe site in this binary");
		target->mode = PROBE_MODE_CENSUS;
	} else if (err) {
		return err;
	}
	settle_mode(target);
	if (target->mode == PROBE_MODE_CENSUS) {
		tracker__expect_events(target->tracker, false, clock__monotonic_ns());
		return 0;
	}
	start_governor(target);
	if (!target->options.begin_low)
		look(target);
	events = probe_mode__events(target->governor.options.highest);
	if (target_hindrance__look(target, events))
		target->mode = PROBE_MODE_CENSUS;
	err = attach_first(target, failure);
	tracker__trace_waits(target->tracker, !err && target->mode >= PROBE_MODE_WAITS,
			     clock__monotonic_ns());
	if (!err && target->mode == PROBE_MODE_CENSUS)
		tracker__expect_events(target->tracker, false, clock__monotonic_ns());
	/* The first tick counts from here: a process that cannot afford this bears it for one. */
	if (!err && !process__cpu_ns(target->process.id.pid, &target->governed_cpu_ns))
		target->governed_ns = clock__monotonic_ns();
	return err;
}

void target_probes__close(struct target *target)
{
	module_probes__free(target->probes);
	target->probes = NULL;
}

/* --- what it costs ------------------------------------------------------------------------------- */

void target__note_losses(struct target *target)
{
	struct gl_losses now;
	uint64_t lost = 0;

	/*
	 * With nothing attached nothing is lost; this is asked many times a second, of every
	 * target.
	 */
	if (target->mode == PROBE_MODE_CENSUS || !target->probes)
		return;
	module_probes__losses(target->probes, &now);
	for (int e = 0; e < PROBE_EVENT_COUNT; e++)
		lost += now.by_event[e] - target->losses.by_event[e];
	tracker__lost(target->tracker, lost,
		      now.by_event[PROBE_EVENT_CREATE] -
			      target->losses.by_event[PROBE_EVENT_CREATE]);
	target->losses = now;
}

void target__hits(const struct target *target, uint64_t ret_hits[PROBE_EVENT_COUNT])
{
	for (int e = 0; e < PROBE_EVENT_COUNT; e++)
		ret_hits[e] =
			target->events[e] + target->losses.by_event[e] + target->losses.untold[e];
}

uint64_t target__probe_ns(const struct target *target)
{
	uint64_t hits[PROBE_EVENT_COUNT];
	double ns = target->probe_ns;

	/* Those since the last tick. */
	target__hits(target, hits);
	for (int e = 0; e < PROBE_EVENT_COUNT; e++)
		ns += (double)(hits[e] - target->governed_hits[e]) *
		      (double)target->governor.options.ns_per_hit[e] * target->governor.dearer;
	return (uint64_t)ns;
}

const struct governor *target__governor(const struct target *target)
{
	return &target->governor;
}

const char *target__mode_reason(const struct target *target)
{
	if (target->hindrance[0])
		return target->hindrance;
	return target->mode_reason[0] ? target->mode_reason : target->governor.reason;
}

/*
 * Without events for all of the time, goroutines that lived between two censuses are known by goids
 * alone. What the runtime creates for itself has goids, too; that is a handful at most.
 */
static void count_unseen(struct target *target, uint64_t issued)
{
	struct tracker_totals totals;
	uint64_t counted;

	tracker__totals(target->tracker, &totals);
	counted = totals.created - min_of(totals.created, target->counted);
	if (target->goids_ns && !target->all_events && issued > counted) {
		tracker__unseen(target->tracker, issued - counted);
		totals.created += issued - counted;
	}
	target->counted = totals.created;
	target->all_events = target->mode != PROBE_MODE_CENSUS;
}

void target_probes__note_census(struct target *target)
{
	const struct census_result *census = census__result(target->census);
	uint64_t goids = census->goids_issued;

	/*
	 * A stripped binary may not tell: the highest id that lives is not far from the last one.
	 */
	if (!goids)
		goids = tracker__max_goid(target->tracker);
	if (target->goids_ns && census->started_ns > target->goids_ns && goids >= target->goids)
		target->creations_per_s = (double)(goids - target->goids) * NSEC_PER_SEC /
					  (double)(census->started_ns - target->goids_ns);
	if (census->goids_issued)
		count_unseen(target, goids - min_of(goids, target->goids));
	target->goids = goids;
	target->goids_ns = census->started_ns;
}

/* --- the governor -------------------------------------------------------------------------------- */

static void switch_mode(struct target *target, enum probe_mode mode, uint64_t now_ns)
{
	unsigned int lifecycle = probe_mode__events(PROBE_MODE_LIFECYCLE);
	struct failure failure = {0};

	/* What is lost so far belongs to the mode before. */
	target__note_losses(target);
	if (module_probes__set(target->probes, probe_mode__events(mode), &failure)) {
		/*
		 * Half of the events are worth less than none: go on without, and do not try again.
		 */
		snprintf(target->mode_reason, sizeof(target->mode_reason), "%s", failure.text);
		module_probes__close(target->probes);
		mode = PROBE_MODE_CENSUS;
	}
	target->mode = mode;
	target->all_events = false;
	tracker__expect_events(target->tracker, (probe_mode__events(mode) & lifecycle) == lifecycle,
			       now_ns);
	tracker__trace_waits(target->tracker, mode >= PROBE_MODE_WAITS, now_ns);
}

static void fill_tick(struct target *target, uint64_t now_ns, uint64_t cpu_ns,
		      struct governor_tick *tick)
{
	uint64_t hits[PROBE_EVENT_COUNT];

	target__hits(target, hits);
	*tick = (struct governor_tick){
		.elapsed_ns = now_ns - target->governed_ns,
		.target_cpu_ns = cpu_ns - min_of(cpu_ns, target->governed_cpu_ns),
		.creations = UINT64_MAX,
	};
	if (target->creations_per_s >= 0)
		tick->creations = (uint64_t)(target->creations_per_s * (double)tick->elapsed_ns /
					     (double)NSEC_PER_SEC);
	target->probe_ns = (double)target__probe_ns(target);
	for (int e = 0; e < PROBE_EVENT_COUNT; e++)
		tick->hits[e] = hits[e] - target->governed_hits[e];
	memcpy(target->governed_hits, hits, sizeof(hits));
}

void target__set_max_overhead(struct target *target, double max_overhead)
{
	target->options.max_overhead = max_overhead;
	target->governor.options.max_overhead =
		max_overhead * (1 - target->others_part[TARGET_ALLOCATIONS] -
				target->others_part[TARGET_OPENINGS]);
}

void target__share_overhead(struct target *target, enum target_other other, double part)
{
	target->others_part[other] = part;
	target__set_max_overhead(target, target->options.max_overhead);
}

double target__max_overhead(const struct target *target)
{
	return target->options.max_overhead;
}

/*
 * Nothing is attached while something speaks against it; what was learnt before is of no use after.
 */
static void keep_off(struct target *target, uint64_t now_ns)
{
	if (target->mode != PROBE_MODE_CENSUS)
		switch_mode(target, PROBE_MODE_CENSUS, now_ns);
	target->governed_ns = 0;
}

static void begin_again(struct target *target, uint64_t now_ns)
{
	const struct governor_options options = target->governor.options;
	uint64_t changes = target->governor.changes;

	governor__init(&target->governor, &options);
	target->governor.changes = changes;
	if (target->governor.mode != target->mode)
		switch_mode(target, target->governor.mode, now_ns);
}

/* Whether to keep off for now. */
static bool is_hindered(struct target *target, uint64_t now_ns)
{
	bool was = target->hindrance[0];

	if (target->mode == PROBE_MODE_CENSUS && !was)
		return false;
	/* The code of sites says nothing while probes of ours are there. */
	if (target_hindrance__look(
		    target, was ? probe_mode__events(target->governor.options.highest) : 0)) {
		keep_off(target, now_ns);
		return true;
	}
	if (was)
		begin_again(target, now_ns);
	return false;
}

static void use_mode(struct target *target, enum probe_mode mode, uint64_t now_ns)
{
	unsigned int more = probe_mode__events(mode) & ~probe_mode__events(target->mode);

	if (more && target_hindrance__look(target, more))
		keep_off(target, now_ns);
	else
		switch_mode(target, mode, now_ns);
}

static bool is_open(const struct target *target)
{
	return target->probes && module_probes__is_open(target->probes);
}

/* --- plugins ------------------------------------------------------------------------------------- */

/* What of the highest mode cannot be seen in a module with @plan, and in words why. */
static unsigned int lacking(struct target *target, const struct probe_plan *plan, const char *name)
{
	unsigned int wanted = probe_mode__events(target->governor.options.highest), missing = 0;

	for (int e = 0; e < PROBE_EVENT_COUNT; e++) {
		const struct probe_site *site = &plan->sites[e];

		if (!(wanted & 1u << e) || site->present || site->none)
			continue;
		missing |= 1u << e;
		snprintf(target->mode_reason, sizeof(target->mode_reason),
			 "no %s events in the plugin %s: %s",
			 probe_event__name((enum probe_event)e), name, site->reason);
	}
	return missing;
}

/* From now on no more than can be seen in all modules. */
static void do_without(struct target *target, unsigned int missing)
{
	uint64_t now_ns = clock__monotonic_ns();

	enum probe_mode highest = target->governor.options.highest;

	if (missing & probe_mode__events(PROBE_MODE_LIFECYCLE)) {
		if (target->mode != PROBE_MODE_CENSUS)
			switch_mode(target, PROBE_MODE_CENSUS, now_ns);
		module_probes__close(target->probes);
		return;
	}
	while (missing & probe_mode__events(highest))
		highest--;
	target->governor.options.highest = highest;
	if (target->mode > highest) {
		target->governor.mode = highest;
		switch_mode(target, highest, now_ns);
	}
}

static void add_module(struct target *target, const struct loaded_module *module)
{
	const struct executable_module *file = target->executable->modules[module->number - 1];
	const char *name = mapped_file__name(&file->mapped);
	struct probe_plan plan = {0};
	struct failure failure = {""};
	unsigned int missing = probe_mode__events(PROBE_MODE_WAITS);
	int err = -ENOENT;

	snprintf(target->mode_reason, sizeof(target->mode_reason), "the plugin %s is not readable",
		 name);
	if (module->binary) {
		target->mode_reason[0] = '\0';
		err = probe_plan__make(module->binary, &plan, &failure);
		missing = lacking(target, &plan, name);
	}
	if (missing)
		do_without(target, missing);
	if (!err && is_open(target))
		err = module_probes__add(target->probes, module, &plan,
					 executable__fd(target->executable, module->number),
					 &failure);
	if (err && failure.text[0]) {
		snprintf(target->mode_reason, sizeof(target->mode_reason), "%s", failure.text);
		do_without(target, probe_mode__events(PROBE_MODE_WAITS));
	}
}

void target_probes__add_modules(struct target *target)
{
	size_t n = module_map__count(target->modules);

	while (is_open(target) && module_probes__count(target->probes) < n) {
		add_module(target,
			   module_map__at(target->modules, module_probes__count(target->probes)));
		/* What lived and died in it until now was not seen. */
		target->all_events = false;
	}
}

void target__govern(struct target *target, uint64_t now_ns)
{
	struct governor_tick tick;
	enum probe_mode mode;
	uint64_t cpu_ns;

	if (!is_open(target) || target->state != TARGET_LIVE || is_hindered(target, now_ns))
		return;
	if (process__cpu_ns(target->process.id.pid, &cpu_ns))
		return;
	if (target->governed_ns && now_ns > target->governed_ns) {
		fill_tick(target, now_ns, cpu_ns, &tick);
		mode = governor__tick(&target->governor, &tick);
		if (mode != target->mode)
			use_mode(target, mode, now_ns);
	}
	if (target->hindrance[0])
		return;
	target->governed_ns = now_ns;
	target->governed_cpu_ns = cpu_ns;
}
