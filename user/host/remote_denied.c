// SPDX-License-Identifier: Apache-2.0
#include "host/remote_denied.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "host/capability.h"

#define CAP_NUMBER_SYS_PTRACE 19
#define YAMA_SCOPE_PATH	      "/proc/sys/kernel/yama/ptrace_scope"

/* kernel.yama.ptrace_scope, or -1 where Yama is not built in. */
static int yama_scope(void)
{
	FILE *file __cleanup_fclose = fopen(YAMA_SCOPE_PATH, "re");
	int scope;

	if (!file || fscanf(file, "%d", &scope) != 1)
		return -1;
	return scope;
}

/*
 * The kernel checks as for ptrace(2), PTRACE_MODE_ATTACH_REALCREDS. Yama's scope 3 refuses every
 * process until the next boot; scopes 1 and 2 let CAP_SYS_PTRACE pass
 * (Documentation/admin-guide/LSM/Yama.rst).
 */
int remote_denied__explain(pid_t pid, struct failure *failure)
{
	int scope = yama_scope();

	if (scope == 3)
		return failure__set(failure, -EPERM,
				    "reading the memory of process %d is not permitted: "
				    "kernel.yama.ptrace_scope is 3, which forbids it to everybody "
				    "until the next boot; boot with a lower value",
				    pid);
	if (capability__has(CAP_NUMBER_SYS_PTRACE))
		return failure__set(failure, -EPERM,
				    "reading the memory of process %d is not permitted although "
				    "CAP_SYS_PTRACE is effective: the process belongs to another "
				    "user namespace, or a security module (SELinux, AppArmor) "
				    "or a sandbox refuses; run gleakd on the host itself",
				    pid);
	if (scope > 0)
		return failure__set(
			failure, -EPERM,
			"reading the memory of process %d is not permitted: "
			"CAP_SYS_PTRACE is missing, and kernel.yama.ptrace_scope is %d, "
			"so that it is needed for your own processes too; %s",
			pid, scope, capability__advice());
	return failure__set(failure, -EPERM,
			    "reading the memory of process %d is not permitted: CAP_SYS_PTRACE is "
			    "missing; %s",
			    pid, capability__advice());
}
