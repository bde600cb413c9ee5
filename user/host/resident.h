/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_RESIDENT_H
#define GLEAKD_HOST_RESIDENT_H

/* What of a process is in memory, mapping by mapping, as /proc/PID/smaps has it. */
#include <sys/types.h>

#include "base/common.h"

struct resident_mapping {
	uint64_t start, end;
	uint64_t bytes; /* of it in memory; pages that others share count in full */
	bool anonymous; /* of no file */
};

/*
 * resident__each - every mapping of @pid, lowest address first. The kernel walks the page tables for
 * it: about a millisecond per gigabyte. Errors: -ESRCH gone, -EACCES not permitted, -EPROTO a line
 * that cannot be read, -E2BIG, -ENOMEM.
 */
int resident__each(const char *proc_root, pid_t pid,
		   void (*fn)(void *ctx, const struct resident_mapping *mapping),
		   void *ctx) __must_check;

/* resident__of - bytes of all of @pid together (its RSS), @pid 0: of gleakd itself; 0: it has ended. */
uint64_t resident__of(const char *proc_root, pid_t pid);

#endif /* GLEAKD_HOST_RESIDENT_H */
