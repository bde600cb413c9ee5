// SPDX-License-Identifier: Apache-2.0
/* Programs over time: what is in memory at each look, and what is said of it. */
#include "track/alloc_history.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "track/alloc_judge.h"

#define BUCKET	  0x1000ULL
#define LOOKS	  (ALLOC_PERIODS + 2) /* the first tells nothing of what stayed */
#define PERIOD_NS (15 * NSEC_PER_SEC)
#define MAX	  4096

/* Objects of one bucket: those numbered from `first` to `end` are there. */
struct program {
	struct alloc_history *history;
	uint64_t time_ns, cycles;
	uint64_t min_window_ns; /* of those who judge */
	struct alloc_object objects[MAX];
	size_t n;
};

static struct program program;

static void set_up(void)
{
	program = (struct program){.time_ns = 17};
	cr_assert_eq(
		alloc_history__new(&(struct alloc_history_options){.max = MAX}, &program.history),
		0);
}

static void tear_down(void)
{
	alloc_history__free(program.history);
}

TestSuite(alloc_history, .init = set_up, .fini = tear_down);

static void put(uint64_t bucket, uint64_t first, uint64_t end)
{
	for (uint64_t i = first; i < end; i++)
		program.objects[program.n++] = (struct alloc_object){0xc000000000 + i * 64, bucket};
}

/* Two collections later. */
static int look(void)
{
	int took;

	program.time_ns += PERIOD_NS;
	program.cycles += 2;
	took = alloc_history__take(program.history, program.time_ns, program.cycles,
				   program.objects, program.n);
	program.n = 0;
	return took;
}

static unsigned int n_looks(void)
{
	return alloc_history__times(program.history)->n;
}

static struct alloc_judgement judge(uint64_t bucket)
{
	struct alloc_evidence evidence = {
		.times = *alloc_history__times(program.history),
		.min_window_ns = program.min_window_ns,
	};
	struct alloc_past past;

	alloc_history__past(program.history, bucket, &past);
	alloc_evidence__add(&evidence, &past, 8192.5 * 64);
	return alloc_judge__of(&evidence);
}

/* @end of each look, from @first on. */
static enum alloc_verdict verdict_of(const uint64_t *first, const uint64_t *end, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(BUCKET, first ? first[i] : 0, end[i]);
		cr_assert_eq(look(), 1);
	}
	return judge(BUCKET).verdict;
}

/* --- what is counted ---------------------------------------------------------------------------- */

Test(alloc_history, what_stayed_and_what_was_freed)
{
	struct alloc_past past;

	put(BUCKET, 0, 7);
	put(BUCKET + 8, 100, 103);
	look();
	put(BUCKET, 2, 12);
	look();
	alloc_history__past(program.history, BUCKET, &past);
	cr_assert_eq(n_looks(), 1);
	cr_assert_eq(past.stayed[0], 5);
	cr_assert_eq(past.freed[0], 0, "what had not stayed is garbage like any other");
	alloc_history__past(program.history, BUCKET + 8, &past);
	cr_assert_eq(past.stayed[0] + past.freed[0], 0);
	put(BUCKET, 5, 20);
	look();
	alloc_history__past(program.history, BUCKET, &past);
	cr_assert_eq(n_looks(), 2);
	cr_assert_eq(past.stayed[1], 7);
	cr_assert_eq(past.freed[1], 3);
	alloc_history__past(program.history, 0x999, &past);
	cr_assert_eq(n_looks(), 2);
	cr_assert_eq(past.stayed[1], 0);
}

/* An object of another bucket at the same address is another one. */
Test(alloc_history, an_address_that_is_used_again)
{
	struct alloc_past past;

	put(BUCKET, 0, 5);
	look();
	put(BUCKET + 8, 0, 5);
	look();
	alloc_history__past(program.history, BUCKET + 8, &past);
	cr_assert_eq(past.stayed[0], 0);
}

