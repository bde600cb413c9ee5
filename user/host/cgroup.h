/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CGROUP_H
#define GLEAKD_HOST_CGROUP_H

/*
 * Where a process belongs according to its control groups: systemd unit, container, Kubernetes pod.
 * The names of groups are conventions. A process that may create groups may give them any name, so
 * this is information for people and for selecting processes, never a proof.
 */
#include <limits.h>
#include <sys/types.h>

#include "base/common.h"

#define CGROUP_UNIT_SIZE	 256 /* systemd: UNIT_NAME_MAX */
#define CGROUP_CONTAINER_ID_SIZE 65
#define CGROUP_POD_UID_SIZE	 37

/* "" where it does not apply or is not known. */
struct process_origin {
	/* Of the group that the other fields come from, without " (deleted)". */
	char cgroup[PATH_MAX];
	/* As systemctl writes it; of the user manager where there is one. */
	char unit[CGROUP_UNIT_SIZE];
	char container_id[CGROUP_CONTAINER_ID_SIZE]; /* 64 hex digits */
	char pod_uid[CGROUP_POD_UID_SIZE]; /* with dashes, or 32 hex digits of a static pod */
};

/*
 * cgroup__read - from /proc/PID/cgroup, of cgroup v2, v1 or both.
 * Errors: -ESRCH gone, -EACCES /proc hides it, -ENOMEM, or the kernel's refusal.
 */
int cgroup__read(const char *proc_root, pid_t pid, struct process_origin *ret_origin) __must_check;

/* cgroup__parse - the same from the text of that file, which need not end with a newline. */
void cgroup__parse(const char *text, struct process_origin *ret_origin);

#endif /* GLEAKD_HOST_CGROUP_H */
