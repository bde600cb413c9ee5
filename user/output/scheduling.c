// SPDX-License-Identifier: Apache-2.0
#include "output/report.h"

/*
 * Below that it says nothing: a thread that wakes always waits a little. Of one processor for as long as it
 * was looked at, a twentieth.
 */
#define MIN_DELAY_PART 20
/* Waits that are worth a line: ten times what the runtime itself puts up with, or many of those. */
#define MIN_LATE_NS	     (100 * NSEC_PER_MSEC)
#define MIN_LATE_PER_SECOND  1
#define MANY_IN_SYSTEM_CALLS 8

static const char *const delays[] = {
	[REPORT_DELAY_UNKNOWN] = "",	  [REPORT_DELAY_GO] = "go",
	[REPORT_DELAY_KERNEL] = "kernel", [REPORT_DELAY_THROTTLED] = "throttled",
	[REPORT_DELAY_STOLEN] = "stolen",
};

const char *report_delay__name(enum report_delay delay)
{
	return delay < REPORT_DELAYS ? delays[delay] : "";
}

enum report_delay report__delay(const struct scheduling_view *view)
{
	const struct scheduling_cpu *cpu = &view->cpu;
	uint64_t least = view->since_ns / MIN_DELAY_PART, held_back = least;
	bool by_kernel = view->n_late && view->late[0].by_kernel;

	if (!view->since_ns)
		return REPORT_DELAY_UNKNOWN;
	/* Of that one it is known that its thread waits: whatever else there was is no matter. */
	if (by_kernel)
		held_back = min_of(least, view->late[0].waiting_ns / 2);
	if (cpu->throttled_known && cpu->throttled_ns >= held_back)
		return REPORT_DELAY_THROTTLED;
	/* It looks to threads as if they ran: that is asked before who has no processor. */
	if (cpu->stolen_known &&
	    cpu->stolen_ns >= least * max_of(cpu->host_processors, (uint64_t)1))
		return REPORT_DELAY_STOLEN;
	if (by_kernel)
		return REPORT_DELAY_KERNEL;
	if (!cpu->run_delay_known)
		return REPORT_DELAY_UNKNOWN;
	return cpu->run_delay_ns >= least ? REPORT_DELAY_KERNEL : REPORT_DELAY_GO;
}

bool report__gets_on(const struct report_scheduling *scheduling)
{
	const struct scheduling_view *view = &scheduling->view;
	bool often = view->since_ns &&
		     view->over_10ms_new >= MIN_LATE_PER_SECOND * view->since_ns / NSEC_PER_SEC +
						    MIN_LATE_PER_SECOND;

	return !often && !(view->n_late && view->late[0].waiting_ns >= MIN_LATE_NS) &&
	       !view->n_hogs && view->n_stuck + view->more_stuck < MANY_IN_SYSTEM_CALLS;
}
