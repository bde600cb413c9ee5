// SPDX-License-Identifier: Apache-2.0
/* The merge of events and censuses when either is late, incomplete or absent: what is repaired. */
#include "steps.h"

Test(losses, lost_exit_is_repaired_and_no_leak)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	created(t, 5, 1);
	tracker__lost(t, 1, 0);
	cr_expect(totals_of(t).inexact);
	census(t, 0, 0, 2);
	expect_totals(t, 0, 1, 1, 1, "swept");
	cr_expect_not(totals_of(t).inexact);
	cr_expect_eq(totals_of(t).lost, 1);
	exited(t, 5, 1.9); /* was only late */
	expect_totals(t, 0, 1, 1, 0, "late exit");
	exited(t, 5, 1.9);
	expect_totals(t, 0, 1, 1, 0, "doubled late exit");
	tracker__free(t);
}

Test(losses, lost_creation_is_repaired_unless_only_late)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	census(t, 5, 7, 2);
	expect_totals(t, 1, 1, 0, 1, "first seen");
	created(t, 5, 1.9);
	expect_totals(t, 1, 1, 0, 0, "late creation");
	tracker__free(t);
}

Test(losses, goroutines_of_foreign_threads_come_and_go_without_events)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting s = sighting(5, 7, 2);

	census(t, 0, 0, 0.1);
	s.creation_pc = s.start_pc = 0;
	s.parked = false;
	s.in_syscall = true;
	tracker__census_begin(t, AT(2));
	cr_assert_neq(tracker__census_seen(t, &s), 0);
	tracker__census_end(t, AT(2));
	expect_totals(t, 1, 1, 0, 0, "a call from C into Go");
	census(t, 0, 0, 4);
	expect_totals(t, 0, 1, 1, 0, "the call, or the thread, has ended");
	tracker__free(t);
}

Test(losses, whole_lives_that_were_lost_are_counted_after_the_next_census)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	tracker__lost(
		t, 6,
		4); /* four creations: one still alive, one told by its exit, two whole lives */
	exited(t, 6, 1.5);
	census(t, 5, 5, 2);
	expect_totals(t, 1, 4, 3, 6, "one adopted, one by its exit, two concluded twice");
	census(t, 5, 5, 4);
	expect_totals(t, 1, 4, 3, 6, "concluded once only");
	tracker__free(t);
}

Test(losses, unknown_that_runs_while_events_flow_is_not_taken_in)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	census(t, 5, 0, 2);
	expect_totals(t, 0, 0, 0, 0, "taking its last steps");
	census(t, 5, 7, 4);
	expect_totals(t, 1, 1, 0, 1, "it does stay");
	tracker__lost(t, 1, 1);
	census(t, 6, 0, 6);
	expect_totals(t, 1, 2, 1, 3, "after a loss the census is believed at once");
	tracker__free(t);
}

Test(losses, losses_before_the_first_census_conclude_nothing)
{
	struct tracker *t = tracker_for_test(true);

	tracker__lost(t, 3, 3);
	census(t, 5, 7, 0.1);
	census(t, 5, 7, 2);
	expect_totals(t, 1, 0, 0, 0, "all of them may be older than the attach");
	tracker__free(t);
}

Test(losses, what_happens_during_a_census_survives_it)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	created(t, 4, 1);
	tracker__census_begin(t, AT(2));
	created(t, 5, 2.1); /* its slot was read before */
	parked(t, 4, 2.1);  /* unreadable just now, but an event speaks of it */
	tracker__census_end(t, AT(2.2));
	expect_totals(t, 2, 2, 0, 0, "during the census");
	tracker__lost(t, 1, 0);
	tracker__census_begin(t, AT(3));
	tracker__lost(t, 1, 0);
	tracker__census_end(t, AT(3.1));
	cr_expect(totals_of(t).inexact, "lost during the census, not repaired by it");
	tracker__free(t);
}

Test(losses, late_sighting_does_not_raise_the_dead)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	created(t, 5, 1);
	tracker__census_begin(t, AT(2));
	exited(t, 5, 2.2);
	cr_expect_eq(seen(t, 5, 7, 2.1), 0);
	tracker__census_end(t, AT(2.3));
	expect_totals(t, 0, 1, 1, 0, "late sighting");
	/* It has told of its exit and has a little way to go. */
	census(t, 5, 0, 3);
	expect_totals(t, 0, 1, 1, 0, "still on its way");
	/* But a sighting of it parked after an exit proves that exit wrong. */
	census(t, 5, 7, 4);
	expect_totals(t, 1, 2, 1, 1, "seen alive");
	tracker__free(t);
}

