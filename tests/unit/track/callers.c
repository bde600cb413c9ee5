// SPDX-License-Identifier: Apache-2.0
/* Which calls led to goroutines that a library starts, and what that tells apart. */
#include "track/callers.h"

#include <criterion/criterion.h>

#include "world.h"

#define ORIGIN 7
#define FORGET 0xf000
#define HOLD   0xb000
#define OTHER  0xc000

static struct callers *callers_new(void)
{
	struct callers *callers = NULL;

	cr_assert_eq(callers__new(&callers), 0);
	return callers;
}

Test(callers, are_known_until_the_goroutine_ends)
{
	struct callers *callers = callers_new();
	const struct call_stat *stat;

	for (uint64_t goid = 1; goid <= 1009; goid++)
		cr_assert(callers__note(callers, goid, ORIGIN, goid % 3 ? FORGET : HOLD));
	cr_expect_not(callers__note(callers, 5, ORIGIN, HOLD), "it is known");
	cr_expect_not(callers__note(callers, 0, ORIGIN, HOLD));
	cr_expect_not(callers__note(callers, 5000, ORIGIN, 0));
	cr_expect_eq(callers__of(callers, 5), FORGET);
	cr_expect_eq(callers__of(callers, 6), HOLD);
	cr_expect_eq(callers__of(callers, 1010), 0);
	for (uint64_t goid = 6; goid <= 606; goid += 3)
		callers__exited(callers, goid, 20 * SECOND);
	callers__exited(callers, 6, SECOND);
	cr_expect_eq(callers__of(callers, 6), 0);
	cr_expect_eq(callers__of(callers, 5), FORGET);
	stat = callers__stat(callers, ORIGIN, HOLD);
	cr_assert(stat);
	cr_expect_eq(stat->here, 336 - 201);
	cr_expect_eq(stat->ended, 201);
	cr_expect_eq(length_histogram__at_least(&stat->lengths, 10 * SECOND), 201);
	cr_expect_eq(callers__stat(callers, ORIGIN, FORGET)->here, 673);
	cr_expect_null(callers__stat(callers, ORIGIN + 1, FORGET));
	/* What has become free is used again. */
	for (uint64_t goid = 2000; goid < 2201; goid++)
		cr_assert(callers__note(callers, goid, ORIGIN, OTHER));
	cr_expect_eq(callers__of(callers, 2200), OTHER);
	callers__free(callers);
}

Test(callers, are_limited)
{
	struct callers *callers = callers_new();
	size_t noted = 0, n;

	for (uint64_t goid = 1; goid <= 100000; goid++)
		noted += callers__note(callers, goid, ORIGIN, FORGET);
	cr_expect_eq(noted, 65536);
	for (uint64_t goid = 1; goid <= 65536; goid++)
		callers__exited(callers, goid, SECOND);
	for (uint64_t call = 1; call <= 5000; call++)
		callers__park_ended(callers, ORIGIN, call, SECOND);
	(void)callers__stats(callers, &n);
	cr_expect_eq(n, 1024);
	cr_expect(callers__note(callers, 1, ORIGIN, FORGET), "its stat is there");
	cr_expect_not(callers__note(callers, 2, ORIGIN, 4999), "there is no room for one");
	callers__free(callers);
}

Test(callers, of_most_members)
{
	struct call_counts counts = {0};
	uint32_t n;

	cr_expect_eq(call_counts__first(&counts, &n), 0);
	cr_expect_eq(n, 0);
	for (int i = 0; i < 13; i++)
		call_counts__add(&counts, HOLD);
	for (int i = 0; i < 17; i++)
		call_counts__add(&counts, FORGET);
	cr_expect_eq(call_counts__first(&counts, &n), FORGET);
	cr_expect_eq(n, 17);
	cr_expect_eq(counts.known, 30);
	for (uint64_t i = 1; i <= 20; i++)
		call_counts__add(&counts, i);
	cr_expect_eq(call_counts__first(&counts, &n), FORGET, "more than a fifth");
	cr_expect_leq(n, 17, "at least so many");
}

/* --- what they tell apart ------------------------------------------------------------------------- */

enum { PLACE = 1 };

struct service {
	bool forgets, holds, forgets_elsewhere;
};

