// SPDX-License-Identifier: Apache-2.0
/* Execution traces that are made up byte by byte, as src/internal/trace/tracev2 says. */
#include "record/go_trace.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define MS	NSEC_PER_MSEC
#define UNIT_NS 64u /* as a trace on Linux counts */
#define NOBODY	UINT64_MAX

/* By the process's monotonic clock; and what the trace's clock was then. */
#define BEGIN_NS    (1000 * NSEC_PER_SEC)
#define BEGIN_UNITS (BEGIN_NS / UNIT_NS)
#define REALTIME_S  1700000000u

static uint8_t bytes[4096];
static size_t size;

static void put_varint(uint8_t *to, size_t *n, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		to[(*n)++] = (uint8_t)(value | 0x80);
	to[(*n)++] = (uint8_t)value;
}

struct part {
	uint8_t bytes[1024];
	size_t n;
};

static void put(struct part *part, uint8_t type, size_t n, const uint64_t *numbers)
{
	part->bytes[part->n++] = type;
	for (size_t i = 0; i < n; i++)
		put_varint(part->bytes, &part->n, numbers[i]);
}

#define PUT(part, type, ...)                                                  \
	put(part, type, sizeof((uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t), \
	    (const uint64_t[]){__VA_ARGS__})

static void put_batch(uint64_t generation, uint64_t m, const struct part *part)
{
	bytes[size++] = 1;
	put_varint(bytes, &size, generation);
	put_varint(bytes, &size, m);
	put_varint(bytes, &size, BEGIN_UNITS);
	put_varint(bytes, &size, part->n);
	memcpy(bytes + size, part->bytes, part->n);
	size += part->n;
}

static void begin(const char *head)
{
	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, head, strlen(head));
	size = 16;
}

static void put_text(struct part *part, uint64_t id, const char *text)
{
	PUT(part, 5, id, strlen(text));
	memcpy(part->bytes + part->n, text, strlen(text));
	part->n += strlen(text);
}

static void put_tables(uint64_t generation)
{
	struct part clock = {{50}, 1}, texts = {{4}, 1}, stacks = {{2}, 1};

	PUT(&clock, 8, NSEC_PER_SEC / UNIT_NS);
	PUT(&clock, 51, 0, BEGIN_NS, REALTIME_S, 0);
	put_text(&texts, 1, "main.work");
	put_text(&texts, 2, "chan receive");
	put_text(&texts, 3, "step");
	PUT(&stacks, 3, 7, 1, 0x401000, 1, 2, 17);
	put_batch(generation, NOBODY, &clock);
	put_batch(generation, NOBODY, &texts);
	put_batch(generation, NOBODY, &stacks);
}

static struct go_trace *open_made(int64_t offset_ns)
{
	struct failure failure = {""};
	struct go_trace *trace = NULL;

	cr_assert_eq(go_trace__open_bytes(bytes, size, "made", offset_ns, &trace, &failure), 0,
		     "%s", failure.text);
	return trace;
}

static const struct timeline_traced *find(const struct go_trace *trace, uint64_t goid)
{
	const struct timeline_trace *timeline = go_trace__timeline(trace);

	for (size_t i = 0; i < timeline->n_goroutines; i++) {
		if (timeline->goroutines[i].goid == goid)
			return &timeline->goroutines[i];
	}
	cr_assert_fail("goroutine %llu is not there", (unsigned long long)goid);
	return NULL;
}

static void expect_span(const struct timeline_span *span, enum timeline_state state,
			uint64_t begin_units, uint64_t end_units, const char *name)
{
	cr_expect_eq(span->state, state);
	cr_expect_eq(span->begin_ns, BEGIN_NS + begin_units * UNIT_NS);
	cr_expect_eq(span->end_ns, BEGIN_NS + end_units * UNIT_NS);
	cr_expect_str_eq(span->name, name);
}

/* Goroutine 1 runs on thread 5, and starts 7, which waits; they are of one thread each. */
static void put_two(void)
{
	struct part one = {{0}, 0}, other = {{0}, 0};

	PUT(&one, 25, 100, 1, 5, 2);   /* 100: goroutine 1 runs */
	PUT(&one, 14, 100, 7, 7, 0);   /* 200: it creates 7 */
	PUT(&one, 22, 100, 1, 0);      /* 300: a system call */
	PUT(&one, 23, 100);	       /* 400: is over */
	PUT(&one, 19, 100, 3, 0);      /* 500: it yields */
	PUT(&other, 16, 250, 7, 1);    /* 250: 7 runs */
	PUT(&other, 20, 150, 2, 0);    /* 400: it waits */
	PUT(&other, 21, 200, 7, 2, 0); /* 600: it need not any more */
	PUT(&other, 16, 100, 7, 3);    /* 700 */
	PUT(&other, 17, 300);	       /* 1000: it ends */
	put_batch(1, 5, &one);
	put_batch(1, 6, &other);
}

