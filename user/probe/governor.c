// SPDX-License-Identifier: Apache-2.0
#include "probe/governor.h"

#include <stdarg.h>
#include <stdio.h>

#define HOLD_MIN_NS (5 * NSEC_PER_SEC)
#define HOLD_MAX_NS (3600 * NSEC_PER_SEC)
/* A step up that has held for this long was right. */
#define PROVEN_NS (600 * NSEC_PER_SEC)
/* How long the target is looked at without probes when they seem dearer than they should be. */
#define DOUBT_TICKS	  6
#define DOUBT_MAX_NS	  (20 * NSEC_PER_SEC) /* creations may not be known */
#define DOUBT_WAIT_MIN_NS (60 * NSEC_PER_SEC)
#define DOUBT_WAIT_MAX_NS (3600 * NSEC_PER_SEC)
/* Of the budget: what should cost less is within it even if a hit takes four times as long. */
#define DOUBT_SHARE 0.25
/* What is dearer was no measurement. */
#define MAX_DEARER 1000.0
/* Less than that is not worth a word. */
#define TOLD_DEARER 1.2
/* Of fewer goroutines no mean is told. */
#define MIN_TOLD_CREATIONS 10
/* How often a goroutine parks in its life, as long as no parks were counted: once. */
#define PARKS_PER_CREATION 1.0

static __printf_fmt(2, 3) void give_reason(struct governor *governor, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(governor->reason, sizeof(governor->reason), format, args);
	va_end(args);
}

/* "0.4", "5", "160": as many digits as are worth reading. */
static const char *percent(double share, char out[16])
{
	double value = share * 100;

	snprintf(out, 16, value < 10 ? "%.2g" : "%.0f", min_of(value, 9999.0));
	return out;
}

/* CPU time of a tick as people think of it: of what the target uses, or of a core if that is next to nothing. */
struct measure {
	double whole_ns;
	const char *name;
};

static struct measure measure_of(const struct governor_tick *tick)
{
	double core = (double)tick->elapsed_ns;

	if ((double)tick->target_cpu_ns < core * COST_BASE_SHARE)
		return (struct measure){core, "of a core"};
	return (struct measure){min_of((double)tick->target_cpu_ns, core), "of its CPU time"};
}

/* What @mode would cost in such a tick, beside what it may. */
static void give_cost(struct governor *governor, const struct governor_tick *tick,
		      enum probe_mode mode, const char *about, double cost_ns, double budget)
{
	const struct measure measure = measure_of(tick);
	char cost[16], allowed[16], dearer[64] = "";

	percent(cost_ns / measure.whole_ns, cost);
	if (governor->dearer > TOLD_DEARER)
		snprintf(dearer, sizeof(dearer), " (a hit takes %.1f times what it should)",
			 governor->dearer);
	if (cost_ns > budget)
		give_reason(governor, "%s would cost %s%s%% %s%s, %s%% is allowed",
			    probe_mode__name(mode), about, cost, measure.name, dearer,
			    percent(budget / measure.whole_ns, allowed));
	else
		give_reason(
			governor,
			"%s would cost %s%s%% %s%s; so as to stay, it begins below %s%%, half of "
			"what is allowed",
			probe_mode__name(mode), about, cost, measure.name, dearer,
			percent(budget * GOVERNOR_UP_SHARE / measure.whole_ns, allowed));
}

void governor__init(struct governor *governor, const struct governor_options *options)
{
	bool low = options->begin_low && options->max_overhead > 0 &&
		   options->highest != PROBE_MODE_CENSUS;

	*governor = (struct governor){
		.options = *options,
		.mode = low ? PROBE_MODE_CENSUS : options->highest,
		.creations_per_s = -1,
		.parks_per_cpu_s = -1,
		.up_ns = UINT64_MAX,
		.dearer = 1,
		.settling = true,
		.doubted_ns = UINT64_MAX,
	};
	if (low)
		give_reason(governor, "first a look at what attaching would cost");
}

/* Nanoseconds of hits that the tick allows. */
static double budget_ns(const struct governor *governor, const struct governor_tick *tick)
{
	double core = (double)tick->elapsed_ns;
	double base = min_of((double)tick->target_cpu_ns, core);

	return max_of(base, core * COST_BASE_SHARE) * governor->options.max_overhead;
}

