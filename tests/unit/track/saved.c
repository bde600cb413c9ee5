// SPDX-License-Identifier: Apache-2.0
/* A tracker's knowledge handed over to the next one, as a restart of gleakd does. */
#include "track/saved.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "steps.h"

#define MAX_KEPT 64

/* What a state file would hold. */
struct kept {
	struct saved_process process;
	struct history files;
	size_t n;
	struct saved_site sites[MAX_KEPT];
	struct history histories[MAX_KEPT];
};

static bool keep(void *ctx, const struct saved_site *site)
{
	struct kept *kept = ctx;

	cr_assert_lt(kept->n, MAX_KEPT);
	kept->sites[kept->n] = *site;
	if (site->history) {
		history__copy(&kept->histories[kept->n], site->history);
		kept->sites[kept->n].history = &kept->histories[kept->n];
	}
	kept->n++;
	return true;
}

static struct kept *remember(const struct tracker *tracker)
{
	struct kept *kept = calloc(1, sizeof(*kept));

	cr_assert(kept);
	tracker__save(tracker, &kept->process, keep, kept);
	history__copy(&kept->files, kept->process.files);
	kept->process.files = &kept->files;
	return kept;
}

static void recall(struct tracker *tracker, const struct kept *kept)
{
	for (size_t i = 0; i < kept->n; i++)
		cr_assert_eq(tracker__restore_site(tracker, &kept->sites[i]), 0);
	tracker__restore_process(tracker, &kept->process);
}

static void drop(struct kept *kept)
{
	history__clear(&kept->files);
	for (size_t i = 0; i < kept->n; i++)
		history__clear(&kept->histories[i]);
	free(kept);
}

/* Another gleakd takes over; the process goes on meanwhile. */
static void restart(struct world *world)
{
	struct kept *kept = remember(world->tracker);
	uint64_t attached = world->attached;

	tracker__free(world->tracker);
	world->tracker = tracker_for_test(world->lifecycle);
	for (size_t i = 0; i < world->n_actors; i++) {
		world->actors[i].changed = true;
		world->actors[i].handle = 0;
	}
	recall(world->tracker, kept);
	world__census(world);
	world->attached = attached;
	drop(kept);
}

static void leak_until(struct world *world, struct watch *watch, uint64_t end)
{
	while (world->now < world->attached + end) {
		world__step(world);
		if ((world->now - world->attached) % SECOND == 0) {
			world__spawn(world, 0x1000, 1, WAIT_CHAN_RECEIVE, FOREVER);
			world__look(world, watch, 1);
		}
	}
}

Test(memory, a_leak_keeps_its_verdict_and_its_numbers)
{
	struct watch watch = {.place = 1};
	struct tracker_totals before, after;
	struct world world;

	world__new(&world, true, true);
	world__attach(&world);
	leak_until(&world, &watch, 2 * MINUTE);
	cr_assert_eq(watch.latest, VERDICT_LEAKING);
	before = totals_of(world.tracker);
	restart(&world);
	after = totals_of(world.tracker);
	cr_expect_eq(after.created, before.created);
	cr_expect_eq(after.alive, before.alive);
	watch.latest = VERDICT_ACTIVE;
	world__look(&world, &watch, 1);
	cr_expect_eq(watch.latest, VERDICT_LEAKING, "now %s", verdict__name(watch.latest));
	/* The last one had not been seen parked yet: its creation is its go statement's. */
	cr_expect_eq(watch.view.created, 119, "created %lu", watch.view.created);
	/*
	 * The alarm is not only held: the lives of those who were there are known, so it is
	 * renewed.
	 */
	leak_until(&world, &watch, 2 * MINUTE + 30 * SECOND);
	cr_expect_eq(watch.latest, VERDICT_LEAKING);
	cr_expect_float_eq(watch.view.growth_per_minute, 60, 3, "%f a minute",
			   watch.view.growth_per_minute);
	world__free(&world);
}

Test(memory, lives_go_on)
{
	struct watch watch = {.place = 1};
	struct world world;

	world__new(&world, true, true);
	world__attach(&world);
	leak_until(&world, &watch, 2 * MINUTE);
	restart(&world);
	world__look(&world, &watch, 1);
	cr_expect_float_eq(watch.view.oldest_age_ns / 1e9, 119, 3, "%f s",
			   watch.view.oldest_age_ns / 1e9);
	world__free(&world);
}

Test(memory, who_left_before_is_not_forgotten)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view = {0};
	struct kept *kept;

	census(t, 0, 0, 0.1);
	for (uint64_t goid = 10; goid < 20; goid++)
		created(t, goid, 1);
	for (uint64_t goid = 10; goid < 13; goid++)
		exited(t, goid, 40);
	census(t, 0, 0, 45);
	kept = remember(t);
	tracker__free(t);
	t = tracker_for_test(true);
	recall(t, kept);
	drop(kept);
	cr_assert(view_of(t, START_PC, 0, AT(50), &view));
	cr_expect_eq(view.created, 10);
	cr_expect_eq(view.exited, 10, "%lu", view.exited);
	tracker__free(t);
}

Test(memory, open_files_are_remembered)
{
	struct tracker *t = tracker_for_test(true);
	struct kept *kept;

	tracker__note_files(t, 17, AT(1));
	tracker__note_files(t, 23, AT(2));
	kept = remember(t);
	cr_expect_eq(kept->files.count, 2);
	cr_expect_eq(kept->files.samples[1].goroutines, 23);
	tracker__free(t);
	drop(kept);
}

Test(memory, a_full_table_says_so)
{
	const struct tracker_options options = {.attached_ns = WORLD_START, .max_sites = 2};
	const struct saved_site site = {.key = {.creation_pc = 1, .start_pc = 2, .place = 3}};
	struct tracker *t;

	cr_assert_eq(tracker__new(&options, &t), 0);
	created(t, 5, 1);
	cr_expect_lt(tracker__restore_site(t, &site), 0);
	tracker__free(t);
}
