// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>

#include "session/checkup_parts.h"

static struct checkup_item *add(struct checkup_report *report, const char *group, const char *name,
				enum checkup_status status)
{
	static struct checkup_item spare;
	struct checkup_item *item = &spare;

	if (report->n_items < CHECKUP_MAX_ITEMS)
		item = &report->items[report->n_items++];
	*item = (struct checkup_item){.group = group, .name = name, .status = status};
	return item;
}

void checkup__ok(struct checkup_report *report, const char *group, const char *name,
		 const char *found, ...)
{
	struct checkup_item *item = add(report, group, name, CHECKUP_OK);
	va_list args;

	va_start(args, found);
	vsnprintf(item->found, sizeof(item->found), found, args);
	va_end(args);
}

void checkup__problem(struct checkup_report *report, const char *group, const char *name, int err,
		      const char *advice, const char *found, ...)
{
	struct checkup_item *item = add(report, group, name, err ? CHECKUP_FAIL : CHECKUP_WARN);
	va_list args;

	item->err = err;
	snprintf(item->advice, sizeof(item->advice), "%s", advice);
	va_start(args, found);
	vsnprintf(item->found, sizeof(item->found), found, args);
	va_end(args);
}

int checkup__exit_code(const struct checkup_report *report)
{
	static const int rank[] = {[0] = 0, [1] = 1, [3] = 2, [4] = 3};
	int code = 0;

	for (size_t i = 0; i < report->n_items; i++) {
		const struct checkup_item *item = &report->items[i];
		int its_code = item->status == CHECKUP_FAIL ? failure__exit_code(item->err) : 0;

		if (rank[its_code] > rank[code])
			code = its_code;
	}
	return code;
}

bool checkup_facts__may(const struct checkup_facts *facts, int cap)
{
	return facts->capabilities >> cap & 1;
}

bool checkup_facts__may_load(const struct checkup_facts *facts)
{
	if (!facts->host_users)
		return false;
	return checkup_facts__may(facts, CAP_SYS_ADMIN) ||
	       (checkup_facts__may(facts, CAP_BPF) && checkup_facts__may(facts, CAP_PERFMON));
}
