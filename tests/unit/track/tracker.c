// SPDX-License-Identifier: Apache-2.0
/* The merge of events and censuses: what is counted, what wins, where members are. */
#include "steps.h"

/* --- counting --- */

Test(tracker, events_alone_are_exact)
{
	struct tracker *t = tracker_for_test(true);

	for (uint64_t goid = 1; goid <= 1009; goid++)
		created(t, goid, 1);
	for (uint64_t goid = 1; goid <= 503; goid++)
		exited(t, goid, 2);
	expect_totals(t, 506, 1009, 503, 0, "after events");
	tracker__free(t);
}

Test(tracker, one_is_found_by_its_number)
{
	struct tracker *t = tracker_for_test(true);
	uint64_t since_ns[2] = {7, 7};
	uint32_t sites[2] = {4711, 1009};

	created(t, 5, 1);
	created(t, 6, 1);
	parked(t, 6, 1.5);
	cr_assert(tracker__find(t, 5, &sites[0], &since_ns[0]));
	cr_assert(tracker__find(t, 6, &sites[1], &since_ns[1]));
	cr_expect_eq(sites[0], sites[1], "both by the same statement");
	cr_expect_eq(since_ns[0], 0, "it runs");
	cr_expect(since_ns[1] <= AT(1.5) && AT(1.5) - since_ns[1] < NSEC_PER_MSEC);
	exited(t, 6, 2);
	cr_expect_not(tracker__find(t, 6, &sites[1], &since_ns[1]));
	cr_expect_not(tracker__find(t, 4711, &sites[1], &since_ns[1]));
	tracker__free(t);
}

Test(tracker, doubled_and_senseless_events_change_nothing)
{
	struct tracker *t = tracker_for_test(true);

	created(t, 5, 1);
	created(t, 5, 1);
	created(t, 0, 1);
	exited(t, 0, 1);
	parked(t, 0, 1);
	parked(t, 77, 1);
	expect_totals(t, 1, 1, 0, 0, "doubled create");
	exited(t, 5, 2);
	exited(t, 5, 2);
	created(t, 5, 1);
	parked(t, 5, 1.5);
	expect_totals(t, 0, 1, 1, 0, "doubled exit");
	cr_expect_eq(totals_of(t).parked, 0);
	tracker__free(t);
}

Test(tracker, exit_before_its_creation)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view;

	exited(t, 5, 1.001);
	created(t, 5, 1);
	expect_totals(t, 0, 1, 1, 0, "reordered");
	cr_assert(view_of(t, START_PC, 0, AT(2), &view));
	cr_expect_eq(view.created, 1);
	cr_expect_eq(view.exited, 1);
	tracker__free(t);
}

Test(tracker, exit_of_somebody_no_census_saw_implies_a_creation)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view;

	census(t, 1, 7, 0.1);
	exited(t, 5, 1);
	expect_totals(t, 1, 1, 1, 1, "creation lost");
	created(t, 5, 0.9);
	expect_totals(t, 1, 1, 1, 0, "or only late");
	cr_assert(view_of(t, START_PC, 0, AT(2), &view));
	cr_expect_eq(view.created, 1);
	cr_expect_eq(view.exited, 1);
	exited(t, 6, 1);
	tracker__created(t, 6, GO_PC, SYSTEM_START_PC, AT(0.9));
	expect_totals(t, 1, 1, 1, 0, "the runtime's own");
	tracker__free(t);
}

Test(tracker, system_goroutines_are_counted_apart)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting s = sighting(2, 9, 1);

	s.start_pc = SYSTEM_START_PC;
	tracker__census_begin(t, AT(1));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(1));
	tracker__created(t, 3, GO_PC, SYSTEM_START_PC, AT(2));
	expect_totals(t, 0, 0, 0, 0, "system");
	cr_expect_eq(totals_of(t).system, 2);
	cr_expect_eq(totals_of(t).parked, 0);
	exited(t, 3, 3);
	cr_expect_eq(totals_of(t).system, 1);
	tracker__free(t);
}

Test(tracker, a_start_read_wrong_is_corrected_in_all_counts)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting s = sighting(2, 9, 2);

	census(t, 0, 0, 0.1);
	tracker__created(t, 2, GO_PC, SYSTEM_START_PC, AT(1));
	expect_totals(t, 0, 0, 0, 0, "taken for the runtime's own");
	tracker__census_begin(t, AT(2));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(2));
	expect_totals(t, 1, 1, 0, 0, "the service's after all");
	cr_expect_eq(totals_of(t).system, 0);
	cr_expect_eq(totals_of(t).parked, 1);
	exited(t, 2, 3);
	expect_totals(t, 0, 1, 1, 0, "gone");
	tracker__free(t);
}

