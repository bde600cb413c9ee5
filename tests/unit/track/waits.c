// SPDX-License-Identifier: Apache-2.0
#include "track/tracker.h"

#include <criterion/criterion.h>

#define START_PC 0x1000
#define REASON	 7
#define PLACE	 0xabc
#define AT(ms)	 ((1000000 + (ms)) * NSEC_PER_MSEC)

static struct tracker *t;

static void classify(void *ctx, uint8_t reason, uint64_t creation_pc, uint64_t start_pc,
		     uint32_t stack_id, struct site_traits *traits)
{
	(void)ctx;
	(void)creation_pc;
	(void)start_pc;
	(void)stack_id;
	traits->wait_class = reason ? WAIT_LOCK : WAIT_NONE;
}

static void setup(void)
{
	const struct tracker_options options = {
		.attached_ns = AT(0), .expect_events = true, .classify = classify};

	cr_assert_eq(tracker__new(&options, &t), 0);
	tracker__trace_waits(t, true, AT(0));
}

static void teardown(void)
{
	tracker__free(t);
}

TestSuite(waits, .init = setup, .fini = teardown);

static void park(uint64_t goid, uint64_t ms)
{
	tracker__parked(t, goid, AT(ms));
	tracker__wait_began(t, goid, AT(ms));
}

static void wake(uint64_t goid, uint64_t place, uint64_t ms)
{
	const struct tracker_wait wait = {.goid = goid,
					  .start_pc = START_PC,
					  .place = place,
					  .wait_reason = REASON,
					  .ended_ns = AT(ms)};

	tracker__wait_ended(t, &wait);
}

static void census(uint64_t goid, uint64_t place, uint64_t ms)
{
	const struct tracker_sighting seen = {.goid = goid,
					      .start_pc = START_PC,
					      .place = place,
					      .wait_reason = REASON,
					      .parked = true,
					      .read_at_ns = AT(ms)};

	tracker__census_begin(t, AT(ms));
	if (goid)
		tracker__census_seen(t, &seen);
	tracker__census_end(t, AT(ms));
}

static struct site_view view_of(uint64_t place, uint64_t ms)
{
	const struct tracker_policy policy = {.min_age_ns = NSEC_PER_SEC};
	const struct site_view *views;
	size_t n;

	cr_assert_eq(tracker__judge(t, &policy, AT(ms)), 0);
	views = tracker__sites(t, &n);
	for (size_t i = 0; i < n; i++) {
		if (views[i].place == place)
			return views[i];
	}
	return (struct site_view){0};
}

Test(waits, each_counts_where_it_was_however_short)
{
	struct site_view view;

	tracker__created(t, 5, 0, START_PC, AT(1));
	park(5, 10);
	wake(5, PLACE, 13);
	park(5, 20);
	wake(5, PLACE, 27);
	park(5, 30);
	wake(5, PLACE + 1, 41);
	view = view_of(PLACE, 100);
	cr_expect_eq(view.waited_ns, 10 * NSEC_PER_MSEC);
	cr_expect_eq(view.parks, 2);
	cr_expect_eq(view.wait_class, WAIT_LOCK);
	cr_expect_eq(view.goroutines, 0, "no census has ever seen one there");
	cr_expect_eq(view_of(PLACE + 1, 100).waited_ns, 11 * NSEC_PER_MSEC);
	tracker__exited(t, 5, AT(50));
	cr_expect_eq(view_of(PLACE, 100).waited_ns, 10 * NSEC_PER_MSEC, "it stays");
}

/* Ticks are a quarter of a millisecond. */
Test(waits, one_that_goes_on_counts_up_to_now)
{
	tracker__created(t, 5, 0, START_PC, AT(1));
	park(5, 10);
	census(5, PLACE, 1000);
	cr_expect_float_eq((double)view_of(PLACE, 2010).waited_ns, 2e9, 1e6);
	cr_expect_eq(view_of(PLACE, 2010).parks, 0, "none has ended");
	wake(5, PLACE, 3010);
	cr_expect_eq(view_of(PLACE, 4000).waited_ns, 3 * NSEC_PER_SEC, "once");
}

Test(waits, one_from_before_counts_since_they_are_traced)
{
	census(7, PLACE, 100);
	cr_expect_float_eq((double)view_of(PLACE, 1000).waited_ns, 1e9, 1e6);
	wake(7, PLACE, 2000);
	cr_expect_eq(view_of(PLACE, 2500).waited_ns, 2 * NSEC_PER_SEC);
	cr_expect_eq(tracker__waits_missed(t), 0);
}

Test(waits, an_end_without_a_begin_is_counted_as_missed)
{
	tracker__created(t, 5, 0, START_PC, AT(1));
	wake(5, PLACE, 10);  /* its park was lost */
	wake(11, PLACE, 10); /* as its creation was */
	park(5, 20);
	wake(5, PLACE, 19); /* no wait lasts less than nothing */
	cr_expect_eq(tracker__waits_missed(t), 3);
	park(5, 30);
	wake(5, PLACE, 31);
	wake(5, PLACE, 32);
	cr_expect_eq(tracker__waits_missed(t), 4);
	cr_expect_eq(view_of(PLACE, 100).waited_ns, NSEC_PER_MSEC);
}

Test(waits, without_tracing_censuses_tell)
{
	tracker__created(t, 5, 0, START_PC, AT(1));
	park(5, 10);
	wake(5, PLACE, 13);
	cr_expect_eq(tracker__waits_since(t), AT(0));
	tracker__trace_waits(t, false, AT(20));
	cr_expect_eq(tracker__waits_since(t), 0);
	park(5, 30);
	wake(5, PLACE, 5000);
	census(5, PLACE, 6000);
	census(5, PLACE, 7000);
	cr_expect_float_eq((double)view_of(PLACE, 7000).waited_ns, 1e9, 1e6);
	tracker__trace_waits(t, true, AT(8000));
	cr_expect_eq(view_of(PLACE, 8000).parks, 0, "begins anew");
}
