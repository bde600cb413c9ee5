// SPDX-License-Identifier: Apache-2.0
/* The policy on evidence made by hand; simulation.c has it in motion. */
#include "track/verdict.h"

#include <criterion/criterion.h>
#include <string.h>

#include "made_evidence.h"

#define SECOND NSEC_PER_SEC
#define MINUTE (60 * NSEC_PER_SEC)

/* A fixed set, parked for ten minutes. */
static struct evidence fixed(enum wait_class class)
{
	struct evidence e = leak();

	memset(&ages, 0, sizeof(ages));
	e.wait_class = class;
	e.goroutines = e.parked = e.parked_min_age = e.parked_long = e.parked_before = 3;
	e.oldest_park_ns = 10 * MINUTE;
	e.watched_ns = 10 * MINUTE;
	e.trend = (struct trend){
		.samples = 60, .span_ns = 10 * MINUTE, .first = 3, .last = 3, .steady = true};
	return e;
}

static enum verdict of(const struct evidence *e)
{
	struct judgement judgement;

	verdict__of(e, &judgement);
	cr_expect_geq(judgement.n_why, 1);
	cr_expect_leq(judgement.n_why, SITE_MAX_WHY);
	cr_expect_eq(judgement.alarm && judgement.verdict != VERDICT_LEAKING, false);
	return judgement.verdict;
}

Test(verdict, names)
{
	cr_expect_str_eq(verdict__name(VERDICT_LEAKING), "leaking");
	cr_expect_str_eq(verdict__name(VERDICT_STUCK), "stuck");
	cr_expect_str_eq(verdict__name(VERDICT_SUSPECTED), "suspected");
	cr_expect_str_eq(verdict__name(VERDICT_GROWING), "growing");
	cr_expect_str_eq(verdict__name(VERDICT_IDLE), "idle");
	cr_expect_str_eq(verdict__name(VERDICT_ACTIVE), "active");
	cr_expect_str_eq(verdict__name((enum verdict)99), "unknown");
}

Test(verdict, a_leak_says_why)
{
	struct evidence e = leak();
	struct judgement judgement;

	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_LEAKING);
	cr_expect(judgement.alarm);
	cr_expect_str_eq(judgement.why[0],
			 "60 goroutines parked here; none of the 50 that stayed 10s "
			 "or longer ever left");
	cr_expect_str_eq(judgement.why[1],
			 "50 more stayed within 50s, in 6 of 6 periods: 59.5 a minute");
}

/* A storm: four thousand a minute is a number that people can read. */
Test(verdict, large_rates_are_whole_numbers)
{
	struct evidence e = leak();
	struct judgement judgement;

	for (uint64_t s = 0; s < 60; s++) {
		for (int i = 1; i < 67; i++)
			age_histogram__add(&ages, s * SECOND + SECOND / 2);
	}
	e.goroutines = e.parked = 60 * 67;
	e.parked_min_age = 50 * 67;
	verdict__of(&e, &judgement);
	cr_expect_not_null(strstr(judgement.why[1], "6 of 6 periods: 3,985 a minute"), "%s",
			   judgement.why[1]);
}

Test(verdict, which_waits_can_leak)
{
	for (enum wait_class class = WAIT_NONE; class <= WAIT_RUNTIME; class ++) {
		struct evidence e = leak();
		bool leaks = (class >= WAIT_CHAN_RECEIVE && class <= WAIT_COND) ||
			     class == WAIT_COROUTINE;

		e.wait_class = class;
		cr_expect_eq(of(&e) == VERDICT_LEAKING, leaks, "class %d", class);
	}
}

Test(verdict, the_runtime_is_never_accused)
{
	struct evidence e = leak();

	e.exempt = true;
	cr_expect_leq(of(&e), VERDICT_IDLE);
	e = fixed(WAIT_NIL_CHAN);
	e.exempt = true;
	cr_expect_eq(of(&e), VERDICT_IDLE);
}

