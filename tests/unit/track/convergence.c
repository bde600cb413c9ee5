// SPDX-License-Identifier: Apache-2.0
/* Whatever is lost, late or in disorder: a census makes it right, and sums add up. */
#include "track/tracker.h"

#include <criterion/criterion.h>

#include "world.h"

Test(convergence, random_losses_converge_to_the_truth)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct world world;
		struct tracker_totals totals;
		size_t parked_truth;

		world__new(&world, seed % 3 != 0, seed % 2 != 0);
		world.random = seed * 104729;
		world.lose_percent = seed % 4 ? (unsigned int)(seed % 60) : 0;
		world.interval = 700 * NSEC_PER_MSEC;
		for (int i = 0; i < 50; i++)
			world__spawn(&world, 0x5000, 1, WAIT_SELECT, 20 * SECOND);
		world__attach(&world);
		for (int step = 0; step < 150; step++) {
			for (uint64_t i = world__random(&world, 20); i > 0; i--)
				world__spawn(&world, 0x6000 + i, (uint32_t)world__random(&world, 4),
					     WAIT_CHAN_RECEIVE, world__random(&world, 5 * SECOND));
			for (size_t i = 0; i < world.n_actors; i++)
				if (world.actors[i].place && world__random(&world, 4) == 0)
					world__wake(&world, &world.actors[i]);
			world__step(&world);
		}
		world__census(&world);
		totals = totals_of(world.tracker);
		parked_truth = world.n_actors - world__count(&world, 0);
		cr_expect_eq(totals.alive, world.n_actors, "seed %lu", seed);
		cr_expect_eq(totals.parked, parked_truth, "seed %lu", seed);
		cr_expect_not(totals.inexact);
		if (world.lifecycle && !world.lose_percent) {
			cr_expect_eq(totals.created, world.created);
			cr_expect_eq(totals.exited, world.exited);
			cr_expect_eq(totals.repaired, 0);
		}
		cr_expect_eq(totals.created + 50 - totals.exited, totals.alive, "seed %lu", seed);
		world__free(&world);
	}
}

Test(convergence, late_events_in_any_order_are_exact_in_the_end)
{
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct tracker_totals totals;
		struct world world;

		world__new(&world, true, seed % 2);
		world.random = seed * 104729;
		world.lag = 100 * NSEC_PER_MSEC * (1 + seed % 6);
		world.interval = 700 * NSEC_PER_MSEC;
		for (int i = 0; i < 50; i++)
			world__spawn(&world, 0x5000, 1, WAIT_SELECT,
				     world__random(&world, 5 * SECOND));
		world__attach(&world);
		for (int step = 0; step < 100; step++) {
			for (uint64_t i = world__random(&world, 10); i > 0; i--)
				world__spawn(&world, i % 3 ? 0x6000 + i : SYSTEM_START_PC,
					     (uint32_t)world__random(&world, 4), WAIT_CHAN_RECEIVE,
					     i % 5 ? world__random(&world, 2 * SECOND) : FOREVER);
			world__step(&world);
		}
		for (int step = 0; step < 100 && (step < 10 || world.n_pending); step++)
			world__step(&world);
		cr_assert_eq(world.n_pending, 0);
		world__census(&world);
		totals = totals_of(world.tracker);
		cr_expect_eq(totals.alive + totals.system, world.n_actors, "seed %lu", seed);
		cr_expect_eq(totals.created, world.created, "seed %lu: %lu of %lu", seed,
			     totals.created, world.created);
		cr_expect_eq(totals.exited, world.exited, "seed %lu: %lu of %lu", seed,
			     totals.exited, world.exited);
		cr_expect_eq(totals.repaired, 0, "seed %lu: %lu", seed, totals.repaired);
		world__free(&world);
	}
}

struct sums {
	uint64_t goroutines, parked, created, exited;
	enum verdict before;
};

static void add_up(struct sums *sums, const struct site_view *site)
{
	sums->goroutines += site->goroutines;
	sums->parked += site->parked;
	sums->created += site->created;
	sums->exited += site->exited;
	cr_expect_leq(site->verdict, sums->before, "worst first");
	sums->before = site->verdict;
}

Test(convergence, sites_add_up_to_the_totals_even_when_they_do_not_fit)
{
	const struct tracker_options options = {
		.max_sites = 16,
		.attached_ns = WORLD_START,
		.classify = classify_for_test,
		.expect_events = true,
	};
	const struct site_view *sites;
	struct sums sums = {.before = VERDICT_LEAKING};
	struct tracker_totals totals;
	struct tracker *t = NULL;
	size_t n;

	cr_assert_eq(tracker__new(&options, &t), 0);
	for (uint64_t round = 0; round < 20; round++) {
		uint64_t first = round * 100 + 1, now = WORLD_START + round * SECOND;

		for (uint64_t goid = first; goid < first + 100; goid++)
			tracker__created(t, goid, goid % 37, goid % 41, now);
		tracker__census_begin(t, now + SECOND / 2);
		for (uint64_t goid = first; goid < first + 100; goid++) {
			const struct tracker_sighting sighting = {
				.goid = goid,
				.creation_pc = goid % 37,
				.start_pc = goid % 41,
				.read_at_ns = now + SECOND / 2,
				.stack_id = (uint32_t)(goid % 53),
				.place = goid % 53,
				.wait_reason = WAIT_CHAN_SEND,
				.parked = goid % 53 != 0,
			};

			tracker__census_seen(t, &sighting);
		}
		tracker__census_end(t, now + SECOND / 2);
		for (uint64_t goid = first; goid < first + 90; goid++)
			tracker__exited(t, goid, now + SECOND * 3 / 4);
	}
	sites = judge_for_test(t, SECOND, WORLD_START + 30 * SECOND, &n);
	for (size_t i = 0; i < n; i++)
		add_up(&sums, &sites[i]);
	totals = totals_of(t);
	cr_expect_eq(sums.goroutines, totals.alive);
	cr_expect_eq(sums.parked, totals.parked);
	cr_expect_eq(sums.created, totals.created);
	cr_expect_eq(sums.exited, totals.exited);
	cr_expect_eq(totals.created, 2000);
	tracker__free(t);
}
