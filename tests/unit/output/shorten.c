// SPDX-License-Identifier: Apache-2.0
#include "output/shorten.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static void check(char *got, const char *expected)
{
	cr_expect_str_eq(got, expected);
	free(got);
}

Test(shorten, functions_lose_leading_path_elements_first)
{
	const char *name = "example.org/shop/internal/cart.(*Store).Load.func1";

	check(shorten__function(name, 50), "example.org/shop/internal/cart.(*Store).Load.func1");
	check(shorten__function(name, 49), "…/shop/internal/cart.(*Store).Load.func1");
	check(shorten__function(name, 35), "…/internal/cart.(*Store).Load.func1");
	check(shorten__function(name, 34), "…/cart.(*Store).Load.func1");
	check(shorten__function(name, 26), "…/cart.(*Store).Load.func1");
	check(shorten__function(name, 25), "cart.(*Store).Load.func1");
	check(shorten__function(name, 20), "cart.(…e).Load.func1");
	check(shorten__function(name, 0), "ca…func1");
}

Test(shorten, a_slash_in_type_arguments_is_no_path)
{
	check(shorten__function("main.Map[example.org/a/b.Key,int].Get", 20),
	      "main.M….Key,int].Get");
}

Test(shorten, locations_keep_file_and_line)
{
	check(shorten__location("/src/shop/cart/store.go", 42, 30), "/src/shop/cart/store.go:42");
	check(shorten__location("/src/shop/cart/store.go", 42, 20), "…/cart/store.go:42");
	check(shorten__location("/src/shop/cart/store.go", 42, 13), "…/store.go:42");
	check(shorten__location("/src/shop/cart/store.go", 42, 11), "store.go:42");
	check(shorten__location("/src/a_very_long_name.go", 4294967295U, 20),
	      "a_very…go:4294967295");
	check(shorten__location("", 7, 20), ":7");
}

Test(shorten, of_a_way_both_ends_stay)
{
	const char *way = "stack of example.org/shop/cart.(*Store).run.func1 (goroutine 7), in "
			  "net/http.(*Server).Serve.Handler.carts[\xe2\x80\xa6].file";

	check(shorten__way(way, 200), way);
	check(shorten__way(way, 100), "stack of cart.(*Store).run.func1 (goroutine 7), in "
				      "http.(*Server).Serve.Handler.carts[\xe2\x80\xa6].file");
	check(shorten__way(way, 40), "stack of cart\xe2\x80\xa6"
				     "erve.Handler.carts[\xe2\x80\xa6].file");
	check(shorten__way("map[example.org/shop/v2.Key]*gopkg.in/yaml.v3.Node", 32),
	      "map[shop/v2.Key]*yaml.v3.Node");
	check(shorten__way("", 0), "");
	check(shorten__way("////////////", 8), "");
}

Test(shorten, never_wider_than_allowed)
{
	static const char *const names[] = {
		"////////////////////////////",
		"a/",
		"\xe6\xbc\xa2\xe6\xbc\xa2/\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"[a/b/c/d/e/f/g/h/i/j/k",
		"github.com/x/y/z.(*T[a/b/c]).m/func1",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (size_t width = 8; width < 40; width++) {
			char *function = shorten__function(names[i], width);
			char *location = shorten__location(names[i], 123, width);
			char *way = shorten__way(names[i], width);

			cr_expect_leq(utf8__width(function), width);
			cr_expect_leq(utf8__width(location), width);
			cr_expect_leq(utf8__width(way), width);
			free(way);
			free(function);
			free(location);
		}
	}
}
