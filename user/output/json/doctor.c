// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "output/doctor.h"
#include "output/json/build.h"
#include "output/json/dump.h"

static const char *const names[] = {
	[DOCTOR_OK] = "ok",
	[DOCTOR_WARN] = "warn",
	[DOCTOR_FAIL] = "fail",
};

const char *doctor_status__name(enum doctor_status status)
{
	return (size_t)status < ARRAY_SIZE(names) ? names[status] : "unknown";
}

static json_t *item_json(const void *data)
{
	const struct doctor_item *item = data;
	struct json_build object = json_build__begin();

	json_build__put(&object, "group", json_build__text(item->group));
	json_build__put(&object, "name", json_build__text(item->name));
	json_build__put(&object, "status", json_build__text(doctor_status__name(item->status)));
	json_build__put(&object, "found", json_build__text(item->found));
	json_build__put(&object, "advice", json_build__text_or_null(item->advice));
	return json_build__end(&object);
}

static json_t *costs_json(const struct doctor_report *report)
{
	struct json_build object;

	if (!report->n_costs)
		return json_null();
	object = json_build__begin();
	for (size_t i = 0; i < report->n_costs; i++)
		json_build__put(&object, report->costs[i].kind,
				report->costs[i].ns ? json_build__count(report->costs[i].ns) :
						      json_null());
	return json_build__end(&object);
}

static json_t *report_json(const struct doctor_report *report)
{
	struct json_build object = json_build__begin();
	char time[CLOCK_RFC3339_SIZE];

	clock__rfc3339(report->realtime_ns, time);
	json_build__put(&object, "schema_version", json_integer(DOCTOR_SCHEMA_VERSION));
	json_build__put(&object, "time", json_build__text(time));
	json_build__put(&object, "version", json_build__text(report->version));
	json_build__put(&object, "revision", json_build__text(report->revision));
	json_build__put(&object, "kernel", json_build__text(report->kernel));
	json_build__put(&object, "machine", json_build__text(report->machine));
	json_build__put(&object, "exit_code", json_integer(report->exit_code));
	json_build__put(&object, "checks",
			json_build__array(report->items, report->n_items, sizeof(report->items[0]),
					  item_json));
	json_build__put(&object, "ns_per_hit", costs_json(report));
	return json_build__end(&object);
}

int doctor__write_json(FILE *out, const struct doctor_report *report)
{
	return json_dump__line(out, report_json(report));
}
