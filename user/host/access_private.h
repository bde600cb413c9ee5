/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_ACCESS_PRIVATE_H
#define GLEAKD_HOST_ACCESS_PRIVATE_H

/* What access_direct has of an address space, for access_helper, which does the same with it in another process. */
#include "host/access.h"

struct access_memory {
	pid_t pid;
	pid_t task; /* the thread by which it is reached, see process__task() */
	int pidfd; /* the process itself: its number may be another's by now; -1: not known, or somebody else looks */
	int fd;	    /* /proc/PID/mem, which tells whether the address space is in use; -1: none */
	bool known; /* what it runs: */
	struct statx exe; /* device and inode count */
};

/* access_memory__is_over - the process has ended, whoever has its number now. Waits for nobody. */
bool access_memory__is_over(const struct access_memory *memory);

#endif /* GLEAKD_HOST_ACCESS_PRIVATE_H */
