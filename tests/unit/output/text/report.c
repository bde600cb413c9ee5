// SPDX-License-Identifier: Apache-2.0
#include "output/text/report.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/text/screen.h"
#include "sample.h"

static const struct text_options plain = {.columns = 100};

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

Test(text, leaks_verbose_narrow_final)
{
	struct text_options options = {.columns = 80, .verbose = true};
	struct sample sample;

	sample__leaks(&sample);
	sample.report.final = true;
	sample.report.final_reason = "interrupted";
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
	struct text_options options = {.columns = 100, .verbose = true, .all = true};
	struct sample sample;

	sample__leaks(&sample);
	for (size_t i = 0; i < sample.target.n_sites; i++)
		sample.sites[i].flagged = false;
	check_golden("all-verbose.txt", &sample.report, &options);
}

Test(text, colors)
{
	struct text_options options = {.columns = 100, .color = true};
	struct sample sample;

	sample__leaks(&sample);
	check_golden("leaks-color.txt", &sample.report, &options);
}

Test(text, narrow)
{
	struct text_options options = {.columns = 60};
	struct sample sample;

	sample__leaks(&sample);
	check_golden("leaks-60.txt", &sample.report, &options);
}

Test(text, silenced_sites_are_counted)
{
	struct sample sample;

	sample__silenced(&sample);
	sample.report.final = true;
	check_golden("silenced-final.txt", &sample.report, &plain);
}

Test(text, silenced_sites_are_shown_when_asked_for)
{
	struct text_options options = {.columns = 100, .all = true};
	struct sample sample;

	sample__silenced(&sample);
	check_golden("silenced-all.txt", &sample.report, &options);
}

/* The hint at the end must not be what falls off. */
Test(text, reasons_for_silence_leave_room_for_the_hint)
{
	struct sample sample;
	char *text;

	sample__silenced(&sample);
	sample.sites[1].silenced_reason =
		"a reason that goes on and on, as if whoever wrote it had been paid by the word";
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, "\n3 sites silenced by the allow-list: a reason that"));
	cr_expect_not_null(strstr(text, " (--all shows them)\n"));
	free(text);
	sample.sites[1].silenced_reason = "short";
	sample.sites[3].silenced_reason =
		"a reason that is by far too long to stand on the line that tells the others";
	text = sample__text(&sample.report, &plain);
	cr_expect_not_null(strstr(text, ": short; the warehouse is being rebuilt; " ELLIPSIS
					" (--all shows them)\n"),
			   "%s", text);
	free(text);
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
	struct report_object items[] = {
		{.kind = "channel", .address = 0xc0de, .members = 1, .receivers = 1, .capacity = 2},
		{.kind = "channel", .address = 0xc0df, .members = 1, .senders = 2, .closed = true},
	};
	struct report_objects *objects;
	struct sample sample;

	sample__leaks(&sample);
	objects = &sample.sites[0].objects;
	sample.sites[0].goroutines = 1;
	*objects = (struct report_objects){1, 1, items, 1};
	check_objects(&sample,
		      "  it waits on channel 0xc0de (buffer 0 of 2, no sender, 1 receiver)\n");
	sample.sites[0].goroutines = 2;
	*objects = (struct report_objects){2, 2, items, 2};
	check_objects(&sample, "  all 2 wait on a channel of their own, such as 0xc0de (");
	*objects = (struct report_objects){2, 4, items, 2};
	check_objects(&sample,
		      "  all 2 wait on 4 objects, none of them shared, such as channel 0xc0de");
	items[0].members = 2;
	check_objects(&sample, "  all 2 wait on one channel 0xc0de (");
	check_objects(&sample,
		      "  1 of 2 waits on channel 0xc0df (unbuffered, 2 senders, no receiver, "
		      "closed)\n");
	check_objects(&sample, "  " ELLIPSIS " and 2 more objects\n");
	items[1].timer = true;
	items[1].more_waiters = true;
	check_objects(&sample,
		      "  1 of 2 waits on channel 0xc0df (unbuffered, more than 2 senders, no");
	*objects = (struct report_objects){0, 0, items, 2};
	sample.target.n_sites = 1;
	char *text = sample__text(&sample.report, &plain);

	cr_expect_null(strstr(text, "waiting on"));
	free(text);
}

