/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MEMORY_COPY_H
#define GLEAKD_HOST_MEMORY_COPY_H

/*
 * A copy of the memory that a process can write to: the process stands still for a moment only, and
 * the copy can be examined for long. It is made in two passes. The first, while the process runs,
 * touches all of our memory and copies what never changes. The second, while the process is
 * stopped, copies what may have changed. Where the kernel knows which pages were written since
 * (soft-dirty, CONFIG_MEM_SOFT_DIRTY), only those are copied; else all are copied once more.
 *
 * Nothing is written to the process. To learn which pages are written, the kernel clears the write
 * permission of its page table entries (/proc/PID/clear_refs): one short fault for each page that
 * is written later.
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
	uint64_t rehearsed_ns; /* how long memory_copy__again() will take, by its rehearsal */
	uint64_t again_bytes;  /* copied by the last pass */
	bool soft_dirty;       /* the kernel tells which pages were written */
};

/*
 * memory_copy__new - list what is mapped now and copy nothing yet. Errors: -ESRCH ended; -EPERM,
 * -EACCES /proc does not tell (the failure says what is missing); -ENOMEM.
 */
int memory_copy__new(const struct memory_copy_options *options, struct memory_copy **ret_copy,
		     struct failure *failure) __must_check;
void memory_copy__free(struct memory_copy *copy);

/*
 * memory_copy__skip - do not copy the pages that lie in [@address, @address + @size) entirely: they
 * read as zeros. memory_copy__want takes that back, and the next pass copies them.
 */
void memory_copy__skip(struct memory_copy *copy, uint64_t address, uint64_t size);
void memory_copy__want(struct memory_copy *copy, uint64_t address, uint64_t size);

/*
 * memory_copy__first - go on with the first pass for about @budget_ns (0: to the end). Returns 1
 * when there is more to do, 0 when done. Errors: -E2BIG more than max_bytes; -ESRCH; -ENOMEM.
 */
int memory_copy__first(struct memory_copy *copy, uint64_t budget_ns) __must_check;

/*
 * memory_copy__rehearse - do what memory_copy__again() will do while the process still runs; the
 * totals then say how long it took. Errors: as _first.
 */
int memory_copy__rehearse(struct memory_copy *copy) __must_check;

/*
 * memory_copy__again - the second pass, while the process is stopped: everything that may have
 * changed, new mappings too. May be called several times, after memory_copy__want(). Errors: as
 * _first, and -ETIME once clock__monotonic_ns() is beyond @deadline_ns.
 */
int memory_copy__again(struct memory_copy *copy, uint64_t deadline_ns) __must_check;

/*
 * memory_copy__open - the copy in its present state, to read from. It belongs to the copy and is
 * valid until the next call. -ENOMEM.
 */
int memory_copy__open(struct memory_copy *copy, struct remote **ret_remote) __must_check;

const struct memory_copy_totals *memory_copy__totals(const struct memory_copy *copy);

#endif /* GLEAKD_HOST_MEMORY_COPY_H */
