// SPDX-License-Identifier: Apache-2.0
#include "output/json/report.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sample.h"
#include "sample_json.h"
#include "schema_written.h"

static json_t *site_of(json_t *json, size_t index)
{
	json_t *target = json_array_get(json_object_get(json, "targets"), 0);

	return json_array_get(json_object_get(target, "sites"), index);
}

Test(json, leaks)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.report.end = REPORT_INTERRUPTED;
	sample.report.self = sample_self();
	text = sample_json__text(&sample.report);
	sample__golden("leaks.json", text);
	free(text);
}

Test(json, one_line_and_nothing_but_printable_ascii)
{
	struct sample sample;
	char *text;

	sample__hostile(&sample);
	text = sample_json__text(&sample.report);
	cr_assert_eq(strchr(text, '\n'), text + strlen(text) - 1);
	for (const char *c = text; c[1]; c++)
		cr_assert(*c >= ' ' && (unsigned char)*c < 0x7f, "byte %#x", (unsigned char)*c);
	sample__golden("hostile.json", text);
	free(text);
}

Test(json, invalid_utf8_is_replaced)
{
	struct sample sample;
	json_t *json;

	sample__leaks(&sample);
	sample.target.comm = "a\xff"
			     "b\xe2\x80";
	json = sample_json__tree(&sample.report);
	cr_assert_str_eq(json_string_value(json_object_get(
				 json_array_get(json_object_get(json, "targets"), 0), "comm")),
			 "a\xef\xbf\xbd"
			 "b\xef\xbf\xbd");
	json_decref(json);
}

/* The largest ones only overflow when they are rounded. */
Test(json, what_json_has_no_number_for_is_zero)
{
	const double odd[] = {NAN, INFINITY, -INFINITY, DBL_MAX};
	struct sample sample;

	sample__leaks(&sample);
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		json_t *json, *growth;

		sample.sites[0].view.growth_per_minute = odd[i];
		json = sample_json__tree(&sample.report);
		growth = json_object_get(site_of(json, 0), "growth_per_minute");
		cr_expect(json_is_real(growth) && json_real_value(growth) == 0);
		json_decref(json);
	}
}

Test(json, what_is_not_known_is_null)
{
	struct sample sample;
	json_t *json, *target;

	sample__leaks(&sample);
	json = sample_json__tree(&sample.report);
	target = json_array_get(json_object_get(json, "targets"), 0);
	cr_expect(json_is_null(json_object_get(json, "final_reason")));
	cr_expect(json_is_null(json_object_get(target, "mode_reason")));
	cr_expect_str_eq(json_string_value(json_object_get(target, "unit")), "demo.service");
	cr_expect(json_is_null(json_object_get(target, "container_id")));
	cr_expect(json_is_null(json_object_get(target, "pod_uid")));
	cr_expect(json_is_null(json_object_get(site_of(json, 2), "created_by")));
	cr_expect(json_is_null(json_object_get(site_of(json, 6), "blocked_at")));
	cr_expect_str_eq(json_string_value(json_object_get(site_of(json, 6), "wait_reason")), "");
	cr_expect_eq(json_array_size(json_object_get(site_of(json, 6), "stack")), 0);
	json_decref(json);
}

Test(json, numbers_are_short_finite_and_fit_other_readers)
{
	struct sample sample;
	char *text;

	sample__leaks(&sample);
	sample.target.n_sites = 1;
	sample.target.observed_ns = 300 * NSEC_PER_MSEC;
	sample.target.totals.alive = UINT64_MAX;
	sample.sites[0].view.oldest_park_ns = 0;
	sample.sites[0].view.oldest_age_ns = 1234499999;
	sample.sites[0].view.growth_per_minute = -1.23456;
	text = sample_json__text(&sample.report);
	cr_expect_not_null(strstr(text, "\"observed_seconds\":0.3,"));
	cr_expect_not_null(strstr(text, "\"alive\":9223372036854775807,"));
	cr_expect_not_null(strstr(text, "\"oldest_park_seconds\":0.0,\"oldest_age_seconds\":1.234,"
					"\"growth_per_minute\":-1.235,"));
	free(text);
}

