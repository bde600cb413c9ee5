// SPDX-License-Identifier: Apache-2.0
#include "track/scheduling.h"

#include <criterion/criterion.h>

#define STEP (5 * NSEC_PER_SEC)

static struct scheduling *book;
static uint64_t now;
static struct scheduling_counts counts;

static void setup(void)
{
	cr_assert_eq(scheduling__new(&book), 0);
	now = 1000 * NSEC_PER_SEC;
	counts = (struct scheduling_counts){
		.processors = 2, .latencies_known = true, .computes = true};
}

static void teardown(void)
{
	scheduling__free(book);
}

TestSuite(scheduling, .init = setup, .fini = teardown);

static void begin(void)
{
	now += STEP;
	scheduling__begin(book);
}

static const struct scheduling_view *end(void)
{
	scheduling__end(book, &counts, now);
	return scheduling__view(book);
}

Test(scheduling, a_wait_that_the_runtime_measures)
{
	const struct scheduling_view *view;

	begin();
	scheduling__runnable(book, 7, now - SCHEDULING_LATE_NS + 1, now, false);
	scheduling__runnable(book, 11, now - 23 * NSEC_PER_MSEC, now, true);
	scheduling__runnable(book, 13, now + 1, now, false); /* no time that can be */
	view = end();
	cr_assert_eq(view->n_late, 1);
	cr_expect_eq(view->late[0].goid, 11);
	cr_expect_eq(view->late[0].waiting_ns, 23 * NSEC_PER_MSEC);
	cr_expect(view->late[0].measured && view->late[0].never_ran);
}

Test(scheduling, a_wait_from_census_to_census)
{
	const struct scheduling_view *view;

	begin();
	scheduling__runnable(book, 7, 0, now, false);
	scheduling__runnable(book, 11, 0, now, false);
	cr_expect_eq(end()->n_late, 0, "it may just have begun");
	begin();
	scheduling__unchanged(book, 7, now);
	scheduling__unchanged(book, 13, now);	       /* parked then and now */
	scheduling__runnable(book, 11, 0, now, false); /* it has run */
	view = end();
	cr_assert_eq(view->n_late, 1);
	cr_expect_eq(view->late[0].goid, 7);
	cr_expect_eq(view->late[0].waiting_ns, STEP);
	cr_expect(!view->late[0].measured);
	begin();
	scheduling__unchanged(book, 7, now);
	cr_expect_eq(end()->late[0].waiting_ns, 2 * STEP);
	begin();
	cr_expect_eq(end()->n_late, 0);
}

Test(scheduling, the_longest_come_first_and_the_rest_is_counted)
{
	const struct scheduling_view *view;

	begin();
	for (uint64_t i = 1; i <= 101; i++) /* 37 is prime to 101: in no order */
		scheduling__runnable(book, i, now - (i * 37 % 101 + 10) * NSEC_PER_MSEC, now,
				     false);
	view = end();
	cr_assert_eq(view->n_late, SCHEDULING_MAX_TOLD);
	cr_expect_eq(view->more_late, 101 - SCHEDULING_MAX_TOLD);
	for (size_t i = 0; i < view->n_late; i++)
		cr_expect_eq(view->late[i].waiting_ns, (110 - i) * NSEC_PER_MSEC);
}

Test(scheduling, more_than_there_is_room_for)
{
	begin();
	for (uint64_t i = 1; i <= SCHEDULING_MAX_RUNNABLE + 7; i++)
		scheduling__runnable(book, i, 0, now, false);
	for (uint64_t i = 1; i <= SCHEDULING_MAX_CALLS + 11; i++)
		scheduling__in_call(book, i, 0x1000);
	cr_expect_eq(end()->left_out, 18);
}

Test(scheduling, counts_of_the_runtime)
{
	const struct scheduling_view *view;

	counts.over_10ms = 1009;
	begin();
	view = end();
	cr_expect(view->latencies_known);
	cr_expect_eq(view->over_10ms, 1009);
	cr_expect_eq(view->over_10ms_new, 0);
	cr_expect_eq(view->since_ns, 0);
	counts.over_10ms = 1022;
	begin();
	view = end();
	cr_expect_eq(view->over_10ms_new, 13);
	cr_expect_eq(view->since_ns, STEP);
	counts.over_10ms = 5; /* no program counts down */
	begin();
	cr_expect_eq(end()->over_10ms_new, 0);
}

