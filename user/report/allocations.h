/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_ALLOCATIONS_H
#define GLEAKD_REPORT_ALLOCATIONS_H

/* What a report tells of the allocations of a target. */
#include "output/report.h"
#include "session/target.h"

struct alloc_sites;

/* By probes; all zero: nobody asked. */
struct built_allocations {
	struct flow_sites *sites;
	struct alloc_groups *groups;
};

/*
 * built_allocations__build - into @report as well, which it must outlive. *@samples: as alloc_sites__refresh()
 * has it; what probes tell takes its place where there are no samples, or each allocation was to be seen.
 * -ENOMEM.
 */
int built_allocations__build(struct built_allocations *built, struct target *target,
			     const struct report_alloc_choice *choice, uint64_t now_ns,
			     struct alloc_sites **samples,
			     struct report_target *report) __must_check;
void built_allocations__free(struct built_allocations *built);

#endif /* GLEAKD_REPORT_ALLOCATIONS_H */