static void spawn(struct world *world, uint64_t call_pc, uint64_t stays)
{
	const struct actor *actor = world__spawn(world, 0x1000, PLACE, WAIT_CHAN_RECEIVE, stays);

	tracker__note_call(world->tracker, actor->goid, call_pc);
}

static void run(struct world *world, const struct service *service, uint64_t duration)
{
	while (world->now < world->attached + duration) {
		uint64_t since;

		world__step(world);
		since = world->now - world->attached;
		if (service->forgets && world__due(since, SECOND))
			spawn(world, FORGET, FOREVER);
		if (service->holds && world__due(since, 500 * NSEC_PER_MSEC))
			spawn(world, HOLD, 40 * SECOND);
		if (service->forgets_elsewhere && world__due(since, 2 * SECOND))
			spawn(world, OTHER, FOREVER);
		if (world__due(since, SECOND))
			cr_assert_eq(tracker__judge(world->tracker, &world->policy, world->now), 0);
	}
}

static const struct site_view *view_of_call(const struct world *world, uint64_t call_pc, bool apart)
{
	size_t n;
	const struct site_view *views = tracker__sites(world->tracker, &n);

	for (size_t i = 0; i < n; i++) {
		if (views[i].place == PLACE && views[i].goroutines && views[i].apart == apart &&
		    views[i].call_pc == call_pc)
			return &views[i];
	}
	return NULL;
}

/* Those that are held for 40 seconds made staying mean more than that for all. */
Test(apart, a_leak_is_told_from_what_another_call_holds)
{
	static const struct service service = {.forgets = true, .holds = true};
	const struct site_view *view;
	struct world world;

	world__new(&world, true, true);
	world__attach(&world);
	run(&world, &service, 100 * SECOND);
	view = view_of_call(&world, FORGET, true);
	cr_assert(view);
	cr_expect_eq(view->verdict, VERDICT_LEAKING, "%s: %s", verdict__name(view->verdict),
		     view->n_why ? view->why[0] : "");
	cr_expect(view->goroutines >= 95, "%lu", view->goroutines);
	cr_expect_eq(view->evidence.left, 0);
	view = view_of_call(&world, HOLD, true);
	cr_assert(view);
	cr_expect_lt(view->verdict, VERDICT_STUCK, "%s", view->n_why ? view->why[0] : "");
	world__free(&world);
}

Test(apart, two_leaks_have_a_number_each)
{
	static const struct service service = {.forgets = true, .forgets_elsewhere = true};
	const struct site_view *more, *fewer;
	struct world world;

	world__new(&world, true, true);
	world__attach(&world);
	run(&world, &service, 100 * SECOND);
	more = view_of_call(&world, FORGET, true);
	fewer = view_of_call(&world, OTHER, true);
	cr_assert(more && fewer);
	cr_expect_eq(more->verdict, VERDICT_LEAKING);
	cr_expect_eq(fewer->verdict, VERDICT_LEAKING);
	cr_expect(more->goroutines > fewer->goroutines, "%lu, %lu", more->goroutines,
		  fewer->goroutines);
	world__free(&world);
}

Test(apart, one_call_needs_no_site_of_its_own)
{
	static const struct service service = {.forgets = true};
	const struct site_view *view;
	struct world world;

	world__new(&world, true, true);
	world__attach(&world);
	run(&world, &service, 60 * SECOND);
	view = view_of_call(&world, FORGET, false);
	cr_assert(view);
	cr_expect_eq(view->called, view->goroutines);
	cr_expect_eq(site_view__call(view), FORGET);
	world__free(&world);
}

/* Nobody who has only begun to hold is taken for one that stays: the past goes along. */
Test(apart, what_is_held_is_never_accused)
{
	static const struct service holds = {.holds = true};
	static const struct service both = {.forgets = true, .holds = true};
	struct world world;

	world__new(&world, true, true);
	world__attach(&world);
	run(&world, &holds, 3 * MINUTE);
	for (int i = 0; i < 120; i++) {
		const struct site_view *view;

		run(&world, &both, 3 * MINUTE + (uint64_t)(i + 1) * SECOND);
		view = view_of_call(&world, HOLD, true);
		cr_expect(!view || view->verdict < VERDICT_STUCK, "after %d s: %s", i + 1,
			  view && view->n_why ? view->why[0] : "");
	}
	cr_expect(view_of_call(&world, HOLD, true));
	world__free(&world);
}
