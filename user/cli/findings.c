// SPDX-License-Identifier: Apache-2.0
#include "cli/findings.h"

#include "base/log.h"

/* More than that nobody reads; the list is out of date. */
#define MAX_UNUSED 20

static unsigned int finding_of(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_LEAKING:
		return FINDING_LEAKING;
	case VERDICT_STUCK:
		return FINDING_STUCK;
	case VERDICT_SUSPECTED:
		return FINDING_SUSPECTED;
	case VERDICT_GROWING:
		return FINDING_GROWING;
	case VERDICT_IDLE:
	case VERDICT_ACTIVE:
		break;
	}
	return 0;
}

bool findings__any(const struct report *report, unsigned int fail_on)
{
	for (size_t t = 0; t < report->n_targets; t++) {
		const struct report_target *target = &report->targets[t];

		for (size_t i = 0; i < target->n_sites; i++) {
			const struct report_site *site = &target->sites[i];

			if (!site->silenced && finding_of(site->view.verdict) & fail_on)
				return true;
		}
	}
	return false;
}

void findings__tell_unused(const struct allow_list *allow, const char *path)
{
	const char *pattern;
	unsigned int line;

	for (size_t i = 0; i < MAX_UNUSED; i++) {
		pattern = allow_list__unused(allow, i, &line);
		if (!pattern)
			return;
		log_info("%.300s, line %u: nothing matched %.200s in this run", path, line,
			 pattern);
	}
	if (allow_list__unused(allow, MAX_UNUSED, &line))
		log_info("%.300s: and more patterns that nothing matched", path);
}
