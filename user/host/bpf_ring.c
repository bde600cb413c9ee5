// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * One page with the reader's position, which is ours to write; one with the writer's; then the data, mapped
 * twice in a row so that no record ends before it began (kernel/bpf/ringbuf.c struct bpf_ringbuf).
 */
struct bpf_ring {
	size_t page, bytes;
	uint64_t *reader;
	const uint64_t *writer;
	const uint8_t *data;
};

int bpf_ring__new(int fd, size_t bytes, struct bpf_ring **ret_ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_ring *ring;
	void *own, *others;
	int err;

	if (bytes < page || bytes > UINT32_MAX / 4 || bytes & (bytes - 1))
		return -EINVAL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	own = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	others = own == MAP_FAILED ?
			 MAP_FAILED :
			 mmap(NULL, page + 2 * bytes, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (others == MAP_FAILED) {
		err = -errno;
		if (own != MAP_FAILED)
			munmap(own, page);
		free(ring);
		return err;
	}
	*ring = (struct bpf_ring){
		.page = page,
		.bytes = bytes,
		.reader = own,
		.writer = others,
		.data = (const uint8_t *)others + page,
	};
	*ret_ring = ring;
	return 0;
}

void bpf_ring__free(struct bpf_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->reader, ring->page);
	munmap((void *)(uintptr_t)ring->writer, ring->page + 2 * ring->bytes);
	free(ring);
}

/* The record at @at, which the writer has reserved. False: it is still being written. */
static bool take(const struct bpf_ring *ring, uint64_t *at, bpf_ring_fn fn, void *ctx, bool *more)
{
	const uint8_t *record = ring->data + (*at & (ring->bytes - 1));
	uint32_t head = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
	size_t size = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	if (head & BPF_RINGBUF_BUSY_BIT)
		return false;
	/* The kernel writes no such record. */
	size = min_of(size, ring->bytes - BPF_RING_HEADER_BYTES);
	if (!(head & BPF_RINGBUF_DISCARD_BIT))
		*more = fn(ctx, record + BPF_RING_HEADER_BYTES, size);
	*at += (size + 2 * BPF_RING_HEADER_BYTES - 1) / BPF_RING_HEADER_BYTES *
	       BPF_RING_HEADER_BYTES;
	__atomic_store_n(ring->reader, *at, __ATOMIC_RELEASE);
	return true;
}

void bpf_ring__consume(struct bpf_ring *ring, bpf_ring_fn fn, void *ctx)
{
	uint64_t at = __atomic_load_n(ring->reader, __ATOMIC_ACQUIRE);
	bool more = true;

	/* The writer's position is looked at before each record: what arrives meanwhile is read, too. */
	while (more && at < __atomic_load_n(ring->writer, __ATOMIC_ACQUIRE) &&
	       take(ring, &at, fn, ctx, &more))
		;
}
