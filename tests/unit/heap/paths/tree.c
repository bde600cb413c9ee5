// SPDX-License-Identifier: Apache-2.0
#include "heap/paths/tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION 0x500100u
#define MAP	0x500200u
#define SLOTS	0x500300u

static struct path_tree *new_tree(size_t max)
{
	struct path_tree *tree;

	cr_assert_eq(path_tree__new(max, &tree), 0);
	return tree;
}

static uint16_t child(struct path_tree *tree, uint16_t parent, const char *label,
		      enum path_role role, uint64_t type)
{
	const struct path_step step = {.label = label, .role = role, .type = type};
	uint16_t node = path_tree__child(tree, parent, &step);

	cr_assert_neq(node, PATH_NONE);
	return node;
}

static void path_is(const struct path_tree *tree, uint16_t node, const char *expected)
{
	char path[200];

	cr_assert_eq(path_tree__path(tree, node, path, sizeof(path)), strlen(expected));
	cr_assert_str_eq(path, expected);
}

static void count(struct path_tree *tree, uint16_t node, uint64_t objects, uint64_t bytes)
{
	path_tree__node(tree, node)->objects += objects;
	path_tree__node(tree, node)->bytes += bytes;
}

Test(path_tree, the_same_way_is_the_same_node)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.sessions", PATH_VARIABLE, 1);
	uint16_t map = child(tree, root, ".m", PATH_MAP, MAP);

	cr_assert_eq(child(tree, root, ".m", PATH_MAP, MAP), map);
	cr_assert_neq(child(tree, root, ".n", PATH_MAP, MAP), map);
	cr_assert_neq(child(tree, root, ".m", PATH_MAP, MAP + 8), map);
	cr_assert_eq(path_tree__count(tree), 5);
	path_is(tree, map, "main.sessions.m");
	path_tree__free(tree);
}

Test(path_tree, the_insides_of_a_map_are_no_steps)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.sessions", PATH_VARIABLE, 1);
	uint16_t map = child(tree, root, ".m", PATH_MAP, MAP);
	uint16_t slots = child(tree, map, "", PATH_MAP_SLOTS, SLOTS);
	uint16_t element = child(tree, slots, "[…]", PATH_VALUE, SESSION);

	cr_assert_eq(path_tree__container(tree, slots), map);
	cr_assert_eq(path_tree__container(tree, element), element);
	path_is(tree, element, "main.sessions.m[…]");
	path_tree__free(tree);
}

Test(path_tree, a_list_leads_to_itself)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.first", PATH_VARIABLE, 1);
	uint16_t node = child(tree, root, "", PATH_VALUE, SESSION);

	cr_assert_eq(child(tree, node, ".next", PATH_VALUE, SESSION), node);
	cr_assert(path_tree__node(tree, node)->recursive);
	cr_assert_not(path_tree__node(tree, root)->recursive);
	path_tree__free(tree);
}

Test(path_tree, a_ring_of_two_types_leads_to_itself)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.chain", PATH_VARIABLE, 1);
	uint16_t a = child(tree, root, "", PATH_VALUE, SESSION);
	uint16_t b = child(tree, a, ".next", PATH_VALUE, MAP);

	cr_assert_eq(child(tree, b, ".next", PATH_VALUE, SESSION), a);
	cr_assert_eq(path_tree__count(tree), 4);
	path_tree__free(tree);
}

Test(path_tree, strings_are_no_ring)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.s", PATH_VARIABLE, 1);
	uint16_t a = child(tree, root, ".a", PATH_STRING, SESSION);

	cr_assert_neq(child(tree, root, ".b", PATH_STRING, SESSION), a);
	path_tree__free(tree);
}

Test(path_tree, what_is_of_no_known_type_is_one_node_until_a_type_is_known)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "variable at 0x10", PATH_VARIABLE, 0);
	uint16_t unknown = child(tree, root, "", PATH_UNKNOWN, 0);
	uint16_t known = child(tree, unknown, "", PATH_VALUE, SESSION);
	uint16_t again = child(tree, known, ".p", PATH_UNKNOWN, 0);

	cr_assert_eq(child(tree, unknown, "", PATH_UNKNOWN, 0), unknown);
	cr_assert_neq(again, unknown);
	cr_assert_not(path_tree__node(tree, unknown)->below_unknown);
	cr_assert(path_tree__node(tree, known)->below_unknown);
	path_tree__free(tree);
}

