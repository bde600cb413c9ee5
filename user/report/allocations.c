// SPDX-License-Identifier: Apache-2.0
#include "report/allocations.h"

#include "report/alloc_groups.h"
#include "report/alloc_sites.h"
#include "report/flow_sites.h"
#include "session/allocs/target_allocs.h"

/* Whether probes tell of places: of what is not profiled, or because that was asked for. */
static bool are_wanted(const struct target *target, const struct report_target *report,
		       struct alloc_figures *figures)
{
	const struct report_allocations *samples = report->allocations;

	if (!target_allocs__figures(target, figures) || figures->source == ALLOC_SOURCE_SAMPLE_HITS)
		return false;
	return figures->source == ALLOC_SOURCE_ALL || !samples ||
	       samples->source == ALLOC_SOURCE_NONE;
}

int built_allocations__build(struct built_allocations *built, struct target *target,
			     const struct report_alloc_choice *choice, uint64_t now_ns,
			     struct kept_allocations *kept, struct report_target *report)
{
	struct alloc_figures figures;
	int err = alloc_sites__refresh(target, choice->order, now_ns, &kept->samples);

	report->allocations = alloc_sites__report(kept->samples);
	if (!err)
		err = alloc_groups__build(target, choice->by, &built->groups);
	report->alloc_groups = alloc_groups__report(built->groups);
	if (err || !are_wanted(target, report, &figures))
		return err;
	err = flow_sites__refresh(target, choice->order, &figures, now_ns, &kept->seen);
	if (!err)
		report->allocations = flow_sites__report(kept->seen);
	return err;
}

void built_allocations__free(struct built_allocations *built)
{
	alloc_groups__free(built->groups);
}

void kept_allocations__suppress(struct kept_allocations *kept, struct allow_list *allow)
{
	alloc_sites__suppress(kept->samples, allow);
	flow_sites__suppress(kept->seen, allow);
}

void kept_allocations__tell_due(struct kept_allocations *kept, uint64_t now_ns,
				uint64_t realtime_ns)
{
	alloc_sites__tell_due(kept->samples, now_ns, realtime_ns);
	flow_sites__tell_due(kept->seen, now_ns, realtime_ns);
}

void kept_allocations__free(struct kept_allocations *kept)
{
	alloc_sites__free(kept->samples);
	flow_sites__free(kept->seen);
}
