/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_FLOW_SITES_H
#define GLEAKD_REPORT_FLOW_SITES_H

/* Places that allocate, as alloc_sites.h has them, by probes: what was allocated since watching began. */
#include "naming/allow_list.h"
#include "output/report.h"
#include "session/target.h"

struct flow_sites;

/*
 * flow_sites__refresh - *@sites, which is NULL or was made of @target, as of now by @order; where nothing was seen
 * the report says why. Who holds what grows is known as alloc_sites__refresh() has it. -ENOMEM.
 */
int flow_sites__refresh(struct target *target, enum report_alloc_order order,
			const struct alloc_figures *figures, uint64_t now_ns,
			struct flow_sites **sites) __must_check;
void flow_sites__free(struct flow_sites *sites);

/* flow_sites__suppress - as alloc_places__suppress(); nothing for NULL. */
void flow_sites__suppress(struct flow_sites *sites, struct allow_list *allow);

/* flow_sites__tell_due - as alloc_places__tell_due(). */
void flow_sites__tell_due(struct flow_sites *sites, uint64_t now_ns, uint64_t realtime_ns);

const struct report_allocations *flow_sites__report(const struct flow_sites *sites);

#endif /* GLEAKD_REPORT_FLOW_SITES_H */
