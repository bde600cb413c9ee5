// SPDX-License-Identifier: Apache-2.0
/* The governor where a hit costs a target more than the calibration says, and where it only looks so. */
#include <criterion/criterion.h>
#include <string.h>

#include "probe/governor.h"

#define CALIBRATED_NS 1000

/* A target, second by second. What it pays for a hit is CALIBRATED_NS by @dear. */
struct world {
	double creations;   /* per second */
	double parks;	    /* for each */
	double work_ns;	    /* for each */
	double constant_ns; /* per second, whatever it creates */
	double scatter;	    /* of the work of a second: 0.3 is 0.7 to 1.3 times as much */
	double dear;
	uint32_t random;
	double paid_ns, used_ns; /* so far: for hits, and without them */
	unsigned int seconds, in_full;
};

static const struct governor_options five_percent = {
	.max_overhead = 0.05,
	.highest = PROBE_MODE_FULL,
	.calibrated = true,
	.ns_per_hit = {CALIBRATED_NS, CALIBRATED_NS, CALIBRATED_NS},
};

/* 0 to 1, the same in every run. */
static double next_random(struct world *world)
{
	world->random = world->random * 1664525 + 1013904223;
	return (double)(world->random >> 8) / (1 << 24);
}

/* What the target does in @seconds under @mode, and what of it is told. */
static struct governor_tick live(struct world *world, enum probe_mode mode, double seconds)
{
	double creations = world->creations * seconds;
	double scatter = 1 + world->scatter * (2 * next_random(world) - 1);
	double work = (creations * world->work_ns + world->constant_ns * seconds) * scatter;
	double hits = 0;
	struct governor_tick tick = {
		.elapsed_ns = (uint64_t)(seconds * 1e9),
		.creations = (uint64_t)creations,
	};

	if (mode >= PROBE_MODE_LIFECYCLE) {
		tick.hits[PROBE_EVENT_CREATE] = tick.hits[PROBE_EVENT_EXIT] = (uint64_t)creations;
		hits += 2 * creations;
	}
	if (mode == PROBE_MODE_FULL) {
		tick.hits[PROBE_EVENT_PARK] = (uint64_t)(creations * world->parks);
		hits += creations * world->parks;
	}
	world->used_ns += work;
	world->paid_ns += hits * CALIBRATED_NS * world->dear;
	tick.target_cpu_ns = (uint64_t)(work + hits * CALIBRATED_NS * world->dear);
	return tick;
}

static void look(struct governor *governor, struct world *world)
{
	struct contrast_sample samples[4];

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		struct governor_tick tick = live(world, PROBE_MODE_CENSUS, 0.05);

		samples[i] = (struct contrast_sample){.seconds = 0.05,
						      .cpu_ns = (double)tick.target_cpu_ns,
						      .creations = (double)tick.creations};
	}
	governor__look(governor, samples, ARRAY_SIZE(samples));
}

static enum probe_mode after(struct governor *governor, struct world *world, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++) {
		struct governor_tick tick = live(world, governor->mode, 1);

		world->seconds++;
		world->in_full += governor->mode == PROBE_MODE_FULL;
		governor__tick(governor, &tick);
	}
	return governor->mode;
}

static void begin(struct governor *governor, struct world *world)
{
	governor__init(governor, &five_percent);
	look(governor, world);
}

/* 1,600 short goroutines a second, each 4.9 us of work: less than a hundredth of a core. */
static struct world small(void)
{
	return (struct world){.creations = 1600, .work_ns = 4900, .dear = 1, .random = 1};
}

/* Half a core. */
static struct world large(void)
{
	return (struct world){.creations = 2000,
			      .parks = 2,
			      .work_ns = 200e3,
			      .constant_ns = 100e6,
			      .scatter = 0.1,
			      .dear = 1,
			      .random = 1};
}

Test(dear_hits, as_calibrated_nothing_happens)
{
	struct world world = small();
	struct governor governor;

	begin(&governor, &world);
	cr_expect_eq(governor.mode, PROBE_MODE_FULL, "at once");
	cr_expect_eq(after(&governor, &world, 3600), PROBE_MODE_FULL);
	cr_expect_eq(governor.changes, 0);
	world = large();
	begin(&governor, &world);
	cr_expect_eq(after(&governor, &world, 3600), PROBE_MODE_FULL);
	cr_expect_eq(governor.changes, 0);
	cr_expect_eq(governor.dearer, 1);
}

Test(dear_hits, are_found_out_in_seconds)
{
	struct world world = small();
	struct governor governor;

	world.dear = 6; /* 12 us on top of 4.9: 1.9 % of a core where half a percent is allowed */
	begin(&governor, &world);
	cr_assert_eq(governor.mode, PROBE_MODE_FULL, "which nothing speaks against yet");
	cr_expect_eq(after(&governor, &world, 6), PROBE_MODE_CENSUS);
	cr_expect_not_null(strstr(governor.reason, "a look without"), "%s", governor.reason);
	cr_expect_eq(after(&governor, &world, 10), PROBE_MODE_CENSUS);
	cr_expect_float_eq(governor.dearer, 6, 0.5, "%f", governor.dearer);
	cr_expect_not_null(strstr(governor.reason, "times what it should"), "%s", governor.reason);
}

