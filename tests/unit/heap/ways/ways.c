// SPDX-License-Identifier: Apache-2.0
#include "heap/ways/ways.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fake_heap.h"
#include "heap/ways/holders.h"

static struct failure failure;

#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

struct search {
	struct fake_heap *heap;
	uint64_t asked[8];
	size_t n_asked;
	struct heap_ways_options options;
	struct heap_ways *ways;
	struct heap_scan *scan;
	int err;
};

static int on_ready(void *ctx, struct heap_scan *scan)
{
	struct search *s = ctx;
	int err = heap_ways__begin(s->ways, scan);

	for (size_t i = 0; i < s->n_asked && !err; i++)
		err = min_of(heap_ways__ask(s->ways, s->asked[i]), 0);
	s->err = err;
	return err;
}

static void run(struct search *s)
{
	struct heap_scan_options options = {
		.by_level = true, .whole = true, .ready = on_ready, .ready_ctx = s};
	int err;

	cr_assert_eq(heap_ways__new(&s->options, &s->ways), 0);
	options.visitor = heap_ways__visitor(s->ways);
	cr_assert_eq(heap_scan__new(&s->heap->runtime, &options, &s->scan), 0);
	do
		err = heap_scan__step(s->scan, 1000, &failure);
	while (err == 1);
	if (!s->err)
		cr_assert_eq(err, 0, "%s", failure.text);
	if (!err)
		heap_ways__settle(s->ways);
}

static void end(struct search *s)
{
	heap_scan__free(s->scan);
	heap_ways__free(s->ways);
	fake_heap__free(s->heap);
}

static size_t n_ways(const struct search *s, size_t target)
{
	size_t n;
	const struct heap_ways_target *targets = heap_ways__targets(s->ways, &n);

	cr_assert_lt(target, n);
	return targets[target].n_ways;
}

/* A ring of three, a long way by a variable, a short one by another, and one by a stack. */
Test(ways, the_shortest_comes_first)
{
	ALL_VERSIONS(minor)
	{
		struct search s = {.heap = fake_heap__new(minor)};
		size_t span = fake_heap__span(s.heap, 48, 1, false);
		size_t flat = fake_heap__span(s.heap, 48, 1, true);
		size_t runs = fake_heap__goroutine(s.heap, "");
		uint64_t a = fake_heap__alloc(s.heap, span), b = fake_heap__alloc(s.heap, span);
		uint64_t c = fake_heap__alloc(s.heap, span), d = fake_heap__alloc(s.heap, span);
		uint64_t target = fake_heap__alloc(s.heap, flat);
		struct heap_way ways[8];

		s.heap->globals[13] = a;
		fake_heap__point(s.heap, a, 1, b);
		fake_heap__point(s.heap, b, 2, c);
		fake_heap__point(s.heap, c, 0, a);
		fake_heap__point(s.heap, c, 3, target + 8);
		s.heap->globals[17] = d;
		fake_heap__point(s.heap, d, 5, target);
		fake_heap__push(s.heap, runs, 3, target);
		s.asked[s.n_asked++] = target + 40;
		run(&s);

		cr_assert_eq(n_ways(&s, 0), 3, "Go 1.%d", minor);
		cr_assert_eq(heap_ways__to(s.ways, 0, ways, ARRAY_SIZE(ways)), 3);
		cr_expect_eq(ways[0].length, 1);
		cr_expect_eq(ways[0].root.kind, HEAP_WAY_STACK);
		cr_expect_neq(ways[0].root.goid, 0);
		cr_expect_eq(ways[0].steps[0].object, target);
		cr_expect_eq(ways[1].length, 2);
		cr_expect_eq(ways[1].root.kind, HEAP_WAY_VARIABLE);
		cr_expect_eq(ways[1].steps[0].object, d);
		cr_expect_eq(ways[1].steps[0].from, ways[1].root.address);
		cr_expect_eq(ways[1].steps[1].from, d + 40);
		cr_expect_eq(ways[2].length, 4);
		cr_expect_eq(ways[2].steps[0].object, a);
		cr_expect_eq(ways[2].steps[1].from, a + 8);
		cr_expect_eq(ways[2].steps[2].object, c);
		cr_expect_eq(ways[2].steps[2].from, b + 16);
		cr_expect_eq(ways[2].steps[3].object, target);
		end(&s);
	}
}

Test(ways, what_holds_itself_and_nothing_else)
{
	struct search s = {.heap = fake_heap__new(26)};
	size_t span = fake_heap__span(s.heap, 48, 1, false);
	uint64_t a = fake_heap__alloc(s.heap, span), b = fake_heap__alloc(s.heap, span);
	uint64_t lost = fake_heap__alloc(s.heap, span);
	struct heap_way way;

	s.heap->globals[13] = a;
	fake_heap__point(s.heap, a, 0, a);
	fake_heap__point(s.heap, a, 1, b);
	fake_heap__point(s.heap, b, 0, a);
	fake_heap__point(s.heap, lost, 0, b); /* it is not alive */
	s.asked[s.n_asked++] = a;
	s.asked[s.n_asked++] = b;
	s.asked[s.n_asked++] = lost;
	s.asked[s.n_asked++] = a + 8; /* once more */
	run(&s);
	cr_expect_eq(n_ways(&s, 0), 1);
	cr_expect_eq(n_ways(&s, 1), 1);
	cr_expect_eq(n_ways(&s, 2), 0);
	cr_assert_eq(heap_ways__to(s.ways, 0, &way, 1), 1);
	cr_expect_eq(way.length, 1);
	cr_expect_eq(heap_ways__to(s.ways, 2, &way, 1), 0);
	end(&s);
}

