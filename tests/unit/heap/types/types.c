// SPDX-License-Identifier: Apache-2.0
#include "heap/types/types.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "fake_types.h"
#include "heap/types/leaf.h"

struct bench {
	struct fake_types *fake;
	struct heap_types *types;
	uint64_t integer, text, session;
};

static struct bench begin(int minor)
{
	struct bench b = {.fake = malloc(sizeof(*b.fake))};

	cr_assert(b.fake);
	fake_types__init(b.fake, minor);
	b.integer = fake_types__plain(b.fake, "int", 2, 8, 0);
	b.text = fake_types__plain(b.fake, "string", GO_KIND_STRING, 16, 8);
	cr_assert_eq(heap_types__new(&b.fake->runtime, &b.types), 0);
	heap_types__use_modules(b.types, &b.fake->modules);
	return b;
}

static void end(struct bench *b)
{
	heap_types__free(b->types);
	fake_types__release(b->fake);
	free(b->fake);
}

static const struct heap_shape *shape_of(struct bench *b, uint64_t address)
{
	const struct heap_type *type = heap_types__any(b->types, address);
	const struct heap_shape *shape = type ? heap_types__shape(b->types, type) : NULL;

	cr_assert(shape);
	return shape;
}

static void leaf_is(struct bench *b, uint64_t type, uint64_t offset, enum heap_word word,
		    const char *path, uint64_t target)
{
	struct heap_leaf leaf;
	char found[256];

	cr_assert(heap_types__leaf(b->types, heap_types__any(b->types, type), offset, &leaf, found,
				   sizeof(found)),
		  "%s", path);
	cr_assert_eq(leaf.word, word, "%s", path);
	cr_assert_str_eq(found, path);
	cr_assert_eq(leaf.target, target, "%s", path);
}

#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

Test(types, structs_have_fields)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = begin(minor);
		const struct fake_field fields[] = {{"id", 0, b.integer}, {"name", 8, b.text}};
		uint64_t session = fake_types__struct(b.fake, "main.session", 24, 16, fields, 2);
		const struct heap_shape *shape = shape_of(&b, session);

		cr_assert_str_eq(shape->name, "main.session");
		cr_assert_eq(shape->n_fields, 2);
		cr_assert_str_eq(shape->fields[1].name, "name", "Go 1.%d", minor);
		cr_assert_eq(shape->fields[1].offset, 8);
		cr_assert_eq(shape->fields[1].type, b.text);
		cr_assert_str_eq(heap_types__name(b.types, b.text), "string");
		end(&b);
	}
}

Test(types, maps_say_what_they_are_made_of)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = begin(minor);
		uint64_t pointer = fake_types__elem(b.fake, "*string", GO_KIND_POINTER, b.text);
		const struct fake_field fields[] = {{"ctrl", 0, b.integer}, {"elem", 8, pointer}};
		uint64_t slots = fake_types__struct(b.fake, "group", 136, 136, fields, 2);
		uint64_t map =
			fake_types__map(b.fake, "map[int]*string", b.integer, pointer, slots, 136);
		const struct heap_shape *shape = shape_of(&b, map);

		cr_assert_eq(shape->key, b.integer);
		cr_assert_eq(shape->elem, pointer);
		cr_assert_eq(shape->slots, slots);
		cr_assert_eq(shape->swiss, minor >= 24, "Go 1.%d", minor);
		cr_assert(heap_types__any(b.types, map)->direct, "Go 1.%d", minor);
		cr_assert_not(heap_types__any(b.types, b.text)->direct);
		end(&b);
	}
}

Test(types, without_swiss_maps_where_they_are_the_rule)
{
	struct bench b = begin(24);
	uint64_t slots = fake_types__struct(b.fake, "bucket", 208, 208, NULL, 0);
	uint64_t map = fake_types__map(b.fake, "map[int]int", b.integer, b.integer, slots,
				       0x0808 | 208 << 16);

	cr_assert_not(shape_of(&b, map)->swiss);
	end(&b);
}

