/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_MEMORY_H
#define GLEAKD_OBSERVE_WAIT_MEMORY_H

/*
 * Reading small structs that point at each other. A read of 4 KiB takes as long as one of 100 bytes,
 * and what the runtime allocates of one kind lies close together (a page holds 40 sudogs or
 * channels): so whole blocks are read and kept. They show the target as it was when they were read;
 * whoever uses them must check afterwards that what it followed still holds.
 */
#include "base/common.h"
#include "host/remote.h"

#define WAIT_MEMORY_MAX_READS 32768 /* blocks until it refuses: some 30 ms of reading */

struct wait_memory;

/* wait_memory__new - @remote must outlive it. -ENOMEM. */
int wait_memory__new(struct remote *remote, struct wait_memory **ret_memory) __must_check;
void wait_memory__free(struct wait_memory *memory);

/*
 * wait_memory__read - @size bytes. Errors: -EFAULT unmapped, -ESRCH the process is gone, -E2BIG too
 * much has been read already.
 */
int wait_memory__read(struct wait_memory *memory, uint64_t address, void *buffer,
		      size_t size) __must_check;

/* wait_memory__forget - read all blocks anew from now on. */
void wait_memory__forget(struct wait_memory *memory);

#endif /* GLEAKD_OBSERVE_WAIT_MEMORY_H */