Test(text, nothing_found_says_what_was_looked_at)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.report.final = true;
	sample.report.final_reason = "duration over";
	check_golden("healthy-final.txt", &sample.report, &plain);
}

Test(text, a_single_census_says_what_it_cannot_see)
{
	struct sample sample;

	sample__healthy(&sample);
	sample.target.mode = "census";
	sample.target.mode_reason = "";
	sample.report.final = true;
	sample.report.final_reason = "once";
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
	sample.target.mode = "lifecycle";
	sample.target.mode_reason =
		"parks cost 3.1 % of the target's CPU, which is more than the budget of 1 %; they "
		"come back when they cost less";
	sample.target.lost_events = 1204;
	sample.target.repaired = 1100;
	sample.target.inexact = true;
	sample.target.unreadable = 1;
	sample.target.refused = 17;
	sample.target.exited_target = true;
	sample.report.final = true;
	sample.report.final_reason = "target exited";
	check_golden("losses-final.txt", &sample.report, &plain);
}

Test(text, hostile_names)
{
	struct text_options options = {.columns = 100, .verbose = true, .all = true};
	struct sample sample;

	sample__hostile(&sample);
	sample.report.final = true;
	check_golden("hostile.txt", &sample.report, &options);
}

/* --- what must hold for every report -------------------------------------------------------------- */

static void check_random(unsigned int seed)
{
	struct text_options options = {
		.columns = 60 + seed % 100,
		.color = seed % 2,
		.verbose = seed % 3 == 0,
		.all = seed % 5 == 0,
	};
	struct sample sample;
	char what[32];
	char *text;

	snprintf(what, sizeof(what), "seed %u", seed);
	sample__random(&sample, seed);
	sample.report.final = seed % 7 == 0;
	text = sample__text(&sample.report, &options);
	sample__check_lines(text, options.columns, what);
	cr_assert(options.color || !strchr(text, '\033'), "%s: escape without colour", what);
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
			.color = true,
			.columns = 60 + seed % 70,
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
		cr_assert_lt(sample__check_lines(second, options.columns, "frame"), options.rows,
			     "seed %u", seed);
		text_writer__free(writer);
		sample__close(&stream);
		sample__random_free(&sample);
	}
}