Test(verdict, who_left_after_a_stay_speaks_against_a_leak)
{
	struct evidence e = leak();

	length_histogram__add(&ended_parks, 9 * SECOND / 2);
	cr_expect_eq(of(&e), VERDICT_LEAKING, "left before min_age: says nothing");
	for (int i = 0; i < 5; i++)
		length_histogram__add(&ended_parks, 25 * SECOND);
	cr_expect_eq(of(&e), VERDICT_GROWING);
}

Test(verdict, one_leaver_in_hundreds_is_forgiven_and_told)
{
	struct evidence e = leak();
	struct judgement judgement;

	e.parked_min_age = 500;
	for (int n = 1; n < 10; n++)
		for (uint64_t s = 0; s < 60; s++)
			age_histogram__add(&ages, s * SECOND + SECOND / 2);
	length_histogram__add(&ended_parks, 25 * SECOND);
	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_LEAKING);
	cr_expect(strstr(judgement.why[0], "1 have ended and 500 go on"), "%s", judgement.why[0]);
}

Test(verdict, growth_that_stopped_is_none)
{
	struct evidence e = leak();

	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 20; s < 60; s++)
		age_histogram__add(&ages, s * SECOND);
	cr_expect_lt(of(&e), VERDICT_STUCK);
}

Test(verdict, a_burst_is_no_leak)
{
	struct evidence e = leak();

	memset(&ages, 0, sizeof(ages));
	for (uint64_t i = 0; i < 400; i++)
		age_histogram__add(&ages, 30 * SECOND + i * NSEC_PER_MSEC);
	for (uint64_t s = 0; s < 60; s += 6)
		age_histogram__add(&ages, s * SECOND);
	cr_expect_lt(of(&e), VERDICT_STUCK);
}

Test(verdict, too_few_or_too_early)
{
	struct evidence e = leak();

	e.watched_ns = 20 * SECOND;
	cr_expect_lt(of(&e), VERDICT_STUCK);
	e.watched_ns = 5 * SECOND;
	cr_expect_lt(of(&e), VERDICT_STUCK);
	e = leak();
	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 0; s < 60; s += 10)
		age_histogram__add(&ages, s * SECOND);
	cr_expect_lt(of(&e), VERDICT_STUCK);
	e = leak();
	e.park_ages = NULL;
	cr_expect_lt(of(&e), VERDICT_STUCK);
}

Test(verdict, a_long_watch_asks_for_longer_growth)
{
	struct evidence e = leak();

	e.watched_ns = 24 * 3600 * SECOND;
	cr_expect_lt(of(&e), VERDICT_STUCK);
}

Test(verdict, coarse_censuses_ask_for_longer_growth)
{
	struct evidence e = leak();

	e.parks_resolution_ns = 10 * SECOND;
	cr_expect_eq(of(&e), VERDICT_LEAKING);
	e.parks_resolution_ns = 20 * SECOND;
	cr_expect_lt(of(&e), VERDICT_STUCK);
}

Test(verdict, one_per_connection_is_not_accused_soon)
{
	struct evidence e = leak();

	connections = ages;
	e.wait_class = WAIT_SELECT;
	cr_expect_eq(of(&e), VERDICT_GROWING);
	e.wait_class = WAIT_CHAN_SEND; /* not how a connection waits */
	cr_expect_eq(of(&e), VERDICT_LEAKING);
}

Test(verdict, one_per_stream_is_not_accused_soon)
{
	struct evidence e = leak();

	e.nature = NATURE_CONNECTION;
	cr_expect_eq(of(&e), VERDICT_GROWING);
}

Test(verdict, producers_at_a_full_queue_are_not_accused_soon)
{
	struct evidence e = leak();

	e.objects = (struct site_objects){
		.looked_at = 60, .distinct = 1, .shared_by = 60, .queue = true};
	cr_expect_eq(of(&e), VERDICT_GROWING);
	e.objects.queue = false;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "one channel without a buffer");
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 60, .shared_by = 1};
	cr_expect_eq(of(&e), VERDICT_LEAKING, "each a channel of its own");
}