Test(types, packages_go_by_their_last_part)
{
	static const struct {
		const char *linked, *shown;
	} cases[] = {
		{"lru.Cache[string,*github.com/a/b.User]", "lru.Cache[string,*b.User]"},
		{"yaml.Map[gopkg.in/yaml%2ev3.Node]", "yaml.Map[yaml.v3.Node]"},
		{"func(context.Context, net/http.Handler) error",
		 "func(context.Context, http.Handler) error"},
		{"struct { A int \"json:\\\"a/b\\\"\" }", "struct { A int \"json:\\\"a/b\\\"\" }"},
		{"map[a/b.K][]*c/d.V", "map[b.K][]*d.V"},
	};
	struct bench b = begin(26);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t type = fake_types__plain(b.fake, cases[i].linked, GO_KIND_BOOL, 8, 0);

		cr_assert_str_eq(heap_types__name(b.types, type), cases[i].shown);
	}
	end(&b);
}

Test(types, a_star_that_only_saves_space)
{
	struct bench b = begin(26);
	uint64_t type = fake_types__plain(b.fake, "*main.session", GO_KIND_STRUCT, 8, 0);

	fake_types__at(b.fake, type)[GO_TYPE_TFLAG] |= 2;
	/* A struct reads the list of its fields, of which there is none. */
	fake_types__plain(b.fake, "int", 2, 8, 0);
	cr_assert_str_eq(heap_types__name(b.types, type), "main.session");
	end(&b);
}

Test(types, long_names_are_cut)
{
	struct bench b = begin(26);
	char name[1000];
	uint64_t type;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	type = fake_types__plain(b.fake, name, GO_KIND_BOOL, 8, 0);
	cr_assert_eq(strlen(heap_types__name(b.types, type)), HEAP_MAX_TYPE_NAME);
	cr_assert(strstr(heap_types__name(b.types, type), "x..."));
	end(&b);
}

Test(types, types_that_the_program_made_are_named_by_their_elements)
{
	struct bench b = begin(26);
	uint64_t slice = fake_types__elem(b.fake, "", GO_KIND_SLICE, b.text);
	uint64_t map = fake_types__map(b.fake, "", b.text, slice, b.integer, 8);

	cr_assert_str_eq(heap_types__name(b.types, map), "map[string][]string");
	end(&b);
}

Test(types, circles_of_nameless_types_end)
{
	struct bench b = begin(26);
	uint64_t a = fake_types__elem(b.fake, "", GO_KIND_POINTER, 0);
	uint64_t c = fake_types__elem(b.fake, "", GO_KIND_POINTER, a);

	memcpy(fake_types__at(b.fake, a) + GO_TYPE_BYTES, &c, sizeof(c));
	cr_assert_str_eq(heap_types__name(b.types, a), "**?");
	end(&b);
}

Test(types, long_chains_of_nameless_types_end)
{
	struct bench b = begin(26);
	uint64_t type = b.integer;

	for (size_t i = 0; i < 200; i++)
		type = fake_types__elem(b.fake, "", GO_KIND_POINTER, type);
	cr_assert_str_eq(heap_types__name(b.types, type), "********?");
	end(&b);
}

Test(types, what_makes_no_sense_has_no_shape)
{
	struct bench b = begin(26);
	const struct fake_field falling[] = {{"a", 8, b.integer}, {"b", 0, b.integer}};
	const struct fake_field outside[] = {{"a", 64, b.integer}};
	uint64_t many = fake_types__struct(b.fake, "many", 16, 0, falling, 0);
	uint64_t bad[] = {
		fake_types__struct(b.fake, "falling", 16, 0, falling, 2),
		fake_types__struct(b.fake, "outside", 16, 0, outside, 1),
		many,
	};
	uint64_t n = HEAP_MAX_FIELDS + 1;

	memcpy(fake_types__at(b.fake, many) + GO_TYPE_BYTES + 16, &n, sizeof(n));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_assert_str_eq(heap_types__name(b.types, bad[i]), "?");
	cr_assert_null(heap_types__any(b.types, 0));
	cr_assert_null(heap_types__any(b.types, b.integer + 4));
	cr_assert_null(heap_types__any(b.types, 0x10));
	fake_types__at(b.fake, b.integer)[GO_TYPE_KIND] = 31;
	cr_assert_null(heap_types__any(b.types, b.integer));
	end(&b);
}

Test(types, the_collector_wants_types_with_pointers)
{
	struct bench b = begin(22);

	cr_assert(heap_types__any(b.types, b.integer));
	cr_assert_null(heap_types__get(b.types, b.integer));
	cr_assert(heap_types__get(b.types, b.text));
	cr_assert_eq(heap_types__refused(b.types), 1);
	end(&b);
}

/* --- what the word at an offset is -------------------------------------------------------------- */

