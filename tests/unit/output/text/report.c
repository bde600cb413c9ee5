// SPDX-License-Identifier: Apache-2.0
#include "output/text/report.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/text/screen.h"
#include "sample.h"

static const struct text_options plain = {.screen.columns = 100};

static void check_golden(const char *name, const struct report *report,
			 const struct text_options *options)
{
	char *text = sample__text(report, options);

	sample__golden(name, text);
	free(text);
}

Test(text, leaks)
{
	struct sample sample;

	sample__leaks(&sample);
	check_golden("leaks.txt", &sample.report, &plain);
}

Test(text, into_a_pipe_nothing_is_cut)
{
	struct text_options options = {.screen = {.columns = 100, .whole = true}, .verbose = true};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	check_golden("leaks-pipe.txt", &sample.report, &options);
	for (unsigned int seed = 1; seed <= 100; seed++) {
		sample__random(&sample, seed);
		options.all = seed % 2;
		sample.report.end = seed % 3 ? REPORT_GOES_ON : REPORT_INTERRUPTED;
		text = sample__text(&sample.report, &options);
		cr_assert_null(strstr(text, ELLIPSIS), "%s", text);
		free(text);
		sample__random_free(&sample);
	}
}

/* On a terminal they lose what cannot be shown at their end, if they must. */
Test(text, nothing_is_left_out_of_the_middle_of_a_name)
{
	struct text_options options = {.verbose = true, .all = true};

	for (unsigned int seed = 1; seed <= 100; seed++) {
		struct sample sample;
		char *text;

		sample__random(&sample, seed);
		options.screen.columns = 60 + seed;
		text = sample__text(&sample.report, &options);
		for (const char *cut = strstr(text, ELLIPSIS); cut; cut = strstr(cut, ELLIPSIS)) {
			cut += strlen(ELLIPSIS);
			cr_assert(strchr(" ,\n\xe2", *cut), "%.40s", cut);
		}
		free(text);
		sample__random_free(&sample);
	}
}

Test(text, plain_ascii_where_the_locale_has_nothing_else)
{
	struct text_options options = {.screen = {.columns = 80, .ascii = true}, .all = true};

	for (unsigned int seed = 0; seed <= 100; seed++) {
		struct sample sample;
		char *text;

		if (seed)
			sample__random(&sample, seed);
		else
			sample__hostile(&sample);
		text = sample__text(&sample.report, &options);
		sample__check_lines(text, 80, "in ASCII");
		for (const char *c = text; *c; c++)
			cr_assert_eq(*c & 0x80, 0, "%.40s", c);
		free(text);
		if (seed)
			sample__random_free(&sample);
	}
}

Test(text, every_site_has_its_id_on_any_screen)
{
	for (unsigned int columns = 60; columns < 130; columns += 7) {
		struct text_options options = {.screen.columns = columns, .all = true};
		struct sample sample;
		char *text;

		sample__leaks(&sample);
		text = sample__text(&sample.report, &options);
		for (size_t i = 0; i < sample.target.n_sites; i++)
			cr_expect_not_null(strstr(text, sample.sites[i].id), "%u columns: %s",
					   columns, sample.sites[i].id);
		free(text);
	}
}

Test(text, leaks_verbose_narrow_final)
{
	struct text_options options = {.screen.columns = 80, .verbose = true};
	struct sample sample;

	sample__leaks(&sample);
	sample.report.end = REPORT_INTERRUPTED;
	check_golden("leaks-verbose-80.txt", &sample.report, &options);
}

Test(text, the_wrapper_of_a_go_statement_is_not_what_it_runs)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.sites[0].start_function = "main.(*Server).handle.gowrap2";
	text = sample__text(&sample.report, &plain);
	cr_expect_null(strstr(text, "gowrap"));
	cr_expect_not_null(strstr(text, "runs        main.fetch.func1\n"));
	free(text);
	sample.sites[0].start_function = "main.gowrap2x";
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "runs        main.gowrap2x\n"));
	free(text);
}

Test(text, all_sites_with_stacks)
{
	struct text_options options = {.screen.columns = 100, .verbose = true, .all = true};
	struct sample sample;

	sample__leaks(&sample);
	for (size_t i = 0; i < sample.target.n_sites; i++) {
		if (verdict__is_alarm(sample.sites[i].view.verdict))
			sample.sites[i].view.verdict = VERDICT_GROWING;
	}
	check_golden("all-verbose.txt", &sample.report, &options);
}