Test(tracker, older_than_the_attach_is_not_created)
{
	struct tracker *t = tracker_for_test(true);

	exited(t, 90, 0.1); /* before any census: existed, was not created */
	tracker__census_begin(t, AT(0.2));
	seen(t, 1, 7, 0.2);
	seen(t, 2, 7, 0.2);
	tracker__census_end(t, AT(0.3));
	expect_totals(t, 2, 0, 1, 0, "adopted");
	exited(t, 2, 1);
	expect_totals(t, 1, 0, 2, 0, "one exits");
	tracker__free(t);
}

Test(tracker, first_census_races_with_early_events)
{
	struct tracker *t = tracker_for_test(true);

	tracker__census_begin(t, AT(0.2));
	seen(t, 5, 7, 0.3);  /* created at 0.25, told later */
	created(t, 6, 0.35); /* told before the census comes by */
	seen(t, 6, 7, 0.4);
	tracker__census_end(t, AT(0.5));
	expect_totals(t, 2, 1, 0, 0, "before the event");
	created(t, 5, 0.25);
	expect_totals(t, 2, 2, 0, 0, "after the event");
	tracker__free(t);
}

/* --- places and ages --- */

Test(tracker, members_take_their_creation_along)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view;

	for (uint64_t goid = 1; goid <= 3; goid++)
		created(t, goid, 1);
	tracker__census_begin(t, AT(2));
	seen(t, 1, 7, 2);
	seen(t, 2, 7, 2);
	seen(t, 3, 0, 2);
	tracker__census_end(t, AT(2));
	cr_assert(view_of(t, START_PC, 7, AT(3), &view));
	cr_expect_eq(view.goroutines, 2);
	cr_expect_eq(view.parked, 2);
	cr_expect_eq(view.created, 2);
	cr_assert(view_of(t, START_PC, 0, AT(3), &view));
	cr_expect_eq(view.goroutines, 1);
	cr_expect_eq(view.parked, 0);
	cr_expect_eq(view.created, 1);
	exited(t, 1, 4);
	cr_assert(view_of(t, START_PC, 7, AT(5), &view));
	cr_expect_eq(view.exited, 1);
	cr_expect_eq(view.goroutines, 1);
	tracker__free(t);
}

Test(tracker, seen_running_it_stays_where_it_parked_last)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view;

	census(t, 5, 7, 1);
	census(t, 5, 0, 2);
	cr_assert(view_of(t, START_PC, 7, AT(3), &view));
	cr_expect_eq(view.goroutines, 1);
	cr_expect_eq(view.parked, 0);
	cr_expect_eq(totals_of(t).parked, 0);
	census(t, 5, 8, 4);
	cr_assert(view_of(t, START_PC, 8, AT(4), &view));
	cr_expect_eq(view.goroutines, 1);
	cr_expect_eq(totals_of(t).parked, 1);
	tracker__free(t);
}

Test(tracker, system_call_has_a_place_but_is_no_park)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting in_syscall = sighting(5, 0, 2);
	struct site_view view;

	census(t, 5, 7, 1);
	in_syscall.in_syscall = true;
	in_syscall.stack_id = 9;
	in_syscall.place = 9;
	tracker__census_begin(t, AT(2));
	tracker__census_seen(t, &in_syscall);
	tracker__census_end(t, AT(2));
	cr_assert(view_of(t, START_PC, 9, AT(3), &view));
	cr_expect_eq(view.goroutines, 1);
	cr_expect_eq(view.parked, 0);
	cr_expect_eq(view.wait_reason, 0);
	cr_expect_eq(totals_of(t).parked, 0);
	/* Its stack could not be read: it stays. */
	in_syscall.stack_id = 0;
	in_syscall.place = 0;
	in_syscall.read_at_ns = AT(4);
	tracker__census_begin(t, AT(4));
	tracker__census_seen(t, &in_syscall);
	tracker__census_end(t, AT(4));
	cr_assert(view_of(t, START_PC, 9, AT(4), &view));
	cr_expect_eq(view.goroutines, 1);
	census(t, 5, 7, 5);
	cr_assert(view_of(t, START_PC, 7, AT(5), &view));
	cr_expect_eq(view.parked, 1);
	tracker__free(t);
}

Test(tracker, unreadable_stack_does_not_move_anybody)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting torn = sighting(5, 0, 2);
	struct site_view view;

	census(t, 5, 7, 1);
	torn.parked = true;
	tracker__census_begin(t, AT(2));
	tracker__census_seen(t, &torn);
	tracker__census_end(t, AT(2));
	cr_assert(view_of(t, START_PC, 7, AT(3), &view));
	cr_expect_eq(view.goroutines, 1);
	tracker__free(t);
}

