// SPDX-License-Identifier: Apache-2.0
/* What is a difference between two reports, and what is worse. */
#include "output/diff.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

/* A report of one process with one site of that many goroutines. */
struct one {
	struct report report;
	struct report_target target;
	struct report_site site;
};

static void make_one(struct one *one, enum verdict verdict, uint64_t goroutines)
{
	*one = (struct one){
		.report = {.n_targets = 1},
		.target = {.exe = "/usr/bin/shop", .comm = "shop", .n_sites = 1},
		.site = {.id = "0123abcd",
			 .wait_reason = "select",
			 .start_function = "main.run",
			 .view = {.verdict = verdict, .goroutines = goroutines}},
	};
	one->report.targets = &one->target;
	one->target.sites = &one->site;
}

static const struct {
	enum verdict old, now;
	uint64_t before, after;
	enum diff_kind kind;
	bool worse;
} cases[] = {
	{VERDICT_IDLE, VERDICT_IDLE, 100, 100, DIFF_SAME, false},
	{VERDICT_IDLE, VERDICT_IDLE, 100, 110, DIFF_SAME, false},
	{VERDICT_IDLE, VERDICT_IDLE, 100, 111, DIFF_GREW, false},
	{VERDICT_IDLE, VERDICT_IDLE, 2, 6, DIFF_SAME, false},
	{VERDICT_IDLE, VERDICT_IDLE, 2, 7, DIFF_GREW, false},
	{VERDICT_IDLE, VERDICT_IDLE, 100, 89, DIFF_SHRANK, false},
	{VERDICT_IDLE, VERDICT_IDLE, 0, 1, DIFF_APPEARED, false},
	{VERDICT_IDLE, VERDICT_IDLE, 1, 0, DIFF_GONE, false},
	{VERDICT_GROWING, VERDICT_IDLE, 100, 103, DIFF_CONVERGED, false},
	{VERDICT_LEAKING, VERDICT_IDLE, 100, 100, DIFF_CONVERGED, false},
	{VERDICT_GROWING, VERDICT_GROWING, 100, 103, DIFF_SAME, false},
	{VERDICT_IDLE, VERDICT_LEAKING, 100, 103, DIFF_SAME, true},
	{VERDICT_LEAKING, VERDICT_LEAKING, 100, 103, DIFF_SAME, false},
	{VERDICT_LEAKING, VERDICT_LEAKING, 100, 200, DIFF_GREW, true},
	{VERDICT_IDLE, VERDICT_STUCK, 0, 3, DIFF_APPEARED, true},
	{VERDICT_STUCK, VERDICT_STUCK, 50, 30, DIFF_SHRANK, false},
};

Test(diff, of_one_site)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct one old, now;
		struct diff diff;
		bool listed = cases[i].kind != DIFF_SAME || cases[i].worse;

		make_one(&old, cases[i].old, cases[i].before);
		make_one(&now, cases[i].now, cases[i].after);
		cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
		cr_assert_eq(diff.n_sites, listed, "case %zu", i);
		cr_expect_eq(diff.worse, cases[i].worse, "case %zu", i);
		if (listed) {
			cr_expect_eq(diff.sites[0].kind, cases[i].kind, "case %zu", i);
			cr_expect_eq(diff.sites[0].before, cases[i].before, "case %zu", i);
			cr_expect_eq(diff.sites[0].now, cases[i].after, "case %zu", i);
		}
		diff__release(&diff);
	}
}

Test(diff, what_the_allow_list_silences_is_not_worse)
{
	struct one old, now;
	struct diff diff;

	make_one(&old, VERDICT_IDLE, 3);
	make_one(&now, VERDICT_LEAKING, 300);
	now.site.suppressed = true;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_expect_eq(diff.worse, 0);
	diff__release(&diff);
}

Test(diff, of_several_processes_of_one_program_the_sum)
{
	struct report_target both[2];
	struct one old, now;
	struct diff diff;

	make_one(&old, VERDICT_IDLE, 100);
	make_one(&now, VERDICT_IDLE, 53);
	both[0] = both[1] = now.target;
	now.report.targets = both;
	now.report.n_targets = 2;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_expect_eq(diff.n_sites, 0);
	diff__release(&diff);
	both[1].exe = "/usr/bin/other";
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_assert_eq(diff.n_sites, 2);
	cr_expect_eq(diff.sites[0].kind, DIFF_APPEARED);
	cr_expect_str_eq(diff.sites[0].program, "other");
	cr_expect_eq(diff.sites[1].kind, DIFF_SHRANK);
	diff__release(&diff);
}

Test(diff, of_memory_beyond_the_error_of_the_estimates)
{
	struct report_alloc_site before = {
		.id = "00aa00aa", .in_use_bytes = 10 << 20, .relative_error = 0.1};
	struct report_alloc_site after = {
		.id = "00aa00aa", .in_use_bytes = 12 << 20, .relative_error = 0.1};
	struct report_allocations old_places = {.sites = &before, .n_sites = 1};
	struct report_allocations places = {.sites = &after, .n_sites = 1};
	struct one old, now;
	struct diff diff;

	make_one(&old, VERDICT_IDLE, 3);
	make_one(&now, VERDICT_IDLE, 3);
	old.target.allocations = &old_places;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_expect_eq(diff.n_places, 0, "one of them has none");
	diff__release(&diff);
	now.target.allocations = &places;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_expect_eq(diff.n_places, 0);
	diff__release(&diff);
	after.in_use_bytes = 20 << 20;
	after.judgement.verdict = ALLOC_GROWING;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_assert_eq(diff.n_places, 1);
	cr_expect_eq(diff.places[0].kind, DIFF_GREW);
	cr_expect_eq(diff.worse, 1);
	diff__release(&diff);
}

