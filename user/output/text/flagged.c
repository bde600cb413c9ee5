// SPDX-License-Identifier: Apache-2.0
#include "output/text/flagged.h"

#include "base/number.h"

/* Of sites that are one finding the first alone: it names the others. */
static bool is_shown(const struct report_site *site)
{
	return report__flagged(site) && report__leads(site);
}

size_t text_part__count_flagged(const struct report_target *target)
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++)
		n += is_shown(&target->sites[i]);
	return n;
}

void text_part__flagged(struct screen *screen, const struct report_target *target, size_t max,
			enum site_detail detail)
{
	struct site_columns columns = {0};
	size_t left = max, total = text_part__count_flagged(target);

	for (size_t i = 0; i < target->n_sites && left > 0; i++) {
		if (!is_shown(&target->sites[i]))
			continue;
		text_part__columns_add(&columns, &target->sites[i]);
		left--;
	}
	left = min_of(max, total);
	for (size_t i = 0; i < target->n_sites && left > 0; i++) {
		if (!is_shown(&target->sites[i]))
			continue;
		text_part__site(screen, &columns, &target->sites[i], detail);
		if (detail > SITE_HEADLINE)
			screen__end_line(screen);
		left--;
	}
	if (total > max) {
		screen__put(screen, STYLE_BOLD, "and ");
		screen__put_owned(screen, STYLE_BOLD,
				  number__counted(total - max, "more flagged site"));
		screen__end_line(screen);
	}
	if (total > 0 && detail == SITE_HEADLINE)
		screen__end_line(screen);
}