/* Without a whole collection in between nothing was put to the test. */
Test(alloc_history, looks_without_collections_do_not_count)
{
	put(BUCKET, 0, 5);
	look();
	for (uint64_t i = 0; i < 20; i++) {
		put(BUCKET, 0, 6 + i);
		cr_assert_eq(alloc_history__take(program.history, program.time_ns + i * PERIOD_NS,
						 program.cycles + 1, program.objects, program.n),
			     0);
		program.n = 0;
	}
	cr_assert_eq(n_looks(), 0);
}

Test(alloc_history, more_than_there_is_room_for_begins_anew)
{
	struct alloc_history *small;
	struct alloc_object objects[5] = {{1, BUCKET}, {2, BUCKET}, {3, BUCKET}, {4, BUCKET}};
	struct alloc_past past;

	cr_assert_eq(alloc_history__new(&(struct alloc_history_options){.max = 3}, &small), 0);
	cr_assert_eq(alloc_history__take(small, 1 * PERIOD_NS, 2, objects, 3), 1);
	cr_assert_eq(alloc_history__take(small, 2 * PERIOD_NS, 4, objects, 3), 1);
	cr_assert_eq(alloc_history__take(small, 3 * PERIOD_NS, 6, objects, 4), -E2BIG);
	cr_assert_eq(alloc_history__times(small)->n, 0);
	cr_assert_eq(alloc_history__take(small, 4 * PERIOD_NS, 8, objects, 2), 1);
	cr_assert_eq(alloc_history__take(small, 5 * PERIOD_NS, 10, objects, 2), 1);
	alloc_history__past(small, BUCKET, &past);
	cr_assert_eq(alloc_history__times(small)->n, 1);
	cr_assert_eq(past.stayed[0], 2);
	alloc_history__free(small);
}

/* --- leaks -------------------------------------------------------------------------------------- */

Test(alloc_history, a_leak_grows)
{
	const uint64_t end[LOOKS] = {5, 11, 15, 21, 24, 31, 36, 41};
	struct alloc_judgement judgement;

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_GROWING);
	judgement = judge(BUCKET);
	cr_assert_eq(judgement.n_why, 2);
	cr_assert(strstr(judgement.why[0], "in each of 6 periods"), "%s", judgement.why[0]);
	cr_assert(strstr(judgement.why[0], "from 2.6 MB to 19 MB in 1m30s"), "%s",
		  judgement.why[0]);
	cr_assert(strstr(judgement.why[1], "none of the 36"), "%s", judgement.why[1]);
}

/* On top of what was there before, and beside garbage that comes and goes. */
Test(alloc_history, a_leak_among_others)
{
	for (uint64_t i = 0; i < LOOKS; i++) {
		put(BUCKET, 0, 500 + 7 * i);
		put(BUCKET, 2000 + 100 * i, 2080 + 100 * i);
		put(BUCKET + 8, 3100, 3190);
		look();
	}
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_GROWING);
	cr_assert_eq(judge(BUCKET + 8).verdict, ALLOC_STEADY);
}

/* --- what is healthy ---------------------------------------------------------------------------- */

Test(alloc_history, churn_does_not_grow)
{
	const uint64_t first[LOOKS] = {0, 100, 200, 300, 400, 500, 600, 700};
	const uint64_t end[LOOKS] = {100, 210, 320, 430, 540, 650, 760, 870};

	cr_assert_eq(verdict_of(first, end, LOOKS), ALLOC_STEADY);
}

Test(alloc_history, a_cache_at_its_limit_does_not_grow)
{
	const uint64_t first[LOOKS] = {0, 10, 20, 30, 40, 50, 60, 70};
	const uint64_t end[LOOKS] = {100, 110, 120, 130, 140, 150, 160, 170};

	cr_assert_eq(verdict_of(first, end, LOOKS), ALLOC_STEADY);
}

/* It grows still, and gives back already: nobody can tell yet. */
Test(alloc_history, a_cache_that_evicts_while_it_grows)
{
	const uint64_t first[LOOKS] = {0, 0, 2, 4, 6, 8, 10, 12};
	const uint64_t end[LOOKS] = {20, 40, 60, 80, 100, 120, 140, 160};

	cr_assert_eq(verdict_of(first, end, LOOKS), ALLOC_STEADY);
}

