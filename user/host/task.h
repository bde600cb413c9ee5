/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_TASK_H
#define GLEAKD_HOST_TASK_H

/* Threads of a process as /proc/PID/task shows them. */
#include <sys/types.h>

#include "base/common.h"

/* The system call that a thread is in. */
struct task_call {
	int64_t number; /* -1: it blocks, and in none */
	uint64_t args[6];
	uint64_t sp, pc; /* of user space */
	/* how often it has given up its processor: it blocked, or was preempted */
	uint64_t switches;
};

/*
 * task__find - the thread of @pid that calls itself @tid in its own pid namespace. -ESRCH: there is none,
 * or not among the first few thousand.
 */
int task__find(const char *proc_root, pid_t pid, uint64_t tid, pid_t *ret_tid) __must_check;

/*
 * task__call - what thread @tid of @pid is in. Errors: -EAGAIN it runs in user space; -ESRCH; -EACCES;
 * -EPROTO /proc says something unexpected; -EOPNOTSUPP this kernel does not tell.
 */
int task__call(const char *proc_root, pid_t pid, pid_t tid,
	       struct task_call *ret_call) __must_check;

/* How long a thread has been on a processor, and runnable without one, since it began. */
struct task_times {
	uint64_t cpu_ns, run_delay_ns;
};

/* task__times - of thread @tid of @pid. Errors: -ESRCH; -EPROTO; -EOPNOTSUPP this kernel does not tell. */
int task__times(const char *proc_root, pid_t pid, pid_t tid,
		struct task_times *ret_times) __must_check;

/*
 * task__seen_to_run - whether the processor time of a thread grows beyond *@times, which is brought
 * up to date then. The kernel counts it at each tick, so that this takes a few ms where it runs,
 * and TASK_SEEN_NS where it does not. What it has waited is told by run_delay_ns once it runs: of a
 * wait that goes on the kernel tells nothing.
 */
#define TASK_SEEN_NS (20 * NSEC_PER_MSEC)
bool task__seen_to_run(const char *proc_root, pid_t pid, pid_t tid, struct task_times *times);

/* Threads of a process none of which runs, and how often each has given up its processor by then. */
#define PROCESS_REST_THREADS 64

struct process_rest {
	size_t n;
	pid_t tids[PROCESS_REST_THREADS];
	uint64_t switches[PROCESS_REST_THREADS];
};

/*
 * process__rest - -EAGAIN: one of its threads is on a processor, or waits for one; -E2BIG more than
 * PROCESS_REST_THREADS; -ESRCH; -EPROTO.
 */
int process__rest(const char *proc_root, pid_t pid, struct process_rest *ret_rest) __must_check;

/*
 * process__rests_since - whether none of its threads has run since @rest was taken, not for a moment: each has given
 * up its processor as often as then and has none now, and who began since would have been made by one of them.
 */
bool process__rests_since(const char *proc_root, pid_t pid, const struct process_rest *rest);

/*
 * process__run_delay - how long its threads, the first 256 of them, were runnable and had no processor, all
 * together, since they began. Errors: -ESRCH; -EOPNOTSUPP this kernel does not tell.
 */
int process__run_delay(const char *proc_root, pid_t pid, uint64_t *ret_ns) __must_check;

#endif /* GLEAKD_HOST_TASK_H */