/* A suspicion is no finding, and no all-clear: the report says what would settle it. */
Test(text, what_would_settle_a_suspicion)
{
	const char *const why[] = {"1,009 came one by one and have waited here ever since",
				   "watching for 26s more settles it"};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.report.end = REPORT_INTERRUPTED;
	for (size_t i = 0; i < sample.target.n_sites; i++) {
		if (verdict__is_suspect(sample.sites[i].view.verdict))
			sample.sites[i].view.verdict = VERDICT_IDLE;
	}
	sample.sites[0].view.verdict = VERDICT_SUSPECTED;
	sample.sites[0].view.why = why;
	sample.sites[0].view.n_why = ARRAY_SIZE(why);
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\n  a1b2c3d4  suspected  94 %  1,503  chan send"), "%s",
			   text);
	cr_expect_not_null(strstr(text, "\n    watching for 26s more settles it\n"), "%s", text);
	cr_expect_not_null(strstr(text, "\nNothing certain yet; 1 site suspected\n"), "%s", text);
	cr_expect_null(strstr(text, "No leak found"));
	free(text);
	sample.sites[1].view.verdict = VERDICT_STUCK;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\nFound 1 stuck site, 88 goroutines; 1 site suspected\n"),
			   "%s", text);
	free(text);
}

Test(text, colors)
{
	struct text_options options = {.screen.columns = 100, .screen.color = true};
	struct sample sample;

	sample__leaks(&sample);
	check_golden("leaks-color.txt", &sample.report, &options);
}

Test(text, narrow)
{
	struct text_options options = {.screen.columns = 60};
	struct sample sample;

	sample__leaks(&sample);
	check_golden("leaks-60.txt", &sample.report, &options);
}

Test(text, suppressed_sites_are_counted)
{
	struct sample sample;

	sample__suppressed(&sample);
	sample.report.end = REPORT_INTERRUPTED;
	check_golden("silenced-final.txt", &sample.report, &plain);
}

Test(text, suppressed_sites_are_shown_when_asked_for)
{
	struct text_options options = {.screen.columns = 100, .all = true};
	struct sample sample;

	sample__suppressed(&sample);
	check_golden("silenced-all.txt", &sample.report, &options);
}

/* The hint at the end must not be what falls off. */
Test(text, reasons_for_suppression_leave_room_for_the_hint)
{
	struct sample sample;
	char *text;

	sample__suppressed(&sample);
	sample.sites[1].suppressed_reason =
		"a reason that goes on and on, as if whoever wrote it had been paid by the word";
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\n3 sites silenced by the allow-list: a reason that"));
	cr_expect_not_null(strstr(text, " (--all shows them)\n"));
	free(text);
	sample.sites[1].suppressed_reason = "short";
	sample.sites[3].suppressed_reason =
		"a reason that is by far too long to stand on the line that tells the others";
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, ": short; and more (--all shows them)\n"), "%s", text);
	free(text);
}

/* Programs run on while they are read: a few that could not be are no news. */
Test(text, what_could_not_be_read_is_told_when_it_matters)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.target.unreadable = 13;
	text = sample__text(&sample.report, &plain);
	cr_expect_null(strstr(text, "note"), "%s", text);
	free(text);
	sample.target.unreadable = 86;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "note: 86 goroutines could not be read: most ran on"), "%s",
			   text);
	free(text);
}

Test(text, a_rate_is_told_when_it_is_known)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.target.created_per_second = sample.target.exited_per_second = -1;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "   created 4,826   exited 4,120\n"), "%s", text);
	free(text);
	sample.target.created_per_second = 4010.4;
	sample.target.exited_per_second = 0;
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "   created 4,826 (4,010/s)   exited 4,120 (0/s)\n"));
	free(text);
}

