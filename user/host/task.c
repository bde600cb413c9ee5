// SPDX-License-Identifier: Apache-2.0
#include "host/task.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/access.h"
#include "host/proc_error.h"

/* /proc/PID/task/TID/status has some 1.5 KiB; its last lines are those that count switches. */
#define STATUS_BYTES 4096
/* Nine numbers; three. */
#define LINE_BYTES 256
/* Threads that a process in another pid namespace is searched for one. */
#define MAX_SEARCHED 4096
#define MAX_DELAYED  256

/* NUL-terminated; -errno. */
static int read_task(const char *proc_root, pid_t pid, pid_t tid, const char *leaf, char *text,
		     size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	if ((size_t)snprintf(path, sizeof(path), "%s/%d/task/%d/%s", proc_root, pid, tid, leaf) >=
	    sizeof(path))
		return -ENAMETOOLONG;
	n = access__read_public(path, text, size - 1);
	if (n == -ENOENT && strcmp(leaf, "status") != 0)
		return -EOPNOTSUPP;
	if (n < 0)
		return proc_error((int)-n);
	text[n] = '\0';
	return 0;
}

/* All threads; to be freed. */
static int list_tasks(const char *proc_root, pid_t pid, pid_t **ret_tids, size_t *ret_n)
{
	char path[PATH_MAX];
	int err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%d/task", proc_root, pid) >= sizeof(path))
		return -ENAMETOOLONG;
	err = access__list(path, ret_tids, ret_n);
	return err ? proc_error(-err) : 0;
}

/* Its number in its own namespace, the last of "NSpid:\t4711\t12"; 0: not known. */
static uint64_t own_number(const char *status)
{
	const char *line = strstr(status, "\nNSpid:");
	uint64_t number = 0;
	char *end;

	if (!line)
		return 0;
	for (line += strlen("\nNSpid:"); *line == '\t'; line = end) {
		number = strtoull(line + 1, &end, 10);
		if (end == line + 1)
			return 0;
	}
	return number;
}

static bool calls_itself(const char *proc_root, pid_t pid, pid_t tid, uint64_t wanted)
{
	char status[STATUS_BYTES];

	return !read_task(proc_root, pid, tid, "status", status, sizeof(status)) &&
	       own_number(status) == wanted;
}

int task__find(const char *proc_root, pid_t pid, uint64_t tid, pid_t *ret_tid)
{
	pid_t *tids __cleanup_free = NULL;
	size_t n;
	int err;

	if (!tid || tid > INT_MAX)
		return -ESRCH;
	/* Nearly always. */
	if (calls_itself(proc_root, pid, (pid_t)tid, tid)) {
		*ret_tid = (pid_t)tid;
		return 0;
	}
	err = list_tasks(proc_root, pid, &tids, &n);
	if (err)
		return err;
	for (size_t i = 0; i < n && i < MAX_SEARCHED; i++) {
		if (!calls_itself(proc_root, pid, tids[i], tid))
			continue;
		*ret_tid = tids[i];
		return 0;
	}
	return -ESRCH;
}

/* The number behind @label; false: there is none. */
static bool count_of(const char *status, const char *label, uint64_t *ret_count)
{
	const char *line = strstr(status, label);
	char *end;

	if (!line)
		return false;
	*ret_count = strtoull(line + strlen(label), &end, 10);
	return end != line + strlen(label);
}

/* "0 0x3 0xc000012000 0x1000 0x0 0x0 0x0 0x7ffc8c0 0x4054c5", "-1 0x7ffc8c0 0x4054c5", "running". */
static int parse_call(const char *text, struct task_call *ret_call)
{
	struct task_call call = {.number = -1};
	uint64_t *args = call.args;

	if (!strncmp(text, "running", strlen("running")))
		return -EAGAIN;
	if (sscanf(text, "-1 %" SCNx64 " %" SCNx64, &call.sp, &call.pc) != 2 &&
	    sscanf(text,
		   "%" SCNd64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64 " %" SCNx64
		   " %" SCNx64 " %" SCNx64 " %" SCNx64,
		   &call.number, &args[0], &args[1], &args[2], &args[3], &args[4], &args[5],
		   &call.sp, &call.pc) != 9)
		return -EPROTO;
	*ret_call = call;
	return 0;
}

