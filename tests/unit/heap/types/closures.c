// SPDX-License-Identifier: Apache-2.0
#include "heap/types/closures.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "fake_types.h"

Test(closures, none_are_found_in_a_program_without_functions)
{
	struct fake_types *fake = malloc(sizeof(*fake));
	struct heap_closures *closures;
	struct heap_types *types;

	cr_assert(fake);
	fake_types__init(fake, 26);
	cr_assert_eq(heap_types__new(&fake->runtime, &types), 0);
	cr_assert_eq(heap_closures__new(&fake->runtime, &fake->modules, types, &closures), 0);
	cr_assert_eq(heap_closures__type(closures, 0x401000), 0);
	cr_assert_eq(heap_closures__type(closures, 0), 0);
	cr_assert_eq(heap_closures__count(closures), 0);
	heap_closures__free(closures);
	heap_closures__free(NULL);
	heap_types__free(types);
	fake_types__release(fake);
	free(fake);
}