/* A verdict and a slope beside it that says otherwise: a reader believes neither. */
Test(text, growth_does_not_contradict_the_verdict)
{
	static const struct {
		enum verdict verdict;
		const char *words; /* of 60 a minute; NULL: none */
	} cases[] = {
		{VERDICT_LEAKING, "  +60/min"},	  {VERDICT_GROWING, "  +60/min"},
		{VERDICT_STUCK, "  60 more/min"}, {VERDICT_IDLE, NULL},
		{VERDICT_ACTIVE, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sample sample;
		char *text;

		sample__leaks(&sample);
		sample.target.n_sites = 1;
		sample.sites[0].view.verdict = cases[i].verdict;
		sample.sites[0].view.growth_per_minute = 60;
		sample.sites[0].view.n_why = 0;
		text = sample__text(&sample.report, &plain);
		if (cases[i].words)
			cr_expect_not_null(strstr(text, cases[i].words), "%s", text);
		else
			cr_expect_null(strstr(text, "/min"), "%s", text);
		sample.sites[0].view.growth_per_minute = -60;
		free(text);
		text = sample__text(&sample.report, &plain);
		if (cases[i].verdict == VERDICT_STUCK)
			cr_expect_null(strstr(text, "/min"), "%s", text);
		free(text);
	}
}

static void check_objects(struct sample *sample, const char *wanted)
{
	char *text = sample__text(&sample->report, &plain);

	cr_expect_not_null(strstr(text, wanted), "no \"%s\" in:\n%s", wanted, text);
	free(text);
}

/* What one site's members wait on, from the only member to many with several each. */
Test(text, objects_in_words)
{
	struct wait_objects objects = {
		.looked_at = 1,
		.distinct = 1,
		.n_top = 1,
		.top = {{.address = 0xc0de, .members = 1, .receivers = 1, .capacity = 2},
			{.address = 0xc0df, .members = 1, .senders = 2, .closed = true}},
	};
	struct sample sample;

	sample__leaks(&sample);
	sample.sites[0].objects = &objects;
	sample.sites[0].view.goroutines = 1;
	check_objects(&sample,
		      "  it waits on channel 0xc0de (buffer 0 of 2, no sender, 1 receiver)\n");
	sample.sites[0].view.goroutines = 2;
	objects.looked_at = objects.distinct = 2;
	objects.n_top = 2;
	check_objects(&sample, "  all 2 wait on a channel of their own, such as 0xc0de (");
	objects.distinct = 4;
	check_objects(&sample,
		      "  all 2 wait on 4 objects, none of them shared, such as channel 0xc0de");
	objects.top[0].members = 2;
	check_objects(&sample, "  all 2 wait on one channel 0xc0de (");
	check_objects(&sample,
		      "  1 of 2 waits on channel 0xc0df (unbuffered, 2 senders, no receiver, "
		      "closed)\n");
	check_objects(&sample, "  and 2 more objects\n");
	objects.top[1].timer = true;
	objects.top[1].more_waiters = true;
	check_objects(&sample,
		      "  1 of 2 waits on channel 0xc0df (unbuffered, more than 2 senders, no");
	objects.looked_at = 0;
	sample.target.n_sites = 1;
	char *text = sample__text(&sample.report, &plain);

	cr_expect_null(strstr(text, "waiting on"));
	free(text);
}

Test(text, nothing_found_says_what_was_looked_at)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.report.end = REPORT_DURATION_OVER;
	check_golden("healthy-final.txt", &sample.report, &plain);
}

static char *text_not_judged(const struct report *report, const char *why)
{
	struct text_writer *writer;
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cr_assert_not_null(out);
	cr_assert_eq(text_writer__new(out, &plain, &writer), 0);
	text_writer__not_judged(writer, why);
	cr_assert_eq(text_writer__write(writer, report), 0);
	text_writer__free(writer);
	fclose(out);
	return text;
}

/* Nobody reads "No leak found" of a watch that could not have found one. */
Test(text, what_could_not_be_judged_is_said_before_what_was_not_found)
{
	static const char why[] = "5s is too short, a leak takes 26s";
	struct sample sample;
	char *text;

	sample__healthy(&sample);
	sample.report.end = REPORT_DURATION_OVER;
	text = text_not_judged(&sample.report, why);
	cr_expect_not_null(strstr(text, "\nNot judged: 5s is too short, a leak takes 26s\n"
					"No leak was seen so far\nlooked at "),
			   "%s", text);
	free(text);
	/* What was found was found, and one look says for itself what it cannot see. */
	sample.report.end = REPORT_ONCE;
	text = text_not_judged(&sample.report, why);
	cr_expect_null(strstr(text, "Not judged"), "%s", text);
	free(text);
	sample__leaks(&sample);
	sample.report.end = REPORT_DURATION_OVER;
	text = text_not_judged(&sample.report, why);
	cr_expect_null(strstr(text, "Not judged"), "%s", text);
	free(text);
}

Test(text, a_single_census_says_what_it_cannot_see)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.target.mode = PROBE_MODE_CENSUS;
	sample.target.mode_reason = "";
	sample.report.end = REPORT_ONCE;
	check_golden("once-final.txt", &sample.report, &plain);
}

Test(text, nothing_seen_yet)
{
	struct sample sample;

	sample__empty(&sample);
	check_golden("empty.txt", &sample.report, &plain);
}

Test(text, losses_mode_and_the_end_of_the_target)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.target.mode = PROBE_MODE_LIFECYCLE;
	sample.target.mode_reason =
		"parks cost 3.1 % of the target's CPU, which is more than the budget of 1 %; they "
		"come back when they cost less";
	sample.target.totals.lost = 1204;
	sample.target.totals.repaired = 1100;
	sample.target.totals.inexact = true;
	sample.target.unreadable = 171;
	sample.target.totals.refused = 17;
	sample.target.exited_target = true;
	sample.report.end = REPORT_TARGET_EXITED;
	check_golden("losses-final.txt", &sample.report, &plain);
}

