// SPDX-License-Identifier: Apache-2.0
#include "output/text/holders.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static char map[] = "map[int]*main.session", path[] = "main.sessions.m", none[] = "",
	    other[] = "memory that is not Go's", element[] = "main.sessions.m[...]",
	    pointer[] = "*main.session";

static char *shown(const struct heap_view *view, bool all)
{
	struct screen screen;

	sample__begin(&screen);
	text_part__holders(&screen, view, &(struct holders_options){.all = all});
	return sample__end(&screen);
}

Test(text_holders, types_holders_and_growth)
{
	struct heap_view_type types[] = {{map, 3, 900, true}, {none, 1, 100, false}};
	struct heap_view_holder holders[] = {
		{path, map, path, 20, 900, 0, false},
		{element, pointer, element + 15, 17, 500, 1, true},
	};
	struct heap_view_growth growing[] = {
		{path, map, true, 12000, 24000, 1000000, 3600000, 6000},
		{other, none, false, 0, 0, 1000000, 3000000, 1000},
	};
	const struct heap_view view = {
		.types = types,
		.n_types = 2,
		.holders = holders,
		.n_holders = 2,
		.growing = growing,
		.n_growing = 2,
		.growth_known = true,
		.looked_ns = 120 * NSEC_PER_SEC,
		.bytes = 1000,
		.typed_bytes = 900,
	};
	char *text = shown(&view, false);

	sample__has(text, "of 90.0 % of the bytes the type is known");
	sample__has(text, "900 B  90 %            3  map[int]*main.session\n");
	sample__has(text, "900 B  90 %           20  main.sessions.m ");
	sample__has(text, "itself\n");
	sample__has(text, "GROWING main.sessions.m (map[int]*main.session) 12,000 ");
	sample__has(text, " 24,000 entries in 2m, retains +2.6 MB\n");
	sample__has(text, "GROWING memory that is not Go's 1.0 MB ");
	free(text);
}

/* Not what grows with it: where it is, and by how much. */
Test(text_holders, how_much_it_grows_is_seen_on_a_narrow_terminal)
{
	static char long_path[] =
		"stack of example.org/shop/cart.(*Store).run.func1 (goroutine 4711), "
		"in net/http.(*Server).Serve.Handler.carts";
	struct heap_view_growth growing[] = {
		{long_path, map, true, 12000, 24000, 1000000, 3600000, 6000},
	};
	const struct heap_view view = {.growing = growing,
				       .n_growing = 1,
				       .growth_known = true,
				       .looked_ns = NSEC_PER_SEC};
	const struct screen_options options = {.columns = 100, .ascii = true};
	struct screen screen;
	char *text;

	screen__init(&screen, &options);
	text_part__holders(&screen, &view, &(struct holders_options){.no_types = true});
	text = sample__end(&screen);
	sample__check_lines(text, 100, "what grows");
	sample__has(text, ".carts (map[int]*main.session) 12,000 ");
	sample__has(text, " entries in 1s, retains +2.6 MB\n");
	free(text);
}

Test(text_holders, too_few_looks_are_said)
{
	struct heap_view view = {.looked_ns = NSEC_PER_SEC};
	char *text = shown(&view, false);

	sample__has(text, "a longer --duration");
	free(text);
	view.looked_ns = 0; /* one look */
	text = shown(&view, false);
	cr_assert_null(strstr(text, "--duration"));
	free(text);
	view = (struct heap_view){.looked_ns = NSEC_PER_SEC, .growth_known = true};
	text = shown(&view, false);
	sample__has(text, "nothing grows at each look");
	free(text);
}

Test(text_holders, most_of_it_unless_all_is_wanted)
{
	struct heap_view_type types[30];
	const struct heap_view view = {.types = types, .n_types = 30, .bytes = 3000};
	char *text;

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		types[i] = (struct heap_view_type){map, 1, 100, true};
	text = shown(&view, false);
	sample__has(text, "20 types more; --all shows them");
	free(text);
	text = shown(&view, true);
	cr_assert_null(strstr(text, "more; --all"));
	free(text);
}
