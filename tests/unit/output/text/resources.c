// SPDX-License-Identifier: Apache-2.0
#include "output/text/resources.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "sample_resources.h"

static char *shown(const struct resource_lines *lines, bool all)
{
	struct screen screen;

	sample__begin(&screen);
	text_part__resources(&screen, lines, all);
	return sample__end(&screen);
}

Test(text_resources, what_grows_with_its_evidence)
{
	char *text = shown(sample_resources(), false);

	sample__has(
		text,
		"file              61       48        0       +24       2m  main.logs[...]\n"
		"            more at each of 9 looks in 2m, 13 to 61; of 48 opened meanwhile 0 closed\n"
		"            17 opened at main.rotate  log.go:44, +20 a minute\n"
		"            called by main.serve  main.go:17\n"
		"            3 opened at other lines\n"
		"            also held by main.pool.conns[...].fd\n"
		"            fd 7 /var/log/shop\n"
		"            fd 9 /var/log/shop.1\n");
	sample__has(
		text,
		"net.Conn          17        5        7        -1       1m  main.pool.conns[...].fd\n");
	sample__has(
		text,
		"sync.Pool          5    1,103      107         0       2m  main.buffers\n"
		"            of 1103 that were seen to be taken 107 were put back: reuse lost, no leak\n"
		"            1001 taken, 5 put back at main.rotate  log.go:44\n"
		"            102 taken, 102 put back at other lines\n");
	sample__has(text, "main.rotate log.go:44\n            by goroutine 17\n");
	sample__has(text, "1,213 uses of pools seen by probes in 3 windows, 2 lost\n");
	sample__has(text, "the runtime, calls main.expire\n");
	sample__has(text, "  nothing\n            nothing was found to lead to them");
	sample__has(text, "23 openings seen by probes in 2 windows, 1 lost\n");
	sample__has(text, "4 places more; --all shows them\n");
	sample__has(text, "6 objects could not be read, or were too many\n");
	cr_assert_not(strstr(text, "never closed"));
	free(text);
}

/* A pool that is of use is not shown, but in --all. */
Test(text_resources, how_much_of_each_kind_where_not_all_is_shown)
{
	struct resource_lines lines = *sample_resources();
	struct resource_line few[3];
	char *text;

	few[0] = lines.all[0];
	few[1] = lines.all[1];
	few[1].place.verdict = RESOURCE_STEADY;
	few[2] = lines.all[3];
	lines.all = few;
	lines.n = ARRAY_SIZE(few);
	lines.left_out = 0;
	text = shown(&lines, false);
	sample__has(text, "1 place more; --all shows them\nin all 61 file, 17 net.Conn\n");
	free(text);
}

Test(text_resources, why_nobody_is_seen_to_open_them)
{
	struct resource_lines lines = *sample_resources();
	char *text;

	lines.openings = (struct resource_openings){.missing = "its code is not understood"};
	text = shown(&lines, false);
	sample__has(text, "who opens them cannot be seen: its code is not understood\n");
	cr_assert_not(strstr(text, "window"));
	free(text);
}

Test(text_resources, one_look_tells_no_changes)
{
	struct resource_lines lines = *sample_resources();
	char *text;

	lines.looks = 1;
	lines.elapsed_ns = 0;
	lines.all += 3;
	lines.n = 1;
	lines.left_out = lines.refused = 0;
	lines.watched = false;
	text = shown(&lines, false);
	cr_assert_str_eq(text, "\nkind            open  held by\n"
			       "net.Conn          17  main.pool.conns[...].fd\n"
			       "            fd 3 tcp 10.0.0.1:5432\n");
	free(text);
}

Test(text_resources, of_a_watch_only_what_grows)
{
	struct screen screen;
	char *text;

	sample__begin(&screen);
	text_part__growing_resources(&screen, NULL, 3);
	text_part__growing_resources(&screen, sample_resources(), 0);
	cr_assert_eq(screen.len, 0);
	text_part__growing_resources(&screen, sample_resources(), 3);
	text = sample__end(&screen);
	sample__has(text, "opened and not closed, more and more, at 1 place");
	sample__has(text, "17 opened at main.rotate");
	sample__has(text, "\ntaken and not put back, from 1 pool\n");
	sample__has(text, "reuse lost, no leak\n            1001 taken, 5 put back at main.rotate");
	cr_assert_not(strstr(text, "finds out which lines"));
	cr_assert_not(strstr(text, "net.Conn"));
	free(text);
}

/* Where no goroutine leaks, but something is not closed, that is no clean bill. */
Test(text_resources, the_end_of_a_watch_says_it)
{
	const struct text_options options = {.screen.columns = 100};
	struct sample sample;
	char *text;

	sample__healthy(&sample);
	sample.target.resources = sample_resources();
	sample.report.end = REPORT_DURATION_OVER;
	text = sample__text(&sample.report, &options);
	sample__has(text, "No goroutine leaks; more and more is open at 1 place\n");
	free(text);
}

Test(text_resources, nothing_grows)
{
	struct resource_lines lines = *sample_resources();
	char *text;

	lines.all += 3;
	lines.n = 1;
	text = shown(&lines, false);
	sample__has(text, "in 2m nothing was opened that is never closed\n");
	free(text);
}

Test(text_resources, too_few_looks)
{
	struct resource_lines lines = *sample_resources();
	char *text;

	lines.looks = RESOURCE_MIN_LOOKS - 1;
	text = shown(&lines, false);
	sample__has(text, "what grows would take 5 looks to tell; a longer --duration has them\n");
	free(text);
}

Test(text_resources, nothing_is_open)
{
	const struct resource_lines lines = {.looks = 1};
	char *text = shown(&lines, true);

	cr_assert_str_eq(text, "\nnothing is open\n");
	free(text);
}

Test(text_resources, what_was_closed_since_is_not_open)
{
	static char none[] = "";
	struct resource_line closed = {.place = {.kind = RESOURCE_FILE, .opened = 5, .closed = 5},
				       .calls = none};
	const struct resource_lines lines = {.all = &closed, .n = 1, .looks = 9};
	char *text = shown(&lines, false);

	sample__has(text, "\nnothing is open\n1 place more; --all shows them\n");
	free(text);
	text = shown(&lines, true);
	cr_assert_null(strstr(text, "nothing is open"));
	sample__has(text, "\nfile               0        5        5 ");
	free(text);
}