Test(text, who_stands_still_is_told_as_such)
{
	static const char *const words[] = {
		[EXECUTION_STOPPED] = "stopped by a signal: its goroutines cannot run",
		[EXECUTION_TRACED] =
			"held by gdb (pid 99), which traces it: its goroutines cannot run",
		[EXECUTION_FROZEN] = "frozen with its control group: its goroutines cannot run",
	};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	for (enum execution_state state = EXECUTION_STOPPED; state <= EXECUTION_FROZEN; state++) {
		sample.target.execution =
			(struct execution){.state = state, .tracer = 99, .tracer_comm = "gdb"};
		text = sample__text(&sample.report, &plain);
		cr_expect_not_null(strstr(text, words[state]), "%s", text);
		free(text);
	}
	sample.target.execution.state = EXECUTION_RUNNING;
	text = sample__text(&sample.report, &plain);
	cr_expect_null(strstr(text, "cannot run"), "%s", text);
	free(text);
}

Test(text, hostile_names)
{
	struct text_options options = {.screen.columns = 100, .verbose = true, .all = true};
	struct sample sample;

	sample__hostile(&sample);
	sample.report.end = REPORT_INTERRUPTED;
	check_golden("hostile.txt", &sample.report, &options);
}

/* --- what must hold for every report -------------------------------------------------------------- */

static void check_random(unsigned int seed)
{
	struct text_options options = {
		.screen.columns = 60 + seed % 100,
		.screen.color = seed % 2,
		.verbose = seed % 3 == 0,
		.all = seed % 5 == 0,
	};
	struct sample sample;
	char what[32];
	char *text;

	snprintf(what, sizeof(what), "seed %u", seed);
	sample__random(&sample, seed);
	sample.report.end = seed % 7 ? REPORT_GOES_ON : REPORT_INTERRUPTED;
	text = sample__text(&sample.report, &options);
	sample__check_lines(text, options.screen.columns, what);
	cr_assert(options.screen.color || !strchr(text, '\033'), "%s: escape without colour", what);
	free(text);
	sample__random_free(&sample);
}

Test(text, no_line_is_too_wide_and_nothing_unsafe_gets_out)
{
	for (unsigned int seed = 1; seed <= 400; seed++)
		check_random(seed);
}

Test(text, a_terminal_never_scrolls)
{
	for (unsigned int seed = 1; seed <= 200; seed++) {
		struct text_options options = {
			.terminal = true,
			.screen.color = true,
			.screen.columns = 60 + seed % 70,
			.rows = 8 + seed % 60,
			.verbose = seed % 3 == 0,
			.all = seed % 4 == 0,
		};
		struct sample sample;
		struct sample_stream stream;
		struct text_writer *writer;
		const char *first, *second;

		sample__random(&sample, seed);
		sample__open(&stream);
		cr_assert_eq(text_writer__new(stream.file, &options, &writer), 0);
		cr_assert_eq(text_writer__write(writer, &sample.report), 0);
		/* The first frame makes room for itself with empty lines. */
		first = sample__added(&stream);
		cr_assert_eq(strspn(first, "\n"), options.rows);
		cr_assert_eq(text_writer__write(writer, &sample.report), 0);
		second = sample__added(&stream);
		cr_assert_eq(strncmp(second, "\033[H", 3), 0);
		cr_assert_lt(sample__check_lines(second, options.screen.columns, "frame"),
			     options.rows, "seed %u", seed);
		text_writer__free(writer);
		sample__close(&stream);
		sample__random_free(&sample);
	}
}

Test(text, a_small_terminal_keeps_every_flagged_site)
{
	struct text_options options = {.terminal = true, .screen.columns = 100, .rows = 14};
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	text = sample__text(&sample.report, &options);
	cr_assert(strstr(text, "a1b2c3d4") && strstr(text, "00c0ffee") && strstr(text, "0badf00d"));
	cr_assert_not_null(strstr(text, "not flagged  7 sites"));
	cr_assert_null(strstr(text, "created at"));
	free(text);
}

Test(text, many_flagged_sites_are_cut_unless_asked_for)
{
	struct text_options options = plain;
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	for (size_t i = 1; i < SAMPLE_MAX_SITES; i++)
		sample.sites[i] = sample.sites[0];
	sample.target.n_sites = SAMPLE_MAX_SITES;
	text = sample__text(&sample.report, &options);
	cr_assert_not_null(strstr(text, "and 14 more flagged sites"));
	free(text);
	options.all = true;
	text = sample__text(&sample.report, &options);
	cr_assert_null(strstr(text, "more flagged sites"));
	free(text);
}

Test(text, a_full_disk_is_reported)
{
	struct text_writer *writer;
	struct sample sample;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		cr_skip_test("needs /dev/full");
	sample__leaks(&sample);
	cr_assert_eq(text_writer__new(full, &plain, &writer), 0);
	cr_assert_eq(text_writer__write(writer, &sample.report), -ENOSPC);
	text_writer__free(writer);
	text_writer__free(NULL);
	fclose(full);
}
