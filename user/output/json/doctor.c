// SPDX-License-Identifier: Apache-2.0
#include "output/doctor.h"
#include "output/json/writer.h"

const char *doctor_status__name(enum doctor_status status)
{
	switch (status) {
	case DOCTOR_OK:
		return "ok";
	case DOCTOR_WARN:
		return "warn";
	case DOCTOR_FAIL:
		return "fail";
	}
	return "unknown";
}

static void put_checks(struct json *json, const struct doctor_report *report)
{
	json__array(json, "checks");
	for (size_t i = 0; i < report->n_items; i++) {
		const struct doctor_item *item = &report->items[i];

		json__object(json, NULL);
		json__text(json, "group", item->group);
		json__text(json, "name", item->name);
		json__text(json, "status", doctor_status__name(item->status));
		json__text(json, "found", item->found);
		json__text_or_null(json, "advice", item->advice);
		json__end_object(json);
	}
	json__end_array(json);
}

static void put_costs(struct json *json, const struct doctor_report *report)
{
	if (!report->n_costs) {
		json__null(json, "ns_per_hit");
		return;
	}
	json__object(json, "ns_per_hit");
	for (size_t i = 0; i < report->n_costs; i++) {
		if (report->costs[i].ns)
			json__count(json, report->costs[i].kind, report->costs[i].ns);
		else
			json__null(json, report->costs[i].kind);
	}
	json__end_object(json);
}

int doctor__write_json(FILE *out, const struct doctor_report *report)
{
	struct json json;

	json__begin_dated(&json, DOCTOR_SCHEMA_VERSION, report->realtime_ns);
	json__text(&json, "version", report->version);
	json__text(&json, "revision", report->revision);
	json__text(&json, "kernel", report->kernel);
	json__text(&json, "machine", report->machine);
	json__count(&json, "exit_code", (uint64_t)report->exit_code);
	put_checks(&json, report);
	put_costs(&json, report);
	json__end_object(&json);
	return json__finish(&json, out);
}
