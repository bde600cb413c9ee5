// SPDX-License-Identifier: Apache-2.0
#include "probe/governor.h"

#include <stdarg.h>
#include <stdio.h>

#define HOLD_MIN_NS (5 * NSEC_PER_SEC)
#define HOLD_MAX_NS (3600 * NSEC_PER_SEC)
/* A step up that has held for this long was right. */
#define PROVEN_NS (600 * NSEC_PER_SEC)
/* A goroutine parks this often in its life when nobody has counted yet: once. */
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

static void give_cost(struct governor *governor, enum probe_mode mode, const char *about,
		      double overhead)
{
	char cost[16], allowed[16];

	give_reason(governor, "%s would cost %s%s%% of its CPU time, %s%% is allowed",
		    probe_mode__name(mode), about, percent(overhead, cost),
		    percent(governor->options.max_overhead, allowed));
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
	};
	if (low)
		give_reason(governor, "first a look at what attaching would cost");
}

/* Nanoseconds of hits that the tick allows. */
static double budget_ns(const struct governor *governor, const struct governor_tick *tick)
{
	double core = (double)tick->elapsed_ns;
	double base = min_of((double)tick->target_cpu_ns, core);

	return max_of(base, core * GOVERNOR_BASE_SHARE) * governor->options.max_overhead;
}

/* What the hits of the tick cost, of the events that @mode has. */
static double measured_ns(const struct governor *governor, const struct governor_tick *tick,
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

/*
 * Parks follow the work done, or the goroutines created: the smaller guess is taken. Should it be
 * wrong, the hold doubles.
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

/* What @mode would cost in such a tick; creations are known, exits follow them. */
static double expected_ns(const struct governor *governor, const struct governor_tick *tick,
			  enum probe_mode mode)
{
	const uint64_t *ns = governor->options.ns_per_hit;
	double creations = max_of(governor->creations_per_s, 0.0) * (double)tick->elapsed_ns /
			   (double)NSEC_PER_SEC;
	double cost = creations * (double)(ns[PROBE_EVENT_CREATE] + ns[PROBE_EVENT_EXIT]);

	if (mode == PROBE_MODE_FULL)
		cost += expected_parks(governor, tick, creations) * (double)ns[PROBE_EVENT_PARK];
	return cost;
}

static void learn(struct governor *governor, const struct governor_tick *tick)
{
	double seconds = (double)tick->elapsed_ns / (double)NSEC_PER_SEC;

	if (governor->mode != PROBE_MODE_CENSUS)
		governor->creations_per_s = (double)tick->hits[PROBE_EVENT_CREATE] / seconds;
	else if (tick->creations != UINT64_MAX)
		governor->creations_per_s = (double)tick->creations / seconds;
	if (governor->mode != PROBE_MODE_FULL || !tick->target_cpu_ns)
		return;
	governor->parks_per_cpu_s = (double)tick->hits[PROBE_EVENT_PARK] /
				    ((double)tick->target_cpu_ns / (double)NSEC_PER_SEC);
	governor->parks_per_creation = (double)tick->hits[PROBE_EVENT_PARK] /
				       max_of((double)tick->hits[PROBE_EVENT_CREATE], 1.0);
}

/* The highest mode below the present one that the measured hits fit into. */
static void step_down(struct governor *governor, const struct governor_tick *tick, double budget)
{
	enum probe_mode from = governor->mode;

	do
		governor->mode--;
	while (governor->mode > PROBE_MODE_CENSUS &&
	       measured_ns(governor, tick, governor->mode) > budget);
	/* The step up before was wrong: wait longer for the next. */
	if (governor->up_ns != UINT64_MAX)
		governor->hold_ns = min_of(governor->hold_ns * 2, HOLD_MAX_NS);
	governor->hold_ns = max_of(governor->hold_ns, HOLD_MIN_NS);
	governor->up_ns = UINT64_MAX;
	governor->fitting_ns = 0;
	governor->changes++;
	give_cost(governor, from, "", governor->overhead);
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
		give_cost(governor, to + 1, "about ",
			  expected_ns(governor, tick, to + 1) / budget *
				  governor->options.max_overhead);
		return;
	}
	governor->fitting_ns += tick->elapsed_ns;
	if (governor->fitting_ns < governor->hold_ns)
		return;
	governor->mode = to;
	governor->fitting_ns = 0;
	governor->up_ns = 0;
	governor->changes++;
	if (to == governor->options.highest)
		governor->reason[0] = '\0';
}

enum probe_mode governor__tick(struct governor *governor, const struct governor_tick *tick)
{
	double budget = budget_ns(governor, tick), cost;

	if (!tick->elapsed_ns || governor->options.max_overhead <= 0)
		return governor->mode;
	cost = measured_ns(governor, tick, governor->mode);
	governor->overhead = cost / budget * governor->options.max_overhead;
	learn(governor, tick);
	if (governor->up_ns != UINT64_MAX && (governor->up_ns += tick->elapsed_ns) >= PROVEN_NS) {
		governor->up_ns = UINT64_MAX;
		governor->hold_ns = HOLD_MIN_NS;
	}
	if (governor->mode > PROBE_MODE_CENSUS && cost > budget)
		step_down(governor, tick, budget);
	else if (governor->mode < governor->options.highest && governor->creations_per_s >= 0)
		step_up(governor, tick, budget);
	return governor->mode;
}