Test(tracker, unchanged_keeps_the_age)
{
	struct tracker *t = tracker_for_test(false);
	uint32_t handle = census(t, 5, 7, 1);

	cr_assert_neq(handle, 0);
	for (int at = 2; at < 50; at++) {
		tracker__census_begin(t, AT(at));
		cr_expect(tracker__census_unchanged(t, handle, 5, AT(at)));
		cr_expect_not(tracker__census_unchanged(t, handle, 6, AT(at)));
		cr_expect_not(tracker__census_unchanged(t, handle + 1, 5, AT(at)));
		tracker__census_end(t, AT(at));
	}
	cr_expect_float_eq(park_age(t, 7, 61), 60, 0.01);
	tracker__free(t);
}

Test(tracker, what_is_unchanged_was_told)
{
	struct tracker *t = tracker_for_test(false);
	uint32_t handle = census(t, 5, 7, 1);

	tracker__census_begin(t, AT(2));
	cr_expect_eq(tracker__census_told(t, 5), 0);
	cr_expect(tracker__census_unchanged(t, handle, 5, AT(2)));
	cr_expect_eq(tracker__census_told(t, 5), handle);
	cr_expect_eq(tracker__census_told(t, 6), 0);
	tracker__census_end(t, AT(2));
	tracker__free(t);
}

Test(tracker, without_park_events_a_change_is_a_new_park)
{
	struct tracker *t = tracker_for_test(false);
	struct tracker_sighting s = sighting(5, 7, 21);

	census(t, 5, 7, 1);
	census(t, 5, 7, 11);
	cr_expect_float_eq(park_age(t, 7, 12), 1, 0.01);
	/* A collection found it in this very wait, and ended after 15 s; the one before, after 13 s. */
	s.waitsince_ns = AT(13);
	tracker__census_begin(t, AT(21));
	tracker__collected(t, AT(15));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(21));
	cr_expect_float_eq(park_age(t, 7, 22), 7, 0.01);
	s.read_at_ns = AT(31);
	tracker__census_begin(t, AT(31));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(31));
	cr_expect_float_eq(park_age(t, 7, 33), 18, 0.01, "still the same wait");
	tracker__free(t);
}

Test(tracker, waitsince_tells_the_age_of_the_old)
{
	struct tracker *t = tracker_for_test(false);
	struct tracker_sighting s = sighting(5, 7, 1);
	struct site_view view;

	s.waitsince_ns = AT(1) - 900 * SECOND;
	tracker__census_begin(t, AT(1));
	tracker__collected(t, AT(1) - 100 * SECOND);
	tracker__collected(t, AT(1) - 800 * SECOND);
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(1));
	cr_assert(view_of(t, START_PC, 7, AT(1), &view));
	cr_expect_float_eq((double)view.oldest_park_ns / 1e9, 800, 0.01);
	cr_expect_float_eq((double)view.oldest_age_ns / 1e9, 800, 0.01);
	/* From the future it is no evidence. */
	s = sighting(6, 8, 2);
	s.waitsince_ns = AT(50);
	tracker__census_begin(t, AT(2));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(2));
	cr_expect_float_eq(park_age(t, 8, 3), 1, 0.01);
	tracker__free(t);
}

Test(tracker, waitsince_cannot_precede_the_birth)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting s = sighting(5, 7, 6);

	census(t, 0, 0, 0.1);
	created(t, 5, 5);
	s.waitsince_ns = AT(3); /* end of the collection before the one that found it parked */
	tracker__census_begin(t, AT(6));
	tracker__collected(t, AT(4.5));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(6));
	cr_expect_float_eq(park_age(t, 7, 7), 1, 0.01);
	tracker__free(t);
}

Test(tracker, park_events_know_the_time_best)
{
	struct tracker *t = tracker_for_test(true);

	created(t, 5, 1);
	parked(t, 5, 3);
	census(t, 5, 7, 10);
	cr_expect_float_eq(park_age(t, 7, 11), 8, 0.01);
	parked(t, 6, 12); /* events flow */
	census(t, 5, 7, 20);
	cr_expect_float_eq(park_age(t, 7, 21), 18, 0.01, "seen again, no new park");
	parked(t, 5, 22);
	cr_expect_float_eq(park_age(t, 7, 23), 1, 0.01);
	tracker__free(t);
}

Test(tracker, park_event_that_comes_after_its_sighting)
{
	struct tracker *t = tracker_for_test(true);

	created(t, 5, 1);
	census(t, 5, 7, 10);
	cr_expect_float_eq(park_age(t, 7, 11), 1, 0.01);
	parked(t, 5, 6);
	parked(t, 5, 8);
	parked(t, 5, 7);
	cr_expect_float_eq(park_age(t, 7, 11), 3, 0.01);
	tracker__free(t);
}

