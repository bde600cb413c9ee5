// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

/* What the one who waits waits on is an object that others have, too. */
bool report__contended(const struct report_site *site)
{
	return site->view.waited_ns > 0 &&
	       wait_class__facts(site->view.wait_class)->on != WAIT_ON_NOTHING;
}

size_t report__contention(const struct report_target *target,
			  const struct report_site *sites[REPORT_MAX_CONTENTION])
{
	size_t n = 0;

	for (size_t i = 0; i < target->n_sites; i++) {
		const struct report_site *site = &target->sites[i];
		size_t at = n;

		if (!report__contended(site))
			continue;
		while (at > 0 && sites[at - 1]->view.waited_ns < site->view.waited_ns)
			at--;
		if (at == REPORT_MAX_CONTENTION)
			continue;
		n = min_of(n + 1, (size_t)REPORT_MAX_CONTENTION);
		for (size_t k = n - 1; k > at; k--)
			sites[k] = sites[k - 1];
		sites[at] = site;
	}
	return n;
}
