/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_ALLOCATIONS_H
#define GLEAKD_REPORT_ALLOCATIONS_H

/* What a report tells of the allocations of a target. */
#include "naming/allow_list.h"
#include "output/report.h"
#include "session/target.h"

/* Who allocates, by probes; all zero: nobody asked. */
struct built_allocations {
	struct alloc_groups *groups;
};

/* Where, which lasts from report to report; all zero: nothing yet. */
struct kept_allocations {
	struct alloc_sites *samples;
	struct flow_sites *seen; /* by probes */
};

/*
 * built_allocations__build - into @report as well, which it and @kept must outlive. What probes
 * tell takes its place where there are no samples, or each allocation was to be seen.
 * -ENOMEM.
 */
int built_allocations__build(struct built_allocations *built, struct target *target,
			     const struct report_alloc_choice *choice, uint64_t now_ns,
			     struct kept_allocations *kept,
			     struct report_target *report) __must_check;
void built_allocations__free(struct built_allocations *built);
/* kept_allocations__suppress - what @allow (NULL: nothing) knows is not flagged. */
void kept_allocations__suppress(struct kept_allocations *kept, struct allow_list *allow);
/* kept_allocations__tell_due - as alloc_places__tell_due(). */
void kept_allocations__tell_due(struct kept_allocations *kept, uint64_t now_ns,
				uint64_t realtime_ns);
void kept_allocations__free(struct kept_allocations *kept);

#endif /* GLEAKD_REPORT_ALLOCATIONS_H */