/* Files that are held by a variable, and nothing else. */
struct open_files {
	struct resource_line line;
	struct resource_lines lines;
	char *held_by;
};

static void make_open(struct open_files *files, struct one *one, uint64_t n,
		      enum resource_verdict verdict)
{
	static char held_by[] = "main.logs[…]", nothing[] = "";

	make_one(one, VERDICT_IDLE, 3);
	*files = (struct open_files){
		.line = {.place = {.kind = RESOURCE_FILE, .outstanding = n, .verdict = verdict},
			 .held_by = {held_by},
			 .n_held_by = 1,
			 .calls = nothing},
		.lines = {.n = n ? 1 : 0},
	};
	files->lines.all = &files->line;
	one->target.resources = &files->lines;
}

static const struct {
	enum resource_verdict old, now;
	uint64_t before, after;
	enum diff_kind kind;
	bool worse;
} open_cases[] = {
	{RESOURCE_STEADY, RESOURCE_STEADY, 7, 7, DIFF_SAME, false},
	{RESOURCE_STEADY, RESOURCE_STEADY, 7, 9, DIFF_SAME, false},
	{RESOURCE_STEADY, RESOURCE_STEADY, 7, 11, DIFF_GREW, false},
	{RESOURCE_STEADY, RESOURCE_GROWING, 7, 11, DIFF_GREW, true},
	{RESOURCE_STEADY, RESOURCE_GROWING, 7, 8, DIFF_SAME, true},
	{RESOURCE_GROWING, RESOURCE_GROWING, 7, 11, DIFF_GREW, false},
	{RESOURCE_GROWING, RESOURCE_STEADY, 7, 7, DIFF_CONVERGED, false},
	{RESOURCE_STEADY, RESOURCE_STEADY, 11, 7, DIFF_SHRANK, false},
	{RESOURCE_STEADY, RESOURCE_STEADY, 0, 1, DIFF_APPEARED, false},
	{RESOURCE_STEADY, RESOURCE_STEADY, 2, 0, DIFF_GONE, false},
};

Test(diff, of_what_is_open)
{
	for (size_t i = 0; i < ARRAY_SIZE(open_cases); i++) {
		bool listed = open_cases[i].kind != DIFF_SAME || open_cases[i].worse;
		struct open_files before, after;
		struct one old, now;
		struct diff diff;

		make_open(&before, &old, open_cases[i].before, open_cases[i].old);
		make_open(&after, &now, open_cases[i].after, open_cases[i].now);
		cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
		cr_assert_eq(diff.n_resources, listed, "case %zu", i);
		cr_expect_eq(diff.worse, open_cases[i].worse, "case %zu", i);
		if (listed) {
			cr_expect_eq(diff.resources[0].kind, open_cases[i].kind, "case %zu", i);
			cr_expect_eq(diff.resources[0].before, open_cases[i].before, "case %zu", i);
			cr_expect_eq(diff.resources[0].now, open_cases[i].after, "case %zu", i);
		}
		diff__release(&diff);
	}
}

static char *written(const struct diff *diff, const struct screen_options *options)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	cr_assert_not_null(out);
	cr_assert_eq(options ? diff__write_text(out, diff, options) : diff__write_json(out, diff),
		     0);
	fclose(out);
	return text;
}

Test(diff, of_what_one_of_them_has_not_looked_for_nothing_is_said)
{
	const struct screen_options options = {.columns = 100};
	struct open_files before, after;
	struct one old, now;
	struct diff diff;
	char *text;

	make_open(&before, &old, 2, RESOURCE_STEADY);
	make_open(&after, &now, 53, RESOURCE_GROWING);
	old.target.resources = NULL;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	cr_expect_eq(diff.n_resources, 0);
	diff__release(&diff);
	old.target.resources = &before.lines;
	cr_assert_eq(diff__make(&old.report, &now.report, &diff), 0);
	text = written(&diff, &options);
	cr_expect_not_null(strstr(text, "grew       file      growing    2 → 53            held by "
					"main.logs[…]\n"),
			   "%s", text);
	cr_expect_not_null(strstr(text, "Worse: 1 that leak, are stuck or grow\n"), "%s", text);
	free(text);
	diff__release(&diff);
}

Test(diff, hostile_names_can_be_shown)
{
	const struct screen_options options = {.columns = 80};
	struct sample sample;
	struct one old;
	struct diff diff;
	json_error_t error;
	json_t *json;
	char *text;

	make_one(&old, VERDICT_IDLE, 3);
	sample__hostile(&sample);
	cr_assert_eq(diff__make(&old.report, &sample.report, &diff), 0);
	cr_assert_gt(diff.n_sites, 1);
	text = written(&diff, &options);
	cr_expect_null(strchr(text, '\033'), "%s", text);
	free(text);
	text = written(&diff, NULL);
	json = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(json, "%s: %s", error.text, text);
	cr_expect_eq(json_array_size(json_object_get(json, "changed_sites")), diff.n_sites);
	json_decref(json);
	free(text);
	diff__release(&diff);
}