Test(verdict, workers_at_one_queue_are_not_accused_soon)
{
	struct evidence e = leak();
	struct age_histogram never_long = {0};

	e.wait_class = WAIT_CHAN_RECEIVE;
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 1, .shared_by = 60};
	cr_expect_eq(of(&e), VERDICT_LEAKING, "or wait for what never comes");
	e.objects.values = true;
	cr_expect_eq(of(&e), VERDICT_GROWING, "or for what it carries");
	e.wait_class = WAIT_SELECT;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "one of several channels");
	e.wait_class = WAIT_CHAN_RECEIVE;
	e.objects.values = false;
	e.objects.queue = true;
	cr_expect_eq(of(&e), VERDICT_GROWING, "none has work");
	e.objects.distinct = 60;
	e.objects.shared_by = 1;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "each has a queue of its own");
	/* They get work now and then: only their lives are long. */
	e.objects = (struct site_objects){0};
	e.life_ages = &ages;
	e.lives_watched_ns = e.watched_ns;
	e.park_ages = &never_long;
	cr_expect_eq(of(&e), VERDICT_LEAKING);
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 2, .shared_by = 60};
	cr_expect_eq(of(&e), VERDICT_GROWING);
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 60, .shared_by = 1};
	cr_expect_eq(of(&e), VERDICT_GROWING, "somebody sends to each");
}

Test(verdict, what_fills_up_slows_down)
{
	struct evidence e = leak();

	memset(&ages, 0, sizeof(ages));
	/* 40, 20, 4 in the thirds of the window. */
	for (uint64_t i = 0; i < 10; i++)
		age_histogram__add(&ages, i * SECOND);
	for (uint64_t i = 0; i < 4; i++)
		age_histogram__add(&ages, 10 * SECOND + i * 16 * SECOND / 4);
	for (uint64_t i = 0; i < 20; i++)
		age_histogram__add(&ages, 26 * SECOND + i * 16 * SECOND / 20);
	for (uint64_t i = 0; i < 40; i++)
		age_histogram__add(&ages, 42 * SECOND + i * 16 * SECOND / 40);
	e.parked_min_age = 70;
	e.goroutines = e.parked = 80;
	cr_expect_lt(of(&e), VERDICT_STUCK);
}

Test(verdict, lives_of_a_few_a_minute_need_a_longer_window)
{
	struct evidence e = leak();
	struct age_histogram never_long = {0};

	e.wait_class = WAIT_SELECT;
	e.park_ages = &never_long;
	e.life_ages = &ages;
	memset(&ages, 0, sizeof(ages));
	for (uint64_t s = 0; s < 200; s += 3)
		age_histogram__add(&ages, s * SECOND);
	e.lives_watched_ns = 200 * SECOND;
	cr_expect_eq(of(&e), VERDICT_GROWING);
	e.nature = NATURE_ABANDONED;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "what was not finished needs none so long");
	e.nature = NATURE_SERVICE;
	cr_expect_eq(of(&e), VERDICT_GROWING);
	e.nature = NATURE_UNKNOWN;
	for (uint64_t s = 200; s < 330; s += 3)
		age_histogram__add(&ages, s * SECOND);
	e.lives_watched_ns = 330 * SECOND;
	cr_expect_eq(of(&e), VERDICT_LEAKING);
}

/* Sixty a minute. */
Test(verdict, lives_that_others_wake_need_a_longer_window_at_any_rate)
{
	struct evidence e = leak();
	struct age_histogram never_long = {0};

	e.wait_class = WAIT_CHAN_RECEIVE;
	e.park_ages = &never_long;
	e.life_ages = &ages;
	e.lives_watched_ns = e.watched_ns;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "nobody has looked");
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 60, .shared_by = 1};
	cr_expect_eq(of(&e), VERDICT_GROWING, "actors");
	e.objects.with_timer = 60;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "tickers");
	e.objects.with_timer = 0;
	e.nature = NATURE_ABANDONED;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "what was not finished");
}

Test(verdict, a_first_wait_may_be_long)
{
	struct evidence e = leak();
	struct age_histogram never_long = {0}, woken = {0};

	e.wait_class = WAIT_SLEEP;
	e.park_ages = &never_long;
	e.life_ages = &ages;
	e.woken_life_ages = &woken;
	e.lives_watched_ns = e.watched_ns;
	cr_expect_eq(of(&e), VERDICT_GROWING, "one sleep each, however long");
	for (uint64_t s = 30; s < 60; s++)
		age_histogram__add(&woken, s * SECOND);
	cr_expect_eq(of(&e), VERDICT_LEAKING, "most have slept again");
}

