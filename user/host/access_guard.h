/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_ACCESS_GUARD_H
#define GLEAKD_HOST_ACCESS_GUARD_H

/*
 * What may never return is done by a helper, a process that can be left behind. A file may be on a file
 * system whose server does not answer (FUSE, also below an overlay; a dead NFS server), and so may be a folder
 * on the way to it; memory may be of such a file, and with it what takes the lock of an address space: open(2),
 * process_vm_readv(2) or read(2) of maps then wait beyond the reach of any signal. The helper does
 * these for access_direct, with a deadline. When it is missed the helper is left where it is, the next
 * request gets a new one, and the process that caused it is in quarantine for ACCESS_GUARD_QUARANTINE_NS: all
 * of these are refused with -ETIMEDOUT at once, and for as long as the helper waits. A user whose processes did it
 * several times is in quarantine with all of them (quarantine.h).
 */
#include <sys/types.h>

#include "base/common.h"
#include "host/access.h"

#define ACCESS_GUARD_DEADLINE_NS (2 * NSEC_PER_SEC)
/*
 * In which it was ready but had no processor, or whoever waits for it had none: that is the host's
 * doing, up to here.
 */
#define ACCESS_GUARD_STARVED_NS	   (8 * NSEC_PER_SEC)
#define ACCESS_GUARD_QUARANTINE_NS (300 * NSEC_PER_SEC)

/* Helpers that wait for servers are not ended by anything; more are not made. */
#define ACCESS_GUARD_LEFT_BEHIND 32

struct access_guard_counts {
	uint64_t missed;    /* deadlines so far */
	size_t left_behind; /* helpers that wait still */
	uint64_t cpu_ns;    /* that helpers have used */
};

/* The most that is read of a process at once. */
#define ACCESS_GUARD_MEMORY_MAX (2u << 20)

/* access_guard__ops - access_direct with a helper, which is made when it is first needed. */
const struct access_ops *access_guard__ops(void);

struct access_guard_counts access_guard__counts(void);

/* access_guard__blame - process @pid has held somebody up in another way: it is in quarantine from now on. */
void access_guard__blame(pid_t pid);

/*
 * access_guard__lend - memory that others have mapped as well, ACCESS_GUARD_WINDOWS times
 * ACCESS_GUARD_MEMORY_MAX bytes: what helpers read of processes they leave there, where access_guard__window() says,
 * and nobody has to copy it. Each has a part for itself, also when it was left behind: what it waits for may
 * come, and be written, at any time.
 */
#define ACCESS_GUARD_WINDOWS (ACCESS_GUARD_LEFT_BEHIND + 1)
void access_guard__lend(uint8_t *windows);

/*
 * access_guard__window - where the next that is read will be, if it is read to there by one call with one buffer;
 * makes a helper if there is none. NULL: nothing was lent, or there can be no helper.
 */
uint8_t *access_guard__window(void);

/*
 * access_guard__come_first - what is asked of the helper from now on comes before everybody else on a processor,
 * or as before (priority.h).
 */
void access_guard__come_first(bool first);

/*
 * access_guard__renew - this process has given up privileges, or has other memory to share: so does the helper, and
 * has it.
 */
void access_guard__renew(void);

#endif /* GLEAKD_HOST_ACCESS_GUARD_H */
