// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/growth.h"

#include <criterion/criterion.h>

#include "base/common.h"

struct bench {
	struct path_tree *tree;
	struct heap_growth *growth;
	uint16_t root, node;
	uint64_t sums[8];
	uint64_t time_ns;
};

static struct bench begin(enum path_role role)
{
	struct bench b = {.time_ns = 1000 * NSEC_PER_SEC};
	const struct path_step root = {.label = "main.sessions", .role = PATH_VARIABLE};
	const struct path_step step = {.label = ".m", .role = role, .type = 0x1000};

	cr_assert_eq(path_tree__new(0, &b.tree), 0);
	cr_assert_eq(heap_growth__new(&b.growth), 0);
	b.root = path_tree__child(b.tree, PATH_NONE, &root);
	b.node = path_tree__child(b.tree, b.root, &step);
	return b;
}

static void end(struct bench *b)
{
	heap_growth__free(b->growth);
	path_tree__free(b->tree);
}

/* One look, @seconds after the last one, at @entries that take @bytes. */
static void look_at(struct bench *b, uint64_t entries, uint64_t bytes, uint64_t other,
		    double seconds)
{
	struct path_node *node = path_tree__node(b->tree, b->node);

	path_tree__clear(b->tree);
	node->entries = entries;
	node->objects = entries ? 1 : 0;
	b->sums[b->node] = bytes;
	b->time_ns += (uint64_t)(seconds * 1e9);
	cr_assert_eq(heap_growth__take(b->growth, b->tree, b->sums, other,
				       &(struct heap_look){b->time_ns, b->time_ns}),
		     0);
}

static void look(struct bench *b, uint64_t entries, uint64_t other, double seconds)
{
	look_at(b, entries, entries * 100, other, seconds);
}

static bool grows(const struct bench *b, struct heap_growth_series *ret)
{
	return heap_growth__of(b->growth, b->tree, b->node, ret);
}

/* Whether a map with these numbers of entries, ten seconds apart, is said to grow. */
static bool map_grows(const uint64_t *entries, size_t n)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;
	bool answer;

	for (size_t i = 0; i < n; i++)
		look(&b, entries[i], 0, 10);
	answer = grows(&b, &series);
	end(&b);
	return answer;
}

#define GROWS(...)                                 \
	map_grows((const uint64_t[]){__VA_ARGS__}, \
		  sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

Test(growth, a_map_that_grows_at_each_look)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 5; i++)
		look(&b, 12000 + 3000 * i, 0, 30);
	cr_assert(grows(&b, &series));
	cr_assert(series.first == 12000 && series.last == 24000);
	cr_assert(series.bytes_before == 1200000 && series.bytes_after == 2400000);
	cr_assert_float_eq(series.per_minute, 6000, 1e-6);
	end(&b);
}

Test(growth, about_as_much_each_time)
{
	cr_assert(GROWS(0, 90, 210, 300, 395, 520));
	cr_assert(GROWS(100000, 101000, 102100, 102900));
}

Test(growth, what_fills_a_buffer_that_is_there_does_not)
{
	struct bench b = begin(PATH_ARRAY);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 6; i++)
		look_at(&b, 100 + 50 * i, 8192, 0, 10);
	cr_assert_not(grows(&b, &series));
	end(&b);
}

Test(growth, a_map_that_is_between_two_sizes_at_the_last_look_does)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 6; i++)
		look_at(&b, 100 + 50 * i, i < 5 ? 8192 + 4096 * i : 8000, 0, 10);
	cr_assert(grows(&b, &series));
	end(&b);
}

Test(growth, not_before_the_fourth_look)
{
	cr_assert_not(GROWS(100, 200, 300));
	cr_assert(GROWS(100, 200, 300, 400));
}

Test(growth, what_stays_or_shrinks_does_not_grow)
{
	cr_assert_not(GROWS(1000, 1000, 1000, 1000, 1000));
	cr_assert_not(GROWS(1000, 900, 800, 700, 600));
	cr_assert_not(GROWS(0, 0, 0, 0));
}

