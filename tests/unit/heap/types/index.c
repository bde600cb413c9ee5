// SPDX-License-Identifier: Apache-2.0
#include "heap/types/index.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "fake_types.h"

#define ALL_VERSIONS(minor) for (int minor = 18; minor <= 27; minor++)

Test(type_index, methods_say_what_they_belong_to)
{
	static const char *const none[] = {
		"example.org/shop.(*Cart).Add.func1",
		"example.org/shop.(*Cart).Add-fm",
		"example.org/shop.Cart.Add",
		"example.org/shop.(*Basket).Add",
		"example.org/other.(*Cart).Add",
		"main.main",
		"example.org/shop.(*Cart",
		"",
	};

	ALL_VERSIONS(minor)
	{
		struct fake_types *fake = malloc(sizeof(*fake));
		struct type_index *index;
		uint64_t cart, node;

		cr_assert(fake);
		fake_types__init(fake, minor);
		cart = fake_types__named(fake, "shop.Cart", "example.org/shop");
		node = fake_types__named(fake, "yaml.Node", "gopkg.in/yaml.v3");
		fake_types__named(fake, "shop.Cache[int]", "example.org/shop");
		cr_assert_eq(type_index__new(&fake->runtime, &fake->modules, &index), 0);
		cr_assert_eq(type_index__count(index), 2, "Go 1.%d", minor);
		cr_assert_eq(type_index__find(index, "example.org/shop", "Cart"), cart);
		cr_assert_eq(type_index__receiver(index, "example.org/shop.(*Cart).Add"), cart);
		cr_assert_eq(type_index__receiver(index, "gopkg.in/yaml%2ev3.(*Node).Decode"),
			     node);
		for (size_t i = 0; i < ARRAY_SIZE(none); i++)
			cr_assert_eq(type_index__receiver(index, none[i]), 0, "%s", none[i]);
		type_index__free(index);
		fake_types__release(fake);
		free(fake);
	}
}

Test(type_index, types_that_cannot_be_read_are_none)
{
	struct fake_types *fake = malloc(sizeof(*fake));
	struct type_index *index;

	cr_assert(fake);
	fake_types__init(fake, 26);
	fake_types__named(fake, "shop.Cart", "example.org/shop");
	fake->modules.all[0].etypes += 4096;
	cr_assert_eq(type_index__new(&fake->runtime, &fake->modules, &index), 0);
	cr_assert_eq(type_index__count(index), 0);
	type_index__free(index);
	fake_types__release(fake);
	free(fake);
}
