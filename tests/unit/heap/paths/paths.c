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