/* What the hits of the tick should cost, of the events that @mode has. */
static double calibrated_ns(const struct governor *governor, const struct governor_tick *tick,
			    enum probe_mode mode)
{
	unsigned int mask = probe_mode__events(mode);
	double cost = 0;

	for (int event = 0; event < PROBE_EVENT_COUNT; event++) {
		if (mask & 1u << event)
			cost += (double)tick->hits[event] *
				(double)governor->options.ns_per_hit[event];
	}
	return cost;
}

/* And what they do cost. */
static double measured_ns(const struct governor *governor, const struct governor_tick *tick,
			  enum probe_mode mode)
{
	return calibrated_ns(governor, tick, mode) * governor->dearer;
}

/*
 * Parks follow the work done, or the goroutines created: take the smaller guess. If it is wrong,
 * the hold doubles.
 */
static double expected_parks(const struct governor *governor, const struct governor_tick *tick,
			     double creations)
{
	double by_cpu, by_creations;

	if (governor->parks_per_cpu_s < 0)
		return creations * PARKS_PER_CREATION;
	by_cpu = governor->parks_per_cpu_s * (double)tick->target_cpu_ns / (double)NSEC_PER_SEC;
	by_creations = governor->parks_per_creation * max_of(creations, 1.0);
	return min_of(by_cpu, by_creations);
}

/* What @mode would cost in such a tick; creations are known, exits follow them, and who parks is woken. */
static double expected_ns(const struct governor *governor, const struct governor_tick *tick,
			  enum probe_mode mode)
{
	const uint64_t *ns = governor->options.ns_per_hit;
	double creations = max_of(governor->creations_per_s, 0.0) * (double)tick->elapsed_ns /
			   (double)NSEC_PER_SEC;
	double cost = creations * (double)(ns[PROBE_EVENT_CREATE] + ns[PROBE_EVENT_EXIT]);
	double parks = expected_parks(governor, tick, creations);

	if (mode >= PROBE_MODE_FULL)
		cost += parks * (double)ns[PROBE_EVENT_PARK];
	if (mode >= PROBE_MODE_WAITS)
		cost += parks * (double)ns[PROBE_EVENT_WAKE];
	return cost * governor->dearer;
}

static void learn(struct governor *governor, const struct governor_tick *tick)
{
	double seconds = (double)tick->elapsed_ns / (double)NSEC_PER_SEC;

	if (governor->mode != PROBE_MODE_CENSUS)
		governor->creations_per_s = (double)tick->hits[PROBE_EVENT_CREATE] / seconds;
	else if (tick->creations != UINT64_MAX)
		governor->creations_per_s = (double)tick->creations / seconds;
	if (governor->mode < PROBE_MODE_FULL || !tick->target_cpu_ns)
		return;
	governor->parks_per_cpu_s = (double)tick->hits[PROBE_EVENT_PARK] /
				    ((double)tick->target_cpu_ns / (double)NSEC_PER_SEC);
	governor->parks_per_creation = (double)tick->hits[PROBE_EVENT_PARK] /
				       max_of((double)tick->hits[PROBE_EVENT_CREATE], 1.0);
}

/* --- steps ---------------------------------------------------------------------------------------- */

static void use_mode(struct governor *governor, enum probe_mode mode)
{
	/* Each side is of one stretch of time. */
	if (mode == PROBE_MODE_CENSUS)
		contrast_side__clear(&governor->contrast.without);
	else
		contrast_side__clear(&governor->contrast.with);
	governor->mode = mode;
	governor->settling = true;
	governor->fitting_ns = 0;
	governor->changes++;
}

/* The highest mode below the present one that the measured hits fit into. */
static void step_down(struct governor *governor, const struct governor_tick *tick, double budget)
{
	enum probe_mode from = governor->mode, to = from;

	do
		to--;
	while (to > PROBE_MODE_CENSUS && measured_ns(governor, tick, to) > budget);
	/* The step up before was wrong: wait longer for the next. */
	if (governor->up_ns != UINT64_MAX)
		governor->hold_ns = min_of(governor->hold_ns * 2, HOLD_MAX_NS);
	governor->hold_ns = max_of(governor->hold_ns, HOLD_MIN_NS);
	governor->up_ns = UINT64_MAX;
	give_cost(governor, tick, from, "", measured_ns(governor, tick, from), budget);
	use_mode(governor, to);
}

