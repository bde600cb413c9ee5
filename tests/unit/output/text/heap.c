// SPDX-License-Identifier: Apache-2.0
/* How many lines of the heap a terminal has room for. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

#define N 40

static char name[] = "example.com/shop/cache.entry",
	    step[] = "example.com/shop/cache.stores.entries";
static struct heap_view_type types[N];
static struct heap_view_holder holders[N];
static struct report_alloc_site sites[N];
static struct heap_view view;
static struct report_allocations allocations;

static void set_up(void)
{
	for (size_t i = 0; i < N; i++) {
		types[i] = (struct heap_view_type){name, 100 - i, 100000 - i, true};
		holders[i] =
			(struct heap_view_holder){step, name, step, 10, 100000 - i, i % 3, false};
		sites[i] = (struct report_alloc_site){
			.id = "00ff00ff",
			.in_use_bytes = 100000 - i,
			.type = name,
			.allocated_at = {.function = "example.com/shop/cache.(*store).put",
					 .file = "store.go",
					 .line = 7},
		};
	}
	view = (struct heap_view){
		.memory = {.rss_bytes = 412000000, .live_bytes = 310000000, .objects = 2411906},
		.types = types,
		.n_types = N,
		.holders = holders,
		.n_holders = N,
		.bytes = 310000000,
		.typed_bytes = 300000000,
		.looked_ns = 120 * NSEC_PER_SEC,
		.growth_known = true,
	};
	allocations = (struct report_allocations){
		.source = ALLOC_SOURCE_SAMPLES,
		.in_use_known = true,
		.rate = 524288,
		.sites = sites,
		.n_sites = N,
	};
}

TestSuite(heap_text, .init = set_up);

static char *text_of(unsigned int rows, bool final, enum report_alloc_by by)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.target.heap = &view;
	sample.target.allocations = &allocations;
	sample.report.end = final ? REPORT_DURATION_OVER : REPORT_GOES_ON;
	return sample__text(&sample.report, &(struct text_options){
						    .screen.columns = 80,
						    .rows = rows,
						    .terminal = rows && !final,
						    .heap = true,
						    .alloc_by = by,
					    });
}

static size_t times(const char *text, const char *part)
{
	size_t n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

static size_t lines_of(const char *text)
{
	return times(text, "\n");
}

Test(heap_text, a_screen_has_some_of_each_part)
{
	for (unsigned int rows = 24; rows <= 100; rows++) {
		char *text = text_of(rows, true, REPORT_ALLOC_BY_ALL);

		cr_expect_lt(lines_of(text), rows, "%u rows: %s", rows, text);
		sample__has(text, "by type ");
		sample__has(text, "by holder ");
		sample__has(text, "nothing grows at each look");
		sample__has(text, "(*store).put");
		cr_expect_eq(times(text, "more; --all shows them"), 3, "%s", text);
		free(text);
	}
}

Test(heap_text, more_rows_have_more)
{
	size_t before = 0;

	for (unsigned int rows = 24; rows <= 80; rows += 8) {
		char *text = text_of(rows, true, REPORT_ALLOC_BY_ALL);
		size_t n = lines_of(text);

		cr_expect_geq(n, before, "%u rows", rows);
		before = n;
		if (rows == 48) {
			cr_expect_geq(times(text, "(*store).put"), 5, "%s", text);
			cr_expect_gt(n, rows - 8, "%s", text);
		}
		free(text);
	}
}

Test(heap_text, a_frame_is_no_higher_than_the_screen)
{
	for (unsigned int rows = 24; rows <= 80; rows++) {
		char *text = text_of(rows, false, REPORT_ALLOC_BY_ALL);

		sample__has(text, "(*store).put");
		sample__has(text, "by holder ");
		free(text);
	}
}

Test(heap_text, what_is_told_alone_has_the_screen)
{
	char *text = text_of(36, true, REPORT_ALLOC_BY_TYPE);

	cr_expect_lt(lines_of(text), 36, "%s", text);
	cr_expect_gt(times(text, "cache.entry"), 20, "%s", text);
	free(text);
}

Test(heap_text, a_pipe_has_no_height)
{
	char *text = text_of(0, true, REPORT_ALLOC_BY_ALL);

	cr_expect_eq(times(text, "(*store).put"), 10, "%s", text);
	free(text);
}
