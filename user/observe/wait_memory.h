/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_MEMORY_H
#define GLEAKD_OBSERVE_WAIT_MEMORY_H

/*
 * Reads small structs that point at each other. Reading 4 KiB takes as long as reading 100 bytes,
 * and the runtime allocates structs of one kind close together (40 sudogs or channels to a page):
 * so whole blocks are read and kept. They show the target as it was when they were read; callers
 * must check afterwards that what they followed still holds.
 */
#include "base/common.h"
#include "host/remote.h"

/*
 * How much may be read, counted in steps of some 20 ns: a struct is one, a block that is not kept yet is
 * WAIT_MEMORY_BLOCK_STEPS. Lists that lead back to themselves are read from blocks that are kept: to count
 * these alone would leave a target's lists without an end. Shared by all that is read in one look.
 */
struct wait_budget {
	uint64_t left;
};

#define WAIT_MEMORY_BLOCK_STEPS 32

struct wait_memory;

/* wait_memory__new - @remote and @budget must outlive it. -ENOMEM. */
int wait_memory__new(struct remote *remote, struct wait_budget *budget,
		     struct wait_memory **ret_memory) __must_check;
void wait_memory__free(struct wait_memory *memory);

/*
 * wait_memory__read - @size bytes. Errors: -EFAULT unmapped, -ESRCH the process is gone, -E2BIG the
 * budget is used up.
 */
int wait_memory__read(struct wait_memory *memory, uint64_t address, void *buffer,
		      size_t size) __must_check;

/* wait_memory__forget - read all blocks anew from now on. */
void wait_memory__forget(struct wait_memory *memory);

#endif /* GLEAKD_OBSERVE_WAIT_MEMORY_H */
