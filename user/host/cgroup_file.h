/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CGROUP_FILE_H
#define GLEAKD_HOST_CGROUP_FILE_H

/* What control groups say of a process in files of theirs, in cgroup v1 or v2, which anybody may read. */
#include <sys/types.h>

#include "base/common.h"

struct cgroup_file {
	const char *v2;		/* its name: "cpu.stat" */
	const char *controller; /* of v1 */
	const char *v1;		/* its name there */
	bool ancestors;		/* in the groups above, too */
};

/*
 * cgroup_file__visit - the contents of @file in each hierarchy that has the group of @pid, up to 1 KiB of each.
 * @visit returns false to stop. Groups that are not visible under @cgroup_root are passed over. Errors:
 * -ESRCH, -ENOMEM, or the kernel's refusal of /proc/PID/cgroup.
 */
int cgroup_file__visit(const char *proc_root, const char *cgroup_root, pid_t pid,
		       const struct cgroup_file *file,
		       bool (*visit)(void *ctx, const char *text, bool v2), void *ctx);

#endif /* GLEAKD_HOST_CGROUP_FILE_H */