Test(text, a_small_terminal_keeps_every_flagged_site)
{
	struct text_options options = {.terminal = true, .columns = 100, .rows = 14};
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

/* --- a log into a pipe ---------------------------------------------------------------------------- */

static struct sample log_sample;
static struct sample_stream log_stream;
static struct text_writer *log_writer;

static void open_log(void)
{
	sample__leaks(&log_sample);
	sample__open(&log_stream);
	cr_assert_eq(text_writer__new(log_stream.file, &plain, &log_writer), 0);
	cr_assert_eq(text_writer__write(log_writer, &log_sample.report), 0);
	cr_assert_not_null(strstr(sample__added(&log_stream), "LEAKING  94 % sure  1,503"));
}

static void close_log(void)
{
	text_writer__free(log_writer);
	sample__close(&log_stream);
}

/* What the log says @seconds later. */
static const char *later(unsigned int seconds)
{
	log_sample.report.realtime_ns += seconds * NSEC_PER_SEC;
	log_sample.target.observed_seconds += seconds;
	cr_assert_eq(text_writer__write(log_writer, &log_sample.report), 0);
	return sample__added(&log_stream);
}

TestSuite(log, .init = open_log, .fini = close_log);

Test(log, silent_when_nothing_changes_but_for_a_line_a_minute)
{
	cr_assert_str_empty(later(2));
	cr_assert_str_empty(later(57));
	cr_assert_str_eq(later(1),
			 "03:05:05Z  pid 4242  1,715 goroutines, 1,705 parked  2 leaking sites, "
			 "1,591 goroutines; 1 stuck site\n");
	cr_assert_str_empty(later(59));
}

Test(log, growth_is_told_when_it_adds_up_to_a_tenth)
{
	for (int i = 0; i < 10; i++) {
		log_sample.sites[0].goroutines += 14;
		cr_assert_str_empty(later(2), "after step %d", i);
	}
	log_sample.sites[0].goroutines += 14;
	const char *text = later(2);

	cr_assert_not_null(strstr(
		text,
		"\n  leaking  94 %  1,657  chan send  +120/min  main.deliver  fetch.go:17\n"));
	cr_assert_null(strstr(text, "00c0ffee"), "only what is new:\n%s", text);
	cr_assert_str_empty(later(2));
}

Test(log, new_and_resolved_sites_are_told)
{
	struct report_site fetch = log_sample.sites[0];

	sample__remove_site(&log_sample, 0);
	cr_assert_not_null(strstr(later(2), "site a1b2c3d4 is no longer flagged as leaking"));
	cr_assert_str_empty(later(2));
	log_sample.sites[3] = fetch;
	cr_assert_not_null(strstr(later(2), "LEAKING  94 % sure  1,503 goroutines"));
}

Test(log, verdict_changes_are_told)
{
	log_sample.sites[0].verdict = "stuck";
	cr_assert_not_null(strstr(later(2), "STUCK    94 % sure  1,503 goroutines"));
}

Test(log, losses_and_modes_are_told_once)
{
	log_sample.target.lost_events = 5;
	cr_assert_not_null(strstr(later(2), "lost: 5 events"));
	log_sample.target.lost_events = 500;
	cr_assert_str_empty(later(2));
	log_sample.target.mode = "census";
	log_sample.target.mode_reason = "probes cost too much";
	cr_assert_not_null(strstr(later(2), "census only: probes cost too much"));
	cr_assert_str_empty(later(2));
}

Test(log, wall_time_set_back_does_not_silence_it)
{
	log_sample.report.realtime_ns -= 3600 * NSEC_PER_SEC;
	cr_assert_not_null(strstr(later(0), "02:04:05Z"));
	cr_assert_str_empty(later(2));
}

Test(log, the_last_report_is_whole_even_if_nothing_changed)
{
	const char *text;

	log_sample.report.final = true;
	text = later(2);
	cr_assert_not_null(strstr(text, "go1.26.8"));
	cr_assert_not_null(strstr(text, "\nFound 2 leaking sites, 1,591 goroutines; 1 stuck site"));
}

/* --- a log of a host ------------------------------------------------------------------------------ */

static struct report_target host_targets[3];

static void open_host_log_with(bool all)
{
	struct text_options options = plain;

	options.host = true;
	options.all = all;
	sample__leaks(&log_sample);
	log_sample.target.mode = "census";
	for (size_t i = 0; i < ARRAY_SIZE(host_targets); i++) {
		host_targets[i] = log_sample.target;
		host_targets[i].pid = (pid_t)(100 + i);
		host_targets[i].start_time_seconds = 1767320000;
		host_targets[i].comm = i == 0 ? "shop" : "bank";
		if (i > 0)
			host_targets[i].n_sites = 0;
	}
	log_sample.report.targets = host_targets;
	log_sample.report.n_targets = 2;
	sample__open(&log_stream);
	cr_assert_eq(text_writer__new(log_stream.file, &options, &log_writer), 0);
	cr_assert_eq(text_writer__write(log_writer, &log_sample.report), 0);
}

static void open_host_log(void)
{
	open_host_log_with(false);
}

TestSuite(host_log, .init = open_host_log, .fini = close_log);

Test(host_log, begins_with_what_there_is)
{
	const char *text = sample__added(&log_stream);

	cr_expect_eq(strstr(text, "03:04:05Z  2 Go processes  3,430 goroutines, 3,410 parked  "
				  "2 leaking sites, 1 stuck site\n"),
		     text, "%s", text);
	cr_expect_not_null(strstr(text, "\n03:04:05Z  shop (pid 100)  1,715 goroutines  2 leak"));
	cr_expect_not_null(strstr(text, "LEAKING  94 % sure  1,503"));
	cr_expect_null(strstr(text, "bank"), "nothing to tell of it:\n%s", text);
	cr_expect_null(strstr(text, "not flagged"), "not the whole table:\n%s", text);
}

Test(host_log, silent_when_nothing_changes_but_for_a_line_a_minute)
{
	sample__added(&log_stream);
	cr_expect_str_empty(later(10));
	host_targets[0].mode = "full";
	host_targets[1].alive += 1000;
	cr_expect_str_empty(later(49), "the governor's steps are no news");
	cr_expect_str_eq(later(1), "03:05:05Z  2 Go processes  4,430 goroutines, 3,410 parked  "
				   "2 leaking sites, 1 stuck site\n");
}

Test(host_log, who_comes_and_goes)
{
	sample__added(&log_stream);
	log_sample.report.n_targets = 3;
	cr_expect_str_eq(later(10), "03:04:15Z  bank (pid 102)  watched from now on, go1.26.8, "
				    "1,715 goroutines\n");
	log_sample.report.targets++;
	log_sample.report.n_targets--;
	cr_expect_str_eq(later(10), "03:04:25Z  shop (pid 100)  no longer watched\n",
			 "and not what it had");
	host_targets[1].exited_target = true;
	cr_expect_str_eq(later(10), "03:04:35Z  bank (pid 101)  no longer watched\n");
	log_sample.report.targets++;
	log_sample.report.n_targets--;
	cr_expect_str_empty(later(10), "told already");
}

Test(host_log, another_process_with_the_same_pid)
{
	sample__added(&log_stream);
	host_targets[1].start_time_seconds++;
	host_targets[1].comm = "till";
	cr_expect_str_eq(later(10), "03:04:15Z  bank (pid 101)  no longer watched\n"
				    "03:04:15Z  till (pid 101)  watched from now on, go1.26.8, "
				    "1,715 goroutines\n");
}

Test(host_log, findings_of_one_do_not_repeat_the_others)
{
	const char *text;

	sample__added(&log_stream);
	host_targets[1].sites = log_sample.sites;
	host_targets[1].n_sites = 1;
	text = later(10);
	cr_expect_eq(strstr(text, "03:04:15Z  bank (pid 101)  "), text, "%s", text);
	cr_expect_not_null(strstr(text, "LEAKING  94 % sure  1,503"));
	cr_expect_null(strstr(text, "shop"), "%s", text);
	host_targets[1].n_sites = 0;
	text = later(10);
	cr_expect_not_null(strstr(text, "site a1b2c3d4 is no longer flagged as leaking"));
	cr_expect_null(strstr(text, "shop"), "%s", text);
	cr_expect_str_empty(later(10));
}

Test(host_log, the_last_report_is_whole)
{
	const char *text;

	sample__added(&log_stream);
	log_sample.report.final = true;
	text = later(2);
	cr_expect_not_null(strstr(text, "shop (pid 100)"));
	cr_expect_not_null(strstr(text, "bank (pid 101)"));
	cr_expect_not_null(strstr(text, "not flagged"));
}

Test(host_log, nobody_there_yet)
{
	text_writer__free(log_writer);
	sample__close(&log_stream);
	open_host_log();
	sample__added(&log_stream);
	log_sample.report.n_targets = 0;
	later(10);
	cr_expect_str_eq(later(60), "03:05:15Z  0 Go processes  0 goroutines, 0 parked  "
				    "nothing flagged\n");
}

static void open_whole_host_log(void)
{
	open_host_log_with(true);
}

Test(whole_host_log, all_is_the_whole_table_at_each_change, .init = open_whole_host_log,
     .fini = close_log)
{
	const char *text = sample__added(&log_stream);

	cr_expect_not_null(strstr(text, "not flagged"));
	cr_expect_str_empty(later(10));
	log_sample.report.n_targets = 3;
	text = later(10);
	cr_expect_not_null(strstr(text, "not flagged"));
	cr_expect_not_null(strstr(text, "bank (pid 102)"));
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