Test(type_leaf, goes_down_to_the_field)
{
	ALL_VERSIONS(minor)
	{
		struct bench b = begin(minor);
		uint64_t none = fake_types__struct(b.fake, "struct {}", 0, 0, NULL, 0);
		uint64_t pointer = fake_types__elem(b.fake, "*string", GO_KIND_POINTER, b.text);
		uint64_t slice = fake_types__elem(b.fake, "[]string", GO_KIND_SLICE, b.text);
		uint64_t eface = fake_types__interface(b.fake, "interface {}", 0);
		uint64_t iface = fake_types__interface(b.fake, "error", 1);
		uint64_t map =
			fake_types__map(b.fake, "map[int]int", b.integer, b.integer, none, 8);
		const struct fake_field inner[] = {{"n", 0, b.integer}, {"next", 8, pointer}};
		uint64_t in = fake_types__struct(b.fake, "main.in", 16, 16, inner, 2);
		uint64_t array = fake_types__array(b.fake, "[3]main.in", in, 16, 3);
		const struct fake_field outer[] = {
			{"_", 0, none},	    {"name", 0, b.text}, {"all", 16, slice},
			{"any", 40, eface}, {"err", 56, iface},	 {"in", 72, array},
			{"m", 120, map},
		};
		uint64_t out = fake_types__struct(b.fake, "main.out", 128, 128, outer, 7);
		struct heap_leaf leaf;
		char path[64];

		leaf_is(&b, out, 0, HEAP_WORD_STRING, ".name", 0);
		leaf_is(&b, out, 8, HEAP_WORD_OTHER, ".name", 0);
		leaf_is(&b, out, 16, HEAP_WORD_SLICE, ".all", b.text);
		leaf_is(&b, out, 40, HEAP_WORD_OTHER, ".any", 0);
		leaf_is(&b, out, 48, HEAP_WORD_EFACE, ".any", 0);
		leaf_is(&b, out, 64, HEAP_WORD_IFACE, ".err", 0);
		leaf_is(&b, out, 72 + 16, HEAP_WORD_OTHER, ".in" HEAP_ELEMENT ".n", 0);
		leaf_is(&b, out, 72 + 40, HEAP_WORD_POINTER, ".in" HEAP_ELEMENT ".next", b.text);
		leaf_is(&b, out, 120, HEAP_WORD_MAP, ".m", map);
		cr_assert_not(heap_types__leaf(b.types, heap_types__any(b.types, out), 128, &leaf,
					       path, sizeof(path)));
		end(&b);
	}
}

Test(type_leaf, an_atomic_pointer_says_what_it_points_to)
{
	struct bench b = begin(26);
	uint64_t unsafe = fake_types__plain(b.fake, "unsafe.Pointer", GO_KIND_UNSAFE_POINTER, 8, 8);
	uint64_t pointer = fake_types__elem(b.fake, "*string", GO_KIND_POINTER, b.text);
	uint64_t array = fake_types__array(b.fake, "[0]*string", pointer, 8, 0);
	const struct fake_field fields[] = {{"_", 0, array}, {"v", 0, unsafe}};
	uint64_t atomic = fake_types__struct(b.fake, "atomic.Pointer[string]", 8, 8, fields, 2);
	const struct fake_field outer[] = {{"p", 0, atomic}, {"q", 8, unsafe}};
	uint64_t out = fake_types__struct(b.fake, "main.out", 16, 16, outer, 2);

	leaf_is(&b, out, 0, HEAP_WORD_POINTER, ".p", b.text);
	leaf_is(&b, out, 8, HEAP_WORD_UNSAFE, ".q", 0);
	end(&b);
}

Test(type_leaf, a_struct_that_contains_itself_ends)
{
	struct bench b = begin(26);
	const struct fake_field fields[] = {{"self", 0, b.integer}};
	uint64_t type = fake_types__struct(b.fake, "main.liar", 8, 8, fields, 1);
	uint64_t list;
	struct heap_leaf leaf;
	char path[4096];

	memcpy(&list, fake_types__at(b.fake, type) + GO_TYPE_BYTES + 8, sizeof(list));
	memcpy(fake_types__at(b.fake, list) + 8, &type, sizeof(type));
	cr_assert_not(heap_types__leaf(b.types, heap_types__any(b.types, type), 0, &leaf, path,
				       sizeof(path)));
	end(&b);
}