Test(growth, a_cache_that_reaches_its_limit_does_not_grow)
{
	cr_assert_not(GROWS(400, 600, 800, 1000, 1000, 1000));
	cr_assert_not(GROWS(700, 850, 990, 999, 1000));
}

Test(growth, what_warms_up_gets_slower)
{
	/* A half of what is missing each time. */
	cr_assert_not(GROWS(0, 500, 750, 875, 937, 968, 984));
}

Test(growth, what_comes_and_goes_does_not_grow)
{
	cr_assert_not(GROWS(1000, 1200, 1100, 1300, 1500));
	/* By chance it was more each time, by less than such numbers scatter. */
	cr_assert_not(GROWS(10000, 10040, 10090, 10140, 10180));
}

Test(growth, a_few_more_are_no_growth)
{
	cr_assert_not(GROWS(1, 3, 5, 7));
	cr_assert(GROWS(0, 4, 8, 12));
}

Test(growth, what_was_not_there_had_nothing_in_it)
{
	struct bench b = begin(PATH_ARRAY);
	const struct path_step later = {.label = ".later", .role = PATH_CHAN, .type = 0x2000};
	struct heap_growth_series series;

	look(&b, 0, 0, 10);
	b.node = path_tree__child(b.tree, b.root, &later);
	for (uint64_t i = 1; i < 5; i++)
		look(&b, 50 * i, 0, 10);
	cr_assert(grows(&b, &series));
	cr_assert(series.first == 0 && series.last == 200);
	end(&b);
}

/* Once is not each time, whatever came before it. */
Test(growth, what_comes_with_the_last_looks_does_not_grow)
{
	struct bench b = begin(PATH_ARRAY);
	const struct path_step later = {.label = ".later", .role = PATH_CHAN, .type = 0x2000};
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 4; i++)
		look(&b, 0, 0, 10);
	b.node = path_tree__child(b.tree, b.root, &later);
	for (uint64_t i = 1; i < 5; i++) {
		look(&b, 135 * i, 0, 10);
		cr_expect_not(grows(&b, &series), "after %llu", (unsigned long long)i);
	}
	end(&b);
}

Test(growth, only_containers_do)
{
	struct bench b = begin(PATH_STRING);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 5; i++)
		look(&b, 1000 * i, 0, 10);
	cr_assert_not(grows(&b, &series));
	end(&b);
}

Test(growth, a_list_has_as_many_entries_as_objects)
{
	struct bench b = begin(PATH_VALUE);
	struct heap_growth_series series;

	path_tree__node(b.tree, b.node)->recursive = true;
	for (uint64_t i = 0; i < 5; i++) {
		path_tree__node(b.tree, b.node)->objects = 1000 * (i + 1);
		b.sums[b.node] = 64000 * (i + 1);
		b.time_ns += NSEC_PER_SEC;
		cr_assert_eq(heap_growth__take(b.growth, b.tree, b.sums, 0,
					       &(struct heap_look){b.time_ns, b.time_ns}),
			     0);
	}
	cr_assert(grows(&b, &series));
	cr_assert_eq(series.last, 5000);
	end(&b);
}

Test(growth, memory_that_is_not_gos)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 5; i++)
		look(&b, 7, (10 + i) << 20, 10);
	cr_assert(heap_growth__of_other(b.growth, &series));
	cr_assert(series.first == 10u << 20 && series.bytes_after == 14u << 20);
	cr_assert_not(grows(&b, &series));
	end(&b);
}

Test(growth, looks_need_not_be_evenly_spaced)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	look(&b, 1000, 0, 10);
	look(&b, 1100, 0, 1);
	look(&b, 2100, 0, 10);
	look(&b, 2300, 0, 2);
	cr_assert(grows(&b, &series));
	end(&b);
}

