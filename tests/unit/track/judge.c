// SPDX-License-Identifier: Apache-2.0
/* Judging as a step of its own: what it leaves behind is only read, and can be replaced at once. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "world.h"

#define JOBS  0x1000
#define PLACE 1

/* Receivers that come once a second and stay, until the growth test has flagged them. */
static void grow_until_flagged(struct world *world, struct watch *watch)
{
	world__new(world, false, false);
	world__attach(world);
	while (watch->latest != VERDICT_LEAKING && world->now < world->attached + MINUTE) {
		world__step(world);
		if (world->now % SECOND < WORLD_STEP)
			world__spawn(world, JOBS, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
		if (world->now == world->next_census - world->interval)
			world__look(world, watch, 1);
	}
	cr_assert_eq(watch->latest, VERDICT_LEAKING);
}

static const struct site_view *only_site(struct world *world)
{
	size_t n;
	const struct site_view *sites =
		judge_for_test(world->tracker, world->policy.min_age_ns, world->now, &n);

	for (size_t i = 0; i < n; i++)
		if (sites[i].place == PLACE)
			return &sites[i];
	cr_assert(false, "no such site");
	return NULL;
}

Test(judge, views_stay_as_they_were_judged_while_events_go_on)
{
	struct watch watch = {.place = PLACE};
	const struct site_view *site;
	struct world world;
	uint64_t goroutines;
	size_t n, n_again;

	grow_until_flagged(&world, &watch);
	site = only_site(&world);
	goroutines = site->goroutines;
	tracker__sites(world.tracker, &n);
	for (int i = 0; i < 17; i++)
		world__spawn(&world, JOBS + 7, PLACE + 7, WAIT_SELECT, FOREVER);
	world.now += 13 * SECOND;
	world__census(&world);
	cr_expect_eq(site->goroutines, goroutines);
	cr_expect_eq(site->verdict, VERDICT_LEAKING);
	tracker__sites(world.tracker, &n_again);
	cr_expect_eq(n_again, n);
	world__free(&world);
}

Test(judge, judging_one_moment_twice_changes_nothing)
{
	struct watch watch = {.place = PLACE};
	struct world world;
	const struct site_view *site;
	struct site_view first;
	char why[160];

	grow_until_flagged(&world, &watch);
	first = *only_site(&world);
	snprintf(why, sizeof(why), "%s", first.why[0]);
	site = only_site(&world);
	cr_expect_eq(site->verdict, first.verdict);
	cr_expect_eq(site->confidence, first.confidence);
	cr_expect_eq(site->n_why, first.n_why);
	cr_expect_str_eq(site->why[0], why);
	cr_expect_eq(site->evidence.stayed, first.evidence.stayed);
	world__free(&world);
}

/* What the first look at the objects disproves is no alarm that has to fade. */
Test(judge, objects_take_back_the_alarm_of_the_same_moment)
{
	const struct site_objects one_queue = {
		.looked_at = 19, .distinct = 1, .shared_by = 19, .queue = true};
	struct watch watch = {.place = PLACE};
	const struct site_view *site;
	struct world world;

	grow_until_flagged(&world, &watch);
	tracker__note_objects(world.tracker, watch.view.index, &one_queue);
	site = only_site(&world);
	cr_expect_lt(site->verdict, VERDICT_STUCK, "%s: %s", verdict__name(site->verdict),
		     site->why[0]);
	world__free(&world);
}
