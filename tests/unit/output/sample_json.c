// SPDX-License-Identifier: Apache-2.0
#include "sample_json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "output/json/report.h"
#include "sample.h"

char *sample_json__text(const struct report *report)
{
	struct sample_stream stream;
	char *text;

	sample__open(&stream);
	cr_assert_eq(report__write_json(stream.file, report), 0);
	text = strdup(sample__added(&stream));
	cr_assert_not_null(text);
	sample__close(&stream);
	return text;
}

json_t *sample_json__tree(const struct report *report)
{
	char *text = sample_json__text(report);
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(json, "%s at %d of:\n%s", error.text, error.position, text);
	free(text);
	return json;
}

struct report_self sample_self(void)
{
	return (struct report_self){
		.targets = {1, 2, 3, 4},
		.events_malformed = 5,
		.cpu_seconds = 0.82,
		.resident_bytes = 12 << 20,
		.bpf_bytes = 3 << 20,
		.open_fds = 31,
		.cycle_ns = 13100000,
		.held = {.ns = 23 * NSEC_PER_MSEC, .by = HELD_BY_CENSUS},
		.interval_stretch = 4,
		.quarantined = 1,
		.quarantine = {{.pid = 4243, .owner = 65534, .left_ns = 271 * NSEC_PER_SEC}},
		.missed_deadlines = 6,
		.process_events_lost = 1013,
		.textfile_errors = 2,
		.reports_left_out = 3,
		.state_errors = 7,
	};
}