Test(alloc_history, a_warm_up_that_slows_down)
{
	const uint64_t end[LOOKS] = {30, 60, 90, 110, 122, 128, 131, 133};

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_STEADY);
}

Test(alloc_history, a_load_ramp_that_has_reached_its_top)
{
	const uint64_t end[LOOKS] = {10, 20, 30, 40, 50, 60, 60, 60};

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_STEADY);
}

/* A big table that was loaded in between. */
Test(alloc_history, a_burst)
{
	const uint64_t end[LOOKS] = {10, 11, 12, 113, 114, 115, 116, 117};

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_STEADY);
}

Test(alloc_history, a_period_without_growth)
{
	const uint64_t end[LOOKS] = {10, 20, 30, 40, 40, 50, 60, 70};

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_STEADY);
}

/* Fifteen samples in all: chance does that. */
Test(alloc_history, too_few_samples)
{
	const uint64_t end[LOOKS] = {10, 13, 15, 18, 20, 23, 25, 28};

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_STEADY);
}

Test(alloc_history, something_that_shrinks)
{
	const uint64_t end[LOOKS] = {100, 90, 80, 70, 60, 50, 40, 30};

	cr_assert_eq(verdict_of(NULL, end, LOOKS), ALLOC_STEADY);
}

/* --- too early ---------------------------------------------------------------------------------- */

Test(alloc_history, one_look_too_few)
{
	const uint64_t end[LOOKS] = {5, 11, 15, 21, 24, 31, 36};

	cr_assert_eq(verdict_of(NULL, end, LOOKS - 1), ALLOC_NOT_JUDGED);
	cr_assert_str_eq(alloc_verdict__name(ALLOC_NOT_JUDGED), "");
}

/* Looks a second apart are one look. */
Test(alloc_history, too_short_a_time)
{
	for (uint64_t i = 0; i < LOOKS; i++) {
		put(BUCKET, 0, 10 + 10 * i);
		program.time_ns -= PERIOD_NS - NSEC_PER_SEC;
		cr_assert_eq(look(), i == 0);
	}
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_NOT_JUDGED);
}

/* What was freed before the first of the looks that count is long past. */
Test(alloc_history, only_the_last_looks_count)
{
	const uint64_t first[] = {0, 0, 90, 90, 90, 90, 90, 90, 90, 90};
	const uint64_t end[] = {90, 95, 100, 110, 120, 130, 140, 150, 160, 170};

	cr_assert_eq(verdict_of(first, end, ARRAY_SIZE(end)), ALLOC_GROWING);
}

/* --- for long ----------------------------------------------------------------------------------- */

static void look_at_leak(uint64_t per_look, uint64_t looks)
{
	static uint64_t end;

	if (!n_looks())
		end = 0;
	for (uint64_t i = 0; i < looks; i++) {
		end += per_look;
		put(BUCKET, 0, end);
		cr_assert_eq(look(), 1);
	}
}

/* A leak that two short looks in three have no sample of is told by longer periods. */
Test(alloc_history, a_slow_leak_takes_longer)
{
	enum alloc_verdict verdict = ALLOC_STEADY;
	uint64_t looks = 0;

	for (; looks < 100 && verdict != ALLOC_GROWING; looks++) {
		put(BUCKET, 0, 10 + looks / 3 * 4);
		look();
		verdict = judge(BUCKET).verdict;
	}
	cr_assert_eq(verdict, ALLOC_GROWING);
	cr_assert(looks > LOOKS, "%d looks", (int)looks);
}

Test(alloc_history, half_of_the_looks_are_forgotten_and_what_was_freed_is_not)
{
	struct alloc_past past;
	uint64_t freed = 0;

	for (uint64_t i = 0; i <= ALLOC_LOOKS; i++) {
		put(BUCKET, i, 200 + 10 * i);
		cr_assert_eq(look(), 1);
	}
	cr_assert_eq(n_looks(), ALLOC_LOOKS);
	put(BUCKET, ALLOC_LOOKS + 1, 1000);
	cr_assert_eq(look(), 1);
	cr_assert_eq(n_looks(), ALLOC_LOOKS / 2 + 2);
	alloc_history__past(program.history, BUCKET, &past);
	for (unsigned int i = 1; i < n_looks(); i++)
		freed += past.freed[i];
	cr_assert_eq(freed, ALLOC_LOOKS, "one at each look but for the first, which has nothing");
	cr_assert_eq(past.stayed[0], 199);
	/* From then on they are twice as far apart. */
	program.time_ns += ALLOC_MIN_PERIOD_NS;
	cr_assert(!alloc_history__is_due(program.history, program.time_ns, program.cycles + 2));
	program.time_ns += ALLOC_MIN_PERIOD_NS;
	cr_assert(alloc_history__is_due(program.history, program.time_ns, program.cycles + 2));
}

