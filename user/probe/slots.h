/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_SLOTS_H
#define GLEAKD_PROBE_SLOTS_H

/* The slots of the BPF map gl_targets: which are taken, and what is written into one. */
#include <sys/types.h>

#include "base/common.h"
#include "golang/layout.h"
#include "probe/abi.h"
#include "probe/alloc_abi.h"

/* All zero: none taken. */
struct slots {
	bool taken[GL_MAX_TARGETS];
	size_t next;
};

/*
 * slots__take - the next free slot after the one taken last, not the lowest: the ring buffer may
 * still hold records of a process that is gone, and so the longest possible time passes before its
 * slot means another process. -ENOSPC when all are taken.
 */
int slots__take(struct slots *slots, size_t *ret_slot) __must_check;
void slots__release(struct slots *slots, size_t slot);

/*
 * gl_target__describe - false when a field is absent or outside the window that the programs read:
 * then no probe can be used on that Go version.
 */
bool gl_target__describe(const struct go_layout *layout, pid_t pid,
			 struct gl_target *ret_target) __must_check;
/* What records are to be like. */
struct alloc_recording {
	bool follows; /* each call tells where the allocator is */
	bool draws;   /* where they come faster than they are read hits are drawn, and else lost */
};

/*
 * gl_alloc_target__describe - the same for allocations. Without the fields that it takes to follow
 * nothing is followed.
 */
bool gl_alloc_target__describe(const struct go_layout *layout, pid_t pid,
			       const struct alloc_recording *recording,
			       struct gl_alloc_target *ret_target) __must_check;

#endif /* GLEAKD_PROBE_SLOTS_H */