static void note_run_delay(uint64_t ns)
{
	const struct scheduling_cpu cpu = {.run_delay_known = true, .run_delay_ns = ns};

	scheduling__note_cpu(book, &cpu);
}

/* A last report, when it is asked for right behind another. */
Test(scheduling, a_census_a_moment_later_is_compared_with_the_one_before_that)
{
	const uint64_t moment = SCHEDULING_WINDOW_NS / 7;
	const struct scheduling_view *view;

	begin();
	end();
	note_run_delay(17);
	counts.over_10ms = 13;
	begin();
	cr_expect_eq(end()->over_10ms_new, 13);
	note_run_delay(40);
	counts.over_10ms = 14;
	now += moment;
	scheduling__begin(book);
	view = end();
	note_run_delay(41);
	cr_expect_eq(view->over_10ms_new, 14);
	cr_expect_eq(view->since_ns, STEP + moment);
	cr_expect_eq(view->cpu.run_delay_ns, 24);
	cr_expect_eq(view->cpu_new.run_delay_ns, 1, "what is added up is added once");
	/* Whatever comes later is compared with the one that had a window of its own. */
	counts.over_10ms = 33;
	begin();
	view = end();
	note_run_delay(47);
	cr_expect_eq(view->over_10ms_new, 20);
	cr_expect_eq(view->since_ns, STEP + moment);
	cr_expect_eq(view->cpu.run_delay_ns, 7);
}

Test(scheduling, censuses_in_short_intervals_tell_of_a_second)
{
	for (unsigned int i = 0; i < 40; i++) {
		const struct scheduling_view *view;

		now += SCHEDULING_WINDOW_NS / 4;
		counts.over_10ms += 3;
		scheduling__begin(book);
		view = end();
		cr_expect_eq(view->over_10ms_new, view->since_ns / (SCHEDULING_WINDOW_NS / 4) * 3);
		cr_expect(i < 8 || view->since_ns >= SCHEDULING_WINDOW_NS);
		cr_expect_lt(view->since_ns, 2 * SCHEDULING_WINDOW_NS);
	}
}

/* --- who keeps a processor ------------------------------------------------------------------------- */

Test(scheduling, who_does_not_yield)
{
	const struct scheduling_view *view;

	begin();
	scheduling__running(book, 7, now - SCHEDULING_HOG_NS + 1, NULL, now);
	scheduling__running(book, 11, now - 3 * NSEC_PER_SEC, NULL, now);
	scheduling__running(book, 13, 0, NULL, now);
	view = end();
	cr_assert_eq(view->n_hogs, 1);
	cr_expect_eq(view->hogs[0].goid, 11);
	cr_expect_eq(view->hogs[0].running_ns, 3 * NSEC_PER_SEC);
	cr_expect(view->hogs[0].unyielding);
}

static bool seen_to_run;

/* A thread that has run for so long, and waited for so long, since it began. */
static void look_at_thread(uint64_t tid, uint64_t since_ns, uint64_t cpu_ms, uint64_t delay_ms)
{
	const struct scheduling_thread thread = {tid, cpu_ms * NSEC_PER_MSEC,
						 delay_ms * NSEC_PER_MSEC, seen_to_run};

	begin();
	scheduling__running(book, 7, since_ns, &thread, now);
	end();
}

