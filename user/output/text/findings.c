// SPDX-License-Identifier: Apache-2.0
#include "output/text/findings.h"

static void add(uint64_t *sum, uint64_t n)
{
	if (__builtin_add_overflow(*sum, n, sum))
		*sum = UINT64_MAX;
}

static void add_site(struct findings *findings, const struct report_site *site)
{
	uint64_t goroutines = site->view.goroutines;

	findings->sites += goroutines > 0;
	if (site->suppressed) {
		findings->suppressed_sites += report__suppressed(site);
		return;
	}
	switch (site->view.verdict) {
	case VERDICT_LEAKING:
		findings->leaking_sites++;
		add(&findings->leaking_goroutines, goroutines);
		break;
	case VERDICT_STUCK:
		findings->stuck_sites++;
		add(&findings->stuck_goroutines, goroutines);
		break;
	case VERDICT_SUSPECTED:
		findings->suspected_sites++;
		break;
	case VERDICT_GROWING:
		findings->growing_sites++;
		break;
	case VERDICT_IDLE:
	case VERDICT_ACTIVE:
		break;
	}
}

void findings__add(struct findings *findings, const struct report_target *target)
{
	uint64_t flagged = findings->leaking_sites + findings->stuck_sites;

	for (size_t i = 0; i < target->n_sites; i++)
		add_site(findings, &target->sites[i]);
	findings->growing_memory += report__count_growing_memory(target);
	findings->growing_resources += report__count_growing_resources(target->resources);
	add(&findings->goroutines, target->totals.alive);
	add(&findings->parked, target->totals.parked);
	findings->processes += !target->another;
	findings->with_findings += findings->leaking_sites + findings->stuck_sites > flagged;
	findings->modes[target->mode]++;
	findings->observed_ns = max_of(findings->observed_ns, target->observed_ns);
	findings->lost |= target->totals.lost > 0;
	findings->inexact |= target->totals.inexact;
}

struct findings findings__of(const struct report_target *target)
{
	struct findings findings = {0};

	findings__add(&findings, target);
	return findings;
}

bool findings__flagged(const struct findings *findings)
{
	return findings->leaking_sites || findings->stuck_sites;
}