Test(verdict, a_timer_will_end_it)
{
	struct evidence e = leak();

	e.wait_class = WAIT_SELECT;
	e.objects = (struct site_objects){.looked_at = 60, .distinct = 120, .with_timer = 60};
	cr_expect_eq(of(&e), VERDICT_GROWING);
	e.objects.with_timer = 20;
	cr_expect_eq(of(&e), VERDICT_LEAKING);
}

Test(verdict, an_alarm_lasts_while_its_members_stay)
{
	struct evidence e = fixed(WAIT_SELECT);

	e.alarm_still_here = 3;
	e.alarm_growth_ns = 5 * MINUTE;
	e.alarm_goroutines = 3;
	e.alarm_age_ns = 4 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_LEAKING);
	e.alarm_age_ns = 6 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_IDLE);
	e.alarm_age_ns = MINUTE;
	e.alarm_goroutines = 100;
	cr_expect_eq(of(&e), VERDICT_IDLE);
	e.alarm_goroutines = 3;
	e.alarm_growth_ns = 20 * 3600 * SECOND;
	e.alarm_age_ns = 2 * 3600 * SECOND;
	cr_expect_eq(of(&e), VERDICT_IDLE);
}

/* A fifth means a fifth of any number: of nine, two are more than that. */
Test(verdict, an_alarm_ends_when_a_fifth_has_left)
{
	struct evidence e = fixed(WAIT_SELECT);

	e.alarm_growth_ns = 5 * MINUTE;
	e.alarm_age_ns = MINUTE;
	e.alarm_goroutines = 9;
	e.alarm_still_here = 8;
	cr_expect_eq(of(&e), VERDICT_LEAKING);
	e.alarm_still_here = 7;
	cr_expect_eq(of(&e), VERDICT_IDLE);
	e.alarm_goroutines = 10;
	e.alarm_still_here = 8;
	cr_expect_eq(of(&e), VERDICT_LEAKING, "two of ten are no more than a fifth");
}

Test(verdict, stuck_for_ever)
{
	struct evidence e = fixed(WAIT_NIL_CHAN);

	cr_expect_eq(of(&e), VERDICT_STUCK);
	e.parked_min_age = 0;
	cr_expect_neq(of(&e), VERDICT_STUCK, "not yet");
	e = fixed(WAIT_NIL_CHAN);
	e.has_main = true;
	cr_expect_eq(of(&e), VERDICT_STUCK, "others than main are there");
	e.parked_min_age = e.goroutines = e.parked = 1;
	cr_expect_eq(of(&e), VERDICT_IDLE, "main may");
	e = fixed(WAIT_SELECT_NONE);
	cr_expect_eq(of(&e), VERDICT_STUCK);
	e.has_main = true;
	e.parked_min_age = e.goroutines = e.parked = 1;
	cr_expect_eq(of(&e), VERDICT_IDLE, "main may");
}

Test(verdict, stuck_at_a_lock)
{
	struct evidence e = fixed(WAIT_LOCK);

	cr_expect_eq(of(&e), VERDICT_STUCK);
	e.quiet_ns = 2 * SECOND;
	cr_expect_eq(of(&e), VERDICT_IDLE, "somebody just got it");
	e = fixed(WAIT_LOCK);
	e.oldest_park_ns = 50 * SECOND;
	cr_expect_eq(of(&e), VERDICT_IDLE, "not that long");
	e = fixed(WAIT_SEMAPHORE);
	cr_expect_eq(of(&e), VERDICT_IDLE, "may be a WaitGroup");
}