Test(dear_hits, the_budget_is_kept_over_time)
{
	struct world world = small();
	struct governor governor;

	world.dear = 6;
	world.scatter = 0.2;
	begin(&governor, &world);
	after(&governor, &world, 7200);
	/* Of a tenth of a core. */
	cr_expect_lt(world.paid_ns / (world.seconds * 1e8), 0.05, "%f",
		     world.paid_ns / (world.seconds * 1e8));
	world = large();
	world.dear = 12; /* 48 us on top of 250: a fifth */
	begin(&governor, &world);
	after(&governor, &world, 7200);
	cr_expect_lt(world.paid_ns / world.used_ns, 0.05, "%f", world.paid_ns / world.used_ns);
}

Test(dear_hits, found_out_when_they_become_so)
{
	struct world world = large();
	struct governor governor;

	begin(&governor, &world);
	cr_assert_eq(after(&governor, &world, 1000), PROBE_MODE_FULL);
	world.dear = 12; /* somebody else attaches to the same instructions */
	after(&governor, &world, 30);
	cr_expect_neq(governor.mode, PROBE_MODE_FULL);
	cr_expect_gt(governor.dearer, 3);
	world.dear = 1; /* and leaves */
	cr_expect_eq(after(&governor, &world, 4000), PROBE_MODE_FULL);
	cr_expect_eq(governor.dearer, 1);
}

/* What looks like dear hits and is the program's own doing costs a few seconds without probes. */
Test(dear_hits, heavier_work_is_no_dearer_hit)
{
	struct world world = large();
	struct governor governor;

	begin(&governor, &world);
	cr_assert_eq(after(&governor, &world, 100), PROBE_MODE_FULL);
	world.work_ns *= 1.8;
	after(&governor, &world, 20);
	cr_expect_eq(governor.mode, PROBE_MODE_FULL);
	cr_expect_eq(governor.dearer, 1);
	cr_expect_leq(governor.changes, 2);
	cr_expect_eq(after(&governor, &world, 3600), PROBE_MODE_FULL);
	cr_expect_leq(governor.changes, 2, "the new work is what is known");
}

Test(dear_hits, work_that_changes_all_the_time_is_let_alone)
{
	static const double scatters[] = {0.1, 0.3, 0.6};
	struct governor governor;

	for (size_t i = 0; i < ARRAY_SIZE(scatters); i++) {
		struct world world = large();

		world.scatter = scatters[i];
		begin(&governor, &world);
		for (unsigned int minute = 0; minute < 24 * 60; minute++) {
			/* Four times as heavy around noon as at midnight, twice as many. */
			double sun = minute < 720 ? minute / 720.0 : 2 - minute / 720.0;

			world.work_ns = 100e3 * (1 + 3 * sun);
			world.creations = 1000 * (1 + sun);
			after(&governor, &world, 60);
		}
		cr_expect_gt(world.in_full, world.seconds * 98 / 100, "scatter %.1f: %u of %u",
			     scatters[i], world.in_full, world.seconds);
		cr_expect_lt(governor.changes, 120, "scatter %.1f: %lu", scatters[i],
			     governor.changes);
	}
}

/* A load that came later has not been seen without probes. */
Test(dear_hits, a_load_that_came_later_is_looked_at)
{
	struct world world = large();
	struct governor governor;

	world.creations = 1;
	world.constant_ns = 1e6;
	begin(&governor, &world);
	world = large();
	world.dear = 12;
	after(&governor, &world, 15);
	cr_expect_eq(governor.mode, PROBE_MODE_FULL, "not before it is steady");
	after(&governor, &world, 4);
	cr_expect_eq(governor.mode, PROBE_MODE_CENSUS);
	cr_expect_not_null(strstr(governor.reason, "a look at"), "%s", governor.reason);
	after(&governor, &world, 10);
	cr_expect_neq(governor.mode, PROBE_MODE_FULL);
	cr_expect_gt(governor.dearer, 6);
	world.dear = 1;
	world.in_full = 0;
	after(&governor, &world, 24 * 3600);
	cr_expect_eq(governor.mode, PROBE_MODE_FULL);
	cr_expect_gt(world.in_full, 24 * 3600 * 98 / 100);
}

/* What fits into a quarter of the budget fits if it is four times as dear. */
Test(dear_hits, what_is_cheap_is_let_alone)
{
	struct world world = large();
	struct governor governor;

	world.creations = 1;
	begin(&governor, &world);
	world.creations = 400;
	cr_expect_eq(after(&governor, &world, 3600), PROBE_MODE_FULL);
	cr_expect_eq(governor.changes, 0);
}