/* One step up, or two where the first is known to be within the budget, too. */
static void step_up(struct governor *governor, const struct governor_tick *tick, double budget)
{
	enum probe_mode to = governor->mode;

	while (to < governor->options.highest &&
	       expected_ns(governor, tick, to + 1) <= budget * GOVERNOR_UP_SHARE)
		to++;
	if (to == governor->mode) {
		governor->fitting_ns = 0;
		give_cost(governor, tick, to + 1, "about ", expected_ns(governor, tick, to + 1),
			  budget);
		return;
	}
	governor->fitting_ns += tick->elapsed_ns;
	if (governor->fitting_ns < governor->hold_ns)
		return;
	use_mode(governor, to);
	governor->up_ns = 0;
	if (to == governor->options.highest)
		governor->reason[0] = '\0';
}

/* --- doubts --------------------------------------------------------------------------------------- */

static void observe(struct governor *governor, const struct governor_tick *tick)
{
	bool probed = governor->mode != PROBE_MODE_CENSUS;
	struct contrast_sample sample = {
		.seconds = (double)tick->elapsed_ns / (double)NSEC_PER_SEC,
		.cpu_ns = (double)tick->target_cpu_ns,
		.creations = (double)(probed ? tick->hits[PROBE_EVENT_CREATE] : tick->creations),
		.hits_ns = calibrated_ns(governor, tick, governor->mode),
	};

	/* Probes come and go some tens of ms after the tick that says so. */
	if (!governor->settling && (probed || tick->creations != UINT64_MAX))
		contrast_side__add(probed ? &governor->contrast.with : &governor->contrast.without,
				   &sample);
	governor->settling = false;
}

/* What the target may pay beyond what is believed, in words; NULL: nothing speaks for it. */
static const char *find_doubt(struct governor *governor, const struct governor_tick *tick,
			      double budget)
{
	double per_second = (double)NSEC_PER_SEC / (double)tick->elapsed_ns;
	struct contrast_excess excess;

	if (!contrast__compare(&governor->contrast, &excess)) {
		if (governor->contrast.with.n == CONTRAST_SAMPLES &&
		    measured_ns(governor, tick, governor->mode) > budget * DOUBT_SHARE)
			return "a look at what it uses without probes: that is not known of this load";
		return NULL;
	}
	/* What was believed may have become too much. */
	if (excess.hits_ns > 0)
		governor->dearer =
			max_of(min_of(governor->dearer, excess.most_ns / excess.hits_ns), 1.0);
	if (excess.least_ns > budget * per_second &&
	    excess.least_ns > excess.hits_ns * governor->dearer)
		return "its CPU time rose by more than probes should take: a look without them";
	return NULL;
}

static void begin_doubt(struct governor *governor, const char *doubt)
{
	give_reason(governor, "%s", doubt);
	governor->doubting = true;
	governor->doubted_ns = 0;
	use_mode(governor, PROBE_MODE_CENSUS);
}

/* Without probes its CPU time fell again, or else it was not the probes. */
static void end_doubt(struct governor *governor)
{
	struct contrast_excess excess;

	governor->doubting = false;
	governor->doubt_wait_ns =
		min_of(max_of(governor->doubt_wait_ns * 2, DOUBT_WAIT_MIN_NS), DOUBT_WAIT_MAX_NS);
	if (contrast__compare(&governor->contrast, &excess) && excess.hits_ns > 0 &&
	    excess.least_ns > excess.hits_ns * governor->dearer)
		governor->dearer = min_of(excess.likely_ns / excess.hits_ns, MAX_DEARER);
}

static void pass_doubts(struct governor *governor, uint64_t elapsed_ns)
{
	if (governor->doubted_ns == UINT64_MAX)
		return;
	governor->doubted_ns += elapsed_ns;
	if (governor->doubted_ns < governor->doubt_wait_ns)
		return;
	/* Whoever made hits dear may have gone; nothing tells while nothing is attached. */
	if (governor->mode == PROBE_MODE_CENSUS)
		governor->dearer = 1;
	if (governor->doubted_ns - governor->doubt_wait_ns < PROVEN_NS)
		return;
	governor->doubted_ns = UINT64_MAX;
	governor->doubt_wait_ns = 0;
}

