// SPDX-License-Identifier: Apache-2.0
#include "output/doctor.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"

static void make_sample(struct doctor_report *report)
{
	*report = (struct doctor_report){
		.realtime_ns = SAMPLE_TIME_NS,
		.version = "1.2.3",
		.revision = "0123456789ab",
		.kernel = "6.18.44",
		.machine = "x86_64",
		.items =
			{
				{"files", "textfile", DOCTOR_OK, 0, "/srv/metrics can be written",
				 ""},
				{"kernel", "uprobes", DOCTOR_WARN, 0,
				 "only as perf events, which need CAP_SYS_ADMIN",
				 "nothing has to be done; newer kernels do without that capability, "
				 "which is as good as being root, and detach their probes faster"},
				{"kernel", "btf", DOCTOR_FAIL, -95, "cannot be read", "mount /sys"},
			},
		.n_items = 3,
		.costs = {{"nop5", 211}, {"push", 0}},
		.n_costs = 2,
		.exit_code = 3,
	};
}

static void make_hostile(struct doctor_report *report)
{
	make_sample(report);
	snprintf(report->items[0].found, sizeof(report->items[0].found), "%s",
		 "/tmp/\033]0;x\a\n\xff\xfe/gleakd.prom");
	memset(report->items[1].found, 'w', sizeof(report->items[1].found) - 1);
}

static char *text_of(const struct doctor_report *report, struct screen_options options)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	cr_assert_not_null(out);
	cr_assert_eq(doctor__write_text(out, report, &options), 0);
	fclose(out);
	return text;
}

static json_t *json_of(const struct doctor_report *report)
{
	char *line = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&line, &n);
	json_t *json;

	cr_assert_not_null(out);
	cr_assert_eq(doctor__write_json(out, report), 0);
	fclose(out);
	cr_assert_eq(strchr(line, '\n'), line + n - 1, "one object, one line");
	json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	cr_assert_not_null(json, "%s", line);
	free(line);
	return json;
}

Test(checkup, text)
{
	struct doctor_report report;
	char *text;

	make_sample(&report);
	text = text_of(&report, (struct screen_options){.columns = 80});
	sample__golden("checkup.txt", text);
	free(text);
	text = text_of(&report, (struct screen_options){.color = true});
	sample__golden("checkup-color.txt", text);
	free(text);
}

Test(checkup, summary)
{
	struct doctor_report report;
	char *text;

	make_sample(&report);
	report.n_items = 2;
	text = text_of(&report, (struct screen_options){0});
	cr_expect_not_null(strstr(text, "\ngleakd works here; 1 warning\n"), "%s", text);
	free(text);
	report.n_items = 1;
	text = text_of(&report, (struct screen_options){0});
	cr_expect_not_null(strstr(text, "\ngleakd works here\n"), "%s", text);
	free(text);
}

Test(checkup, text_fits_and_steers_nothing)
{
	struct doctor_report report;

	make_hostile(&report);
	for (unsigned int columns = 1; columns < 200; columns += 7) {
		char *text = text_of(&report, (struct screen_options){.columns = columns});

		sample__check_lines(text, max_of(columns, 60u), "hostile");
		free(text);
	}
}

/* The names which docs/doctor.md promises. */
Test(checkup, json)
{
	struct doctor_report report;
	json_t *json, *checks, *costs;

	make_sample(&report);
	json = json_of(&report);
	cr_expect_eq(json_object_size(json), 9);
	cr_expect_eq(json_integer_value(json_object_get(json, "schema_version")), 1);
	cr_expect_str_eq(json_string_value(json_object_get(json, "time")),
			 "2026-01-02T03:04:05.678Z");
	cr_expect_str_eq(json_string_value(json_object_get(json, "version")), "1.2.3");
	cr_expect_str_eq(json_string_value(json_object_get(json, "revision")), "0123456789ab");
	cr_expect_str_eq(json_string_value(json_object_get(json, "kernel")), "6.18.44");
	cr_expect_str_eq(json_string_value(json_object_get(json, "machine")), "x86_64");
	cr_expect_eq(json_integer_value(json_object_get(json, "exit_code")), 3);
	checks = json_object_get(json, "checks");
	cr_assert_eq(json_array_size(checks), 3);
	for (size_t i = 0; i < 3; i++) {
		json_t *check = json_array_get(checks, i),
		       *advice = json_object_get(check, "advice");

		cr_expect_eq(json_object_size(check), 5);
		cr_expect_str_eq(json_string_value(json_object_get(check, "group")),
				 report.items[i].group);
		cr_expect_str_eq(json_string_value(json_object_get(check, "name")),
				 report.items[i].name);
		cr_expect_str_eq(json_string_value(json_object_get(check, "status")),
				 doctor_status__name(report.items[i].status));
		cr_expect_str_eq(json_string_value(json_object_get(check, "found")),
				 report.items[i].found);
		cr_expect_eq(json_is_null(advice), i == 0);
	}
	costs = json_object_get(json, "ns_per_hit");
	cr_expect_eq(json_integer_value(json_object_get(costs, "nop5")), 211);
	cr_expect(json_is_null(json_object_get(costs, "push")), "what is not there costs not 0");
	json_decref(json);
}

Test(checkup, json_of_hostile_texts_and_nothing_measured)
{
	struct doctor_report report;
	json_t *json;

	make_hostile(&report);
	report.n_costs = 0;
	json = json_of(&report);
	cr_expect_str_eq(json_string_value(json_object_get(
				 json_array_get(json_object_get(json, "checks"), 0), "found")),
			 "/tmp/\033]0;x\a\n\xef\xbf\xbd\xef\xbf\xbd/gleakd.prom");
	cr_expect(json_is_null(json_object_get(json, "ns_per_hit")));
	json_decref(json);
}