/* A look ends, even where nobody knows how many goroutines are created without probes. */
Test(dear_hits, where_creations_are_not_known_nothing_is_compared)
{
	struct contrast_sample samples[4];
	struct world world = large();
	struct governor governor;

	governor__init(&governor, &five_percent);
	for (size_t i = 0; i < ARRAY_SIZE(samples); i++)
		samples[i] = (struct contrast_sample){.seconds = 0.05, .creations = -1};
	governor__look(&governor, samples, ARRAY_SIZE(samples));
	for (unsigned int second = 0; second < 3600; second++) {
		struct governor_tick tick = live(&world, governor.mode, 1);

		tick.creations = UINT64_MAX;
		world.in_full += governor.mode == PROBE_MODE_FULL;
		governor__tick(&governor, &tick);
	}
	cr_expect_eq(governor.mode, PROBE_MODE_FULL);
	cr_expect_eq(governor.dearer, 1);
	cr_expect_gt(world.in_full, 3300, "%u", world.in_full);
	governor__look(&governor, NULL, 0);
	cr_expect_eq(governor.mode, PROBE_MODE_FULL);
}

Test(dear_hits, whoever_chose_a_mode_keeps_it)
{
	struct governor_options options = five_percent;
	struct world world = small();
	struct governor governor;

	options.max_overhead = 0;
	world.dear = 50;
	governor__init(&governor, &options);
	look(&governor, &world);
	cr_expect_eq(after(&governor, &world, 60), PROBE_MODE_FULL);
	cr_expect_eq(governor__cost(&governor).basis, COST_MEASURED, "but is told what it costs");
}

/* --- the first moment ---------------------------------------------------------------------------- */

Test(dear_hits, nothing_is_attached_that_is_known_to_be_too_much)
{
	struct world world = small();
	struct governor governor;

	world.creations = 20000; /* 40 ms of hits a second, of a fifth of a core */
	begin(&governor, &world);
	cr_expect_eq(governor.mode, PROBE_MODE_CENSUS);
	cr_expect_not_null(strstr(governor.reason, "would cost about"), "%s", governor.reason);
	after(&governor, &world, 600);
	cr_expect_eq(world.paid_ns, 0);
	/* Of 100 ms 5 are allowed, and 4.5 is what creations and exits take. */
	world = small();
	world.creations = 2250;
	begin(&governor, &world);
	cr_expect_eq(governor.mode, PROBE_MODE_LIFECYCLE);
}

/* --- what is told -------------------------------------------------------------------------------- */

Test(dear_hits, cost_as_people_think_of_it)
{
	struct world world = small();
	struct governor governor;
	struct probe_cost cost;

	begin(&governor, &world);
	cr_expect_eq(governor__cost(&governor).basis, COST_NONE, "nothing was seen yet");
	after(&governor, &world, 10);
	cost = governor__cost(&governor);
	cr_expect_eq(cost.basis, COST_CALIBRATED);
	cr_expect(cost.of_core);
	cr_expect_float_eq(cost.ns_per_creation, 2000, 1, "%f", cost.ns_per_creation);
	cr_expect_float_eq(cost.ns_per_s, 3.2e6, 1e3, "%f", cost.ns_per_s);
	cr_expect_float_eq(cost.cpu_share, 2.0 / 6.9, 0.01, "%f", cost.cpu_share);
	world.creations = 0;
	after(&governor, &world, 20);
	cost = governor__cost(&governor);
	cr_expect_eq(cost.basis, COST_CALIBRATED);
	cr_expect_lt(cost.ns_per_creation, 0, "of no goroutine");
	cr_expect_eq(cost.cpu_share, 0);
}

Test(dear_hits, how_it_is_known)
{
	struct governor_options options = five_percent;
	struct world world = large();
	struct governor governor;

	options.calibrated = false;
	governor__init(&governor, &options);
	after(&governor, &world, 10);
	cr_expect_eq(governor__cost(&governor).basis, COST_ASSUMED);
	cr_expect_not(governor__cost(&governor).of_core);
	cr_expect_str_eq(cost_basis__name(COST_NONE), "none");
	cr_expect_str_eq(cost_basis__name(COST_ASSUMED), "assumed");
	cr_expect_str_eq(cost_basis__name(COST_CALIBRATED), "calibrated");
	cr_expect_str_eq(cost_basis__name(COST_MEASURED), "measured");
	cr_expect_str_eq(cost_basis__name((enum cost_basis)9), "unknown");
}

Test(dear_hits, half_of_the_budget_is_told_as_such)
{
	struct world world = small();
	struct governor_options options = five_percent;
	struct governor governor;

	options.begin_low = true;
	governor__init(&governor, &options);
	after(&governor, &world, 3);
	cr_expect_str_eq(
		governor.reason,
		"lifecycle would cost about 0.32% of a core; so as to stay, it begins below "
		"0.25%, half of what is allowed");
	world.creations = 4000;
	after(&governor, &world, 3);
	cr_expect_str_eq(governor.reason,
			 "lifecycle would cost about 0.8% of a core, 0.5% is allowed");
	world = large();
	world.creations = 10000;
	world.work_ns = 50e3;
	world.scatter = 0;
	after(&governor, &world, 3);
	cr_expect_str_eq(governor.reason, "lifecycle would cost about 3.3% of its CPU time; so as "
					  "to stay, it begins below 2.5%, half of what is allowed");
}