Test(tracker, sighting_older_than_an_event_is_ignored)
{
	struct tracker *t = tracker_for_test(true);
	uint32_t handle;

	census(t, 5, 7, 1);
	parked(t, 5, 3);
	tracker__census_begin(t, AT(2));
	cr_expect_eq(seen(t, 5, 8, 2.5), 0);
	tracker__census_end(t, AT(3.5));
	cr_expect_float_eq(park_age(t, 7, 4), 1, 0.01);
	/* Same fingerprint by chance, but it has run: the stack has to be read. */
	handle = census(t, 5, 7, 5);
	parked(t, 5, 6);
	cr_expect_not(tracker__census_unchanged(t, handle, 5, AT(7)));
	tracker__free(t);
}

Test(tracker, when_park_events_were_lost_ages_are_the_younger_ones)
{
	struct tracker *t = tracker_for_test(true);

	created(t, 5, 1);
	parked(t, 5, 2);
	census(t, 5, 7, 3);
	parked(t, 6, 4);
	tracker__lost(t, 1, 0);
	census(t, 5, 7, 10);
	cr_expect_float_eq(park_age(t, 7, 11), 1, 0.01);
	tracker__free(t);
}

Test(tracker, hostile_times)
{
	struct tracker *t = tracker_for_test(true);
	struct tracker_sighting s = sighting(5, 7, 0);
	struct site_view view;

	tracker__created(t, 5, 0, START_PC, UINT64_MAX);
	tracker__parked(t, 5, 0);
	tracker__parked(t, 5, UINT64_MAX);
	s.read_at_ns = UINT64_MAX;
	s.waitsince_ns = UINT64_MAX;
	s.wait_reason = 255;
	tracker__census_begin(t, UINT64_MAX);
	tracker__census_seen(t, &s);
	s.goid = UINT64_MAX;
	s.read_at_ns = 0;
	tracker__census_seen(t, &s);
	tracker__census_end(t, 0);
	tracker__census_begin(t, 0);
	tracker__census_end(t, UINT64_MAX);
	view_of(t, START_PC, 7, 0, &view);
	view_of(t, START_PC, 7, UINT64_MAX, &view);
	tracker__exited(t, 5, 0);
	tracker__free(t);
}

/* --- waiting --- */

Test(tracker, time_parked_is_what_censuses_add_up_to)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view;

	census(t, 5, 7, 10);
	census(t, 5, 7, 12);
	census(t, 5, 0, 14);
	census(t, 5, 7, 16);
	cr_assert(view_of(t, START_PC, 7, AT(16), &view));
	/* Of the two seconds before 14 it is not known: it ran then. */
	cr_expect_float_eq((double)view.waited_ns / 1e9, 4, 0.01);
	cr_expect_eq(view.parks, 0, "nobody told of any");
	parked(t, 5, 17);
	parked(t, 5, 18);
	cr_assert(view_of(t, START_PC, 7, AT(18), &view));
	cr_expect_eq(view.parks, 2);
	tracker__free(t);
}

/* --- a process that has not run --- */

static void note_goid(void *ctx, uint64_t goid)
{
	*(uint64_t *)ctx += goid;
}

Test(tracker, all_are_as_the_last_census_saw_them)
{
	struct tracker *t = tracker_for_test(true);
	struct site_view view;
	uint64_t goids = 0;

	cr_expect(!tracker__is_as_censused(t), "there was none");
	tracker__census_begin(t, AT(1));
	seen(t, 5, 7, 1);
	seen(t, 11, 7, 1);
	cr_expect(!tracker__is_as_censused(t), "it goes on");
	tracker__census_end(t, AT(1));
	cr_assert(tracker__is_as_censused(t));
	tracker__census_begin(t, AT(11));
	tracker__census_all_unchanged(t, note_goid, &goids);
	tracker__census_end(t, AT(11));
	cr_expect_eq(goids, 16);
	cr_expect(tracker__is_as_censused(t));
	expect_totals(t, 2, 0, 0, 0, "nobody is gone");
	cr_assert(view_of(t, START_PC, 7, AT(11), &view));
	cr_expect_eq(view.goroutines, 2);
	cr_expect_float_eq((double)view.waited_ns / 1e9, 20, 0.01);
	census(t, 5, 7, 21);
	expect_totals(t, 1, 0, 1, 1, "a census that reads sees who is gone");
	tracker__free(t);
}

Test(tracker, what_events_tell_has_to_be_read)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 5, 7, 1);
	parked(t, 5, 2);
	cr_expect(!tracker__is_as_censused(t), "it waits anew");
	census(t, 5, 7, 3);
	cr_expect(tracker__is_as_censused(t));
	created(t, 11, 4);
	cr_expect(!tracker__is_as_censused(t), "one is new");
	exited(t, 11, 5);
	cr_expect(tracker__is_as_censused(t), "and gone");
	tracker__lost(t, 1, 0);
	cr_expect(!tracker__is_as_censused(t));
	tracker__free(t);
}
