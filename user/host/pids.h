/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PIDS_H
#define GLEAKD_HOST_PIDS_H

/* Which processes exist, and for how long. What they are is asked one by one (process.h). */
#include "base/common.h"
#include "host/process.h"

/* include/linux/threads.h: PID_MAX_LIMIT of 64-bit kernels; no /proc has more entries. */
#define PIDS_MAX ((size_t)4 << 20)

/* pids__list - as access__list() says, by this process itself. */
int pids__list(const char *path, pid_t **ret_numbers, size_t *ret_n) __must_check;

/*
 * pids__read - all processes in @proc_root, lowest pid first, to free(). Any of them may have ended
 * by the time this returns. Errors: -ENOMEM, or that of opening and reading the directory.
 */
int pids__read(const char *proc_root, pid_t **ret_pids, size_t *ret_n) __must_check;

/*
 * process_id__uptime_ns - how long @id has been running at @boottime_ns on CLOCK_BOOTTIME, which
 * is what start times count in (fs/proc/array.c do_task_stat; both follow the time namespace). 0
 * when it started later.
 */
uint64_t process_id__uptime_ns(struct process_id id, uint64_t boottime_ns);

/* process_id__boottime_ns - CLOCK_BOOTTIME now. */
uint64_t process_id__boottime_ns(void);

#endif /* GLEAKD_HOST_PIDS_H */