/* How often a thread has given up its processor. */
static bool switches_of(const char *status, uint64_t *ret_switches)
{
	uint64_t voluntary, involuntary;

	if (!count_of(status, "\nvoluntary_ctxt_switches:\t", &voluntary) ||
	    !count_of(status, "\nnonvoluntary_ctxt_switches:\t", &involuntary))
		return false;
	*ret_switches = voluntary + involuntary;
	return true;
}

int task__call(const char *proc_root, pid_t pid, pid_t tid, struct task_call *ret_call)
{
	char line[LINE_BYTES], status[STATUS_BYTES];
	struct task_call call;
	int err = read_task(proc_root, pid, tid, "syscall", line, sizeof(line));

	if (!err)
		err = parse_call(line, &call);
	if (!err)
		err = read_task(proc_root, pid, tid, "status", status, sizeof(status));
	if (err)
		return err;
	if (!switches_of(status, &call.switches))
		return -EPROTO;
	*ret_call = call;
	return 0;
}

int task__times(const char *proc_root, pid_t pid, pid_t tid, struct task_times *ret_times)
{
	char line[LINE_BYTES];
	struct task_times times;
	int err = read_task(proc_root, pid, tid, "schedstat", line, sizeof(line));

	if (err)
		return err;
	/* Time on a processor, time without one, turns: proc(5). */
	if (sscanf(line, "%" SCNu64 " %" SCNu64, &times.cpu_ns, &times.run_delay_ns) != 2)
		return -EPROTO;
	*ret_times = times;
	return 0;
}

bool task__seen_to_run(const char *proc_root, pid_t pid, pid_t tid, struct task_times *times)
{
	const struct timespec pause = {.tv_nsec = NSEC_PER_MSEC};
	uint64_t before_ns = times->cpu_ns, end_ns = clock__monotonic_ns() + TASK_SEEN_NS;

	while (!task__times(proc_root, pid, tid, times)) {
		if (times->cpu_ns != before_ns)
			return true;
		if (clock__monotonic_ns() >= end_ns)
			break;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* One of @n threads that there are; -EAGAIN also when there is another one by now. */
static int rest_of(const char *proc_root, pid_t pid, pid_t tid, size_t n, uint64_t *ret_switches)
{
	char status[STATUS_BYTES];
	const char *state;
	uint64_t threads;
	int err = read_task(proc_root, pid, tid, "status", status, sizeof(status));

	if (err)
		return err;
	state = strstr(status, "\nState:\t");
	if (!state || !count_of(status, "\nThreads:\t", &threads) ||
	    !switches_of(status, ret_switches))
		return -EPROTO;
	return state[strlen("\nState:\t")] == 'R' || threads != n ? -EAGAIN : 0;
}

int process__rest(const char *proc_root, pid_t pid, struct process_rest *ret_rest)
{
	pid_t *tids __cleanup_free = NULL;
	size_t n;
	int err = list_tasks(proc_root, pid, &tids, &n);

	if (!err && n > PROCESS_REST_THREADS)
		err = -E2BIG;
	for (size_t i = 0; !err && i < n; i++) {
		ret_rest->tids[i] = tids[i];
		err = rest_of(proc_root, pid, tids[i], n, &ret_rest->switches[i]);
	}
	ret_rest->n = err ? 0 : n;
	return err;
}

bool process__rests_since(const char *proc_root, pid_t pid, const struct process_rest *rest)
{
	uint64_t switches;

	for (size_t i = 0; i < rest->n; i++) {
		if (rest_of(proc_root, pid, rest->tids[i], rest->n, &switches) ||
		    switches != rest->switches[i])
			return false;
	}
	return rest->n > 0;
}

int process__run_delay(const char *proc_root, pid_t pid, uint64_t *ret_ns)
{
	pid_t *tids __cleanup_free = NULL;
	struct task_times times;
	uint64_t sum = 0;
	size_t n, read = 0;
	int err;

	err = list_tasks(proc_root, pid, &tids, &n);
	if (err)
		return err;
	for (size_t i = 0; i < n && i < MAX_DELAYED; i++) {
		if (task__times(proc_root, pid, tids[i], &times))
			continue;
		sum += times.run_delay_ns;
		read++;
	}
	if (!read)
		return -EOPNOTSUPP;
	*ret_ns = sum;
	return 0;
}
