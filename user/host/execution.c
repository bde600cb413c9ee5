// SPDX-License-Identifier: Apache-2.0
#include "host/execution.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read.h"
#include "host/access.h"
#include "host/proc_error.h"

/* The head of /proc/PID/status up to TracerPid, its eighth line (fs/proc/array.c proc_pid_status). */
#define STATUS_HEAD_BYTES 512
/* As in host/cgroup.c. */
#define CGROUP_MAX_BYTES (64u << 10)
/* "populated 1\nfrozen 0\n", "FREEZING\n" */
#define STATE_MAX_BYTES 256

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

/* @n bytes of @text were read, or -errno. */
static int end_text(char *text, ssize_t n)
{
	if (n < 0)
		return proc_error((int)-n);
	text[n] = '\0';
	return 0;
}

/* Up to @size - 1 bytes of a file of a process, NUL-terminated; -errno. */
static int read_proc(const char *path, char *text, size_t size)
{
	return end_text(text, access__read(path, text, size - 1));
}

/* The same of a control group, which anybody may read. */
static int read_text(const char *path, char *text, size_t size)
{
	int fd __cleanup_close = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -errno : read__whole(fd, text, size - 1);

	return end_text(text, n);
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
	char path[PATH_MAX], status[STATUS_HEAD_BYTES];
	const char *state, *tracer;
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
	execution.state = state_of(*state);
	execution.tracer = (pid_t)strtol(tracer, NULL, 10);
	if (execution.tracer > 0)
		read_comm(proc_root, execution.tracer, execution.tracer_comm,
			  sizeof(execution.tracer_comm));
	*ret_execution = execution;
	return 0;
}

/* --- control groups ------------------------------------------------------------------------------ */

/* Whether file @leaf of group @group, @n bytes long, contains @word. */
static bool group_says(const char *mount, const char *group, size_t n, const char *leaf,
		       const char *word)
{
	char path[PATH_MAX], text[STATE_MAX_BYTES];

	if ((size_t)snprintf(path, sizeof(path), "%s%.*s/%s", mount, (int)n, group, leaf) >=
	    sizeof(path))
		return false;
	return !read_text(path, text, sizeof(text)) && strstr(text, word);
}

/* One line of /proc/PID/cgroup, "ID:CONTROLLERS:PATH" (cgroups(7)), and what its group says. */
static bool line_is_frozen(const char *line, size_t length, const char *cgroup_root)
{
	const char *end = line + length;
	const char *controllers = memchr(line, ':', length);
	const char *path =
		controllers ? memchr(controllers + 1, ':', (size_t)(end - controllers - 1)) : NULL;
	char mount[PATH_MAX];
	size_t n;

	if (!path || path[1] != '/')
		return false;
	path++;
	n = (size_t)(end - path);
	/* A group outside of our cgroup namespace is not visible here. */
	if (n >= PATH_MAX || memmem(path, n, "/..", 3))
		return false;
	/* Version 2, mounted there or beside those of version 1. */
	if (controllers[1] == ':') {
		if (group_says(cgroup_root, path, n, "cgroup.events", "frozen 1"))
			return true;
		snprintf(mount, sizeof(mount), "%s/unified", cgroup_root);
		return group_says(mount, path, n, "cgroup.events", "frozen 1");
	}
	if (!memmem(controllers, (size_t)(path - controllers), "freezer", 7))
		return false;
	snprintf(mount, sizeof(mount), "%s/freezer", cgroup_root);
	return group_says(mount, path, n, "freezer.state", "FROZEN");
}

bool execution__is_frozen(const char *proc_root, const char *cgroup_root, pid_t pid)
{
	char *text __cleanup_free = malloc(CGROUP_MAX_BYTES);
	char path[PATH_MAX];

	if (!text ||
	    (size_t)snprintf(path, sizeof(path), "%s/%d/cgroup", proc_root, pid) >= sizeof(path) ||
	    read_proc(path, text, CGROUP_MAX_BYTES))
		return false;
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (line_is_frozen(line, length, cgroup_root))
			return true;
		line += length + (line[length] == '\n');
	}
	return false;
}
