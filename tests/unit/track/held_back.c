// SPDX-License-Identifier: Apache-2.0
/* What is said of a rise that is no leak, or not yet: the rule that holds it back, and until when. */
#include "track/verdict.h"

#include <criterion/criterion.h>
#include <string.h>

#include "made_evidence.h"

#define SECOND NSEC_PER_SEC

/* What is said of @e, which rises but is no leak yet, and after how many seconds one is due. */
static void holds_back(const struct evidence *e, const char *why, uint64_t due_s)
{
	struct judgement judgement;

	verdict__of(e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_GROWING, "%s: %s", why,
		     verdict__name(judgement.verdict));
	cr_expect_str_eq(judgement.why[0], why);
	cr_expect_leq(judgement.due_ns, (due_s + 2) * SECOND, "%s: due in %.1f s", why,
		      (double)judgement.due_ns / 1e9);
	cr_expect_geq(judgement.due_ns, due_s * SECOND, "%s: due in %.1f s", why,
		      (double)judgement.due_ns / 1e9);
}

Test(held_back, a_rise_says_which_rule_holds_it_back_and_until_when)
{
	struct evidence e = leak();
	struct age_histogram never_long = {0};

	e.wait_class = WAIT_SELECT;
	connections = ages;
	holds_back(&e, "rises with connections or open files", 550);
	e.nature = NATURE_CONNECTION;
	holds_back(&e, "rises with connections: there is one per connection", 550);
	e = leak();
	e.objects = (struct site_objects){
		.looked_at = 60, .distinct = 1, .shared_by = 60, .queue = true};
	holds_back(&e, "all wait at one queue, as workers do", 250);
	e = leak();
	e.wait_class = WAIT_SELECT;
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 120, .with_timer = 60};
	holds_back(&e, "a timer will wake most of them up", 300 + 480 - 60);
	e = leak();
	e.watched_ns = 20 * SECOND;
	holds_back(&e, "has not risen for long enough yet", 6);
	e = leak();
	e.park_ages = &never_long;
	e.life_ages = &ages;
	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 0; s < 60; s += 3)
		age_histogram__add(&ages, s * SECOND);
	e.lives_watched_ns = 60 * SECOND;
	e.trend.per_minute = 20;
	e.wait_class = WAIT_SLEEP;
	holds_back(&e, "they wake up now and then, as sessions or tenants do", 250);
}

/* Receivers that somebody may still serve, as a scan of the heap tells. */
static struct evidence receivers(enum proof_holder holder, uint32_t distinct, bool values)
{
	struct evidence e = leak();

	e.wait_class = WAIT_CHAN_RECEIVE;
	e.objects = (struct site_objects){.looked_at = 60,
					  .distinct = distinct,
					  .shared_by = distinct == 1 ? 60 : 1,
					  .values = values};
	e.proof.holder = holder;
	return e;
}

static enum verdict verdict_of(const struct evidence *e)
{
	struct judgement judgement;

	verdict__of(e, &judgement);
	return judgement.verdict;
}

#define OWN_QUEUES "each waits at a queue of its own that a variable still has, as workers do"
#define ONE_SIGNAL "all wait for one signal that somebody still has, as for the end of the service"
#define ON_A_TIMER "what they wait for hangs on the runtime, as on a timer that will wake them up"

Test(held_back, who_has_what_they_wait_for_may_still_give_it)
{
	struct evidence e = receivers(HOLDER_VARIABLE, 60, true);

	holds_back(&e, OWN_QUEUES, 250);
	e = receivers(HOLDER_GOROUTINE, 1, false);
	holds_back(&e, ONE_SIGNAL, 250);
	e = receivers(HOLDER_RUNTIME, 60, false);
	holds_back(&e, ON_A_TIMER, 300 + 480 - 60);
}

