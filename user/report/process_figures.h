/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_PROCESS_FIGURES_H
#define GLEAKD_REPORT_PROCESS_FIGURES_H

/* The part of a report that only metrics show: groups, costs, gleakd itself. */
#include "report/builder.h"

#define REPORT_PID_TEXT 12

/* report_metrics__fill_target - @pid is storage for a group's name and lives as long as @report. */
void report_metrics__fill_target(const struct target *target, enum report_group group,
				 char pid[REPORT_PID_TEXT], struct report_target *report);

/* report_metrics__fill_memory - what its runtime counts of its memory at @now_ns. */
void report_metrics__fill_memory(struct target *target, uint64_t now_ns,
				 struct report_target *report);

/*
 * report_metrics__fill_self - of all of @report's targets, which are the session's; with @discovers
 * what discovery counted is there already.
 */
void report_metrics__fill_self(const struct session *session, struct report *report,
			       bool discovers);

/* report_metrics__fill_goroutines - those of @list; NULL: they were not asked for. */
void report_metrics__fill_goroutines(const struct goroutine_list *list,
				     struct report_target *report);

#endif /* GLEAKD_REPORT_PROCESS_FIGURES_H */
