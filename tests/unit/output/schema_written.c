// SPDX-License-Identifier: Apache-2.0
#include "schema_written.h"

#include <criterion/criterion.h>

#include "discover/process_list.h"
#include "output/diff.h"
#include "output/doctor.h"
#include "output/json/report.h"
#include "output/process_list.h"
#include "process_list_sample.h"
#include "sample.h"
#include "sample_resources.h"

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
	static const struct resource_lines none;
	struct report_allocations allocations[] = {{.sites = &before, .n_sites = 1},
						   {.sites = &place, .n_sites = 1}};
	struct sample old, sample;
	struct sample_stream stream;
	struct diff diff;
	json_t *json;

	sample__healthy(&old);
	sample__leaks(&sample);
	old.target.resources = &none;
	sample.target.resources = sample_resources();
	old.target.allocations = &allocations[0];
	sample.target.allocations = &allocations[1];
	cr_assert_eq(diff__make(&old.report, &sample.report, &diff), 0);
	cr_assert(diff.n_sites && diff.n_places && diff.n_resources);
	sample__open(&stream);
	cr_assert_eq(diff__write_json(stream.file, &diff), 0);
	json = schema_written__parse(sample__added(&stream));
	sample__close(&stream);
	diff__release(&diff);
	return json;
}

json_t *schema_written__recording(void)
{
	static const struct timeline_memory memory[] = {
		{.time_ns = NSEC_PER_SEC, .heap = 4 << 20, .gc_cycles = 3},
		{.time_ns = 3 * NSEC_PER_SEC,
		 .rss = 20 << 20,
		 .heap = 5 << 20,
		 .live = 2 << 20,
		 .goal = 4 << 20,
		 .allocated = 3 << 20,
		 .objects = 1013,
		 .stacks = 64 << 10,
		 .gc_cycles = 7,
		 .pause_ns = 1500 * NSEC_PER_MSEC,
		 .threads = 11,
		 .counted = true,
		 .marked = true,
		 .timed = true},
	};
	static const struct timeline_scheduling scheduling[] = {
		{.time_ns = NSEC_PER_SEC},
		{.time_ns = 2 * NSEC_PER_SEC, .latencies_known = true, .over_10ms = 58, .late = 1},
	};
	static const struct timeline_call call = {.begin_ns = NSEC_PER_SEC,
						  .end_ns = 3 * NSEC_PER_SEC,
						  .goid = 7,
						  .thread = 4711,
						  .call = "read(3: /run/fifo)"};
	struct sample sample;
	const struct timeline_target target = {.target = &sample.target,
					       .memory = memory,
					       .n_memory = ARRAY_SIZE(memory),
					       .scheduling = scheduling,
					       .n_scheduling = ARRAY_SIZE(scheduling),
					       .calls = &call,
					       .n_calls = 1};
	const struct timeline_clock clock = {.monotonic_ns = NSEC_PER_SEC,
					     .realtime_ns = SAMPLE_TIME_NS};
	const struct timeline timeline = {
		.clocks = &clock, .n_clocks = 1, .targets = &target, .n_targets = 1};
	struct sample_stream stream;
	json_t *json;

	sample__leaks(&sample);
	sample__open(&stream);
	cr_assert_eq(report__write_recorded_json(stream.file, &sample.report, &timeline), 0);
	json = schema_written__parse(sample__added(&stream));
	sample__close(&stream);
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
