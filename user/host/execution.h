/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_EXECUTION_H
#define GLEAKD_HOST_EXECUTION_H

/*
 * Whether a process gets to run, and who traces it. Who is held changes nothing: figures that stand
 * still are then no figures of the program.
 */
#include <sys/types.h>

#include "base/common.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

enum execution_state {
	EXECUTION_RUNNING, /* or waiting for something, or it cannot be known */
	EXECUTION_STOPPED, /* by a signal: SIGSTOP, SIGTSTP */
	EXECUTION_TRACED,  /* held by who traces it */
	EXECUTION_FROZEN,  /* its control group is */
};

struct execution {
	enum execution_state state;
	pid_t tracer;	      /* who traces it with ptrace(2), as /proc numbers it; 0: nobody */
	char tracer_comm[64]; /* "" unknown; control characters became '?' */
};

const char *execution_state__name(enum execution_state state); /* "running", "stopped", ... */

/* execution__text - in words how it is held, "" when it is not: "stopped by a signal". */
#define EXECUTION_TEXT 128
void execution__text(const struct execution *execution, char out[EXECUTION_TEXT]);

/*
 * execution__read - what /proc/PID/status says of its first thread; a frozen process is RUNNING here.
 * Errors: -ESRCH gone, -EACCES /proc hides it, -EPROTO it says something unexpected.
 */
int execution__read(const char *proc_root, pid_t pid, struct execution *ret_execution) __must_check;

/*
 * execution__is_frozen - whether a control group of @pid, of either version, is frozen, by itself or by
 * one above it. False where the groups cannot be seen under @cgroup_root.
 */
bool execution__is_frozen(const char *proc_root, const char *cgroup_root, pid_t pid);

#endif /* GLEAKD_HOST_EXECUTION_H */