/* In the end the oldest are forgotten one by one. */
Test(alloc_history, looks_are_never_more_than_five_minutes_apart)
{
	for (uint64_t i = 0; i < 1000; i++) {
		put(BUCKET, 0, 1 + i);
		program.time_ns += ALLOC_MAX_PERIOD_NS;
		cr_assert_eq(look(), 1);
	}
	cr_assert(n_looks() > ALLOC_LOOKS / 2 && n_looks() <= ALLOC_LOOKS);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_GROWING);
	program.time_ns += ALLOC_MAX_PERIOD_NS;
	cr_assert(alloc_history__is_due(program.history, program.time_ns, program.cycles + 2));
}

/* Whoever wants to see it grow for longer is told later. */
Test(alloc_history, a_window_that_is_too_short)
{
	program.min_window_ns = 12 * PERIOD_NS;
	look_at_leak(5, LOOKS);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_NOT_JUDGED);
	look_at_leak(5, 6);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_GROWING);
	cr_assert(strstr(judge(BUCKET).why[0], "in 3m"), "%s", judge(BUCKET).why[0]);
}

Test(alloc_history, how_fast_it_grows)
{
	look_at_leak(4, LOOKS);
	/* Four objects each 15 s. */
	cr_assert_float_eq(judge(BUCKET).bytes_per_minute, 16 * 8192.5 * 64, 1);
	put(BUCKET + 8, 0, 10);
	cr_assert_float_eq(judge(BUCKET + 8).bytes_per_minute, 0, 0.1);
}

/* --- when it would be growing ------------------------------------------------------------------- */

Test(alloc_history, what_rises_is_due)
{
	uint64_t first_ns;

	look_at_leak(4, 3);
	cr_assert_eq(judge(BUCKET).due_ns, 0, "one rise is none");
	look_at_leak(4, 1);
	first_ns = alloc_history__times(program.history)->ns[0];
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_NOT_JUDGED);
	cr_assert_eq(judge(BUCKET).due_ns, first_ns + ALLOC_PERIODS * PERIOD_NS);
	program.min_window_ns = 160 * NSEC_PER_SEC;
	cr_assert_eq(judge(BUCKET).due_ns, first_ns + 2 * ALLOC_PERIODS * PERIOD_NS,
		     "as long as it takes");
	program.min_window_ns = 0;
	look_at_leak(4, 4);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_GROWING);
	cr_assert_eq(judge(BUCKET).due_ns, 0, "it is");
}

/* Two samples in each period: 16 of them take longer ones. */
Test(alloc_history, what_rises_slowly_is_due_later)
{
	look_at_leak(2, LOOKS);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_STEADY);
	cr_assert_eq(judge(BUCKET).due_ns, program.time_ns + ALLOC_PERIODS * PERIOD_NS);
	look_at_leak(2, ALLOC_PERIODS);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_GROWING);
	cr_assert_eq(judge(BUCKET).due_ns, 0);
}

Test(alloc_history, what_is_freed_is_not_due)
{
	static const uint64_t first[] = {0, 2, 4, 6, 8}, end[] = {10, 20, 30, 40, 50};

	cr_assert_eq(verdict_of(first, end, ARRAY_SIZE(end)), ALLOC_NOT_JUDGED);
	cr_assert_eq(judge(BUCKET).due_ns, 0);
}

/* --- held against the heap ----------------------------------------------------------------------- */