Test(scheduling, who_has_no_processor_keeps_none)
{
	const struct scheduling_view *view = scheduling__view(book);
	uint64_t since = now + STEP - 2 * NSEC_PER_SEC;

	cr_expect(!scheduling__wants_thread(book, 0, now));
	cr_expect(!scheduling__wants_thread(book, now - SCHEDULING_HOG_NS + 1, now));
	cr_expect(scheduling__wants_thread(book, now - SCHEDULING_HOG_NS, now));
	look_at_thread(11, since, 17, 3000);
	cr_expect_eq(view->n_hogs, 0, "it may have waited all the time");
	cr_expect_eq(view->n_late, 0, "or at another one");
	look_at_thread(11, since, 116, 7901);
	cr_expect_eq(view->n_hogs, 0, "99 ms of 5 s");
	cr_assert_eq(view->n_late, 1);
	cr_expect_eq(view->late[0].goid, 7);
	cr_expect_eq(view->late[0].waiting_ns, STEP - 99 * NSEC_PER_MSEC);
	cr_expect(view->late[0].by_kernel && !view->late[0].measured && !view->late[0].never_ran);
	cr_expect(scheduling__wants_thread(book, 0, now), "a later one is to be compared");
	look_at_thread(11, since, 216, 12801);
	cr_assert_eq(view->n_hogs, 1, "100 ms without a turn of somebody else");
	cr_expect_eq(view->hogs[0].running_ns, 2 * NSEC_PER_SEC + 2 * STEP);
	cr_expect(view->hogs[0].unyielding);
	cr_expect_eq(view->n_late, 0);
}

Test(scheduling, what_ran_before_is_not_of_this_turn)
{
	const struct scheduling_view *view = scheduling__view(book);

	look_at_thread(11, 0, 1000, 0);
	/* It had 800 ms without one by the last 200, in which it ran for none of them, or for all. */
	look_at_thread(11, now + STEP - 200 * NSEC_PER_MSEC, 1199, 4801);
	cr_expect_eq(view->n_hogs, 0);
	cr_assert_eq(view->n_late, 0, "at least 1 ms");
	look_at_thread(11, now + STEP - 200 * NSEC_PER_MSEC, 1298, 9700);
	cr_expect_eq(view->n_hogs, 0);
	cr_assert_eq(view->n_late, 1);
	cr_expect_eq(view->late[0].waiting_ns, 101 * NSEC_PER_MSEC);
	look_at_thread(11, now + STEP - 200 * NSEC_PER_MSEC, 1298 + 4900, 9800);
	cr_assert_eq(view->n_hogs, 1, "more than there was before that turn");
}

Test(scheduling, a_thread_that_never_waited_ran_all_the_time)
{
	look_at_thread(7, now + STEP - 150 * NSEC_PER_MSEC, 13, 50);
	cr_expect_eq(scheduling__view(book)->n_hogs, 0, "it may wait now");
	cr_expect(scheduling__knows_thread(book, 7) && !scheduling__knows_thread(book, 11));
	seen_to_run = true;
	look_at_thread(11, now + STEP - 150 * NSEC_PER_MSEC, 13, 50);
	cr_expect_eq(scheduling__view(book)->n_hogs, 1);
	look_at_thread(13, now + STEP - 150 * NSEC_PER_MSEC, 13, 51);
	cr_expect_eq(scheduling__view(book)->n_hogs, 0);
}

/* It runs on its P, and is no goroutine that waits in Go's queue. */
Test(scheduling, who_has_no_processor_is_looked_at_each_time)
{
	uint64_t since = now;

	look_at_thread(11, since, 17, 3000);
	look_at_thread(11, since, 18, 7901);
	cr_assert_eq(scheduling__view(book)->n_late, 1);
	begin();
	scheduling__unchanged(book, 7, now);
	cr_expect_eq(end()->n_late, 0);
}

/* Runs each time, and others are late or not. */
static size_t hogs_after(unsigned int looks, bool others_late)
{
	for (unsigned int i = 0; i < looks; i++) {
		begin();
		scheduling__running(book, 7, 0, NULL, now);
		counts.over_10ms += others_late;
		end();
	}
	return scheduling__view(book)->n_hogs;
}

Test(scheduling, who_computes_is_told_when_others_are_late)
{
	cr_expect_eq(hogs_after(SCHEDULING_HOG_LOOKS - 1, true), 0);
	cr_assert_eq(hogs_after(1, true), 1);
	cr_expect_eq(scheduling__view(book)->hogs[0].looks, SCHEDULING_HOG_LOOKS);
	cr_expect_eq(scheduling__view(book)->hogs[0].running_ns, 2 * STEP);
	cr_expect(!scheduling__view(book)->hogs[0].unyielding);
}

Test(scheduling, who_computes_on_a_processor_that_nobody_wants)
{
	cr_expect_eq(hogs_after(5 * SCHEDULING_HOG_LOOKS, false), 0);
}

