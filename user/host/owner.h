/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_OWNER_H
#define GLEAKD_HOST_OWNER_H

/*
 * Whose a process is when what gleakd has is divided among users. A user may have thousands of user ids
 * (/etc/subuid) in user namespaces of his own; all that runs there is his.
 */
#include <sys/types.h>

#include "base/common.h"

/* owner__is_host - the host's own: of a user that everybody here depends on anyway. */
static inline bool owner__is_host(uid_t owner)
{
	return owner == 0;
}

/*
 * owner__of - who made the outermost user namespace that @pid is in and gleakd is not; if it is in none,
 * or root made it, as container runtimes do, or the kernel does not tell, the effective user @uid.
 */
uid_t owner__of(const char *proc_root, pid_t pid, uid_t uid);

#endif /* GLEAKD_HOST_OWNER_H */