/* It is not what was there at the look before. */
Test(growth, what_came_during_the_scan_does_not_grow)
{
	const struct path_step root = {.label = PATH_YOUNG, .role = PATH_RUNTIME};
	const struct path_step step = {.label = ".data", .role = PATH_ARRAY};
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	b.node = path_tree__child(b.tree, path_tree__child(b.tree, PATH_NONE, &root), &step);
	cr_assert_lt(b.node, ARRAY_SIZE(b.sums));
	for (uint64_t i = 1; i < 7; i++)
		look(&b, 1000 * i, 0, 1);
	cr_assert_not(grows(&b, &series));
	end(&b);
}

/* Half of what comes within a second was there when the last look had taken half of it. */
Test(growth, how_long_looks_take_is_no_time_in_between)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 6; i++) {
		struct path_node *node = path_tree__node(b.tree, b.node);
		struct heap_look look = {.begin_ns = i * NSEC_PER_SEC};

		look.end_ns = look.begin_ns + (i == 0 ? 9 * NSEC_PER_SEC / 10 : 1);
		/* The first took long, and counted at its end. */
		node->entries = 10000 * i + (i == 0 ? 9000 : 0);
		node->objects = 1;
		b.sums[b.node] = 100 * node->entries;
		cr_assert_eq(heap_growth__take(b.growth, b.tree, b.sums, 0, &look), 0);
	}
	cr_assert(grows(&b, &series));
	cr_assert_eq(series.first, 9000);
	end(&b);
}

/* A map of values, the first of which is number @oldest: whether it grows after @looks with @more each time. */
static bool values_grow(uint64_t looks, uint64_t more, uint64_t goes_per_look)
{
	const struct path_step slots = {.label = "", .role = PATH_MAP_SLOTS, .type = 0x2000};
	const struct path_step value = {.label = "[…]", .role = PATH_VALUE, .type = 0x3000};
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;
	uint16_t parts = path_tree__child(b.tree, b.node, &slots);
	uint16_t values = path_tree__child(b.tree, parts, &value);
	uint64_t oldest = 0, next = 1000;
	bool answer;

	for (uint64_t i = 0; i < looks; i++) {
		struct path_node *node = path_tree__node(b.tree, values);

		for (uint64_t n = oldest; n < next; n++)
			path_members__note(heap_growth__members(b.growth), values, 64 * n);
		path_tree__clear(b.tree);
		node->objects = next - oldest;
		path_tree__node(b.tree, b.node)->objects = 1;
		path_tree__node(b.tree, b.node)->entries = next - oldest;
		b.sums[b.node] = 100 * (next - oldest);
		b.time_ns += 10 * NSEC_PER_SEC;
		cr_assert_eq(heap_growth__take(b.growth, b.tree, b.sums, 0,
					       &(struct heap_look){b.time_ns, b.time_ns}),
			     0);
		oldest += goes_per_look;
		next += goes_per_look + more;
	}
	answer = grows(&b, &series);
	end(&b);
	return answer;
}

Test(growth, what_is_filled_anew_each_time_does_not)
{
	cr_assert(values_grow(6, 700, 0));
	cr_assert(values_grow(6, 700, 500), "a part of it comes and goes");
	cr_assert_not(values_grow(6, 700, 10000), "a tooth of a saw at each look");
	cr_assert(values_grow(9, 70, 900), "few enough stay to be what it has grown by");
}

/* They are not in the tree below it: others hold them as well, or they are no pointers. */
Test(growth, of_what_is_in_it_nothing_may_be_known)
{
	struct bench b = begin(PATH_MAP);
	struct heap_growth_series series;

	for (uint64_t i = 0; i < 5; i++) {
		path_members__note(heap_growth__members(b.growth), b.node, 8 * i);
		look(&b, 12000 + 3000 * i, 0, 30);
	}
	cr_assert(grows(&b, &series));
	end(&b);
}
