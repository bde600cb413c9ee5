/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CPU_LIMIT_H
#define GLEAKD_HOST_CPU_LIMIT_H

/* What the limit of processor time of its control groups does to a process. */
#include <sys/types.h>

#include "base/common.h"

/*
 * process__throttled - for how long the control group of @pid, or one above it, that was held back most had
 * used up what it may use, since it was made. Errors: -EOPNOTSUPP none has a limit, or none is visible
 * under @cgroup_root; -ESRCH.
 */
int process__throttled(const char *proc_root, const char *cgroup_root, pid_t pid,
		       uint64_t *ret_ns) __must_check;

#endif /* GLEAKD_HOST_CPU_LIMIT_H */
