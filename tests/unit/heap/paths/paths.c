// SPDX-License-Identifier: Apache-2.0
/* Who holds what in a made-up heap without names: what the allocator wrote down, and words of interfaces. */
#include "heap/paths/paths.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_heap.h"
#include "heap/scan/scan.h"

struct bench {
	struct fake_heap *heap;
	struct heap_paths *paths;
	struct heap_scan *scan;
	uint64_t young_type;
};

static void scan_with(struct bench *b, struct heap_scan_options options)
{
	struct failure failure = {0};

	cr_assert_eq(heap_paths__new(&b->heap->runtime, NULL, 1u << 20, &b->paths), 0);
	options.visitor = heap_paths__visitor(b->paths);
	heap_paths__begin(b->paths);
	cr_assert_eq(heap_scan__new(&b->heap->runtime, &options, &b->scan), 0);
	cr_assert_eq(heap_scan__step(b->scan, 0, &failure), 0, "%s", failure.text);
	cr_assert_eq(heap_paths__count(b->paths, heap_scan__mark(b->scan), 0), 0);
}

static void end(struct bench *b)
{
	heap_scan__free(b->scan);
	heap_paths__free(b->paths);
	fake_heap__free(b->heap);
}

static void scan(struct bench *b)
{
	scan_with(b, (struct heap_scan_options){.whole = true});
}

/* The node that has objects of @type; PATH_NONE: there is none. */
static uint16_t node_of(const struct bench *b, uint64_t type)
{
	const struct path_tree *tree = heap_paths__tree(b->paths);

	for (size_t i = 1; i < path_tree__count(tree); i++) {
		if (path_tree__node(tree, (uint16_t)i)->type == type &&
		    path_tree__node(tree, (uint16_t)i)->objects)
			return (uint16_t)i;
	}
	return PATH_NONE;
}

static uint64_t total(const struct bench *b)
{
	const struct path_tree *tree = heap_paths__tree(b->paths);
	uint64_t objects = 0;

	for (size_t i = 0; i < path_tree__count(tree); i++)
		objects += path_tree__node(tree, (uint16_t)i)->objects;
	return objects;
}

#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

Test(paths, every_object_that_is_alive_is_counted_once)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = {.heap = fake_heap__new(minor)};
		size_t span = fake_heap__span(b.heap, 48, 1, false);
		uint64_t first = fake_heap__alloc(b.heap, span), last = first;

		b.heap->globals[7] = first;
		for (int i = 0; i < 52; i++) {
			uint64_t next = fake_heap__alloc(b.heap, span);

			fake_heap__point(b.heap, last, 2, next);
			fake_heap__point(b.heap, next, 1, first);
			last = next;
		}
		scan(&b);
		cr_assert_eq(total(&b), heap_scan__result(b.scan)->marked.objects, "Go 1.%d",
			     minor);
		cr_assert_geq(total(&b), 53);
		end(&b);
	}
}

Test(paths, the_allocators_type_is_believed)
{
	for (int minor = 22; minor <= 27; minor++) {
		struct bench b = {.heap = fake_heap__new(minor)};
		size_t span = fake_heap__span(b.heap, 1024, 1, false);
		uint64_t type = fake_heap__type(b.heap, 32, 16, (const uint8_t[]){2});
		uint64_t object = fake_heap__alloc(b.heap, span);
		uint16_t node;

		b.heap->globals[7] = object;
		fake_heap__set_type(b.heap, span, object, type);
		scan(&b);
		node = node_of(&b, type);
		cr_assert_neq(node, PATH_NONE, "Go 1.%d", minor);
		cr_assert_eq(path_tree__node(heap_paths__tree(b.paths), node)->role, PATH_ARRAY);
		cr_assert_eq(path_tree__node(heap_paths__tree(b.paths), node)->bytes, 1024);
		end(&b);
	}
}

/* The table of spans has been read by then. */
static int hold_young(void *ctx, struct heap_scan *scan)
{
	struct bench *b = ctx;
	size_t span = fake_heap__span(b->heap, 1024, 1, false);
	uint64_t object = fake_heap__alloc(b->heap, span);

	(void)scan;
	b->heap->globals[7] = object;
	fake_heap__set_type(b->heap, span, object, b->young_type);
	return 0;
}

Test(paths, what_came_during_the_scan_hangs_from_who_holds_it)
{
	for (int minor = 22; minor <= 27; minor++) {
		struct bench b = {.heap = fake_heap__new(minor)};
		uint16_t node;

		b.young_type = fake_heap__type(b.heap, 32, 16, (const uint8_t[]){2});
		scan_with(&b, (struct heap_scan_options){
				      .whole = true, .ready = hold_young, .ready_ctx = &b});
		node = node_of(&b, b.young_type);
		cr_assert_neq(node, PATH_NONE, "Go 1.%d", minor);
		cr_expect_gt(heap_scan__result(b.scan)->spans.late, 0);
		cr_expect_not(path_tree__is_young(heap_paths__tree(b.paths), node), "Go 1.%d",
			      minor);
		end(&b);
	}
}

