/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_ALLOC_SITES_H
#define GLEAKD_REPORT_ALLOC_SITES_H

/*
 * From sampled stacks to places in the code: what one line allocates, whoever called it, is one place,
 * as with goroutines (naming/places.h). Names the innermost line that is not the runtime's and the
 * line of the program's own code.
 */
#include "naming/allow_list.h"
#include "output/report.h"
#include "session/allocs/target_samples.h"

struct alloc_sites;

/*
 * alloc_sites__refresh - *@sites, which is NULL or was made of @target, as of its latest samples by @order; NULL
 * where nobody has asked for samples. Of what grows, and is not known now who holds it, that is as it was, and
 * a scan is asked for where it never was known. The target must outlive the result. -ENOMEM.
 */
int alloc_sites__refresh(struct target *target, enum report_alloc_order order, uint64_t now_ns,
			 struct alloc_sites **sites) __must_check;
void alloc_sites__free(struct alloc_sites *sites);

/* alloc_sites__suppress - as alloc_places__suppress(); nothing for NULL. */
void alloc_sites__suppress(struct alloc_sites *sites, struct allow_list *allow);

/* alloc_sites__tell_due - as alloc_places__tell_due(); nothing for NULL. */
void alloc_sites__tell_due(struct alloc_sites *sites, uint64_t now_ns, uint64_t realtime_ns);

/* alloc_sites__report - what they are in a report; NULL for NULL. */
const struct report_allocations *alloc_sites__report(const struct alloc_sites *sites);

#endif /* GLEAKD_REPORT_ALLOC_SITES_H */
