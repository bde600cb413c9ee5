// SPDX-License-Identifier: Apache-2.0
#include "host/execution.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/access.h"
#include "host/cgroup_file.h"
#include "host/proc_error.h"

/*
 * /proc/PID/status (fs/proc/array.c proc_pid_status): TracerPid is its eighth line; Threads comes after the
 * groups, of which some 300 fit.
 */
#define STATUS_BYTES 4096

static const char *const names[] = {
	[EXECUTION_RUNNING] = "running",
	[EXECUTION_STOPPED] = "stopped",
	[EXECUTION_TRACED] = "traced",
	[EXECUTION_FROZEN] = "frozen",
};

const char *execution_state__name(enum execution_state state)
{
	return (size_t)state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

void execution__text(const struct execution *execution, char out[EXECUTION_TEXT])
{
	out[0] = '\0';
	switch (execution->state) {
	case EXECUTION_RUNNING:
		break;
	case EXECUTION_STOPPED:
		snprintf(out, EXECUTION_TEXT, "stopped by a signal");
		break;
	case EXECUTION_TRACED:
		snprintf(out, EXECUTION_TEXT, "held by %s (pid %d), which traces it",
			 execution->tracer_comm, execution->tracer);
		break;
	case EXECUTION_FROZEN:
		snprintf(out, EXECUTION_TEXT, "frozen with its control group");
		break;
	}
}

/* Up to @size - 1 bytes of a file of a process, NUL-terminated; -errno. */
static int read_proc(const char *path, char *text, size_t size)
{
	ssize_t n = access__read_public(path, text, size - 1);

	if (n < 0)
		return proc_error((int)-n);
	text[n] = '\0';
	return 0;
}

static void read_comm(const char *proc_root, pid_t pid, char *comm, size_t size)
{
	char path[PATH_MAX];

	comm[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s/%d/comm", proc_root, pid) >= sizeof(path) ||
	    read_proc(path, comm, size))
		comm[0] = '\0';
	comm[strcspn(comm, "\n")] = '\0';
	for (char *c = comm; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
}

/* The rest of the line that begins with @label; NULL: there is none. A comm has its newlines escaped. */
static const char *value_of(const char *status, const char *label)
{
	const char *line = strstr(status, label);

	return line ? line + strlen(label) : NULL;
}

static enum execution_state state_of(char letter)
{
	switch (letter) {
	case 'T':
		return EXECUTION_STOPPED;
	case 't':
		return EXECUTION_TRACED;
	default:
		return EXECUTION_RUNNING;
	}
}

int execution__read(const char *proc_root, pid_t pid, struct execution *ret_execution)
{
	struct execution execution = {0};
	char path[PATH_MAX], status[STATUS_BYTES];
	const char *state, *tracer, *threads;
	int err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%d/status", proc_root, pid) >= sizeof(path))
		return -ENAMETOOLONG;
	err = read_proc(path, status, sizeof(status));
	if (err)
		return err;
	state = value_of(status, "\nState:\t");
	tracer = value_of(status, "\nTracerPid:\t");
	if (!state || !tracer)
		return -EPROTO;
	threads = value_of(tracer, "\nThreads:\t");
	execution.state = state_of(*state);
	execution.first_thread_ended = *state == 'Z' || *state == 'X';
	execution.threads = threads ? strtoull(threads, NULL, 10) : 0;
	execution.tracer = (pid_t)strtol(tracer, NULL, 10);
	if (execution.tracer > 0)
		read_comm(proc_root, execution.tracer, execution.tracer_comm,
			  sizeof(execution.tracer_comm));
	*ret_execution = execution;
	return 0;
}

/* --- control groups ------------------------------------------------------------------------------ */

static bool says_frozen(void *ctx, const char *text, bool v2)
{
	bool *frozen = ctx;

	*frozen = strstr(text, v2 ? "frozen 1" : "FROZEN") != NULL;
	return !*frozen;
}

bool execution__is_frozen(const char *proc_root, const char *cgroup_root, pid_t pid)
{
	/* What holds a group shows in those below it, too. */
	static const struct cgroup_file file = {
		.v2 = "cgroup.events", .controller = "freezer", .v1 = "freezer.state"};
	bool frozen = false;

	cgroup_file__visit(proc_root, cgroup_root, pid, &file, says_frozen, &frozen);
	return frozen;
}
