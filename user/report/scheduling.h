/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_SCHEDULING_H
#define GLEAKD_REPORT_SCHEDULING_H

/* What is held up in a target, with the sites of the goroutines. */
#include "output/report.h"
#include "session/target.h"

/*
 * built_scheduling__make - *@ret_scheduling is NULL before the first census; it points to @sites, which
 * outlive it. The caller frees it. -ENOMEM.
 */
int built_scheduling__make(const struct target *target, const struct report_site *sites, size_t n,
			   struct report_scheduling **ret_scheduling) __must_check;

/* built_scheduling__fill - what was made, threads, and whether each wait is traced, and for how long it has been. */
void built_scheduling__fill(const struct target *target, const struct report_scheduling *made,
			    uint64_t now_ns, struct report_target *report);

#endif /* GLEAKD_REPORT_SCHEDULING_H */