Test(scheduling, who_runs_without_using_a_processor_keeps_none)
{
	counts.computes = false;
	cr_expect_eq(hogs_after(5 * SCHEDULING_HOG_LOOKS, true), 0);
	counts.computes = true;
	cr_expect_eq(hogs_after(1, true), 1);
}

Test(scheduling, who_takes_turns_computes_as_well)
{
	for (int i = 0; i < 6; i++) {
		begin();
		if (i % 2)
			scheduling__runnable(book, 7, 0, now, false);
		else
			scheduling__running(book, 7, 0, NULL, now);
		counts.over_10ms++;
		end();
	}
	cr_assert_eq(scheduling__view(book)->n_hogs, 1);
	cr_expect_eq(scheduling__view(book)->hogs[0].looks, 6);
	begin(); /* it rests */
	counts.over_10ms++;
	end();
	cr_expect_eq(hogs_after(1, true), 0);
}

/* --- calls ------------------------------------------------------------------------------------------ */

static struct scheduling_call call_of(uint64_t goid)
{
	return (struct scheduling_call){.goid = goid,
					.m = 0x1000 * goid,
					.tid = 100 + goid,
					.number = 0,
					.args = {3},
					.sp = 0x7000,
					.pc = 0x400000,
					.switches = 17};
}

/* A census at which each of @n calls goes on; how many the kernel was asked for. */
static size_t census_of(struct scheduling_call *calls, size_t n)
{
	size_t index = 0, asked = 0;
	uint64_t goid, m;

	begin();
	for (size_t i = 0; i < n; i++)
		scheduling__in_call(book, calls[i].goid, calls[i].m);
	while (scheduling__wants_call(book, &index, &goid, &m)) {
		for (size_t i = 0; i < n; i++) {
			if (calls[i].goid == goid)
				scheduling__note_call(book, &calls[i], now);
		}
		asked++;
	}
	end();
	return asked;
}

Test(scheduling, a_call_that_lasts)
{
	struct scheduling_call calls[] = {call_of(7), call_of(11), call_of(13)};
	const struct scheduling_view *view = scheduling__view(book);

	cr_expect_eq(census_of(calls, 3), 0, "most are over by the next one");
	cr_expect_eq(census_of(calls, 3), 3);
	cr_expect_eq(view->n_stuck, 0);
	calls[1].switches++; /* it has been woken */
	calls[2].m += 8;     /* it is on another thread */
	cr_expect_eq(census_of(calls, 3), 2);
	cr_assert_eq(view->n_stuck, 1);
	cr_expect_eq(view->stuck[0].call.goid, 7);
	cr_expect_eq(view->stuck[0].for_ns, STEP);
	cr_expect_eq(census_of(calls, 3), 3);
	cr_assert_eq(view->n_stuck, 2);
	cr_expect_eq(view->stuck[0].for_ns, 2 * STEP);
	cr_expect_eq(view->stuck[1].call.goid, 11);
	cr_expect_eq(census_of(calls, 0), 0);
	cr_expect_eq(view->n_stuck, 0);
}

Test(scheduling, a_goroutine_that_is_unchanged_is_in_its_call)
{
	struct scheduling_call call = call_of(7);
	size_t index = 0;
	uint64_t goid, m;

	census_of(&call, 1);
	census_of(&call, 1);
	begin();
	scheduling__unchanged(book, 7, now);
	scheduling__unchanged(book, 11, now);
	cr_assert(scheduling__wants_call(book, &index, &goid, &m));
	cr_expect_eq(goid, 7);
	cr_expect_eq(m, call.m);
	scheduling__note_call(book, &call, now);
	cr_assert(!scheduling__wants_call(book, &index, &goid, &m));
	cr_assert_eq(end()->n_stuck, 1);
	cr_expect_eq(scheduling__view(book)->stuck[0].for_ns, STEP);
}