Test(held_back, who_has_what_else_they_wait_for_is_no_excuse)
{
	struct evidence e = receivers(HOLDER_VARIABLE, 60, false);

	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "signals of their own");
	e = receivers(HOLDER_GOROUTINE, 60, true);
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "on the way to an answer");
	e = receivers(HOLDER_NOT_KNOWN, 1, false);
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "nobody has looked");
	e = receivers(HOLDER_VARIABLE, 60, true);
	e.wait_class = WAIT_SELECT;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "a select");
	e = receivers(HOLDER_VARIABLE, 60, true);
	e.nature = NATURE_ABANDONED;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "something was not finished");
	e = receivers(HOLDER_RUNTIME, 60, false);
	e.wait_class = WAIT_SELECT;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "a context that ends some day");
	e = receivers(HOLDER_RUNTIME, 60, false);
	e.nature = NATURE_ABANDONED;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "not finished, until a time is over");
	/* What nothing leads to is told as such, whoever has the others. */
	e = receivers(HOLDER_VARIABLE, 60, true);
	e.proof.level = PROOF_CONFIRMED;
	e.proof.goroutines = 1;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING, "confirmed");
}

Test(held_back, so_many_are_no_pool)
{
	struct evidence e = receivers(HOLDER_VARIABLE, 60, true);

	memset(&ages, 0, sizeof(ages));
	for (uint64_t ms = 0; ms < 60000; ms += 20)
		age_histogram__add(&ages, ms * NSEC_PER_MSEC);
	e.goroutines = e.parked = e.trend.last = 3000;
	e.trend.rise = 2500;
	e.parked_min_age = 2500;
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING);
	memset(&ages, 0, sizeof(ages));
	for (uint64_t ms = 0; ms < 60000; ms += 100)
		age_histogram__add(&ages, ms * NSEC_PER_MSEC);
	e.goroutines = e.parked = e.trend.last = 600;
	e.parked_min_age = 500;
	cr_expect_eq(verdict_of(&e), VERDICT_GROWING);
	/* Whoever waits for the end of a service is one of some dozens. */
	e.objects = receivers(HOLDER_VARIABLE, 1, false).objects;
	memset(&ages, 0, sizeof(ages));
	for (uint64_t ms = 0; ms < 60000; ms += 100)
		age_histogram__add(&ages, ms * NSEC_PER_MSEC);
	cr_expect_eq(verdict_of(&e), VERDICT_LEAKING);
}

Test(held_back, a_rise_of_few_is_due_when_enough_have_stayed)
{
	struct evidence e = leak();

	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 0; s < 60; s += 10)
		age_histogram__add(&ages, s * SECOND);
	e.trend.per_minute = 6;
	e.trend.rise = 6;
	e.goroutines = 6;
	/* Two more come within 20 s, and have stayed 10 s later. */
	holds_back(&e, "5 have stayed 10s or longer so far, 8 have to", 30);
	/* So few have no histogram. */
	e.park_ages = NULL;
	e.parked_min_age = 5;
	holds_back(&e, "5 have stayed 10s or longer so far, 8 have to", 30);
}

Test(held_back, a_rise_that_nothing_is_due_for_says_so)
{
	struct evidence e = leak();

	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 20; s < 60; s++)
		age_histogram__add(&ages, s * SECOND);
	holds_back(&e, "they did not come evenly, as they would in a leak", 0);
	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 6; s < 60; s++)
		age_histogram__add(&ages, s * SECOND);
	holds_back(&e, "none has come for longer than usual", 0);
}

/* Ticker loops: 558 waits have ended, and all 60 goroutines are still there. */
Test(held_back, to_wake_up_is_not_to_leave)
{
	struct evidence e = leak();
	struct age_histogram never_long = {0};
	struct judgement judgement;

	e.park_ages = &never_long;
	for (int i = 0; i < 558; i++)
		length_histogram__add(&ended_parks, 10 * SECOND);
	e.lived_min_age = 50;
	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_GROWING);
	cr_expect_eq(judgement.left, 0, "%lu have left", judgement.left);
	cr_expect_eq(judgement.stayed, 50);
	cr_assert_eq(judgement.n_why, 3);
	cr_expect_str_eq(judgement.why[2],
			 "558 waits of about 10s or longer ended and the goroutine went on: to "
			 "wake up is not to leave");
	for (int i = 0; i < 7; i++)
		length_histogram__add(&ended_lives, 10 * SECOND);
	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.left, 7);
	cr_expect_str_eq(judgement.why[2], "7 that had lived for about 10s or longer have ended");
}
