// SPDX-License-Identifier: Apache-2.0
/* The merge of events and censuses: what is counted, what wins, what is repaired. */
#include "track/tracker.h"

#include <criterion/criterion.h>

#include "world.h"

#define AT(seconds) (WORLD_START + (uint64_t)((seconds)*1e9))
#define GO_PC	    0x1001
#define START_PC    0x1000
#define OTHER_START 0x2000

/* Short forms, all times in seconds since the attach. */
static void created(struct tracker *t, uint64_t goid, double at)
{
	tracker__created(t, goid, 1, GO_PC, START_PC, AT(at));
}

static void exited(struct tracker *t, uint64_t goid, double at)
{
	tracker__exited(t, goid, AT(at));
}

static void parked(struct tracker *t, uint64_t goid, double at)
{
	tracker__parked(t, goid, WAIT_CHAN_SEND, AT(at));
}

static struct tracker_sighting sighting(uint64_t goid, uint32_t stack, double at)
{
	return (struct tracker_sighting){
		.goid = goid,
		.creation_pc = GO_PC,
		.start_pc = START_PC,
		.read_at_ns = AT(at),
		.stack_id = stack,
		.wait_reason = WAIT_CHAN_SEND,
		.parked = stack != 0,
	};
}

static uint32_t seen(struct tracker *t, uint64_t goid, uint32_t stack, double at)
{
	const struct tracker_sighting s = sighting(goid, stack, at);

	return tracker__census_seen(t, &s);
}

/* A census that sees one goroutine, or none with goid 0. */
static uint32_t census(struct tracker *t, uint64_t goid, uint32_t stack, double at)
{
	uint32_t handle = 0;

	tracker__census_begin(t, AT(at));
	if (goid)
		handle = seen(t, goid, stack, at);
	tracker__census_end(t, AT(at));
	return handle;
}

static void expect_totals(struct tracker *t, uint64_t alive, uint64_t n_created, uint64_t n_exited,
			  uint64_t repaired, const char *when)
{
	struct tracker_totals totals = totals_of(t);

	cr_expect_eq(totals.alive, alive, "%s: alive %lu", when, totals.alive);
	cr_expect_eq(totals.created, n_created, "%s: created %lu", when, totals.created);
	cr_expect_eq(totals.exited, n_exited, "%s: exited %lu", when, totals.exited);
	cr_expect_eq(totals.repaired, repaired, "%s: repaired %lu", when, totals.repaired);
}

static double park_age(struct tracker *t, uint32_t stack, double now)
{
	struct site_view view = {0};

	cr_assert(view_of(t, START_PC, stack, AT(now), &view));
	return (double)view.oldest_park_ns / 1e9;
}

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
	tracker__created(t, 6, 1, GO_PC, SYSTEM_START_PC, AT(0.9));
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
	tracker__created(t, 3, 1, GO_PC, SYSTEM_START_PC, AT(2));
	expect_totals(t, 0, 0, 0, 0, "system");
	cr_expect_eq(totals_of(t).system, 2);
	cr_expect_eq(totals_of(t).parked, 0);
	exited(t, 3, 3);
	cr_expect_eq(totals_of(t).system, 1);
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

/* --- losses --- */

Test(tracker, lost_exit_is_repaired_and_no_leak)
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

Test(tracker, lost_creation_is_repaired_unless_only_late)
{
	struct tracker *t = tracker_for_test(true);

	census(t, 0, 0, 0.1);
	census(t, 5, 7, 2);
	expect_totals(t, 1, 1, 0, 1, "first seen");
	created(t, 5, 1.9);
	expect_totals(t, 1, 1, 0, 0, "late creation");
	tracker__free(t);
}

Test(tracker, whole_lives_that_were_lost_are_counted_after_the_next_census)
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

Test(tracker, unknown_that_runs_while_events_flow_is_not_taken_in)
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

Test(tracker, losses_before_the_first_census_conclude_nothing)
{
	struct tracker *t = tracker_for_test(true);

	tracker__lost(t, 3, 3);
	census(t, 5, 7, 0.1);
	census(t, 5, 7, 2);
	expect_totals(t, 1, 0, 0, 0, "all of them may be older than the attach");
	tracker__free(t);
}

Test(tracker, what_happens_during_a_census_survives_it)
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

Test(tracker, late_sighting_does_not_raise_the_dead)
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

Test(tracker, aborted_census_sweeps_nobody)
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

Test(tracker, censuses_alone_derive_lives_without_calling_it_repair)
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

Test(tracker, nothing_is_repaired_across_a_change_of_mode)
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

Test(tracker, limits_are_kept_and_counted)
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
		tracker__created(t, goid, 1, goid, goid, AT(1));
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

Test(tracker, without_park_events_a_change_is_a_new_park)
{
	struct tracker *t = tracker_for_test(false);
	struct tracker_sighting s = sighting(5, 7, 21);

	census(t, 5, 7, 1);
	census(t, 5, 7, 11);
	cr_expect_float_eq(park_age(t, 7, 12), 1, 0.01);
	/* The GC saw it in this very wait before. */
	s.waitsince_ns = AT(13);
	tracker__census_begin(t, AT(21));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(21));
	cr_expect_float_eq(park_age(t, 7, 22), 9, 0.01);
	s.read_at_ns = AT(31);
	tracker__census_begin(t, AT(31));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(31));
	cr_expect_float_eq(park_age(t, 7, 33), 20, 0.01, "still the same wait");
	tracker__free(t);
}

Test(tracker, waitsince_tells_the_age_of_the_old)
{
	struct tracker *t = tracker_for_test(false);
	struct tracker_sighting s = sighting(5, 7, 1);
	struct site_view view;

	s.waitsince_ns = AT(1) - 900 * SECOND;
	tracker__census_begin(t, AT(1));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(1));
	cr_assert(view_of(t, START_PC, 7, AT(1), &view));
	cr_expect_float_eq((double)view.oldest_park_ns / 1e9, 900, 0.01);
	cr_expect_float_eq((double)view.oldest_age_ns / 1e9, 900, 0.01);
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
	s.waitsince_ns = AT(4); /* begin of the GC cycle that found it parked */
	tracker__census_begin(t, AT(6));
	tracker__census_seen(t, &s);
	tracker__census_end(t, AT(6));
	cr_expect_float_eq(park_age(t, 7, 7), 2, 0.01);
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

	tracker__created(t, 5, 0, 0, START_PC, UINT64_MAX);
	tracker__parked(t, 5, 255, 0);
	tracker__parked(t, 5, 255, UINT64_MAX);
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
