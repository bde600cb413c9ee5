// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/textfile_parts.h"

static void put_gauge(FILE *out, const struct metrics *metrics, const struct textfile_gauge *gauge)
{
	bool any = false;

	for (size_t g = 0; g < metrics->n_groups; g++) {
		const struct metrics_group *group = &metrics->groups[g];

		if (!gauge->known(group))
			continue;
		if (!any)
			exposition__family(out, gauge->name, gauge->type, gauge->help);
		any = true;
		exposition__count(out, gauge->name, EXPOSITION_LABELS({"groupname", group->name}),
				  gauge->value(group));
	}
}

void textfile_part__gauges(FILE *out, const struct metrics *metrics,
			   const struct textfile_gauge *gauges, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_gauge(out, metrics, &gauges[i]);
}
