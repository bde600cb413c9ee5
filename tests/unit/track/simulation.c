// SPDX-License-Identifier: Apache-2.0
/*
 * Whole services on a virtual clock, seen by the tracker in each of the three modes: which sites
 * are flagged, how soon, and which never may be.
 */
#include <criterion/criterion.h>

#include "world.h"

#define LEAK	0x1000
#define HEALTHY 0x2000

enum { LEAK_PLACE = 1, HEALTHY_PLACE, OTHER_PLACE, IO_PLACE };

/* A service: what it does in each step, and how it began. */
struct service {
	void (*before)(struct world *world);
	void (*step)(struct world *world, uint64_t since_attach);
};

static void run(struct world *world, const struct mode *mode, const struct service *service,
		uint64_t duration, struct watch *watches, size_t n)
{
	world__new(world, mode->lifecycle, mode->parks);
	if (service->before)
		service->before(world);
	world__attach(world);
	while (world->now < world->attached + duration) {
		world__step(world);
		if (service->step)
			service->step(world, world->now - world->attached);
		if (world__due(world->now - world->attached, SECOND))
			world__look(world, watches, n);
	}
}

static void expect_never_flagged(const char *name, const struct service *service, uint64_t duration)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch[] = {{.place = HEALTHY_PLACE}, {.place = OTHER_PLACE}};
		struct world world;

		run(&world, &world_modes[i], service, duration, watch, ARRAY_SIZE(watch));
		for (size_t j = 0; j < ARRAY_SIZE(watch); j++)
			cr_expect(watch[j].worst < VERDICT_STUCK, "%s, %s: %s after %.0fs: %s",
				  name, world_modes[i].name, verdict__name(watch[j].worst),
				  watch[j].first_leaking / 1e9, watch[j].why);
		world__free(&world);
	}
}

static void expect_leak(const char *name, const struct service *service, uint64_t within)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch[] = {{.place = LEAK_PLACE}, {.place = HEALTHY_PLACE}};
		struct world world;

		run(&world, &world_modes[i], service, within + 30 * SECOND, watch,
		    ARRAY_SIZE(watch));
		cr_expect(watch[0].first_leaking && watch[0].first_leaking <= within,
			  "%s, %s: flagged after %.0fs (0: never), allowed %.0fs; now %s", name,
			  world_modes[i].name, watch[0].first_leaking / 1e9, within / 1e9,
			  verdict__name(watch[0].latest));
		cr_expect_eq(watch[0].latest, VERDICT_LEAKING, "%s, %s: now %s", name,
			     world_modes[i].name, verdict__name(watch[0].latest));
		cr_expect(watch[0].view.n_why >= 2);
		cr_expect(watch[1].worst < VERDICT_STUCK, "%s, %s: healthy site %s", name,
			  world_modes[i].name, verdict__name(watch[1].worst));
		world__free(&world);
	}
}

/* --- leaks --- */

static void leak_1s(struct world *world, uint64_t since)
{
	if (world__due(since, SECOND))
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_CHAN_SEND, FOREVER);
}

Test(simulation, leak_of_one_per_second_within_30s)
{
	expect_leak("1/s", &(struct service){.step = leak_1s}, 30 * SECOND);
}

static void many_already_leaked(struct world *world)
{
	for (int i = 0; i < 5000; i++)
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_CHAN_SEND, FOREVER);
}

Test(simulation, leak_that_began_before_the_attach)
{
	expect_leak("1/s on top of 5000",
		    &(struct service){.before = many_already_leaked, .step = leak_1s}, 30 * SECOND);
}

static void leak_100s(struct world *world, uint64_t since __maybe_unused)
{
	for (int i = 0; i < 10; i++)
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_SELECT, FOREVER);
}

Test(simulation, fast_leak_within_20s)
{
	expect_leak("100/s", &(struct service){.step = leak_100s}, 20 * SECOND);
}

/* One in every minute, at any moment of it. */
static void leak_1min(struct world *world, uint64_t since)
{
	static uint64_t at;

	if (world__due(since, MINUTE) || since == WORLD_STEP)
		at = since + world__random(world, 590) * WORLD_STEP;
	if (since == at)
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_WAIT_GROUP, FOREVER);
}

Test(simulation, leak_of_one_per_minute_within_15_minutes)
{
	expect_leak("1/min", &(struct service){.step = leak_1min}, 15 * MINUTE);
}

