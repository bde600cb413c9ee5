/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_COPIES_H
#define GLEAKD_BROKER_COPIES_H

/* The memory for copies of processes: the broker's helper fills it (host/access_guard.h), the worker reads it. */
#include "broker/protocol.h"

struct broker_copies {
	uint8_t *data; /* NULL: there is none */
	size_t size;
};

/* broker_copies__open - zeros. Returns a descriptor for the worker, which the caller closes, or -errno. */
int broker_copies__open(struct broker_copies *copies, size_t size) __must_check;
void broker_copies__close(struct broker_copies *copies);

/*
 * broker_copies__read - @n checked ranges of @memory to their offsets, neither of which anybody changes meanwhile.
 * Returns as process_vm_readv(2); -EINVAL: one would not be inside.
 */
int64_t broker_copies__read(const struct broker_copies *copies, struct access_memory *memory,
			    const struct iovec *ranges, const __u64 *offsets,
			    size_t n) __must_check;

#endif /* GLEAKD_BROKER_COPIES_H */
