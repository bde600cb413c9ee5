// SPDX-License-Identifier: Apache-2.0
#include "schema_written.h"

#include <criterion/criterion.h>

#include "discover/process_list.h"
#include "output/diff.h"
#include "output/doctor.h"
#include "output/process_list.h"
#include "process_list_sample.h"
#include "sample.h"

json_t *schema_written__parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(json, "%s at line %d", error.text, error.line);
	return json;
}

json_t *schema_written__list(void)
{
	struct process_list list = list_sample__host();
	struct sample_stream stream;
	json_t *json;

	sample__open(&stream);
	cr_assert_eq(process_list__write_json(stream.file, &list), 0);
	json = schema_written__parse(sample__added(&stream));
	sample__close(&stream);
	return json;
}

json_t *schema_written__diff(void)
{
	static const struct report_alloc_site place = {.id = "0123abcd", .in_use_bytes = 4 << 20};
	static const struct report_alloc_site before = {.id = "0123abcd", .in_use_bytes = 1 << 20};
	struct report_allocations allocations[] = {{.sites = &before, .n_sites = 1},
						   {.sites = &place, .n_sites = 1}};
	struct sample old, sample;
	struct sample_stream stream;
	struct diff diff;
	json_t *json;

	sample__healthy(&old);
	sample__leaks(&sample);
	old.target.allocations = &allocations[0];
	sample.target.allocations = &allocations[1];
	cr_assert_eq(diff__make(&old.report, &sample.report, &diff), 0);
	cr_assert(diff.n_sites && diff.n_places);
	sample__open(&stream);
	cr_assert_eq(diff__write_json(stream.file, &diff), 0);
	json = schema_written__parse(sample__added(&stream));
	sample__close(&stream);
	diff__release(&diff);
	return json;
}

json_t *schema_written__checkup(void)
{
	const struct doctor_report report = {
		.version = "0.1.0",
		.revision = "unknown",
		.items = {{"kernel", "btf", DOCTOR_OK, 0, "there", ""},
			  {"files", "state", DOCTOR_WARN, 0, "not there", "make it"}},
		.n_items = 2,
		.costs = {{"nop5", 0},
			  {"call", 1},
			  {"jump", 2},
			  {"branch", 3},
			  {"push", 4},
			  {"single-step", 5}},
		.n_costs = 6,
	};
	struct sample_stream stream;
	json_t *json;

	sample__open(&stream);
	cr_assert_eq(doctor__write_json(stream.file, &report), 0);
	json = schema_written__parse(sample__added(&stream));
	sample__close(&stream);
	return json;
}
