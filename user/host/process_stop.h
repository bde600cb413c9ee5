/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_STOP_H
#define GLEAKD_HOST_PROCESS_STOP_H

/*
 * Holds all threads of a process still for a moment and reads their registers, with ptrace(2) SEIZE
 * and INTERRUPT. No signal is sent, the parent is not told, and a stop signal that is pending or in
 * force stays what it was. When the tracer dies, the kernel lets go of every thread. The kernel
 * restarts waiting system calls; those that it never restarts, epoll_wait(2) among them, return
 * EINTR, as after SIGSTOP and SIGCONT (signal(7)).
 *
 * Meanwhile the calling thread has a real-time priority, where CAP_SYS_NICE permits it.
 *
 * One thread of gleakd has to make all calls: the tracer of ptrace(2) is a thread, not a process.
 */
#include <sys/types.h>
#include <sys/user.h>

#include "base/common.h"
#include "base/failure.h"

struct process_stop;

struct stopped_thread {
	pid_t tid;
	struct user_regs_struct registers;
	int signal; /* that was about to be delivered to it, and will be; 0: none */
};

/* More threads than that are not stopped. The runtime's own limit is 10,000 (runtime/debug). */
#define PROCESS_STOP_MAX_THREADS 20000

/*
 * process_stop__hold - stop every thread of @pid, also those that are created meanwhile. When this
 * returns 0 all threads stand still, until process_stop__release(). Gives up and lets go when
 * @limit_ns have passed since the first thread was stopped. Errors: -ESRCH the process ended;
 * -EPERM (the failure says what is missing, or which process traces it already); -ETIME the limit
 * passed; -E2BIG too many threads; -ENOMEM.
 */
int process_stop__hold(const char *proc_root, pid_t pid, uint64_t limit_ns,
		       struct process_stop **ret_stop, struct failure *failure) __must_check;

/*
 * process_stop__release - let all threads go on and deliver the signals that arrived meanwhile.
 * Returns how long the first thread stood still, in ns; 0 for NULL. A thread that has not left the
 * kernel within another second is let go of only when the calling thread ends: end it soon.
 */
uint64_t process_stop__release(struct process_stop *stop);

/*
 * process_stop__describe - what another process holds: the threads can be looked at, and releasing it does
 * nothing to them. @threads are copied. -ENOMEM.
 */
int process_stop__describe(pid_t pid, uint64_t begin_ns, const struct stopped_thread *threads,
			   size_t n, struct process_stop **ret_stop) __must_check;

/* process_stop__lend_priority - the first thread of process @to comes first as well, until the release. */
void process_stop__lend_priority(struct process_stop *stop, pid_t to);

/* process_stop__begin_ns - when its first thread was stopped. */
uint64_t process_stop__begin_ns(const struct process_stop *stop);

/* process_stop__expected_ns - about how long it takes to stop all threads and to let them go; 0: unknown. */
uint64_t process_stop__expected_ns(const char *proc_root, pid_t pid);

/* process_stop__elapsed_ns - since the first thread was stopped. */
uint64_t process_stop__elapsed_ns(const struct process_stop *stop);

const struct stopped_thread *process_stop__threads(const struct process_stop *stop, size_t *ret_n);

#endif /* GLEAKD_HOST_PROCESS_STOP_H */
