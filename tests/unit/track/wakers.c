// SPDX-License-Identifier: Apache-2.0
/*
 * Leaks whose goroutines wake up again and again, and healthy services that look like them: on a
 * virtual clock, in each of the three modes.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "world.h"

#define LOOPS	0x1000
#define HEALTHY 0x2000

enum { LOOP_PLACE = 1, OTHER_PLACE, IO_PLACE };

/* The loop under test: who comes how often, wakes how often, leaves when. */
struct loops {
	uint64_t comes_every, wakes_every, stays;
	enum wait_class class;
	uint64_t until; /* no more arrivals after this long */
	bool with_connection, with_file;
};

static void step(struct world *world, const struct loops *loops, uint64_t *files)
{
	uint64_t since = world->now - world->attached;

	for (size_t i = 0; i < world->n_actors; i++) {
		struct actor *actor = &world->actors[i];

		/* Each at its own moment of the period. */
		if (actor->place == LOOP_PLACE &&
		    world__due(since + actor->goid % 16 * WORLD_STEP + loops->wakes_every,
			       loops->wakes_every))
			world__wake(world, actor);
	}
	if (since <= loops->until && world__due(since, loops->comes_every)) {
		world__spawn(world, LOOPS, LOOP_PLACE, loops->class, loops->stays);
		if (loops->with_connection)
			world__spawn(world, HEALTHY, IO_PLACE, WAIT_IO, loops->stays);
		*files += loops->with_file;
	}
	if (loops->with_file && world__due(since, SECOND))
		tracker__note_files(world->tracker, *files, world->now);
}

static struct watch watch_loops(const struct mode *mode, const struct loops *loops, uint64_t span)
{
	struct watch watch = {.place = LOOP_PLACE};
	struct world world;
	uint64_t files = 7;

	world__new(&world, mode->lifecycle, mode->parks);
	world__attach(&world);
	while (world.now < world.attached + span) {
		world__step(&world);
		step(&world, loops, &files);
		if (world__due(world.now - world.attached, SECOND))
			world__look(&world, &watch, 1);
	}
	world__free(&world);
	return watch;
}

static void expect_leak(const char *name, const struct loops *loops, uint64_t within)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch = watch_loops(&world_modes[i], loops, within + 30 * SECOND);

		cr_expect(watch.first_leaking && watch.first_leaking <= within,
			  "%s, %s: flagged after %.0fs (0: never), allowed %.0fs", name,
			  world_modes[i].name, watch.first_leaking / 1e9, within / 1e9);
		cr_expect_eq(watch.latest, VERDICT_LEAKING, "%s, %s: now %s", name,
			     world_modes[i].name, verdict__name(watch.latest));
	}
}

static void expect_never_flagged(const char *name, const struct loops *loops, uint64_t span)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch = watch_loops(&world_modes[i], loops, span);

		cr_expect(watch.worst < VERDICT_STUCK, "%s, %s: %s after %.0fs: %s", name,
			  world_modes[i].name, verdict__name(watch.worst),
			  watch.first_leaking / 1e9, watch.why);
	}
}

Test(wakers, ticker_loops_that_never_end)
{
	static const uint64_t periods[] = {SECOND / 2, SECOND, 5 * SECOND, 30 * SECOND};

	for (size_t i = 0; i < ARRAY_SIZE(periods); i++) {
		const struct loops loops = {.comes_every = SECOND,
					    .wakes_every = periods[i],
					    .stays = FOREVER,
					    .class = WAIT_SELECT,
					    .until = FOREVER};
		char name[32];

		snprintf(name, sizeof(name), "every %.1fs", (double)periods[i] / 1e9);
		expect_leak(name, &loops, 30 * SECOND);
	}
}

Test(wakers, retry_loops_that_sleep)
{
	expect_leak("sleep",
		    &(struct loops){.comes_every = SECOND,
				    .wakes_every = 3 * SECOND,
				    .stays = FOREVER,
				    .class = WAIT_SLEEP,
				    .until = FOREVER},
		    30 * SECOND);
}

Test(wakers, a_ticker_leak_of_one_per_minute, .timeout = 60)
{
	expect_leak("1/min",
		    &(struct loops){.comes_every = MINUTE,
				    .wakes_every = SECOND,
				    .stays = FOREVER,
				    .class = WAIT_CHAN_RECEIVE,
				    .until = FOREVER},
		    15 * MINUTE);
}

Test(wakers, jobs_that_tick_and_end)
{
	expect_never_flagged("12s jobs",
			     &(struct loops){.comes_every = SECOND,
					     .wakes_every = SECOND,
					     .stays = 12 * SECOND,
					     .class = WAIT_SLEEP,
					     .until = FOREVER},
			     10 * MINUTE);
}

Test(wakers, pool_of_ticking_workers_that_fills_and_stays)
{
	expect_never_flagged("pool",
			     &(struct loops){.comes_every = SECOND / 2,
					     .wakes_every = SECOND,
					     .stays = FOREVER,
					     .class = WAIT_SELECT,
					     .until = 20 * SECOND},
			     10 * MINUTE);
}

Test(wakers, one_heartbeat_per_connection)
{
	expect_never_flagged("heartbeats",
			     &(struct loops){.comes_every = SECOND / 2,
					     .wakes_every = 5 * SECOND,
					     .stays = FOREVER,
					     .class = WAIT_SELECT,
					     .until = 4 * MINUTE,
					     .with_connection = true},
			     12 * MINUTE);
}

/* Connections need no goroutine in a network wait: a pool's idle ones have none. */
Test(wakers, one_watcher_per_open_file)
{
	expect_never_flagged("files",
			     &(struct loops){.comes_every = SECOND / 2,
					     .wakes_every = FOREVER,
					     .stays = FOREVER,
					     .class = WAIT_SELECT,
					     .until = 4 * MINUTE,
					     .with_file = true},
			     12 * MINUTE);
}

Test(wakers, a_leak_with_connections_is_found_in_the_end)
{
	expect_leak("with connections",
		    &(struct loops){.comes_every = SECOND,
				    .wakes_every = FOREVER,
				    .stays = FOREVER,
				    .class = WAIT_SELECT,
				    .until = FOREVER,
				    .with_connection = true},
		    12 * MINUTE);
}