Test(go_trace, states_of_goroutines)
{
	const struct timeline_traced *one, *seven;
	struct go_trace *trace;

	begin("go 1.26 trace");
	put_tables(1);
	put_two();
	bytes[size++] = 52;
	trace = open_made(0);
	cr_expect_eq(go_trace__timeline(trace)->n_goroutines, 2);
	one = find(trace, 1);
	cr_assert_eq(one->n_states, 4);
	expect_span(&one->states[0], TIMELINE_RUNNING, 100, 300, "");
	expect_span(&one->states[1], TIMELINE_IN_SYSCALL, 300, 400, "");
	expect_span(&one->states[2], TIMELINE_RUNNING, 400, 500, "");
	expect_span(&one->states[3], TIMELINE_RUNNABLE, 500, 1000, "step");
	cr_expect_eq(one->running_ns, 300 * UNIT_NS);
	seven = find(trace, 7);
	cr_expect_str_eq(seven->function, "main.work");
	cr_assert_eq(seven->n_states, 5);
	expect_span(&seven->states[0], TIMELINE_RUNNABLE, 200, 250, "");
	expect_span(&seven->states[1], TIMELINE_RUNNING, 250, 400, "");
	expect_span(&seven->states[2], TIMELINE_WAITING, 400, 600, "chan receive");
	expect_span(&seven->states[3], TIMELINE_RUNNABLE, 600, 700, "");
	expect_span(&seven->states[4], TIMELINE_RUNNING, 700, 1000, "");
	cr_expect_eq(go_trace__timeline(trace)->left_out, 0);
	cr_expect_not(go_trace__timeline(trace)->cut);
	go_trace__free(trace);
}

Test(go_trace, what_happened_in_one_moment_is_told_apart_by_its_numbers)
{
	struct part first = {{0}, 0}, second = {{0}, 0};
	const struct timeline_traced *seven;
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	PUT(&first, 16, 100, 7, 2);	/* it starts */
	PUT(&first, 17, 100);		/* and ends */
	PUT(&second, 21, 100, 7, 1, 0); /* it was unblocked before that */
	put_batch(1, 5, &first);
	put_batch(1, 6, &second);
	trace = open_made(0);
	seven = find(trace, 7);
	cr_assert_eq(seven->n_states, 1);
	expect_span(&seven->states[0], TIMELINE_RUNNING, 100, 200, "");
	go_trace__free(trace);
}

Test(go_trace, collections_regions_and_the_heap)
{
	const struct timeline_trace *timeline;
	struct part part = {{0}, 0};
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	PUT(&part, 25, 0, 1, 5, 2);
	PUT(&part, 42, 10, 0, 3, 0); /* 10: a region */
	PUT(&part, 42, 0, 0, 1, 0);  /* 10: one in it */
	PUT(&part, 29, 10, 1, 0);    /* 20: GC */
	PUT(&part, 26, 0, 3, 0);     /* 20: everybody stops */
	PUT(&part, 27, 10);	     /* 30 */
	PUT(&part, 37, 10, 4099);    /* 40: heap */
	PUT(&part, 38, 0, 8209);     /* 40: goal */
	PUT(&part, 43, 10, 0, 1, 0); /* 50 */
	PUT(&part, 43, 10, 0, 3, 0); /* 60 */
	PUT(&part, 30, 10, 2);	     /* 70 */
	PUT(&part, 42, 10, 0, 3, 0); /* 80: one that does not end */
	PUT(&part, 17, 20);	     /* 100 */
	put_batch(1, 5, &part);
	trace = open_made(0);
	timeline = go_trace__timeline(trace);
	cr_assert_eq(timeline->n_gcs, 1);
	expect_span(&timeline->gcs[0], 0, 20, 70, "GC");
	cr_assert_eq(timeline->n_stops, 1);
	expect_span(&timeline->stops[0], 0, 20, 30, "step");
	cr_assert_eq(timeline->n_heap, 1);
	cr_expect_eq(timeline->heap[0].value, 4099);
	cr_assert_eq(timeline->n_goal, 1);
	cr_expect_eq(timeline->goal[0].value, 8209);
	cr_assert_eq(find(trace, 1)->n_regions, 3);
	expect_span(&find(trace, 1)->regions[0], 0, 10, 60, "step");
	expect_span(&find(trace, 1)->regions[1], 0, 10, 50, "main.work");
	expect_span(&find(trace, 1)->regions[2], 0, 80, 100, "step");
	go_trace__free(trace);
}

