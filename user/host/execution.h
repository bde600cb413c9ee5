/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_EXECUTION_H
#define GLEAKD_HOST_EXECUTION_H

/*
 * Whether a process gets to run, and which process traces it. The figures of a process that is held
 * stand still: they say nothing about the program.
 */
#include <sys/types.h>

#include "base/common.h"

enum execution_state {
	EXECUTION_RUNNING, /* or waiting, or not known */
	EXECUTION_STOPPED, /* by a signal: SIGSTOP, SIGTSTP */
	EXECUTION_TRACED,  /* held by its tracer */
	EXECUTION_FROZEN,  /* its control group is */
};

struct execution {
	enum execution_state state;
	pid_t tracer; /* the process that traces it with ptrace(2), by its pid in /proc; 0: none */
	char tracer_comm[64];	 /* "" unknown; control characters became '?' */
	bool first_thread_ended; /* others may go on */
	uint64_t threads;	 /* 0: not known */
};

const char *execution_state__name(enum execution_state state); /* "running", "stopped", ... */

/* execution__text - why it does not run, "stopped by a signal"; "" when it does. */
#define EXECUTION_TEXT 128
void execution__text(const struct execution *execution, char out[EXECUTION_TEXT]);

/*
 * execution__read - the state of the main thread, from /proc/PID/status; a frozen process is
 * RUNNING there. Errors: -ESRCH gone, -EACCES /proc hides it, -EPROTO /proc says something
 * unexpected.
 */
int execution__read(const char *proc_root, pid_t pid, struct execution *ret_execution) __must_check;

/*
 * execution__is_frozen - whether a control group of @pid or one above it is frozen, in cgroup v1 or
 * v2. False where the groups are not visible under @cgroup_root.
 */
bool execution__is_frozen(const char *proc_root, const char *cgroup_root, pid_t pid);

#endif /* GLEAKD_HOST_EXECUTION_H */
