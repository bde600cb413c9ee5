// SPDX-License-Identifier: Apache-2.0
/* A report that was written as JSON and read again is the same JSON. */
#include "output/json/reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "output/json/report.h"
#include "sample.h"
#include "sample_json.h"
#include "sample_resources.h"
#include "sample_scheduling.h"
#include "sample_triggers.h"

static struct report_reader *read_text(const char *text)
{
	struct report_reader *reader;
	struct failure failure;

	cr_assert_eq(report_reader__new(text, strlen(text), "here", &reader, &failure), 0, "%s",
		     failure.text);
	return reader;
}

static void expect_the_same(const struct report *report)
{
	char *text = sample_json__text(report), *again;
	struct report_reader *reader = read_text(text);

	again = sample_json__text(report_reader__report(reader));
	cr_expect_str_eq(again, text);
	free(again);
	free(text);
	report_reader__free(reader);
}

Test(json_reader, leaks)
{
	struct sample sample;

	sample__leaks(&sample);
	sample.report.end = REPORT_DURATION_OVER;
	sample.report.self = sample_self();
	expect_the_same(&sample.report);
	sample__suppressed(&sample);
	expect_the_same(&sample.report);
	sample__healthy(&sample);
	expect_the_same(&sample.report);
	sample__empty(&sample);
	expect_the_same(&sample.report);
}

static void expect_own(const struct report_frame *read, const struct report_frame *frame)
{
	cr_expect_eq(read->own, frame->own, "%s", frame->function);
}

/* Where a site is, in words for people, is the program's own line, as it was before. */
Test(json_reader, whose_code_frames_are_in)
{
	struct report_reader *reader;
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.target.module = "example.org/shop";
	text = sample_json__text(&sample.report);
	reader = read_text(text);
	for (size_t i = 0; i < sample.target.n_sites; i++) {
		const struct report_site *site = &sample.sites[i];
		const struct report_site *read =
			&report_reader__report(reader)->targets[0].sites[i];

		expect_own(&read->created_by, &site->created_by);
		expect_own(&read->called_from, &site->called_from);
		expect_own(&read->blocked_at, &site->blocked_at);
		for (size_t f = 0; f < site->n_stack; f++)
			expect_own(&read->stack[f], &site->stack[f]);
	}
	report_reader__free(reader);
	free(text);
}

Test(json_reader, hostile_names)
{
	struct sample sample;

	sample__hostile(&sample);
	expect_the_same(&sample.report);
}

Test(json_reader, any_report)
{
	for (unsigned int seed = 1; seed <= 53; seed++) {
		struct sample sample;

		sample__random(&sample, seed);
		/* Of counts beyond those of JSON the share is not that of what it says. */
		for (size_t i = 0; i < sample.target.n_sites; i++) {
			sample.sites[i].view.evidence.stayed %= INT64_MAX;
			sample.sites[i].view.evidence.left %= INT64_MAX;
			/* When it is due does not fit behind endless reasons. */
			sample.sites[i].due_ns = 0;
		}
		expect_the_same(&sample.report);
		sample__random_free(&sample);
	}
}

Test(json_reader, a_verdict_that_is_due_is_said_to_be_once)
{
	struct sample sample;

	sample__leaks(&sample);
	sample.sites[0].view.verdict = VERDICT_GROWING;
	sample.sites[0].due_ns = SAMPLE_TIME_NS + 60 * NSEC_PER_SEC;
	expect_the_same(&sample.report);
}

