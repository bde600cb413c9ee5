// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

bool report__contended(const struct report_site *site)
{
	switch (site->view.wait_class) {
	case WAIT_CHAN_RECEIVE:
	case WAIT_CHAN_SEND:
	case WAIT_SELECT:
	case WAIT_LOCK:
	case WAIT_SEMAPHORE:
	case WAIT_WAIT_GROUP:
	case WAIT_COND:
		return site->view.waited_ns > 0;
	case WAIT_NONE:
	case WAIT_NIL_CHAN:
	case WAIT_SELECT_NONE:
	case WAIT_IO:
	case WAIT_SLEEP:
	case WAIT_COROUTINE:
	case WAIT_SYSCALL:
	case WAIT_RUNTIME:
	case WAIT_CLASSES:
		break;
	}
	return false;
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
