// SPDX-License-Identifier: Apache-2.0
/* What a reader of a pipe or of the journal is told, and when. */
#include <criterion/criterion.h>
#include <string.h>

#include "output/text/report.h"
#include "output/text/screen.h"
#include "occurrences.h"
#include "sample.h"
#include "sample_scheduling.h"

static const struct text_options plain = {.screen.columns = 100};

static struct sample log_sample;
static struct sample_stream log_stream;
static struct text_writer *log_writer;

static void open_log(void)
{
	sample__leaks(&log_sample);
	sample__open(&log_stream);
	cr_assert_eq(text_writer__new(log_stream.file, &plain, &log_writer), 0);
	cr_assert_eq(text_writer__write(log_writer, &log_sample.report), 0);
	cr_assert_not_null(
		strstr(sample__added(&log_stream), "LEAKING  a1b2c3d4  94 % sure  1,503"));
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
	log_sample.target.observed_ns += seconds * NSEC_PER_SEC;
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

Test(log, what_does_not_get_on_is_told_once_a_minute)
{
	struct report_scheduling scheduling = sample_scheduling(log_sample.sites);
	size_t n_hogs = scheduling.view.n_hogs;
	const char *text;

	cr_assert_gt(n_hogs, 0);
	scheduling.view.n_hogs = 0;
	log_sample.target.scheduling = &scheduling;
	text = later(2);
	cr_expect_not_null(strstr(text, "late"), "%s", text);
	cr_expect_null(strstr(text, "LEAKING"), "what was told is not repeated:\n%s", text);
	cr_expect_str_empty(later(2));
	log_sample.target.scheduling = NULL;
	cr_expect_str_empty(later(2));
	log_sample.target.scheduling = &scheduling;
	cr_expect_str_empty(later(2), "it comes and goes");
	scheduling.view.n_hogs = n_hogs;
	text = later(2);
	cr_expect_not_null(strstr(text, "keeps a processor"), "something else: %s", text);
	cr_expect_str_empty(later(2));
	text = later(60);
	cr_expect_not_null(strstr(text, "late"), "%s", text);
}

Test(log, words_are_explained_once)
{
	struct sample_stream stream;
	struct text_writer *writer;
	const char *text;

	log_sample.report.end = REPORT_INTERRUPTED;
	cr_expect_eq(occurrences(later(2), "\nsite      the goroutines that"), 0, "told at first");
	log_sample.report.end = REPORT_GOES_ON;
	sample__open(&stream);
	cr_assert_eq(text_writer__new(stream.file, &plain, &writer), 0);
	cr_assert_eq(text_writer__write(writer, &log_sample.report), 0);
	text = sample__added(&stream);
	cr_expect_eq(occurrences(text, "\nsite      the goroutines that"), 1, "%s", text);
	text_writer__free(writer);
	sample__close(&stream);
}

Test(log, growth_is_told_when_it_adds_up_to_a_tenth)
{
	for (int i = 0; i < 10; i++) {
		log_sample.sites[0].view.goroutines += 14;
		cr_assert_str_empty(later(2), "after step %d", i);
	}
	log_sample.sites[0].view.goroutines += 14;
	const char *text = later(2);

	cr_assert_not_null(strstr(
		text,
		"\n  a1b2c3d4  leaking  94 %  1,657  chan send  +120/min  main.deliver  fetch.go:17\n"));
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
	cr_assert_not_null(strstr(later(2), "LEAKING  a1b2c3d4  94 % sure  1,503 goroutines"));
}

Test(log, verdict_changes_are_told)
{
	log_sample.sites[0].view.verdict = VERDICT_STUCK;
	cr_assert_not_null(strstr(later(2), "STUCK    a1b2c3d4  94 % sure  1,503 goroutines"));
}

Test(log, losses_and_modes_are_told_once)
{
	log_sample.target.totals.lost = 5;
	cr_assert_not_null(strstr(later(2), "lost: 5 events"));
	log_sample.target.totals.lost = 500;
	cr_assert_str_empty(later(2));
	log_sample.target.mode = PROBE_MODE_CENSUS;
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

Test(log, the_last_words_name_what_was_found_even_if_nothing_changed)
{
	const char *text;

	log_sample.report.end = REPORT_INTERRUPTED;
	text = later(2);
	cr_assert_not_null(strstr(text, "go1.26.8"));
	cr_assert_null(strstr(text, "created at"));
	cr_assert_null(strstr(text, "not flagged"));
	cr_assert_not_null(strstr(text, "\nLEAKING  a1b2c3d4  94 % sure  1,503"));
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
	log_sample.target.mode = PROBE_MODE_CENSUS;
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
	cr_expect_not_null(strstr(text, "LEAKING  a1b2c3d4  94 % sure  1,503"));
	cr_expect_null(strstr(text, "bank"), "nothing to tell of it:\n%s", text);
	cr_expect_null(strstr(text, "not flagged"), "not the whole table:\n%s", text);
}

Test(host_log, silent_when_nothing_changes_but_for_a_line_a_minute)
{
	sample__added(&log_stream);
	cr_expect_str_empty(later(10));
	host_targets[0].mode = PROBE_MODE_FULL;
	host_targets[1].totals.alive += 1000;
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

Test(host_log, what_does_not_get_on_is_told_every_ten_minutes)
{
	struct report_scheduling scheduling = sample_scheduling(log_sample.sites);
	const char *text;

	sample__added(&log_stream);
	host_targets[1].scheduling = &scheduling;
	text = later(10);
	cr_expect_not_null(strstr(text, "bank"), "%s", text);
	cr_expect_not_null(strstr(text, "late"), "%s", text);
	host_targets[1].observed_ns += 599 * NSEC_PER_SEC;
	cr_expect_null(strstr(later(10), "late"));
	host_targets[1].observed_ns += NSEC_PER_SEC;
	cr_expect_not_null(strstr(later(10), "late"));
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
	cr_expect_not_null(strstr(text, "LEAKING  a1b2c3d4  94 % sure  1,503"));
	cr_expect_null(strstr(text, "shop"), "%s", text);
	host_targets[1].n_sites = 0;
	text = later(10);
	cr_expect_not_null(strstr(text, "site a1b2c3d4 is no longer flagged as leaking"));
	cr_expect_null(strstr(text, "shop"), "%s", text);
	cr_expect_str_empty(later(10));
}

Test(host_log, the_last_words_name_what_was_found)
{
	const char *text;

	sample__added(&log_stream);
	log_sample.report.end = REPORT_INTERRUPTED;
	text = later(2);
	cr_expect_not_null(strstr(text, "shop (pid 100)\nLEAKING  a1b2c3d4"), "%s", text);
	cr_expect_null(strstr(text, "not flagged"));
	cr_expect_not_null(strstr(text, "\nFound "));
}

Test(host_log, who_asks_for_all_gets_all_at_the_end_as_well)
{
	const char *text;

	text_writer__free(log_writer);
	sample__close(&log_stream);
	open_host_log_with(true);
	sample__added(&log_stream);
	log_sample.report.end = REPORT_INTERRUPTED;
	text = later(2);
	cr_expect_not_null(strstr(text, "shop (pid 100)"));
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
