/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_EXE_CLAIM_H
#define GLEAKD_HOST_EXE_CLAIM_H

/*
 * Whose word the path of an executable is. A user may make a mount namespace in which his program is
 * /usr/sbin/sshd, and without one may give a file of his own any name. So a path is trusted that leads to
 * a file of root's, of a process in the host's namespaces or in one that systemd made for a unit; others
 * are claimed by who made the namespace, by the container, or by the file's owner. The name of a process is
 * what itself chose: its user's word.
 */
#include <sys/types.h>

#include "host/cgroup.h"

/*
 * exe_claim__find - fill in `exe_claimant`, `exe_elsewhere` and `comm_claimant` of @origin, which is that of
 * @pid, of the effective user @uid. What the kernel does not tell counts as the host's.
 */
void exe_claim__find(const char *proc_root, pid_t pid, uid_t uid, struct process_origin *origin);

#endif /* GLEAKD_HOST_EXE_CLAIM_H */
