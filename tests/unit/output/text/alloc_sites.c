// SPDX-License-Identifier: Apache-2.0
#include "output/text/alloc_sites.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static const struct report_frame frames[] = {
	{.function = "bytes.growSlice", .file = "/usr/local/go/src/bytes/buffer.go", .line = 249},
	{.function = "example.com/shop/cache.(*store).put",
	 .file = "/src/shop/cache/store.go",
	 .line = 112,
	 .own = true},
	{.function = "main.main", .file = "/src/shop/main.go", .line = 7, .own = true},
};

static char type[] = "cache.entry", path[] = "main.stores[…].entries[…]",
	    other_path[] = "main.recent", stack[] = "stack of main.main (goroutine 1)";

static struct report_alloc_site sites[13];
static struct report_allocations allocations;

static void set_up(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
		sites[i] = (struct report_alloc_site){
			.id = "00ff00ff",
			.in_use_bytes = 12300000 >> i,
			.in_use_objects = 201034 >> i,
			.alloc_bytes = 1200000000 >> i,
			.relative_error = 0.18 / (double)(i + 1),
			.growth_per_minute = i % 2 ? -2100000 : 2100000,
			.allocated_at = frames[1],
			.stack = frames,
			.n_stack = ARRAY_SIZE(frames),
		};
	sites[1].judgement = (struct alloc_judgement){
		.verdict = ALLOC_GROWING,
		.n_why = 2,
		.why = {"what survives collections rose from 1.2 MB to 6.2 MB in 1m30s, in each of "
			"6 periods",
			"none of the 36 sampled objects that stayed was freed"},
	};
	sites[2].due_ns = 1767348845678901234; /* 2026-01-02 10:14:05 */
	sites[0].type = type;
	sites[0].held_by[0] = path;
	sites[0].held_by[1] = other_path;
	sites[1].type = type;
	sites[1].held_by[0] = other_path;
	sites[4].held_by[0] = stack;
	sites[2].relative_error = 0;
	sites[3].allocated_at = (struct report_frame){0};
	allocations = (struct report_allocations){
		.source = ALLOC_SOURCE_SAMPLES,
		.in_use_known = true,
		.rate = 524288,
		.growth_known = true,
		.sites = sites,
		.n_sites = ARRAY_SIZE(sites),
	};
}

TestSuite(alloc_sites_text, .init = set_up);

static char *text_of(struct screen_options screen_options, struct alloc_sites_options options)
{
	struct screen screen;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cr_assert_not_null(out);
	screen__init(&screen, &screen_options);
	text_part__alloc_sites(&screen, &allocations, &options);
	cr_assert_eq(screen__flush(&screen, out), 0);
	fclose(out);
	return text;
}

static void check_golden(const char *name, struct screen_options screen,
			 struct alloc_sites_options options)
{
	char *text = text_of(screen, options);

	sample__golden(name, text);
	free(text);
}

Test(alloc_sites_text, the_first_few)
{
	check_golden("alloc-sites.txt", (struct screen_options){.columns = 100},
		     (struct alloc_sites_options){0});
}

Test(alloc_sites_text, all_with_their_stacks_into_a_pipe)
{
	allocations.growth_known = false;
	allocations.refused = 17;
	check_golden("alloc-sites-pipe.txt", (struct screen_options){.columns = 100, .whole = true},
		     (struct alloc_sites_options){.stacks = true, .all = true});
}

Test(alloc_sites_text, of_every_object)
{
	char *text;

	allocations.rate = 1;
	allocations.n_sites = 0;
	text = text_of((struct screen_options){.columns = 100}, (struct alloc_sites_options){0});
	cr_assert_str_eq(text,
			 "allocated  0 places, by the runtime's own profile of every object\n");
	free(text);
}

Test(alloc_sites_text, why_there_are_none)
{
	char *text;

	allocations.missing = "its memory profiling is turned off (runtime.MemProfileRate is 0)";
	text = text_of((struct screen_options){.columns = 100}, (struct alloc_sites_options){0});
	cr_assert_str_eq(text, "allocated  not known where: its memory profiling is turned off "
			       "(runtime.MemProfileRate is 0)\n");
	free(text);
}