Test(verdict, sends_that_nobody_receives)
{
	struct evidence e = fixed(WAIT_CHAN_SEND);

	cr_expect_eq(of(&e), VERDICT_STUCK);
	e.goroutines = e.parked = e.parked_min_age = e.parked_long = 1;
	cr_expect_eq(of(&e), VERDICT_IDLE, "a lone one may generate on demand");
	e.oldest_park_ns = e.watched_ns = 16 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_STUCK, "not after a quarter of an hour");
	length_histogram__add(&ended_parks, 5 * MINUTE);
	cr_expect_eq(of(&e), VERDICT_IDLE, "it has been asked after five minutes before");
	ended_parks = (struct length_histogram){0};
	e = fixed(WAIT_CHAN_SEND);
	e.quiet_ns = 30 * SECOND;
	cr_expect_eq(of(&e), VERDICT_IDLE, "somebody received");
	e = fixed(WAIT_CHAN_RECEIVE);
	cr_expect_eq(of(&e), VERDICT_IDLE);
}

/* On the first look: ages come from the target's GC alone, and nothing has been seen to move. */
static struct evidence looked_once(enum wait_class class)
{
	struct evidence e = fixed(class);

	e.watched_ns = e.lives_watched_ns = 0;
	e.trend = (struct trend){0};
	return e;
}

Test(verdict, a_single_look_accuses_only_of_what_is_certain)
{
	for (enum wait_class class = WAIT_NONE; class <= WAIT_RUNTIME; class ++) {
		struct evidence e = looked_once(class);
		bool stuck = class == WAIT_NIL_CHAN || class == WAIT_SELECT_NONE ||
			     class == WAIT_LOCK || class == WAIT_CHAN_SEND;

		cr_expect_eq(of(&e), stuck ? VERDICT_STUCK : VERDICT_IDLE, "class %d", class);
	}
}

Test(verdict, sends_and_locks_on_the_first_look)
{
	struct evidence e = looked_once(WAIT_CHAN_SEND);

	e.moved_ns = 4 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_IDLE, "a member came here of late");
	e.moved_ns = 6 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_STUCK, "not that late");
	e = looked_once(WAIT_CHAN_SEND);
	e.parked = e.goroutines = 7;
	cr_expect_eq(of(&e), VERDICT_IDLE, "most do not wait for long");
	e = looked_once(WAIT_CHAN_SEND);
	e.goroutines = e.parked = e.parked_min_age = e.parked_long = 1;
	cr_expect_eq(of(&e), VERDICT_IDLE, "a lone one may generate on demand");
	e = looked_once(WAIT_LOCK);
	e.moved_ns = 4 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_IDLE, "a member came here of late");
	e.moved_ns = 5 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_STUCK, "not that late");
	e = looked_once(WAIT_LOCK);
	e.oldest_park_ns = 4 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_IDLE, "a convoy may be that long");
	e.watched_ns = MINUTE;
	cr_expect_eq(of(&e), VERDICT_STUCK, "nothing got past for a minute");
}

/* errgroup.SetLimit, a semaphore: as long as a job takes, its callers wait to send. */
Test(verdict, sends_into_a_buffer_have_to_be_watched)
{
	struct evidence e = fixed(WAIT_CHAN_SEND);

	e.objects = (struct site_objects){
		.looked_at = 3, .distinct = 3, .shared_by = 1, .queue = true, .with_buffer = 3};
	cr_expect_eq(of(&e), VERDICT_STUCK, "watched for ten minutes");
	e.watched_ns = 4 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_IDLE, "not that long");
	e.objects.with_buffer = 1;
	cr_expect_eq(of(&e), VERDICT_STUCK, "most have none");
}

/* Generators that nobody asks for long: somebody has their channels, and may. */
Test(verdict, sends_that_somebody_may_receive_have_more_time)
{
	struct evidence e = fixed(WAIT_CHAN_SEND);

	e.proof = (struct site_proof){.holder = HOLDER_VARIABLE, .path = "main.all"};
	cr_expect_eq(of(&e), VERDICT_IDLE, "for ten minutes");
	e.oldest_park_ns = e.watched_ns = e.moved_ns = 15 * MINUTE;
	cr_expect_eq(of(&e), VERDICT_STUCK, "no longer than a lone one");
	e = fixed(WAIT_CHAN_SEND);
	e.proof = (struct site_proof){
		.level = PROOF_CONFIRMED, .holder = HOLDER_VARIABLE, .goroutines = 1};
	cr_expect_eq(of(&e), VERDICT_STUCK, "not all have one");
}

