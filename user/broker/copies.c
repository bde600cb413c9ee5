// SPDX-License-Identifier: Apache-2.0
#include "broker/copies.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/check.h"
#include "host/access_guard.h"

/* The worker may not make it shorter. */
static int make_file(size_t size)
{
	int fd = memfd_create("gleakd-copies", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	if (!ftruncate(fd, (off_t)size) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int broker_copies__open(struct broker_copies *copies, size_t size)
{
	int fd = make_file(size);
	void *data;

	if (fd < 0)
		return fd;
	data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (data == MAP_FAILED) {
		close(fd);
		return -ENOMEM;
	}
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
			    const struct broker_range *ranges, const __u64 *offsets, size_t n)
{
	struct iovec local[ACCESS_COPY_RANGES], foreign[ACCESS_COPY_RANGES];

	if (n > ACCESS_COPY_RANGES ||
	    broker_ranges__check_offsets(ranges, offsets, n, copies->size))
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		foreign[i].iov_base = (void *)(uintptr_t)ranges[i].address;
		foreign[i].iov_len = ranges[i].size;
		local[i].iov_base = copies->data + offsets[i];
		local[i].iov_len = ranges[i].size;
	}
	return access__copy_memory(memory, local, foreign, n);
}