static void pass_time(struct governor *governor, uint64_t elapsed_ns)
{
	pass_doubts(governor, elapsed_ns);
	if (governor->up_ns == UINT64_MAX)
		return;
	governor->up_ns += elapsed_ns;
	if (governor->up_ns < PROVEN_NS)
		return;
	governor->up_ns = UINT64_MAX;
	governor->hold_ns = HOLD_MIN_NS;
}

/* --- from outside --------------------------------------------------------------------------------- */

void governor__look(struct governor *governor, const struct contrast_sample *samples, size_t n)
{
	struct governor_tick tick = {.creations = UINT64_MAX};
	struct contrast_sample whole;
	double budget;

	for (size_t i = 0; i < n; i++)
		contrast_side__add(&governor->contrast.without, &samples[i]);
	whole = contrast_side__sum(&governor->contrast.without);
	if (whole.creations >= 0 && whole.seconds > 0)
		governor->creations_per_s = whole.creations / whole.seconds;
	tick.elapsed_ns = (uint64_t)(whole.seconds * (double)NSEC_PER_SEC);
	tick.target_cpu_ns = (uint64_t)whole.cpu_ns;
	if (!tick.elapsed_ns || governor->options.max_overhead <= 0 ||
	    governor->creations_per_s < 0)
		return;
	budget = budget_ns(governor, &tick);
	while (governor->mode > PROBE_MODE_CENSUS &&
	       expected_ns(governor, &tick, governor->mode) > budget) {
		give_cost(governor, &tick, governor->mode, "about ",
			  expected_ns(governor, &tick, governor->mode), budget);
		governor->mode--;
		governor->hold_ns = HOLD_MIN_NS;
	}
}

enum probe_mode governor__tick(struct governor *governor, const struct governor_tick *tick)
{
	double budget = budget_ns(governor, tick);
	const char *doubt;

	if (!tick->elapsed_ns)
		return governor->mode;
	observe(governor, tick);
	if (governor->options.max_overhead <= 0)
		return governor->mode;
	governor->overhead = measured_ns(governor, tick, governor->mode) / budget *
			     governor->options.max_overhead;
	learn(governor, tick);
	pass_time(governor, tick->elapsed_ns);
	if (governor->doubting) {
		if (governor->contrast.without.n >= DOUBT_TICKS ||
		    governor->doubted_ns >= DOUBT_MAX_NS)
			end_doubt(governor);
	} else if (governor->mode > PROBE_MODE_CENSUS) {
		doubt = find_doubt(governor, tick, budget);
		if (measured_ns(governor, tick, governor->mode) > budget)
			step_down(governor, tick, budget);
		else if (doubt && governor->doubted_ns >= governor->doubt_wait_ns)
			begin_doubt(governor, doubt);
	}
	if (!governor->doubting && !governor->settling &&
	    governor->mode < governor->options.highest && governor->creations_per_s >= 0)
		step_up(governor, tick, budget);
	return governor->mode;
}

struct probe_cost governor__cost(const struct governor *governor)
{
	const struct contrast_side *with = &governor->contrast.with;
	struct contrast_sample whole = contrast_side__sum(with);
	struct probe_cost cost = {.ns_per_creation = -1};
	struct contrast_excess excess;

	if (governor->mode == PROBE_MODE_CENSUS || whole.seconds <= 0)
		return cost;
	cost.basis = governor->options.calibrated ? COST_CALIBRATED : COST_ASSUMED;
	cost.ns_per_s = whole.hits_ns * governor->dearer / whole.seconds;
	if (governor->dearer > 1)
		cost.basis = COST_MEASURED;
	if (contrast__compare(&governor->contrast, &excess) && excess.least_ns > cost.ns_per_s) {
		cost.ns_per_s = excess.least_ns;
		cost.basis = COST_MEASURED;
	}
	if (whole.creations >= MIN_TOLD_CREATIONS)
		cost.ns_per_creation = cost.ns_per_s * whole.seconds / whole.creations;
	cost.of_core = whole.cpu_ns < whole.seconds * (double)NSEC_PER_SEC * COST_BASE_SHARE;
	if (whole.cpu_ns > 0)
		cost.cpu_share = cost.ns_per_s * whole.seconds / whole.cpu_ns;
	return cost;
}
