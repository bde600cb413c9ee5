// SPDX-License-Identifier: Apache-2.0
#include "host/exe_claim.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/access.h"
#include "host/owner.h"

/* The host's own is that of the process from which all others come. */
#define FIRST_PID 1

static int stat_of(const char *proc_root, pid_t pid, const char *leaf, struct statx *ret_stat)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/%s", proc_root, pid, leaf);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return access__stat(path, STATX_INO | STATX_UID, ret_stat);
}

static bool has_own_mounts(const char *proc_root, pid_t pid)
{
	struct statx host, own;

	if (stat_of(proc_root, FIRST_PID, "ns/mnt", &host) &&
	    stat_of(proc_root, getpid(), "ns/mnt", &host))
		return false;
	return !stat_of(proc_root, pid, "ns/mnt", &own) && own.stx_ino != host.stx_ino;
}

static bool is_in_container(const struct process_origin *origin)
{
	return origin->container_id[0] || origin->pod_uid[0] ||
	       !strncmp(origin->claimant, "container ", 10);
}

/* PrivateTmp= and kin make namespaces for a unit, whose ExecStart= is root's word. */
static bool is_in_unit(const struct process_origin *origin)
{
	return origin->unit[0] && !*cgroup__claimed(origin, origin->unit_at) &&
	       !is_in_container(origin);
}

static void claim_of_user(uid_t uid, char claimant[CLAIMANT_SIZE])
{
	claimant[0] = '\0';
	if (!owner__is_host(uid))
		snprintf(claimant, CLAIMANT_SIZE, "user %u", uid);
}

void exe_claim__find(const char *proc_root, pid_t pid, uid_t uid, struct process_origin *origin)
{
	uid_t maker = access__owner(proc_root, pid, 0);
	struct statx file;

	claim_of_user(uid, origin->comm_claimant);
	origin->exe_claimant[0] = '\0';
	origin->exe_elsewhere = !owner__is_host(maker);
	if (origin->exe_elsewhere) {
		claim_of_user(maker, origin->exe_claimant);
	} else if (has_own_mounts(proc_root, pid) && !is_in_unit(origin)) {
		origin->exe_elsewhere = true;
		snprintf(origin->exe_claimant, CLAIMANT_SIZE, "container");
	} else if (!stat_of(proc_root, pid, "exe", &file)) {
		claim_of_user(file.stx_uid, origin->exe_claimant);
	}
	if (origin->exe_elsewhere)
		memcpy(origin->comm_claimant, origin->exe_claimant, CLAIMANT_SIZE);
}