Test(paths, what_there_is_no_memory_for_is_of_no_known_type)
{
	struct bench b = {.heap = fake_heap__new(26)};
	struct heap_scan_options options = {.whole = true};
	const struct heap_paths_unknown *unknown;
	struct failure failure = {0};
	uint64_t objects = 0;

	cr_assert_eq(heap_paths__new(&b.heap->runtime, NULL, 0, &b.paths), 0);
	options.visitor = heap_paths__visitor(b.paths);
	heap_paths__begin(b.paths);
	cr_assert_eq(heap_scan__new(&b.heap->runtime, &options, &b.scan), 0);
	cr_assert_eq(heap_scan__step(b.scan, 0, &failure), 0);
	cr_assert_eq(heap_paths__count(b.paths, heap_scan__mark(b.scan), 0), 0);
	unknown = heap_paths__unknown(b.paths);
	for (size_t i = 0; i < HEAP_CLASSES; i++)
		objects += unknown[i].objects;
	cr_assert_eq(objects, heap_scan__result(b.scan)->marked.objects);
	end(&b);
}

/* --- maps of no known type ---------------------------------------------------------------------- */

#define ENTRIES 40

/* The head of a map, as Go 1.@minor has it, and what it leads to: 8 buckets, or a directory of @depth. */
struct made_map {
	uint64_t head, led_to;
	unsigned int depth;
};

static uint64_t behind_header(int minor, uint32_t size)
{
	return minor >= 22 && size > HEAP_BITS_IN_SPAN ? HEAP_HEADER_SIZE : 0;
}

static struct made_map make_map(struct fake_heap *heap, int minor, unsigned int depth)
{
	/* 144 bytes have room for eight keys and values of a word each. */
	uint32_t size = minor >= 24 ? 8u << depth : 144u << depth;
	size_t heads = fake_heap__span(heap, 48, 1, false);
	struct made_map map = {.head = fake_heap__alloc(heap, heads), .depth = depth};
	uint64_t *words = fake_heap__word(heap, map.head);

	map.led_to = fake_heap__alloc(heap, fake_heap__span(heap, size, 1, false));
	words[0] = ENTRIES;
	words[1] = minor >= 24 ? 0x123456789 : 0xabcdull << 32 | (uint64_t)depth << 8;
	fake_heap__point(heap, map.head, 2, map.led_to + behind_header(minor, size));
	words[3] = minor >= 24 ? 1ull << depth : 0;
	words[4] = minor >= 24 ? depth | (64ull - depth) << 8 : 0;
	heap->globals[7] = map.head;
	return map;
}

/* How many entries maps have that were recognised; -1: none was. */
static long entries_of_maps(const struct bench *b)
{
	const struct path_tree *tree = heap_paths__tree(b->paths);
	long entries = -1;

	for (size_t i = 1; i < path_tree__count(tree); i++) {
		const struct path_node *node = path_tree__node(tree, (uint16_t)i);

		if (node->role == PATH_SOME_MAP && node->objects)
			entries = (entries < 0 ? 0 : entries) + (long)node->entries;
	}
	return entries;
}

/* Larger ones begin with a header where the allocator writes one: 1,152 and 1,024 bytes. */
Test(paths, a_map_is_known_by_its_own_memory)
{
	ALL_VERSIONS(minor)
	{
		for (int large = 0; large < 2; large++) {
			struct bench b = {.heap = fake_heap__new(minor)};

			make_map(b.heap, minor, minor >= 24 ? (large ? 7 : 3) : (large ? 3 : 2));
			*fake_heap__word(b.heap, b.heap->globals[7]) =
				large ? ENTRIES : ENTRIES / 2;
			scan(&b);
			cr_expect_eq(entries_of_maps(&b), large ? ENTRIES : ENTRIES / 2,
				     "Go 1.%d: %ld", minor, entries_of_maps(&b));
			end(&b);
		}
	}
}

/* What is not as the runtime would have it is something else. */
Test(paths, what_is_no_map_is_not_taken_for_one)
{
	const struct {
		size_t word;
		uint64_t before, after; /* of Go 1.24; and from there on, xored into it */
	} wrong[] = {
		{0, 1u << 20, 1u << 20},  /* more than there is room for */
		{1, 16, 0},		  /* a flag that there is not */
		{1, 0xabcdull << 32, 0},  /* no seed */
		{1, 9u << 8, 0},	  /* more buckets than that is large */
		{2, 8, 8},		  /* it leads to the middle */
		{3, 0, 1},		  /* no power of two */
		{4, 1u << 20, 1u << 8},	  /* more moved than there are; another shift */
		{4, 1ull << 40, 2u << 16} /* likewise; neither writing nor not */
	};

	ALL_VERSIONS(minor)
	{
		for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
			struct bench b = {.heap = fake_heap__new(minor)};
			struct made_map map = make_map(b.heap, minor, 3);
			uint64_t bits = minor >= 24 ? wrong[i].after : wrong[i].before;

			*fake_heap__word(b.heap, map.head + 8 * wrong[i].word) ^= bits;
			scan(&b);
			cr_expect_eq(entries_of_maps(&b), bits ? -1 : ENTRIES, "Go 1.%d, %zu",
				     minor, i);
			end(&b);
		}
	}
}
