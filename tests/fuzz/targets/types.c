// SPDX-License-Identifier: Apache-2.0
/*
 * Type descriptors with patches, read as a person wants them: names, fields, elements, and what each
 * word of a value is. The input is the Go version and patches.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_types.h"
#include "fuzz.h"
#include "heap/types/index.h"
#include "heap/types/leaf.h"

#define MAX_WORDS 64u

/* One of every kind, in a struct, and a pointer that leads back to it. */
static uint64_t make(struct fake_types *fake)
{
	uint64_t integer = fake_types__plain(fake, "int", 2, 8, 0);
	uint64_t text = fake_types__plain(fake, "string", GO_KIND_STRING, 16, 8);
	uint64_t unsafe = fake_types__plain(fake, "unsafe.Pointer", GO_KIND_UNSAFE_POINTER, 8, 8);
	uint64_t pointer = fake_types__elem(fake, "*a/b.T", GO_KIND_POINTER, text);
	uint64_t none = fake_types__array(fake, "[0]*T", pointer, 8, 0);
	const struct fake_field atomic_fields[] = {{"_", 0, none}, {"v", 0, unsafe}};
	uint64_t atomic = fake_types__struct(fake, "atomic.Pointer", 8, 8, atomic_fields, 2);
	uint64_t slice = fake_types__elem(fake, "", GO_KIND_SLICE, pointer);
	const struct fake_field group[] = {{"ctrl", 0, integer}, {"slot", 8, pointer}};
	uint64_t slots = fake_types__struct(fake, "group", 16, 16, group, 2);
	const struct fake_field fields[] = {
		{"a", 0, text},
		{"b", 16, slice},
		{"c", 40, fake_types__interface(fake, "error", 1)},
		{"d", 56, fake_types__map(fake, "map[int]*T", integer, pointer, slots, 16)},
		{"e", 64, fake_types__elem(fake, "chan int", GO_KIND_CHAN, integer)},
		{"f", 72, fake_types__array(fake, "[2]string", text, 16, 2)},
		{"g", 104, atomic},
	};

	return fake_types__struct(fake, "main.T", 112, 112, fields, ARRAY_SIZE(fields));
}

static void walk(struct heap_types *types, uint64_t address)
{
	const struct heap_type *type = heap_types__any(types, address);
	const struct heap_shape *shape = type ? heap_types__shape(types, type) : NULL;

	fuzz__require(strlen(heap_types__name(types, address)) <= HEAP_MAX_TYPE_NAME);
	if (!shape)
		return;
	fuzz__require(shape->n_fields <= HEAP_MAX_FIELDS);
	for (uint64_t i = 0; i < MAX_WORDS; i++) {
		struct heap_leaf leaf;
		char path[48];

		if (!heap_types__leaf(types, type, i * 8, &leaf, path, sizeof(path)))
			continue;
		fuzz__require(strlen(path) < sizeof(path));
		fuzz__require(leaf.offset <= i * 8 && i * 8 < type->size);
		if (leaf.target)
			(void)heap_types__name(types, leaf.target);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct fake_types *fake = malloc(sizeof(*fake));
	struct fuzz_region region;
	struct heap_types *types;
	struct type_index *index;
	uint64_t top;

	fuzz__require(fake);
	fake_types__init(fake, 18 + fuzz_input__u8(&input) % 10);
	top = make(fake);
	fake_types__named(fake, "b.T", "a/b");
	region = (struct fuzz_region){fake->data, fake->used};
	fuzz__patch(&input, &region, 1);
	fuzz__require(!heap_types__new(&fake->runtime, &types));
	heap_types__use_modules(types, &fake->modules);
	fuzz__require(!type_index__new(&fake->runtime, &fake->modules, &index));
	fuzz__require(type_index__count(index) <= fake->used / 8);
	(void)type_index__receiver(index, "a/b.(*T).Method");
	type_index__free(index);
	walk(types, top);
	for (uint64_t at = FAKE_TYPES_BASE; at < FAKE_TYPES_BASE + fake->used; at += 8)
		walk(types, at);
	heap_types__free(types);
	fake_types__release(fake);
	free(fake);
	return 0;
}
