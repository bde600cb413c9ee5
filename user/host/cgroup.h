/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CGROUP_H
#define GLEAKD_HOST_CGROUP_H

/*
 * Where a process belongs according to its control groups: systemd unit, container, Kubernetes pod.
 * The names of groups are conventions, and whoever may create a group may give it any name. So each name
 * goes with whose word it is: root's, who alone can have made the groups down to `trusted`, or somebody
 * else's, who claims it.
 */
#include <limits.h>
#include <sys/types.h>

#include "base/common.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

#define CGROUP_UNIT_SIZE	 256 /* systemd: UNIT_NAME_MAX */
#define CGROUP_CONTAINER_ID_SIZE 65
#define CGROUP_POD_UID_SIZE	 37
#define CGROUP_CONTROLLERS_SIZE	 64

/* "user 1000", "container 3f4ab8c0d1e2", "container lxc.payload.web" */
#define CLAIMANT_SIZE 64

/* "" where it does not apply or is not known. */
struct process_origin {
	/* Of the group that the other fields come from, without " (deleted)". */
	char cgroup[PATH_MAX];
	char controllers[CGROUP_CONTROLLERS_SIZE]; /* whose hierarchy it is in; "": cgroup v2 */
	/* As systemctl writes it; of the user manager where there is one. */
	char unit[CGROUP_UNIT_SIZE];
	char container_id[CGROUP_CONTAINER_ID_SIZE]; /* 64 hex digits */
	char pod_uid[CGROUP_POD_UID_SIZE]; /* with dashes, or 32 hex digits of a static pod */

	/* Where in `cgroup` the component begins that each of them is from. */
	size_t unit_at, container_at, pod_at;
	/* What lies below the first so many bytes of `cgroup` is the word of `claimant`. */
	size_t trusted;
	char claimant[CLAIMANT_SIZE]; /* "": all is trusted */

	/* The same of the executable's path, and of the process' own name (host/exe_claim.h). */
	char exe_claimant[CLAIMANT_SIZE], comm_claimant[CLAIMANT_SIZE];
	bool exe_elsewhere; /* it is a path of another mount or user namespace than the host's */
};

/* cgroup__claimed - whose word a name is that begins at @at; "": root's. */
static inline const char *cgroup__claimed(const struct process_origin *origin, size_t at)
{
	return at > origin->trusted ? origin->claimant : "";
}

/*
 * cgroup__read - from /proc/PID/cgroup, of cgroup v2, v1 or both, with who claims it. Of the executable
 * nothing.
 * Errors: -ESRCH gone, -EACCES /proc hides it, -ENOMEM, or the kernel's refusal.
 */
int cgroup__read(const char *proc_root, pid_t pid, struct process_origin *ret_origin) __must_check;

/*
 * cgroup__parse - the same from the text of that file, which need not end with a newline. Of claims only
 * what paths tell: below a container's group names are the container's, below a user manager the user's.
 */
void cgroup__parse(const char *text, struct process_origin *ret_origin);

/*
 * cgroup__look - what the groups below @cgroup_root (CGROUP_ROOT but in tests) tell besides: below one that
 * is not root's, or that others may write to, systemd or a container runtime has given away the making of
 * groups. What cannot be seen, as groups outside of gleakd's cgroup namespace, says nothing.
 */
void cgroup__look(const char *cgroup_root, struct process_origin *origin);

#endif /* GLEAKD_HOST_CGROUP_H */