Test(json, reports_without_sites_or_targets)
{
	struct sample sample;
	json_t *json;

	sample__empty(&sample);
	json = sample_json__tree(&sample.report);
	cr_expect_eq(json_array_size(json_object_get(
			     json_array_get(json_object_get(json, "targets"), 0), "sites")),
		     0);
	json_decref(json);
	sample.report.n_targets = 0;
	json = sample_json__tree(&sample.report);
	cr_expect(json_is_array(json_object_get(json, "targets")));
	json_decref(json);
}

Test(json, any_report_parses)
{
	for (unsigned int seed = 1; seed <= 200; seed++) {
		struct sample sample;
		json_t *json, *target;

		sample__random(&sample, seed);
		json = sample_json__tree(&sample.report);
		target = json_array_get(json_object_get(json, "targets"), 0);
		cr_assert_eq(json_array_size(json_object_get(target, "sites")),
			     sample.target.n_sites);
		json_decref(json);
		sample__random_free(&sample);
	}
}

Test(json, ten_thousand_sites)
{
	enum { N = 10007 };
	struct report_site *sites = calloc(N, sizeof(*sites));
	struct sample sample;
	json_t *json;

	cr_assert_not_null(sites);
	sample__leaks(&sample);
	for (size_t i = 0; i < N; i++) {
		sites[i] = sample.sites[0];
		sites[i].view.goroutines = i;
	}
	sample.target.sites = sites;
	sample.target.n_sites = N;
	json = sample_json__tree(&sample.report);
	cr_assert_eq(json_integer_value(json_object_get(site_of(json, N - 1), "goroutines")),
		     N - 1);
	json_decref(json);
	free(sites);
}

Test(json, a_full_disk_is_reported)
{
	struct sample sample;
	FILE *full = fopen("/dev/full", "w");

	if (!full)
		cr_skip_test("needs /dev/full");
	sample__leaks(&sample);
	cr_assert_eq(report__write_json(full, &sample.report), -ENOSPC);
	fclose(full);
}

/* --- docs/schema.md says all of it ---------------------------------------------------------------- */

static void check_documented(const char *doc, json_t *json)
{
	const char *name;
	json_t *value;
	size_t index;

	json_array_foreach(json, index, value) check_documented(doc, value);
	json_object_foreach(json, name, value)
	{
		char quoted[64];

		snprintf(quoted, sizeof(quoted), "`%s`", name);
		cr_expect_not_null(strstr(doc, quoted), "docs/schema.md does not explain %s",
				   quoted);
		check_documented(doc, value);
	}
}

Test(json, every_field_is_documented)
{
	FILE *file = fopen("docs/schema.md", "r");
	struct sample sample;
	char *doc = NULL;
	size_t size = 0;
	json_t *json;

	cr_assert_not_null(file, "tests run at the top of the tree");
	cr_assert_gt(getdelim(&doc, &size, '\0', file), 0);
	fclose(file);
	sample__leaks(&sample);
	json = sample_json__tree(&sample.report);
	check_documented(doc, json);
	json_decref(json);
	free(doc);
}

Test(json, of_a_recording_the_memory_by_time)
{
	json_t *report = schema_written__recording();
	json_t *target = json_array_get(json_object_get(report, "targets"), 0);
	json_t *series = json_object_get(target, "memory_series");
	json_t *last = json_array_get(series, 1);

	cr_assert_eq(json_array_size(series), 2);
	cr_expect(json_is_null(json_object_get(json_array_get(series, 0), "heap_live_bytes")));
	cr_expect_eq(json_integer_value(json_object_get(last, "rss_bytes")), 20 << 20);
	cr_expect_eq(json_integer_value(json_object_get(last, "allocated_objects")), 1013);
	cr_expect_eq(json_integer_value(json_object_get(last, "threads")), 11);
	cr_expect_float_eq(json_number_value(json_object_get(last, "gc_pause_seconds_total")), 1.5,
			   1e-6);
	cr_expect_str_eq(json_string_value(json_object_get(last, "time")),
			 "2026-01-02T03:04:07.678Z");
	json_decref(report);
}
