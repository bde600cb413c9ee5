/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_FLOW_SITES_H
#define GLEAKD_REPORT_FLOW_SITES_H

/* Places that allocate, as alloc_sites.h has them, by probes: what was allocated since watching began. */
#include "output/report.h"
#include "session/target.h"

struct flow_sites;

/* flow_sites__build - by @order; where nothing was seen the report says why. -ENOMEM. */
int flow_sites__build(struct target *target, enum report_alloc_order order,
		      const struct alloc_figures *figures,
		      struct flow_sites **ret_sites) __must_check;
void flow_sites__free(struct flow_sites *sites);

const struct report_allocations *flow_sites__report(const struct flow_sites *sites);

#endif /* GLEAKD_REPORT_FLOW_SITES_H */
