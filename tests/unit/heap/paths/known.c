// SPDX-License-Identifier: Apache-2.0
/* What objects whose allocation is known tell of those that hang from the same place. */
#include <criterion/criterion.h>
#include <string.h>

#include "fake_heap.h"
#include "heap/paths/paths.h"
#include "heap/scan/scan.h"

#define CHAIN 40 /* objects */

struct bench {
	struct fake_heap *heap;
	struct heap_paths *paths;
	struct heap_scan *scan;
	uint64_t type, other;
	uint64_t chain[CHAIN];
};

/* A list that hangs from a variable, of objects of 48 bytes, each with a pointer to the next. */
static struct bench begin(int minor)
{
	struct bench b = {.heap = fake_heap__new(minor)};
	size_t span = fake_heap__span(b.heap, 48, 1, false);

	b.type = fake_heap__type(b.heap, 48, 8, (const uint8_t[]){1});
	b.other = fake_heap__type(b.heap, 40, 8, (const uint8_t[]){1});
	for (size_t i = 0; i < CHAIN; i++) {
		b.chain[i] = fake_heap__alloc(b.heap, span);
		if (i)
			fake_heap__point(b.heap, b.chain[i - 1], 0, b.chain[i]);
	}
	b.heap->globals[7] = b.chain[0];
	cr_assert_eq(heap_paths__new(&b.heap->runtime, NULL, 1u << 20, &b.paths), 0);
	return b;
}

static void scan(struct bench *b)
{
	struct heap_scan_options options = {.whole = true,
					    .visitor = heap_paths__visitor(b->paths)};
	struct failure failure = {0};

	heap_scan__free(b->scan);
	heap_paths__begin(b->paths);
	cr_assert_eq(heap_scan__new(&b->heap->runtime, &options, &b->scan), 0);
	cr_assert_eq(heap_scan__step(b->scan, 0, &failure), 0, "%s", failure.text);
	cr_assert_eq(heap_paths__count(b->paths, heap_scan__mark(b->scan), 0), 0);
}

static void know(struct bench *b, const struct heap_known *known, size_t n)
{
	cr_assert_eq(heap_paths__know(b->paths, known, n), 0);
	scan(b);
}

static void end(struct bench *b)
{
	heap_scan__free(b->scan);
	heap_paths__free(b->paths);
	fake_heap__free(b->heap);
}

/* Objects of @type. */
static uint64_t count(const struct bench *b, uint64_t type)
{
	const struct path_tree *tree = heap_paths__tree(b->paths);
	uint64_t objects = 0;

	for (size_t i = 1; i < path_tree__count(tree); i++) {
		const struct path_node *node = path_tree__node(tree, (uint16_t)i);

		objects += node->type == type ? node->objects : 0;
	}
	return objects;
}

#define VALUE(type)	    ((struct heap_allocation){HEAP_ALLOCATED_VALUE, (type)})
#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

Test(known, nothing_is_known_of_the_list_by_itself)
{
	struct bench b = begin(20);

	scan(&b);
	cr_assert_eq(count(&b, b.type), 0);
	end(&b);
}

Test(known, two_tell_of_what_all_of_a_list_are)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = begin(minor);
		const struct heap_known known[] = {{b.chain[13], VALUE(b.type)},
						   {b.chain[29], VALUE(b.type)}};

		know(&b, known, 2);
		/* Types here have no fields, so what the two themselves lead to is at another place. */
		cr_assert_eq(count(&b, b.type), CHAIN - 2, "Go 1.%d: %llu", minor,
			     (unsigned long long)count(&b, b.type));
		/* What is forgotten tells nothing any more. */
		know(&b, NULL, 0);
		cr_assert_eq(count(&b, b.type), 0, "Go 1.%d", minor);
		end(&b);
	}
}

Test(known, those_that_do_not_agree_tell_of_themselves_alone)
{
	struct bench b = begin(26);
	struct heap_known known[8];

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		known[i] = (struct heap_known){b.chain[3 + 4 * i], VALUE(i % 2 ? b.other : b.type)};
	/* The first step is where a place is told apart by what is before it. */
	for (size_t i = 0; i + 1 < CHAIN; i++)
		fake_heap__point(b.heap, b.chain[i], 0, b.chain[i + 1]);
	know(&b, known, ARRAY_SIZE(known));
	cr_assert_lt(count(&b, b.other), CHAIN / 2);
	cr_assert_geq(count(&b, b.other), 4);
	end(&b);
}

Test(known, what_a_type_has_no_room_for_is_not_of_it)
{
	struct bench b = begin(22);
	uint64_t large = fake_heap__type(b.heap, 4096, 8, (const uint8_t[]){1});
	const struct heap_known known[] = {{b.chain[13], VALUE(large)},
					   {b.chain[29], VALUE(large)},
					   {b.chain[0] + 1, VALUE(b.type)}};

	know(&b, known, ARRAY_SIZE(known));
	cr_assert_leq(count(&b, large), 2);
	cr_assert_eq(count(&b, b.type), 0);
	end(&b);
}
