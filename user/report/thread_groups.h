/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_THREAD_GROUPS_H
#define GLEAKD_REPORT_THREAD_GROUPS_H

/* What the threads of a process are in, those together that are in the same kind of call. Pure. */
#include "output/report.h"

/*
 * thread_groups__add - one more thread, which is in the call that @text says (target_scheduling.h). What does not fit
 * is counted nowhere.
 */
void thread_groups__add(struct report_scheduling *scheduling, const char *text, bool in_c);

/* thread_groups__sort - most threads first. */
void thread_groups__sort(struct report_scheduling *scheduling);

#endif /* GLEAKD_REPORT_THREAD_GROUPS_H */