Test(path_tree, what_an_object_turns_out_to_be)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.x", PATH_VARIABLE, 1);
	uint16_t unknown = child(tree, root, ".p", PATH_UNKNOWN, 0);
	uint16_t known = path_tree__sibling(tree, unknown, PATH_ARRAY, SESSION);

	cr_assert_eq(child(tree, root, ".p", PATH_ARRAY, SESSION), known);
	path_is(tree, known, "main.x.p");
	path_tree__free(tree);
}

Test(path_tree, sums_go_up)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "main.x", PATH_VARIABLE, 1);
	uint16_t map = child(tree, root, ".m", PATH_MAP, MAP);
	uint16_t a = child(tree, map, "[…]", PATH_VALUE, SESSION);
	uint16_t other = child(tree, PATH_NONE, "main.y", PATH_VARIABLE, 1);
	uint64_t objects[8], bytes[8];

	count(tree, map, 1, 48);
	count(tree, a, 3, 96);
	count(tree, other, 1, 16);
	path_tree__sum(tree, objects, bytes);
	cr_assert(objects[root] == 4 && bytes[root] == 144);
	cr_assert(objects[map] == 4 && bytes[a] == 96);
	cr_assert(objects[other] == 1 && bytes[other] == 16);
	path_tree__clear(tree);
	path_tree__sum(tree, objects, bytes);
	cr_assert(!objects[root] && path_tree__count(tree) == 5);
	path_tree__free(tree);
}

Test(path_tree, a_full_tree_still_tells_types)
{
	struct path_tree *tree = new_tree(16);
	uint16_t root = child(tree, PATH_NONE, "main.x", PATH_VARIABLE, 1), last = 0;
	char label[16];

	for (int i = 0; i < 30; i++) {
		snprintf(label, sizeof(label), ".f%d", i);
		last = child(tree, root, label, PATH_VALUE, SESSION);
	}
	cr_assert_leq(path_tree__count(tree), 16);
	cr_assert_gt(path_tree__refused(tree), 0);
	cr_assert_eq(path_tree__node(tree, last)->type, SESSION);
	path_is(tree, last, "other paths");
	/* What is there already is still found. */
	path_is(tree, child(tree, root, ".f1", PATH_VALUE, SESSION), "main.x.f1");
	/* And when not even the types have room. */
	for (int i = 0; i < 30; i++)
		last = child(tree, root, ".g", PATH_VALUE, SESSION + 8 + (uint64_t)i);
	cr_assert_eq(path_tree__node(tree, last)->role, PATH_OTHER);
	cr_assert_leq(path_tree__count(tree), 16);
	path_tree__free(tree);
}

Test(path_tree, the_depth_is_bounded)
{
	struct path_tree *tree = new_tree(0);
	uint16_t node = child(tree, PATH_NONE, "main.x", PATH_VARIABLE, 1);

	for (uint64_t i = 0; i < 500; i++)
		node = child(tree, node, ".next", PATH_VALUE, 0x1000 + i * 8);
	cr_assert_leq(path_tree__node(tree, node)->depth, PATH_MAX_DEPTH);
	path_tree__free(tree);
}

Test(path_tree, long_paths_lose_their_middle)
{
	struct path_tree *tree = new_tree(0);
	uint16_t node = child(tree, PATH_NONE, "main.x", PATH_VARIABLE, 1);
	char path[24];

	for (uint64_t i = 0; i < 9; i++)
		node = child(tree, node, ".next", PATH_VALUE, 0x1000 + i * 8);
	node = child(tree, node, ".end", PATH_VALUE, 0x2000);
	cr_assert_lt(path_tree__path(tree, node, path, sizeof(path)), sizeof(path));
	cr_assert_str_eq(path, "main.x....next.next.end");
	path_tree__free(tree);
}

Test(path_tree, stacks_say_whose_they_are)
{
	struct path_tree *tree = new_tree(0);
	uint16_t root = child(tree, PATH_NONE, "stack of main.worker", PATH_STACK, 0);
	uint16_t node = child(tree, root, "[…]", PATH_VALUE, SESSION);

	path_tree__node(tree, root)->goid = 18;
	path_is(tree, node, "stack of main.worker (goroutine 18)[…]");
	path_tree__node(tree, root)->goid = UINT64_MAX;
	path_is(tree, node, "stack of main.worker[…]");
	path_tree__free(tree);
}