Test(go_trace, a_file_that_was_cut_has_what_is_whole)
{
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	put_two();
	size -= 3;
	trace = open_made(0);
	cr_expect(go_trace__timeline(trace)->cut);
	cr_expect_eq(find(trace, 1)->n_states, 3);
	go_trace__free(trace);
}

Test(go_trace, generations_go_on)
{
	struct part part = {{0}, 0};
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	put_two();
	put_tables(2);
	PUT(&part, 25, 1100, 1, NOBODY, 1);
	PUT(&part, 16, 100, 1, 1);
	PUT(&part, 17, 100);
	put_batch(2, 9, &part);
	trace = open_made(0);
	cr_assert_eq(find(trace, 1)->n_states, 5);
	expect_span(&find(trace, 1)->states[3], TIMELINE_RUNNABLE, 500, 1200, "step");
	expect_span(&find(trace, 1)->states[4], TIMELINE_RUNNING, 1200, 1300, "");
	go_trace__free(trace);
}

Test(go_trace, the_clock_of_its_time_namespace)
{
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	put_two();
	trace = open_made(5 * MS);
	cr_expect_eq(find(trace, 1)->states[0].begin_ns, BEGIN_NS - 5 * MS + 100 * UNIT_NS);
	go_trace__free(trace);
}

static void expect_refused(int err, const char *says)
{
	struct failure failure = {""};
	struct go_trace *trace;

	cr_expect_eq(go_trace__open_bytes(bytes, size, "made", 0, &trace, &failure), err, "%s",
		     failure.text);
	cr_expect(strstr(failure.text, says), "%s", failure.text);
}

Test(go_trace, what_cannot_be_laid_over_is_refused_in_words)
{
	begin("go 1.22 trace");
	put_tables(1);
	put_two();
	expect_refused(-EOPNOTSUPP, "build the program with that or a later one");
	memcpy(bytes, "go 1.28 trace", 13);
	expect_refused(-EOPNOTSUPP, "newer than this gleakd");
	memcpy(bytes, "SQLite format", 13);
	expect_refused(-EPROTO, "no execution trace of Go");
	begin("go 1.25 trace");
	expect_refused(-ENODATA, "nothing was traced yet");
	bytes[size++] = 99;
	expect_refused(-EPROTO, "a damaged execution trace");
}

Test(go_trace, of_another_host)
{
	struct timeline_clock clock = {.monotonic_ns = BEGIN_NS,
				       .realtime_ns = REALTIME_S * NSEC_PER_SEC + MS};
	const struct timeline timeline = {.clocks = &clock, .n_clocks = 1};
	struct go_trace_births births;
	struct failure failure = {""};
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	put_two();
	trace = open_made(0);
	cr_expect_eq(go_trace__check(trace, &timeline, "made", &births, &failure), 0);
	clock.realtime_ns += 3600 * NSEC_PER_SEC;
	cr_expect_eq(go_trace__check(trace, &timeline, "made", &births, &failure), -EINVAL);
	cr_expect(strstr(failure.text, "another host"), "%s", failure.text);
	go_trace__free(trace);
}

/* Of the two only goroutine 7 was seen to begin, 200 units after the trace did. */
Test(go_trace, of_another_process)
{
	const struct timeline_clock clock = {.monotonic_ns = BEGIN_NS,
					     .realtime_ns = REALTIME_S * NSEC_PER_SEC};
	struct timeline_life lives[] = {
		{.goid = 1, .begin_ns = BEGIN_NS - 3600 * NSEC_PER_SEC, .created = true},
		{.goid = 7, .begin_ns = BEGIN_NS + 200 * UNIT_NS - MS, .created = true},
	};
	const struct timeline_target target = {
		.pid = 4242, .lives = lives, .n_lives = sizeof(lives) / sizeof(lives[0])};
	const struct timeline timeline = {
		.clocks = &clock, .n_clocks = 1, .targets = &target, .n_targets = 1};
	struct go_trace_births births;
	struct failure failure = {""};
	struct go_trace *trace;

	begin("go 1.25 trace");
	put_tables(1);
	put_two();
	trace = open_made(0);
	cr_expect_eq(go_trace__check(trace, &timeline, "made", &births, &failure), 0, "%s",
		     failure.text);
	cr_expect_eq(births.agree, 1);
	lives[1].begin_ns += NSEC_PER_SEC;
	cr_expect_eq(go_trace__check(trace, &timeline, "made", &births, &failure), -EINVAL);
	cr_expect(strstr(failure.text, "another process than the recording, 4242"), "%s",
		  failure.text);
	lives[1].created = false;
	cr_expect_eq(go_trace__check(trace, &timeline, "made", &births, &failure), 0,
		     "when it began is not known");
	cr_expect_eq(births.agree, 0);
	go_trace__free(trace);
}