/* 1000 a second are created at the leak's origin; nearly all are gone within a second. */
static void leak_under_churn(struct world *world, uint64_t since)
{
	for (int i = 0; i < 100; i++)
		world__spawn(world, LEAK, world__random(world, 4) ? 0 : LEAK_PLACE, WAIT_CHAN_SEND,
			     WORLD_STEP + world__random(world, SECOND));
	leak_1s(world, since);
}

Test(simulation, leak_under_churn_at_the_same_line, .timeout = 120)
{
	expect_leak("1/s under 1000/s", &(struct service){.step = leak_under_churn}, 45 * SECOND);
}

static void leak_in_a_busy_pool(struct world *world, uint64_t since)
{
	leak_1s(world, since);
	/* Workers of the same kind, waiting at another line, that get work every few seconds. */
	for (size_t i = 0; i < world->n_actors; i++)
		if (world->actors[i].place == HEALTHY_PLACE && world__random(world, 30) == 0)
			world__wake(world, &world->actors[i]);
}

static void fifty_workers(struct world *world)
{
	for (int i = 0; i < 50; i++)
		world__spawn(world, HEALTHY, HEALTHY_PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

Test(simulation, leak_beside_a_busy_pool)
{
	expect_leak("1/s beside a pool",
		    &(struct service){.before = fifty_workers, .step = leak_in_a_busy_pool},
		    30 * SECOND);
}

/* A short demonstration: three leaks and healthy company, everything young. */
static void demo_step(struct world *world, uint64_t since)
{
	static const uint64_t periods[] = {SECOND / 2, SECOND / 5, SECOND / 10};

	for (size_t i = 0; i < ARRAY_SIZE(periods); i++)
		if (world__due(since, periods[i]))
			world__spawn(world, LEAK + i, 101 + (uint32_t)i,
				     (enum wait_class[]){WAIT_CHAN_SEND, WAIT_CHAN_RECEIVE,
							 WAIT_WAIT_GROUP}[i],
				     FOREVER);
	for (int i = 0; i < 20; i++)
		world__spawn(world, HEALTHY, HEALTHY_PLACE, WAIT_CHAN_RECEIVE,
			     world__random(world, SECOND));
	if (world__due(since, 2 * SECOND))
		world__spawn(world, HEALTHY + 1, OTHER_PLACE, WAIT_SELECT, 3 * SECOND);
}

Test(simulation, demonstration_of_45_seconds)
{
	const struct service service = {.before = fifty_workers, .step = demo_step};

	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch[] = {{.place = 101},
					{.place = 102},
					{.place = 103},
					{.place = HEALTHY_PLACE},
					{.place = OTHER_PLACE}};
		struct world world;

		world__new(&world, world_modes[i].lifecycle, world_modes[i].parks);
		world.policy.min_age_ns = 5 * SECOND;
		service.before(&world);
		world__attach(&world);
		while (world.now < world.attached + 40 * SECOND) {
			world__step(&world);
			service.step(&world, world.now - world.attached);
			if (world__due(world.now - world.attached, SECOND))
				world__look(&world, watch, ARRAY_SIZE(watch));
		}
		for (size_t j = 0; j < 3; j++)
			cr_expect(watch[j].first_leaking && watch[j].first_leaking <= 25 * SECOND &&
					  watch[j].latest == VERDICT_LEAKING,
				  "%s, leak %zu: %.0fs, now %s", world_modes[i].name, j,
				  watch[j].first_leaking / 1e9, verdict__name(watch[j].latest));
		cr_expect(watch[3].worst < VERDICT_STUCK);
		cr_expect(watch[4].worst < VERDICT_STUCK);
		world__free(&world);
	}
}

/* --- healthy services --- */

Test(simulation, constant_pool_without_work)
{
	expect_never_flagged("constant pool", &(struct service){.before = fifty_workers},
			     10 * MINUTE);
}

static void ten_thousand_idle(struct world *world)
{
	for (int i = 0; i < 10000; i++)
		world__spawn(world, HEALTHY, i % 2 ? HEALTHY_PLACE : OTHER_PLACE,
			     i % 2 ? WAIT_SELECT : WAIT_IO, FOREVER);
}

Test(simulation, ten_thousand_idle_connections, .timeout = 120)
{
	expect_never_flagged("10k idle", &(struct service){.before = ten_thousand_idle},
			     2 * MINUTE);
}

static void wake_seldom(struct world *world, uint64_t since __maybe_unused)
{
	for (size_t i = 0; i < world->n_actors; i++)
		if (world__random(world, 3000) == 0)
			world__wake(world, &world->actors[i]);
}

Test(simulation, pool_whose_workers_get_work_every_five_minutes)
{
	static const struct service service = {.before = fifty_workers, .step = wake_seldom};

	expect_never_flagged("seldom work", &service, 20 * MINUTE);
}

static void fill_pool(struct world *world, uint64_t since)
{
	if (since <= 20 * SECOND && world__due(since, SECOND / 2))
		world__spawn(world, HEALTHY, HEALTHY_PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

Test(simulation, pool_that_fills_and_stays)
{
	expect_never_flagged("filling pool", &(struct service){.step = fill_pool}, 10 * MINUTE);
}

/* Five connections a second for two minutes, each with a reader and a writer; then no more. */
static void load_ramp(struct world *world, uint64_t since)
{
	if (since > 2 * MINUTE || !world__due(since, SECOND / 5))
		return;
	world__spawn(world, HEALTHY, IO_PLACE, WAIT_IO, FOREVER);
	world__spawn(world, HEALTHY + 1, HEALTHY_PLACE, WAIT_SELECT, FOREVER);
}

Test(simulation, load_ramp_of_connections)
{
	expect_never_flagged("load ramp", &(struct service){.step = load_ramp}, 10 * MINUTE);
}

static void bursts(struct world *world, uint64_t since)
{
	if (world__due(since, MINUTE))
		for (int i = 0; i < 400; i++)
			world__spawn(world, HEALTHY, HEALTHY_PLACE, WAIT_SEMAPHORE,
				     world__random(world, 40 * SECOND));
}

Test(simulation, batches_that_drain)
{
	expect_never_flagged("bursts", &(struct service){.step = bursts}, 10 * MINUTE);
}

static void long_poll(struct world *world, uint64_t since __maybe_unused)
{
	world__spawn(world, HEALTHY, HEALTHY_PLACE, WAIT_SELECT,
		     30 * SECOND + world__random(world, 30 * SECOND));
}

static void long_polls_before(struct world *world)
{
	for (uint64_t t = 0; t < 2 * MINUTE; t += WORLD_STEP) {
		world__step(world);
		long_poll(world, t);
	}
}

Test(simulation, long_polls)
{
	static const struct service service = {.before = long_polls_before, .step = long_poll};

	expect_never_flagged("long polls", &service, 10 * MINUTE);
}

static void sawtooth(struct world *world, uint64_t since)
{
	/* Sessions of four minutes, opened at a rate that swings with a period of five. */
	uint64_t phase = since % (5 * MINUTE) / MINUTE;

	if (world__random(world, 10) < phase)
		world__spawn(world, HEALTHY, HEALTHY_PLACE, WAIT_SELECT,
			     3 * MINUTE + world__random(world, 2 * MINUTE));
}

static void sessions_before(struct world *world)
{
	for (uint64_t t = 0; t < 15 * MINUTE; t += WORLD_STEP) {
		world__step(world);
		sawtooth(world, t);
	}
}

Test(simulation, sessions_of_minutes_under_changing_load, .timeout = 120)
{
	static const struct service service = {.before = sessions_before, .step = sawtooth};

	expect_never_flagged("sessions", &service, 30 * MINUTE);
}

/* --- in between --- */

static void leak_for_two_minutes(struct world *world, uint64_t since)
{
	if (since <= 2 * MINUTE)
		leak_1s(world, since);
}

Test(simulation, leak_that_stops_keeps_its_verdict_for_as_long_as_it_grew)
{
	static const struct service service = {.step = leak_for_two_minutes};
	struct watch watch = {.place = LEAK_PLACE};
	struct world world;

	run(&world, &world_modes[0], &service, 6 * MINUTE, &watch, 1);
	cr_expect(watch.first_leaking && watch.first_leaking <= 30 * SECOND);
	cr_expect(watch.last_leaking >= 3 * MINUTE, "ended at %.0fs", watch.last_leaking / 1e9);
	cr_expect(watch.last_leaking <= 5 * MINUTE, "ended at %.0fs", watch.last_leaking / 1e9);
	cr_expect(watch.latest < VERDICT_LEAKING);
	world__free(&world);
}

Test(simulation, false_alarm_ends_when_the_members_leave)
{
	static const struct service service = {.step = leak_for_two_minutes};
	struct watch watch = {.place = LEAK_PLACE};
	struct world world;

	run(&world, &world_modes[1], &service, MINUTE, &watch, 1);
	cr_assert_eq(watch.latest, VERDICT_LEAKING);
	while (world.n_actors > 35)
		world__exit(&world, world.n_actors - 1);
	world__census(&world);
	world__look(&world, &watch, 1);
	cr_expect(watch.latest < VERDICT_STUCK, "now %s", verdict__name(watch.latest));
	world__free(&world);
}

/* Queries that live for a minute each, two a second: after the first minute as many end as begin. */
static void queries_of_a_minute(struct world *world, uint64_t since)
{
	if (world__due(since, SECOND / 2))
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_CHAN_RECEIVE, MINUTE);
}

/* As many may be there as before, but they are others: an alarm is about those that it saw stay. */
Test(simulation, false_alarm_ends_when_others_have_taken_the_members_place)
{
	static const struct service service = {.step = queries_of_a_minute};

	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch = {.place = LEAK_PLACE};
		struct world world;

		run(&world, &world_modes[i], &service, 5 * MINUTE, &watch, 1);
		cr_expect(watch.first_leaking, "%s: never flagged, so nothing is tested",
			  world_modes[i].name);
		cr_expect_leq(watch.last_leaking, MINUTE + 25 * SECOND, "%s: ended at %.0fs",
			      world_modes[i].name, watch.last_leaking / 1e9);
		cr_expect_geq(watch.view.goroutines, 113, "%s: %lu", world_modes[i].name,
			      watch.view.goroutines);
		world__free(&world);
	}
}

static void leak_7_per_3s(struct world *world, uint64_t since)
{
	if (world__due(since, 3 * SECOND))
		for (int i = 0; i < 7; i++)
			world__spawn(world, LEAK, LEAK_PLACE, WAIT_CHAN_SEND, FOREVER);
}

/* Where nobody has left no cohort misses anybody, however the ages fall. */
Test(simulation, cohorts_miss_nobody_who_is_still_here)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		uint64_t created = 0;
		struct world world;

		world__new(&world, world_modes[i].lifecycle, world_modes[i].parks);
		world__attach(&world);
		while (world.now < world.attached + 7 * MINUTE) {
			const struct site_view *sites;
			size_t n;

			world__step(&world);
			leak_7_per_3s(&world, world.now - world.attached);
			if (!world__due(world.now - world.attached, SECOND))
				continue;
			sites = judge_for_test(world.tracker, 10 * SECOND, world.now, &n);
			for (size_t j = 0; j < n; j++) {
				const struct site_evidence *e = &sites[j].evidence;

				for (size_t c = 0; c < e->n_cohorts; c++) {
					created += e->cohorts[c].created;
					cr_assert_eq(e->cohorts[c].alive, e->cohorts[c].created,
						     "%s: %lu of %lu after %.0fs",
						     world_modes[i].name, e->cohorts[c].alive,
						     e->cohorts[c].created,
						     (double)(world.now - world.attached) / 1e9);
				}
			}
		}
		cr_expect_gt(created, 7 * 100, "nothing was tested");
		world__free(&world);
	}
}

Test(simulation, growth_is_said_before_it_is_called_a_leak)
{
	static const struct service service = {.step = leak_1s};
	struct watch watch = {.place = LEAK_PLACE};
	struct world world;

	run(&world, &world_modes[0], &service, 19 * SECOND, &watch, 1);
	cr_expect_eq(watch.latest, VERDICT_GROWING, "%s", verdict__name(watch.latest));
	cr_expect_float_eq(watch.view.growth_per_minute, 60, 6, "%f a minute",
			   watch.view.growth_per_minute);
	world__free(&world);
}

Test(simulation, network_waits_are_idle_even_when_they_grow)
{
	static const struct service service = {.step = load_ramp};
	struct watch watch = {.place = IO_PLACE};
	struct world world;

	run(&world, &world_modes[0], &service, 2 * MINUTE, &watch, 1);
	cr_expect_eq(watch.worst, VERDICT_IDLE);
	cr_expect_eq(watch.latest, VERDICT_IDLE);
	world__free(&world);
}