/* Who waits on a channel has it on the stack, and is known to it; neither can wake anybody. */
Test(ways, who_waits_does_not_hold)
{
	ALL_VERSIONS(minor)
	{
		struct search s = {.heap = fake_heap__new(minor)};
		size_t waits = fake_heap__goroutine(s.heap, "chan receive");
		uint64_t chan = fake_heap__chan(s.heap);

		fake_heap__wait(s.heap, waits, chan);
		fake_heap__push(s.heap, waits, 3, chan);
		s.heap->globals[7] = chan;
		s.asked[s.n_asked++] = chan;
		run(&s);
		cr_expect_eq(n_ways(&s, 0), 1, "Go 1.%d: %zu", minor, n_ways(&s, 0));
		end(&s);
	}
}

Test(ways, a_long_one_has_its_middle_left_out)
{
	struct search s = {.heap = fake_heap__new(26)};
	size_t spans[3];
	uint64_t objects[200];
	struct heap_way way;

	for (size_t i = 0; i < ARRAY_SIZE(spans); i++)
		spans[i] = fake_heap__span(s.heap, 64, 1, false);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		objects[i] = fake_heap__alloc(s.heap, spans[i % ARRAY_SIZE(spans)]);
		if (i)
			fake_heap__point(s.heap, objects[i - 1], i % 8, objects[i]);
	}
	s.heap->globals[3] = objects[0];
	s.asked[s.n_asked++] = objects[199];
	run(&s);
	cr_assert_eq(heap_ways__to(s.ways, 0, &way, 1), 1);
	cr_expect_eq(way.length, 200);
	cr_expect_eq(way.n_steps, HEAP_WAY_STEPS);
	cr_expect_eq(way.left_out, 200 - HEAP_WAY_STEPS);
	cr_expect_eq(way.steps[0].object, objects[0]);
	cr_expect_eq(way.steps[31].object, objects[31]);
	cr_expect_eq(way.steps[32].object, objects[168]);
	cr_expect_eq(way.steps[32].from, 0, "what is before it is not there");
	cr_expect_eq(way.steps[33].from, objects[168] + 169 % 8 * 8);
	cr_expect_eq(way.steps[63].object, objects[199]);
	end(&s);
}

Test(ways, limits_are_kept)
{
	struct search s = {.heap = fake_heap__new(26), .options = {.max_bytes = 1}};

	run(&s);
	cr_expect_eq(s.err, -E2BIG);
	end(&s);

	s = (struct search){.heap = fake_heap__new(26), .asked = {17}, .n_asked = 1};
	run(&s);
	cr_expect_eq(s.err, -ENOENT);
	end(&s);

	s = (struct search){.heap = fake_heap__new(26), .options = {.max_ways = 2}};
	s.asked[s.n_asked++] = fake_heap__chan(s.heap);
	for (size_t i = 20; i < 27; i++)
		s.heap->globals[i] = s.asked[0];
	run(&s);
	cr_expect_eq(n_ways(&s, 0), 7, "those that are not kept are counted");
	end(&s);
}

static void name_root(void *ctx, const struct heap_way *way, char *name, size_t size)
{
	(void)ctx;
	snprintf(name, size, "%llu", (unsigned long long)way->root.address);
}

static bool name_step(void *ctx, const struct heap_way *way, size_t step, size_t before, char *type,
		      char *field, size_t size)
{
	(void)ctx, (void)before;
	snprintf(type, size, "T");
	field[0] = '\0';
	return way->steps[step].size != 8;
}

Test(holders, equal_ways_are_one)
{
	const struct heap_namer namer = {.root = name_root, .step = name_step};
	struct heap_holders holders = {0};
	struct heap_way way = {.length = 2, .n_steps = 2, .steps = {{.size = 8}, {.size = 64}}};

	for (size_t i = 0; i < 7; i++) {
		way.root.address = i < 3 ? 1 : 2;
		way.steps[1].object = 64 * i;
		cr_assert_eq(heap_holders__add(&holders, &way, &namer), 0);
	}
	heap_holders__sort(&holders);
	cr_assert_eq(holders.n_paths, 2);
	cr_expect_eq(holders.paths[0].objects, 4);
	cr_expect_eq(holders.paths[0].n_steps, 1, "parts are left out");
	cr_expect_str_eq(holders.paths[0].name, "2");
	cr_expect_eq(holders.paths[1].objects, 3);
	cr_expect_eq(holders.paths[1].steps[0].address, 0, "the first of them");
	heap_holders__release(&holders);
}