Test(scheduling, what_was_noted_of_a_call_is_not_asked_for)
{
	struct scheduling_call calls[] = {call_of(7), call_of(11)};
	size_t index = 0;
	uint64_t goid, m;

	census_of(calls, 1);
	census_of(calls, 2);
	begin();
	scheduling__unchanged(book, 7, now);
	scheduling__unchanged(book, 11, now);
	scheduling__note_call(book, &calls[0], now);
	cr_assert(scheduling__wants_call(book, &index, &goid, &m));
	cr_expect_eq(goid, 11);
	cr_expect(!scheduling__wants_call(book, &index, &goid, &m));
	cr_assert_eq(end()->n_stuck, 1);
	cr_expect_eq(scheduling__view(book)->stuck[0].for_ns, STEP);
}

Test(scheduling, who_is_late_for_a_moments_work_does_not_compute)
{
	for (int i = 0; i < 7; i++) {
		begin();
		if (i)
			scheduling__runnable(book, 7, 0, now, false);
		else
			scheduling__running(book, 7, 0, NULL, now);
		counts.over_10ms++;
		cr_expect_eq(end()->n_hogs, 0);
	}
}

Test(scheduling, another_call_is_another_one)
{
	struct scheduling_call call = call_of(7);

	census_of(&call, 1);
	census_of(&call, 1);
	for (int i = 0; i < 4; i++) {
		switch (i) {
		case 0:
			call.number++;
			break;
		case 1:
			call.args[5]++;
			break;
		case 2:
			call.sp -= 8;
			break;
		default:
			call.tid++;
			break;
		}
		census_of(&call, 1);
		cr_expect_eq(scheduling__view(book)->n_stuck, 0, "%d", i);
	}
	census_of(&call, 1);
	cr_expect_eq(scheduling__view(book)->n_stuck, 1);
}

Test(scheduling, threads_that_goroutines_keep)
{
	const struct scheduling_view *view;
	size_t index = 0;

	counts.threads = 12;
	begin();
	for (uint64_t i = 1; i <= 5; i++)
		scheduling__in_call(book, i, 0x1000 + i);
	scheduling__locked(book, 5);
	scheduling__locked(book, 17);
	view = end();
	cr_expect_eq(view->in_calls, 5);
	cr_expect_eq(view->locked, 2);
	cr_expect_eq(view->rise.over_ns, 0);
	counts.threads = 47;
	begin();
	scheduling__unchanged(book, 3, now);
	scheduling__unchanged(book, 17, now);
	scheduling__note_call(book, &(struct scheduling_call){.goid = 3, .m = 0x1003}, now);
	view = end();
	cr_expect_eq(view->in_calls, 1);
	cr_expect_eq(view->locked, 1);
	cr_expect_eq(view->rise.from, 12);
	cr_expect_eq(view->rise.to, 47);
	cr_expect_eq(view->rise.over_ns, STEP);
	cr_assert_eq(scheduling__call(book, &index)->goid, 3);
	cr_expect_null(scheduling__call(book, &index));
}

/* --- whom they wait for ----------------------------------------------------------------------------- */

Test(scheduling, why_matters_once_somebody_was_late)
{
	struct scheduling_cpu totals = {.run_delay_known = true,
					.throttled_known = true,
					.stolen_known = true,
					.run_delay_ns = 700,
					.throttled_ns = 1100,
					.stolen_ns = 1300,
					.host_processors = 2};
	const struct scheduling_cpu *cpu = &scheduling__view(book)->cpu;

	begin();
	end();
	cr_expect(!scheduling__wants_cpu(book));
	begin();
	counts.over_10ms++;
	end();
	cr_assert(scheduling__wants_cpu(book));
	scheduling__note_cpu(book, &totals);
	cr_expect(!cpu->run_delay_known && !cpu->throttled_known, "since when?");
	begin();
	end();
	cr_expect(scheduling__wants_cpu(book));
	totals.run_delay_ns += 13;
	totals.stolen_ns += 17;
	totals.throttled_ns -= 1; /* of another group */
	scheduling__note_cpu(book, &totals);
	cr_expect(cpu->run_delay_known);
	cr_expect_eq(cpu->run_delay_ns, 13);
	cr_expect(cpu->stolen_known);
	cr_expect_eq(cpu->stolen_ns, 17);
	cr_expect_eq(cpu->host_processors, 2);
	cr_expect(!cpu->throttled_known);
}
