/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_ACCESS_GUARD_H
#define GLEAKD_HOST_ACCESS_GUARD_H

/*
 * What may never return is done by a helper, a process that can be left behind. A file may be on a file
 * system whose server does not answer (FUSE, also below an overlay; a dead NFS server), and memory may be
 * of such a file: open(2) or process_vm_readv(2) then waits beyond the reach of any signal. The helper does
 * these for access_direct, with a deadline. When it is missed the helper is left where it is, the next
 * request gets a new one, and the process that caused it is in quarantine for ACCESS_GUARD_QUARANTINE_NS: all
 * of these are refused with -ETIMEDOUT at once. A user whose processes did it several times is
 * in quarantine with all of them.
 */
#include <sys/types.h>
#include <sys/uio.h>

#include "base/common.h"

#define ACCESS_GUARD_DEADLINE_NS   (2 * NSEC_PER_SEC)
#define ACCESS_GUARD_QUARANTINE_NS (300 * NSEC_PER_SEC)

struct access_guard_counts {
	uint64_t missed;    /* deadlines so far */
	size_t quarantined; /* now: processes, and users with all of theirs */
	size_t left_behind; /* helpers that wait still */
};

/* access_guard__enable - from now on; the helper is made when it is first needed. */
void access_guard__enable(void);
bool access_guard__is_enabled(void);

/* access_guard__open - opens the file of the O_PATH descriptor @handle, which belongs to @pid. */
int access_guard__open(pid_t pid, int handle, int flags) __must_check;

/* access_guard__read_memory - as process_vm_readv(2), of ACCESS_GUARD_MEMORY_MAX bytes at most. */
ssize_t access_guard__read_memory(pid_t pid, pid_t task, const struct iovec *local, size_t n_local,
				  const struct iovec *foreign, size_t n_foreign) __must_check;
#define ACCESS_GUARD_MEMORY_MAX (2u << 20)

struct access_guard_counts access_guard__counts(void);

#endif /* GLEAKD_HOST_ACCESS_GUARD_H */
