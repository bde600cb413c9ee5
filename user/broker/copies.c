// SPDX-License-Identifier: Apache-2.0
#include "broker/copies.h"

#include <errno.h>
#include <sys/mman.h>

#include "broker/check.h"
#include "host/access_guard.h"
#include "host/sealed_memory.h"

int broker_copies__open(struct broker_copies *copies, size_t size)
{
	void *data;
	int fd = sealed_memory__make("gleakd-copies", size, &data);

	if (fd < 0)
		return fd;
	*copies = (struct broker_copies){.data = data, .size = size};
	/* Whoever reads for this process has what it had mapped when it was forked. */
	access_guard__renew();
	return fd;
}

void broker_copies__close(struct broker_copies *copies)
{
	if (!copies->data)
		return;
	munmap(copies->data, copies->size);
	access_guard__renew();
	*copies = (struct broker_copies){0};
}

int64_t broker_copies__read(const struct broker_copies *copies, struct access_memory *memory,
			    const struct iovec *ranges, const __u64 *offsets, size_t n)
{
	struct iovec local[ACCESS_COPY_RANGES];

	if (n > ACCESS_COPY_RANGES ||
	    broker_ranges__check_offsets(ranges, offsets, n, copies->size))
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		local[i] = (struct iovec){copies->data + offsets[i], ranges[i].iov_len};
	return access__copy_memory(memory, local, ranges, n);
}
