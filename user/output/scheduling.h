/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_SCHEDULING_H
#define GLEAKD_OUTPUT_SCHEDULING_H

/* What of a process is held up, in a report. */
#include "track/scheduling.h"

struct report_site;

#define REPORT_CALL_SIZE 320

/* Where a goroutine belongs that is held up. */
struct report_held {
	char site[9];		      /* id of its site; "": it is not known */
	const struct report_site *at; /* that, of the same report; NULL: it is not there */
	char call[REPORT_CALL_SIZE];  /* that it is stuck in: "read(3: /run/fifo)" */
};

#define REPORT_MAX_THREAD_GROUPS 16

/* Threads that are in the same kind of call. */
struct report_thread_group {
	char call[32]; /* "read" */
	/* "files below /mnt/x", "socket"; "": it is about nothing that has a name */
	char where[96];
	bool in_c;
	uint64_t threads;
};

/* What is held up, and what each of it is. */
struct report_scheduling {
	struct scheduling_view view;
	struct report_held late[SCHEDULING_MAX_TOLD], hogs[SCHEDULING_MAX_TOLD],
		stuck[SCHEDULING_MAX_TOLD];
	/* Of threads in calls, while there are more and more: so many were looked at, most of a kind first. */
	uint64_t looked_at;
	struct report_thread_group groups[REPORT_MAX_THREAD_GROUPS];
	size_t n_groups;
};

/* Who the ones that wait for a processor wait for. */
enum report_delay {
	REPORT_DELAY_UNKNOWN,
	REPORT_DELAY_GO,	/* the program's other goroutines: Go's own queue */
	REPORT_DELAY_KERNEL,	/* other processes: its threads have no processor either */
	REPORT_DELAY_THROTTLED, /* the limit of its control group */
	REPORT_DELAY_STOLEN,	/* other machines on the same hardware */
	REPORT_DELAYS,
};

/* report__delay - by what the kernel says of the time since the census before. */
enum report_delay report__delay(const struct scheduling_view *view);
const char *report_delay__name(enum report_delay delay); /* "go"; "" not known */

/* report__gets_on - whether nothing of it is worth a line. */
bool report__gets_on(const struct report_scheduling *scheduling);

#endif /* GLEAKD_OUTPUT_SCHEDULING_H */
