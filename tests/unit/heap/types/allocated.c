// SPDX-License-Identifier: Apache-2.0
#include "heap/types/allocated.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "fake_types.h"

static void makes(int minor, const char *function, enum heap_allocated_as as, size_t argument)
{
	size_t found = 99;

	cr_assert_eq(heap_allocated__as(minor, function, &found), as, "%s", function);
	if (as != HEAP_ALLOCATED_UNKNOWN)
		cr_assert_eq(found, argument, "%s of Go 1.%d: %zu", function, minor, found);
}

Test(allocated, functions_of_the_allocator)
{
	makes(26, "runtime.newobject", HEAP_ALLOCATED_VALUE, 0);
	makes(27, "runtime.mallocgcSmallScanNoHeaderSC5", HEAP_ALLOCATED_VALUE, 1);
	makes(18, "runtime.makeslice", HEAP_ALLOCATED_ARRAY, 0);
	makes(18, "runtime.makeslicecopy", HEAP_ALLOCATED_ARRAY, 0);
	makes(19, "runtime.growslice", HEAP_ALLOCATED_ARRAY, 0);
	makes(20, "runtime.growslice", HEAP_ALLOCATED_ARRAY, 4);
	makes(26, "runtime.growsliceNoAlias", HEAP_ALLOCATED_ARRAY, 4);
	makes(22, "runtime.makechan64", HEAP_ALLOCATED_CHAN, 0);
	makes(22, "runtime.mapassign_faststr", HEAP_ALLOCATED_MAP_PART, 0);
	makes(22, "runtime.makemap_small", HEAP_ALLOCATED_UNKNOWN, 0);
	makes(22, "runtime.convT", HEAP_ALLOCATED_VALUE, 0);
	makes(22, "runtime.convTnoptr", HEAP_ALLOCATED_VALUE, 0);
	makes(22, "runtime.convT64", HEAP_ALLOCATED_UNKNOWN, 0);
	makes(22, "main.newobject", HEAP_ALLOCATED_UNKNOWN, 0);
}

Test(allocated, nothing_is_known_without_functions)
{
	struct fake_types *fake = malloc(sizeof(*fake));
	const uint64_t stack[] = {0x401000, 0x402000};
	struct heap_allocated *allocated;
	struct heap_allocation what;
	struct heap_types *types;
	char name[64];

	cr_assert(fake);
	fake_types__init(fake, 26);
	cr_assert_eq(heap_types__new(&fake->runtime, &types), 0);
	cr_assert_eq(heap_allocated__new(&fake->runtime, types, &allocated), 0);
	what = heap_allocated__of(allocated, stack, 2, 64);
	cr_assert_eq(what.as, HEAP_ALLOCATED_UNKNOWN);
	what = heap_allocated__of(allocated, stack, 0, 64);
	cr_assert_eq(what.as, HEAP_ALLOCATED_UNKNOWN);
	heap_allocated__name(allocated, &what, name, sizeof(name));
	cr_assert_str_eq(name, "");
	heap_allocated__free(allocated);
	heap_types__free(types);
	fake_types__release(fake);
	free(fake);
}

Test(allocated, names)
{
	struct fake_types *fake = malloc(sizeof(*fake));
	struct heap_allocated *allocated;
	struct heap_types *types;
	char name[64];
	uint64_t type;
	static const struct {
		enum heap_allocated_as as;
		const char *name;
	} rows[] = {
		{HEAP_ALLOCATED_VALUE, "b.T"},	   {HEAP_ALLOCATED_ARRAY, "[]b.T"},
		{HEAP_ALLOCATED_STRING, "string"}, {HEAP_ALLOCATED_BYTES, "[]uint8"},
		{HEAP_ALLOCATED_UNKNOWN, ""},
	};

	cr_assert(fake);
	fake_types__init(fake, 26);
	type = fake_types__plain(fake, "b.T", GO_KIND_UINTPTR, 8, 0);
	cr_assert_eq(heap_types__new(&fake->runtime, &types), 0);
	heap_types__use_modules(types, &fake->modules);
	cr_assert_eq(heap_allocated__new(&fake->runtime, types, &allocated), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct heap_allocation what = {rows[i].as, type};

		heap_allocated__name(allocated, &what, name, sizeof(name));
		cr_assert_str_eq(name, rows[i].name);
	}
	heap_allocated__free(allocated);
	heap_types__free(types);
	fake_types__release(fake);
	free(fake);
}
