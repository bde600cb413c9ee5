/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MEMORY_COPY_H
#define GLEAKD_HOST_MEMORY_COPY_H

/*
 * A copy of the memory that a process can write to, so that it can be looked at for long while the
 * process stood still for a moment only. Made in two passes: one while the process runs, which
 * touches our memory and takes what never changes, and one while it is stopped. Where the kernel
 * knows which pages were written since (soft-dirty, CONFIG_MEM_SOFT_DIRTY), only those are copied
 * then; else all are once more.
 *
 * Nothing is written to the process. To learn what is written, the kernel takes the write permission
 * from its page table entries (/proc/PID/clear_refs): one short fault for each page written later.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "host/remote.h"

struct memory_copy;

struct memory_copy_options {
	const char *proc_root;
	pid_t pid;
	struct remote *remote; /* of @pid, outlives the copy */
	uint64_t max_bytes;    /* of ours; 0: no limit */
};

struct memory_copy_totals {
	uint64_t copied_bytes; /* that the copy holds */
	uint64_t rehearsed_ns; /* the pass of the stop took when it was rehearsed */
	uint64_t again_bytes;  /* copied by the last pass */
	bool soft_dirty;       /* pages that were not written since are known */
};

/*
 * memory_copy__new - what is mapped now. Nothing is copied yet.
 * Errors: -ESRCH ended; -EPERM, -EACCES /proc does not tell (the failure says what is missing);
 * -ENOMEM.
 */
int memory_copy__new(const struct memory_copy_options *options, struct memory_copy **ret_copy,
		     struct failure *failure) __must_check;
void memory_copy__free(struct memory_copy *copy);

/*
 * memory_copy__skip - pages that lie in [@address, @address + @size) entirely are not wanted: they
 * read as zeros. memory_copy__want takes that back; the next pass copies them.
 */
void memory_copy__skip(struct memory_copy *copy, uint64_t address, uint64_t size);
void memory_copy__want(struct memory_copy *copy, uint64_t address, uint64_t size);

/*
 * memory_copy__first - the pass while the process runs, for about @budget_ns (0: to the end). 1: there
 * is more, 0: done. Errors: -E2BIG more than max_bytes; -ESRCH; -ENOMEM.
 */
int memory_copy__first(struct memory_copy *copy, uint64_t budget_ns) __must_check;

/*
 * memory_copy__rehearse - what memory_copy__again() is going to do, while the process runs: how long
 * it takes is in the totals then. Errors: as _first.
 */
int memory_copy__rehearse(struct memory_copy *copy) __must_check;

/*
 * memory_copy__again - the pass while it is stopped: whatever may have changed, new mappings too.
 * May be called several times, after memory_copy__want(). Errors: as _first, and -ETIME once
 * clock__monotonic_ns() is beyond @deadline_ns.
 */
int memory_copy__again(struct memory_copy *copy, uint64_t deadline_ns) __must_check;

/*
 * memory_copy__open - the copy as it is now, as memory to read from. Belongs to the copy, and ends with
 * the next call. -ENOMEM.
 */
int memory_copy__open(struct memory_copy *copy, struct remote **ret_remote) __must_check;

const struct memory_copy_totals *memory_copy__totals(const struct memory_copy *copy);

#endif /* GLEAKD_HOST_MEMORY_COPY_H */
