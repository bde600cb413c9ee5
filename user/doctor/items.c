// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>

#include "doctor/parts.h"

static struct doctor_item *add(struct doctor_report *report, const char *group, const char *name,
			       enum doctor_status status)
{
	static struct doctor_item spare;
	struct doctor_item *item = &spare;

	if (report->n_items < DOCTOR_MAX_ITEMS)
		item = &report->items[report->n_items++];
	*item = (struct doctor_item){.group = group, .name = name, .status = status};
	return item;
}

void doctor__ok(struct doctor_report *report, const char *group, const char *name,
		const char *found, ...)
{
	struct doctor_item *item = add(report, group, name, DOCTOR_OK);
	va_list args;

	va_start(args, found);
	vsnprintf(item->found, sizeof(item->found), found, args);
	va_end(args);
}

void doctor__problem(struct doctor_report *report, const char *group, const char *name, int err,
		     const char *advice, const char *found, ...)
{
	struct doctor_item *item = add(report, group, name, err ? DOCTOR_FAIL : DOCTOR_WARN);
	va_list args;

	item->err = err;
	snprintf(item->advice, sizeof(item->advice), "%s", advice);
	va_start(args, found);
	vsnprintf(item->found, sizeof(item->found), found, args);
	va_end(args);
}

int doctor__exit_code(const struct doctor_report *report)
{
	static const int rank[] = {[0] = 0, [1] = 1, [3] = 2, [4] = 3};
	int code = 0;

	for (size_t i = 0; i < report->n_items; i++) {
		const struct doctor_item *item = &report->items[i];
		int its_code = item->status == DOCTOR_FAIL ? failure__exit_code(item->err) : 0;

		if (rank[its_code] > rank[code])
			code = its_code;
	}
	return code;
}

bool doctor_facts__may(const struct doctor_facts *facts, int cap)
{
	return facts->capabilities >> cap & 1;
}

bool doctor_facts__may_load(const struct doctor_facts *facts)
{
	if (!facts->host_users)
		return false;
	return doctor_facts__may(facts, CAP_SYS_ADMIN) ||
	       (doctor_facts__may(facts, CAP_BPF) && doctor_facts__may(facts, CAP_PERFMON));
}
