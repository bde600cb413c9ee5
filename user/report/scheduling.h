/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_SCHEDULING_H
#define GLEAKD_REPORT_SCHEDULING_H

/* What does not get on in a target, with the sites of the goroutines. */
#include "output/report.h"
#include "session/target.h"

/*
 * built_scheduling__make - *@ret_scheduling is NULL before the first census; it points to @sites, which
 * outlive it. The caller frees it. -ENOMEM.
 */
int built_scheduling__make(const struct target *target, const struct report_site *sites, size_t n,
			   struct report_scheduling **ret_scheduling) __must_check;

#endif /* GLEAKD_REPORT_SCHEDULING_H */
