// SPDX-License-Identifier: Apache-2.0
/* Goroutines that do not park, on a virtual clock: they run, or are in a system call or in C. */
#include <criterion/criterion.h>
#include <string.h>

#include "world.h"

#define START 0x1000

enum { RUNS, IN_SYSCALL, TICKS };

static struct watch run(const struct mode *mode, void (*step)(struct world *world, uint64_t since),
			uint32_t place, uint64_t duration)
{
	struct watch watch = {.place = place};
	struct world world;

	world__new(&world, mode->lifecycle, mode->parks);
	/* Somebody who parks tells that parks are traced. */
	world__spawn(&world, START + 7, TICKS, WAIT_SLEEP, FOREVER);
	world__attach(&world);
	while (world.now < world.attached + duration) {
		world__step(&world);
		step(&world, world.now - world.attached);
		if (!world__due(world.now - world.attached, SECOND))
			continue;
		world__wake(&world, &world.actors[0]);
		world__look(&world, &watch, 1);
	}
	world__free(&world);
	return watch;
}

static void spin(struct world *world, uint64_t since)
{
	if (world__due(since, 8 * SECOND))
		world__spawn(world, START, RUNS, WAIT_NONE, FOREVER);
}

Test(runners, that_never_stop_are_leaked)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		uint64_t within = (world_modes[i].parks ? 115 : 330) * SECOND;
		struct watch watch = run(&world_modes[i], spin, RUNS, within + 10 * SECOND);

		cr_expect(watch.first_leaking && watch.first_leaking <= within,
			  "%s: after %.0fs (0: never), now %s: %s", world_modes[i].name,
			  watch.first_leaking / 1e9, verdict__name(watch.latest), watch.why);
		cr_expect_eq(watch.latest, VERDICT_LEAKING);
		cr_expect_not_null(strstr(watch.why, "running, or ready to run, without a break"),
				   "%s", watch.why);
		cr_expect_eq(watch.view.parked, 0);
		cr_expect_geq(watch.view.running, watch.view.goroutines - 3);
	}
}

static void open_without_a_peer(struct world *world, uint64_t since)
{
	if (world__due(since, 2 * SECOND))
		world__spawn(world, START, IN_SYSCALL, WAIT_SYSCALL, FOREVER);
}

Test(runners, in_system_calls_that_do_not_end_are_leaked)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch =
			run(&world_modes[i], open_without_a_peer, IN_SYSCALL, 340 * SECOND);

		cr_expect(watch.first_leaking > 300 * SECOND && watch.first_leaking <= 330 * SECOND,
			  "%s: after %.0fs (0: never), now %s: %s", world_modes[i].name,
			  watch.first_leaking / 1e9, verdict__name(watch.latest), watch.why);
		cr_expect_not_null(
			strstr(watch.why, "in a system call or in C, each with a thread"), "%s",
			watch.why);
		cr_expect(watch.view.in_syscall);
	}
}

/* --- healthy --- */

/* Each computes for half a minute. */
static void compute(struct world *world, uint64_t since)
{
	if (world__due(since, 3 * SECOND))
		world__spawn(world, START, RUNS, WAIT_NONE, 30 * SECOND);
}

/* Child processes that are started one by one for four minutes, and stay. */
static void wait_for_children(struct world *world, uint64_t since)
{
	if (since < 4 * MINUTE && world__due(since, 2 * SECOND))
		world__spawn(world, START, IN_SYSCALL, WAIT_SYSCALL, FOREVER);
}

Test(runners, that_end_or_are_there_for_children_are_not)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch = run(&world_modes[i], compute, RUNS, 10 * MINUTE);

		cr_expect_lt(watch.worst, VERDICT_STUCK, "%s: jobs after %.0fs: %s",
			     world_modes[i].name, watch.first_leaking / 1e9, watch.why);
		watch = run(&world_modes[i], wait_for_children, IN_SYSCALL, 10 * MINUTE);
		cr_expect_lt(watch.worst, VERDICT_STUCK, "%s: children after %.0fs: %s",
			     world_modes[i].name, watch.first_leaking / 1e9, watch.why);
	}
}
