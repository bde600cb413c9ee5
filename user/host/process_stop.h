/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_STOP_H
#define GLEAKD_HOST_PROCESS_STOP_H

/*
 * All threads of a process held still for a moment, and their registers. By ptrace(2) SEIZE and
 * INTERRUPT: no signal is sent, the parent is not told, and a stop signal that is pending or in force
 * stays what it was. The kernel lets go of every thread when the one who holds them dies, however
 * that happens. Waiting system calls are restarted by the kernel; those that never are (epoll_wait(2)
 * among them) return EINTR, as signal(7) has it for a process that is stopped and continued.
 *
 * All calls have to be made by the same thread of ours: ptrace(2) knows threads, not processes.
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
 * process_stop__hold - stop every thread of @pid, those too that are created meanwhile. They stand
 * still when this returns 0, and until process_stop__release(). Gives up, and lets go, once
 * @limit_ns have passed since the first thread was stopped.
 * Errors: -ESRCH the process ended; -EPERM (the failure says what is missing, or who traces it
 * already); -ETIME the limit passed; -E2BIG too many threads; -ENOMEM.
 */
int process_stop__hold(const char *proc_root, pid_t pid, uint64_t limit_ns,
		       struct process_stop **ret_stop, struct failure *failure) __must_check;

/*
 * process_stop__release - let all go on, signals that came meanwhile are delivered. Returns how long
 * the first of them stood still, in ns. NULL is fine: 0. A thread that has not left the kernel within
 * a second more is let go of when the calling thread ends: end it soon.
 */
uint64_t process_stop__release(struct process_stop *stop);

/* process_stop__elapsed_ns - since the first thread was stopped. */
uint64_t process_stop__elapsed_ns(const struct process_stop *stop);

const struct stopped_thread *process_stop__threads(const struct process_stop *stop, size_t *ret_n);

#endif /* GLEAKD_HOST_PROCESS_STOP_H */
