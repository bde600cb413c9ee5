// SPDX-License-Identifier: Apache-2.0
#include "output/text/holders.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char map[] = "map[int]*main.session", path[] = "main.sessions.m", none[] = "",
	    other[] = "memory that is not Go's", element[] = "main.sessions.m[...]",
	    pointer[] = "*main.session";

static char *shown(const struct heap_view *view, bool all)
{
	const struct screen_options options = {.columns = 120, .whole = true, .ascii = true};
	struct screen screen;
	char *text;

	screen__init(&screen, &options);
	text_part__holders(&screen, view, &(struct holders_options){.all = all});
	cr_assert_eq(screen__error(&screen), 0);
	text = strndup(screen.data, screen.len);
	screen__release(&screen);
	cr_assert(text);
	return text;
}

static void has(const char *text, const char *line)
{
	cr_assert(strstr(text, line), "%s in %s", line, text);
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

	has(text, "of 90.0 % of the bytes the type is known");
	has(text, "900 B  90 %            3  map[int]*main.session\n");
	has(text, "900 B  90 %           20  main.sessions.m ");
	has(text, "itself\n");
	has(text, "GROWING main.sessions.m (map[int]*main.session) 12,000 ");
	has(text, " 24,000 entries in 2m, retains +2.6 MB\n");
	has(text, "GROWING memory that is not Go's 1.0 MB ");
	free(text);
}

Test(text_holders, too_few_looks_are_said)
{
	struct heap_view view = {.looked_ns = NSEC_PER_SEC};
	char *text = shown(&view, false);

	has(text, "a longer --duration");
	free(text);
	view.looked_ns = 0; /* one look */
	text = shown(&view, false);
	cr_assert_null(strstr(text, "--duration"));
	free(text);
	view = (struct heap_view){.looked_ns = NSEC_PER_SEC, .growth_known = true};
	text = shown(&view, false);
	has(text, "nothing grows at each look");
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
	has(text, "20 types more; --all shows them");
	free(text);
	text = shown(&view, true);
	cr_assert_null(strstr(text, "more; --all"));
	free(text);
}