static struct alloc_judgement judge_with_heap(double before, double after, double others)
{
	struct alloc_evidence evidence = {.times = *alloc_history__times(program.history)}, whole;
	double heap[ALLOC_LOOKS] = {0};
	struct alloc_past past;

	alloc_history__past(program.history, BUCKET, &past);
	alloc_evidence__add(&evidence, &past, 8192);
	whole = evidence;
	for (unsigned int i = 0; i < n_looks(); i++) {
		double part = (double)i / (n_looks() - 1);

		heap[i] = before > 0 ? before + (after - before) * part : 0;
		whole.bytes[i] += others * part;
	}
	alloc_evidence__of_heap(&evidence, heap, &whole);
	return alloc_judge__of(&evidence);
}

/* 24 objects of 8 KiB, 197 kB, have come to stay in six periods. */
Test(alloc_history, what_is_followed_only_since_then_is_held_against_the_heap)
{
	struct alloc_judgement judgement;

	look_at_leak(4, LOOKS);
	judgement = judge_with_heap(1e6, 1.2e6, 0);
	cr_assert_eq(judgement.verdict, ALLOC_GROWING);
	cr_assert_str_eq(judgement.why[2],
			 "what collections left of the whole heap rose from 1.0 MB to 1.2 MB");
	cr_expect_eq(judge_with_heap(1e6, 1.1e6, 0).verdict, ALLOC_GROWING,
		     "half of it, by chance");
	cr_expect_eq(judge_with_heap(1e6, 1.09e6, 0).verdict, ALLOC_NOT_JUDGED);
	cr_expect_eq(judge_with_heap(1e6, 1e6, 0).verdict, ALLOC_NOT_JUDGED,
		     "as much went elsewhere");
	cr_expect_eq(judge_with_heap(1e6, 1.2e6, 3e5).verdict, ALLOC_NOT_JUDGED,
		     "caches that turn over look like that");
	cr_expect_eq(judge_with_heap(0, 0, 0).verdict, ALLOC_NOT_JUDGED, "nobody knows");
}

/* --- across restarts ---------------------------------------------------------------------------- */

struct copy {
	struct alloc_history *to;
	size_t n;
};

static bool copy_past(void *ctx, uint64_t bucket, const struct alloc_past *past)
{
	struct copy *copy = ctx;

	copy->n++;
	return !alloc_history__restore_past(copy->to, bucket, past);
}

static void restart(void)
{
	const struct alloc_history_options options = {.max = MAX};
	struct copy copy = {0};

	cr_assert_eq(alloc_history__new(&options, &copy.to), 0);
	cr_assert_eq(alloc_history__restore_times(copy.to, alloc_history__times(program.history)),
		     0);
	alloc_history__each(program.history, copy_past, &copy);
	cr_assert_eq(copy.n, 1, "buckets of which something stayed");
	alloc_history__free(program.history);
	program.history = copy.to;
}

Test(alloc_history, a_restart_goes_on_where_it_was)
{
	put(BUCKET + 8, 900, 910);
	look_at_leak(5, 6);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_NOT_JUDGED);
	restart();
	cr_assert_eq(n_looks(), 5);
	cr_assert(alloc_history__is_due(program.history, 0, 0), "the first look is due at once");
	look_at_leak(5, 1);
	cr_assert_eq(n_looks(), 5, "that look tells what is there, and not what stayed");
	look_at_leak(5, 2);
	cr_assert_eq(judge(BUCKET).verdict, ALLOC_GROWING);
	cr_assert_eq(judge(BUCKET + 8).verdict, ALLOC_STEADY);
}

Test(alloc_history, times_that_make_no_sense_are_refused)
{
	struct alloc_times times = {.n = 2, .ns = {7, 7}};

	cr_assert_eq(alloc_history__restore_times(program.history, &times), -EINVAL);
	times.n = ALLOC_LOOKS + 1;
	cr_assert_eq(alloc_history__restore_times(program.history, &times), -EINVAL);
	times = (struct alloc_times){.n = 1, .ns = {7}};
	cr_assert_eq(alloc_history__restore_times(program.history, &times), 0);
	cr_assert_eq(alloc_history__restore_times(program.history, &times), -EINVAL, "again");
}