/* Beyond the first few, too. */
Test(alloc_sites_text, what_grows_is_always_shown)
{
	char *text;

	sites[12].judgement = sites[1].judgement;
	text = text_of((struct screen_options){.columns = 100}, (struct alloc_sites_options){0});
	cr_assert_not_null(strstr(text, "2 places more"), "%s", text);
	cr_assert_neq(strstr(text, "GROWING"), strrchr(text, 'G'), "two of them: %s", text);
	free(text);
}

Test(alloc_sites_text, without_utf8)
{
	char *text = text_of((struct screen_options){.columns = 100, .ascii = true},
			     (struct alloc_sites_options){0});

	cr_assert_not_null(strstr(text, "+-18 %"), "%s", text);
	cr_assert_null(strstr(text, "±"));
	free(text);
}

/* Numbers that no process has do not break the table. */
Test(alloc_sites_text, absurd_numbers)
{
	char *text;

	sites[0] = (struct report_alloc_site){
		.in_use_bytes = INT64_MAX,
		.in_use_objects = INT64_MAX,
		.alloc_bytes = INT64_MAX,
		.relative_error = 1e300,
		.growth_per_minute = -1e300,
		.allocated_at = {.function = "\x1b[31mmain.f", .file = "\xff"},
	};
	text = text_of((struct screen_options){.columns = 80}, (struct alloc_sites_options){0});
	sample__check_lines(text, 80, "absurd");
	free(text);
}

/* --- in a watch --------------------------------------------------------------------------------- */

static char *watch_text(struct text_options options, bool final)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.target.allocations = &allocations;
	sample.report.end = final ? REPORT_DURATION_OVER : REPORT_GOES_ON;
	return sample__text(&sample.report, &options);
}

Test(alloc_sites_text, a_watch_shows_what_grows_and_nothing_else)
{
	const struct text_options options = {.screen.columns = 100};
	char *text = watch_text(options, true);

	sample__golden("memory-grows-final.txt", text);
	free(text);
	sites[1].judgement.verdict = ALLOC_STEADY;
	text = watch_text(options, true);
	cr_assert_null(strstr(text, "memory grows"), "%s", text);
	cr_assert_not_null(strstr(text, "No leak found"), "%s", text);
	free(text);
}

Test(alloc_sites_text, on_a_terminal_as_much_as_there_is_room_for)
{
	for (unsigned int rows = 8; rows < 60; rows++) {
		char *text = watch_text(
			(struct text_options){.screen.columns = 80, .rows = rows, .terminal = true},
			false);

		if (rows > 40)
			cr_assert_not_null(strstr(text, "memory grows"), "%u rows: %s", rows, text);
		free(text);
	}
}

Test(alloc_sites_text, into_a_pipe_each_place_once)
{
	const struct text_options options = {.screen.columns = 100};
	struct sample_stream stream;
	struct text_writer *writer;
	struct sample sample;
	const char *text;

	sample__healthy(&sample);
	sample__open(&stream);
	cr_assert_eq(text_writer__new(stream.file, &options, &writer), 0);
	cr_assert_eq(text_writer__write(writer, &sample.report), 0);
	cr_assert_null(strstr(sample__added(&stream), "memory grows"));
	sample.target.allocations = &allocations;
	cr_assert_eq(text_writer__write(writer, &sample.report), 0);
	text = sample__added(&stream);
	cr_assert_not_null(strstr(text, "memory grows at 1 place"), "%s", text);
	cr_assert_not_null(strstr(text, "GROWING"), "%s", text);
	sites[1].in_use_bytes *= 2;
	cr_assert_eq(text_writer__write(writer, &sample.report), 0);
	cr_assert_str_empty(sample__added(&stream));
	/* The two have ids of their own. */
	snprintf(sites[4].id, sizeof(sites[4].id), "00000004");
	sites[4].judgement = sites[1].judgement;
	cr_assert_eq(text_writer__write(writer, &sample.report), 0);
	text = sample__added(&stream);
	cr_assert_not_null(strstr(text, "memory grows at 1 place"), "the new one: %s", text);
	text_writer__free(writer);
	sample__close(&stream);
}
