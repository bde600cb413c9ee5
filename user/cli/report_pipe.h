/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_REPORT_PIPE_H
#define GLEAKD_CLI_REPORT_PIPE_H

/*
 * Standard output for reports, where it is a pipe or a socket: whoever reads it slowly, or not at all, holds
 * up a thread and not gleakd. A report goes out as a whole or is left out as a whole, and those are counted.
 * One for the whole process.
 */
#include <stdio.h>

#include "base/common.h"

/* So many bytes may wait for the reader before a report is left out; one may always. */
#define REPORT_PIPE_MAX_WAITING (8u << 20)

/* report_pipe__out - where to write reports: stdout itself where nobody can hold up who writes to it. */
FILE *report_pipe__out(void);

enum report_pipe_next {
	REPORT_PIPE_MORE, /* reports will follow */
	REPORT_PIPE_END, /* none will: its reader is waited for, until Ctrl-C or SIGTERM come once more */
	REPORT_PIPE_END_SOON, /* and others wait for the end: until he has read nothing for REPORT_PIPE_HURRY_NS */
};

#define REPORT_PIPE_HURRY_NS (2 * NSEC_PER_SEC)

/*
 * report_pipe__send - what was written there since the call before is a report. Returns 0, or why that or an earlier
 * one did not get there: -EPIPE, -ENOMEM and kin.
 */
int report_pipe__send(enum report_pipe_next next) __must_check;

/* report_pipe__left_out - how many reports were, as the reader did not take those before. */
uint64_t report_pipe__left_out(void);

#endif /* GLEAKD_CLI_REPORT_PIPE_H */
