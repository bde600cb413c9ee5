// SPDX-License-Identifier: Apache-2.0
/* What leads to objects, as text. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static char none[] = "", field[] = ".m", element[] = "[\xe2\x80\xa6].ctx";
static char map[] = "map[int]*main.session", value[] = "context.valueCtx";
static char sessions[] = "main.sessions", f[] = "main.f";

static struct heap_holder_step steps[] = {
	{.type = none, .field = none, .address = 0xc000123000, .size = 64},
	{.type = map, .field = field, .address = 0xc000124000, .size = 48},
	{.type = value, .field = element, .address = 0xc000125000, .size = 48},
};

static struct heap_context contexts[] = {
	{"context.valueCtx", 0xc000125000, false, 0},
	{"context.cancelCtx", 0xc000126000, true, 1009},
	{"context.backgroundCtx", 0x5be0e0, false, 0},
};

static struct heap_holder_path paths[] = {
	{.kind = HEAP_WAY_VARIABLE,
	 .name = sessions,
	 .steps = steps,
	 .n_steps = 3,
	 .objects = 503,
	 .contexts = contexts,
	 .n_contexts = 3},
	{.kind = HEAP_WAY_STACK,
	 .name = f,
	 .goid = 18,
	 .steps = steps,
	 .n_steps = 2,
	 .left_out = 7},
	{.kind = HEAP_WAY_FINALIZER, .name = none, .steps = steps, .n_steps = 1},
	{.kind = HEAP_WAY_RUNTIME, .name = none, .steps = steps, .n_steps = 1},
	{.kind = HEAP_WAY_GOROUTINE, .name = none, .goid = 19, .steps = steps, .n_steps = 1},
	{.kind = HEAP_WAY_UNKNOWN, .name = none, .steps = steps, .n_steps = 1},
};

static const struct heap_holders holders =
	{.objects = 509, .held = 508, .ways = 1009, .apart = 2, .paths = paths, .n_paths = 6};

/* To be freed. */
static char *text_of(const struct heap_holders *shown, bool all)
{
	const struct text_options options = {
		.screen.columns = 100, .heap = true, .all = all, .no_verdict = true};
	struct sample sample;

	sample__healthy(&sample);
	sample.target.holders = shown;
	sample.report.end = REPORT_ONCE;
	return sample__text(&sample.report, &options);
}

static void check(bool all, const char *golden)
{
	char *text = text_of(&holders, all);

	sample__golden(golden, text);
	free(text);
}

Test(ways, the_first_few)
{
	check(false, "ways.txt");
}

Test(ways, all_of_them)
{
	check(true, "ways-all.txt");
}

Test(ways, one_that_waits_for_nothing_that_could_be_held)
{
	const struct heap_holders one = {.apart = 1};
	char *text = text_of(&one, false);

	cr_assert(
		strstr(text, "1 goroutine of those waits for nothing that could be held: it runs"),
		"%s", text);
	cr_assert_not(strstr(text, "0 ways"), "%s", text);
	free(text);
}