Test(json_reader, goroutines_of_one_place_share_it)
{
	static const struct report_frame frame = {
		.function = "main.wait", .file = "a.go", .line = 7};
	static const struct report_place place = {
		.site = "0123abcd", .start_function = "main.run", .stack = &frame, .n_stack = 1};
	struct report_goroutine list[] = {
		{.goid = 11,
		 .state = "select",
		 .parked = true,
		 .waiting_ns = 3 * NSEC_PER_SEC,
		 .place = &place},
		{.goid = 13, .parent_goid = 1, .state = "running", .place = &place},
	};
	struct sample sample;
	struct report_reader *reader;
	const struct report_target *target;
	char *text;

	sample__leaks(&sample);
	sample.target.goroutines_listed = true;
	sample.target.goroutine_list = list;
	sample.target.n_goroutine_list = ARRAY_SIZE(list);
	expect_the_same(&sample.report);
	text = sample_json__text(&sample.report);
	reader = read_text(text);
	target = &report_reader__report(reader)->targets[0];
	cr_assert_eq(target->n_goroutine_list, 2);
	cr_expect_eq(target->goroutine_list[0].place, target->goroutine_list[1].place);
	cr_expect_str_eq(target->goroutine_list[0].place->stack[0].function, "main.wait");
	report_reader__free(reader);
	free(text);
}

Test(json_reader, of_several_lines_the_last_whole_one)
{
	struct sample sample;
	struct report_reader *reader;
	char *first, *second, all[65536];

	sample__empty(&sample);
	first = sample_json__text(&sample.report);
	sample.target.pid = 7919;
	second = sample_json__text(&sample.report);
	snprintf(all, sizeof(all), "%s%s{\"schema_version\": 1, \"targ", first, second);
	reader = read_text(all);
	cr_expect_eq(report_reader__report(reader)->targets[0].pid, 7919);
	report_reader__free(reader);
	free(first);
	free(second);
}

Test(json_reader, what_is_no_report_is_refused_in_words)
{
	static const struct {
		const char *text;
		int err;
		const char *says;
	} cases[] = {
		{"", -EPROTO, "no JSON"},
		{"not json", -EPROTO, "no JSON"},
		{"[]", -EPROTO, "no report"},
		{"{}", -EPROTO, "no report"},
		{"{\"schema_version\": 1}", -EPROTO, "no report"},
		{"{\"schema_version\": 2, \"targets\": []}", -EOPNOTSUPP, "newer"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct failure failure = {""};
		struct report_reader *reader;

		cr_expect_eq(report_reader__new(cases[i].text, strlen(cases[i].text), "f", &reader,
						&failure),
			     cases[i].err, "%s", cases[i].text);
		cr_expect(strstr(failure.text, cases[i].says), "%s", failure.text);
	}
}

Test(json_reader, members_of_other_types_are_not_known)
{
	struct report_reader *reader = read_text(
		"{\"schema_version\": 1, \"time\": 5, \"targets\": [7, {\"pid\": \"x\", \"comm\": 3, "
		"\"sites\": [null, {\"id\": \"0123456789\", \"goroutines\": -5}], "
		"\"findings\": [{\"sites\": [\"nobody\"]}]}]}");
	const struct report *report = report_reader__report(reader);

	cr_assert_eq(report->n_targets, 2);
	cr_expect_eq(report->targets[1].pid, 0);
	cr_assert_eq(report->targets[1].n_sites, 2);
	cr_expect_eq(report->targets[1].n_findings, 0);
	cr_expect_eq(report->targets[1].sites[1].view.goroutines, 0);
	cr_expect_str_eq(report->targets[1].sites[1].id, "01234567");
	report_reader__free(reader);
}

Test(json_reader, what_is_open)
{
	struct sample sample;

	sample__leaks(&sample);
	sample.target.resources = sample_resources();
	expect_the_same(&sample.report);
}

Test(json_reader, what_does_not_get_on)
{
	struct report_scheduling scheduling;
	struct sample sample;

	sample__leaks(&sample);
	scheduling = sample_scheduling(sample.sites);
	sample.target.scheduling = &scheduling;
	sample_triggers__add(&sample.target);
	sample.sites[0].view.wait_class = wait_class__of(sample.sites[0].wait_reason);
	sample.sites[0].view.waited_ns = 7 * NSEC_PER_SEC;
	sample.sites[0].view.parks = 1013;
	sample.target.waits_traced_ns = 5 * NSEC_PER_SEC;
	sample.target.waits_missed = 7;
	sample.report.self.suspended_ns = 3600 * NSEC_PER_SEC;
	expect_the_same(&sample.report);
}