Test(losses, aborted_census_sweeps_nobody)
{
	struct tracker *t = tracker_for_test(true);

	created(t, 5, 1);
	tracker__census_begin(t, AT(2));
	tracker__census_begin(t, AT(3));
	seen(t, 5, 7, 3.1);
	tracker__census_end(t, AT(3.2));
	tracker__census_end(t, AT(3.3));
	expect_totals(t, 1, 1, 0, 0, "begun twice");
	for (int i = 0; i < 300; i++)
		tracker__census_begin(t, AT(4 + i));
	expect_totals(t, 1, 1, 0, 0, "never ended");
	census(t, 0, 0, 400);
	expect_totals(t, 0, 1, 1, 1, "gone in the end");
	tracker__free(t);
}

Test(losses, censuses_alone_derive_lives_without_calling_it_repair)
{
	struct tracker *t = tracker_for_test(false);

	census(t, 1, 7, 0.1);
	tracker__census_begin(t, AT(2));
	seen(t, 1, 7, 2);
	seen(t, 2, 7, 2);
	tracker__census_end(t, AT(2));
	expect_totals(t, 2, 1, 0, 0, "one came");
	census(t, 1, 7, 4);
	expect_totals(t, 1, 1, 1, 0, "it left");
	tracker__free(t);
}

Test(losses, nothing_is_repaired_across_a_change_of_mode)
{
	struct tracker *t = tracker_for_test(false);

	census(t, 1, 7, 0.1);
	tracker__expect_events(t, true, AT(1));
	tracker__census_begin(t, AT(2));
	seen(t, 2, 7, 2); /* created between 0.1 and 1, perhaps */
	tracker__census_end(t, AT(2));
	expect_totals(t, 1, 1, 1, 0, "first census after the attach");
	census(t, 0, 0, 4);
	expect_totals(t, 0, 1, 2, 1, "now events were attached all the time");
	tracker__free(t);
}

Test(losses, frozen_keeps_as_many_as_there_are)
{
	const struct tracker_options options = {.attached_ns = WORLD_START, .expect_events = true};
	struct tracker *t = NULL;

	cr_assert_eq(tracker__new(&options, &t), 0);
	for (uint64_t goid = 1; goid <= 3; goid++)
		tracker__created(t, goid, 7, 7, AT(1));
	tracker__freeze(t, true);
	tracker__created(t, 4, 7, 7, AT(1));
	expect_totals(t, 3, 4, 0, 0, "no room");
	cr_expect_eq(totals_of(t).refused, 1);
	tracker__exited(t, 2, AT(1.1));
	tracker__created(t, 5, 7, 7, AT(1.2));
	expect_totals(t, 3, 5, 1, 0, "one for another");
	tracker__freeze(t, false);
	tracker__census_begin(t, AT(2));
	for (uint64_t goid = 1; goid <= 5; goid++)
		if (goid != 2)
			seen(t, goid, 7, 2);
	tracker__census_end(t, AT(2));
	cr_expect_eq(totals_of(t).alive, 4);
	cr_expect_eq(totals_of(t).created, 5, "told before, and not once more");
	cr_expect_eq(totals_of(t).refused, 0);
	tracker__free(t);
}

Test(losses, limits_are_kept_and_counted)
{
	const struct tracker_options options = {
		.max_goroutines = 3,
		.max_sites = 4,
		.attached_ns = WORLD_START,
		.expect_events = true,
	};
	struct tracker *t = NULL;

	cr_assert_eq(tracker__new(&options, &t), 0);
	for (uint64_t goid = 1; goid <= 10; goid++)
		tracker__created(t, goid, goid, goid, AT(1));
	expect_totals(t, 3, 10, 0, 0, "full");
	cr_expect_eq(totals_of(t).refused, 7);
	cr_expect_leq(totals_of(t).sites, 4);
	tracker__census_begin(t, AT(2));
	for (uint64_t goid = 1; goid <= 10; goid++)
		seen(t, goid, (uint32_t)goid, 2);
	tracker__census_end(t, AT(2));
	cr_expect_eq(totals_of(t).alive, 3);
	cr_expect_eq(totals_of(t).refused, 7, "the same seven");
	tracker__free(t);
}