/* 300 receivers that came one by one over half an hour. */
static struct evidence came_one_by_one(void)
{
	struct evidence e = looked_once(WAIT_CHAN_RECEIVE);

	e.goroutines = e.parked = e.parked_min_age = e.parked_long = e.parked_before = 300;
	e.first_look = (struct first_look){
		.arrived = 300, .span_ns = 30 * MINUTE, .periods = 6, .periods_with = 6};
	e.open_files = 11;
	e.parks_resolution_ns = 2 * SECOND;
	return e;
}

Test(verdict, what_came_one_by_one_is_suspected_until_a_watch_has_told)
{
	struct evidence e = came_one_by_one();
	struct judgement judgement;

	verdict__of(&e, &judgement);
	cr_expect_eq(judgement.verdict, VERDICT_SUSPECTED);
	cr_expect_not(judgement.alarm);
	cr_expect_str_eq(judgement.why[0],
			 "300 came one by one and have waited here ever since, as "
			 "their goids and waits tell: 10 a minute for 30m00s");
	cr_expect_str_eq(judgement.why[1], "one look does not show whether others left: watching "
					   "for 1m26s more does");
	cr_expect(judgement.confidence > 0.3 && judgement.confidence < 0.8, "%f",
		  judgement.confidence);
	e.lives_watched_ns = 80 * SECOND;
	cr_expect_eq(of(&e), VERDICT_SUSPECTED);
	e.lives_watched_ns = 90 * SECOND;
	cr_expect_eq(of(&e), VERDICT_IDLE, "it did not go on");
}

Test(verdict, what_excuses_those_that_came_one_by_one)
{
	struct evidence e = came_one_by_one();

	for (int i = 0; i < 7; i++)
		length_histogram__add(&ended_parks, MINUTE);
	cr_expect_eq(of(&e), VERDICT_IDLE, "members that had stayed left");
	e = came_one_by_one();
	e.first_look.connections = 150;
	cr_expect_eq(of(&e), VERDICT_IDLE, "connections came with them");
	e.nature = NATURE_ABANDONED;
	cr_expect_eq(of(&e), VERDICT_SUSPECTED, "but what is forgotten has connections, too");
	e = came_one_by_one();
	e.open_files = 150;
	cr_expect_eq(of(&e), VERDICT_IDLE, "as many files are open");
	e = came_one_by_one();
	e.nature = NATURE_SERVICE;
	cr_expect_eq(of(&e), VERDICT_IDLE, "they serve an owner");
	e = came_one_by_one();
	e.objects = (struct site_objects){.looked_at = 256, .distinct = 1, .shared_by = 256};
	cr_expect_eq(of(&e), VERDICT_IDLE, "a pool");
	e.wait_class = WAIT_WAIT_GROUP;
	cr_expect_eq(of(&e), VERDICT_SUSPECTED, "no pool waits for a WaitGroup");
	e = came_one_by_one();
	e.objects = (struct site_objects){.looked_at = 256, .distinct = 256, .with_timer = 200};
	cr_expect_eq(of(&e), VERDICT_IDLE, "a timer will wake them");
	e = came_one_by_one();
	e.exempt = true;
	cr_expect_eq(of(&e), VERDICT_IDLE);
	e = came_one_by_one();
	e.wait_class = WAIT_IO;
	cr_expect_eq(of(&e), VERDICT_IDLE);
}

Test(verdict, busy_sites_are_active)
{
	struct evidence e = fixed(WAIT_CHAN_RECEIVE);

	e.parked_min_age = 0;
	cr_expect_eq(of(&e), VERDICT_IDLE, "a pool: never parked for long, always the same");
	e.trend.arrivals = e.trend.departures = 50;
	cr_expect_eq(of(&e), VERDICT_ACTIVE, "they come and go");
	e = fixed(WAIT_IO);
	e.parked_min_age = 0;
	cr_expect_eq(of(&e), VERDICT_IDLE, "waits by nature");
	e.parked = 0;
	cr_expect_eq(of(&e), VERDICT_ACTIVE);
	e.goroutines = 0;
	cr_expect_eq(of(&e), VERDICT_ACTIVE);
}
