// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
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

/* What the record at @at takes, with its header, and how long it is. False: it is still being written. */
static bool measure(const void *at, size_t most, size_t *ret_takes, size_t *ret_size,
		    bool *ret_discarded)
{
	uint32_t head = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
	size_t size = head & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	if (head & BPF_RINGBUF_BUSY_BIT)
		return false;
	/* The kernel writes no longer one. */
	size = min_of(size, most - BPF_RING_HEADER_BYTES);
	*ret_size = size;
	*ret_takes = (size + 2 * BPF_RING_HEADER_BYTES - 1) / BPF_RING_HEADER_BYTES *
		     BPF_RING_HEADER_BYTES;
	*ret_discarded = head & BPF_RINGBUF_DISCARD_BIT;
	return true;
}

void bpf_ring__consume(struct bpf_ring *ring, bpf_ring_fn fn, void *ctx)
{
	uint64_t at = __atomic_load_n(ring->reader, __ATOMIC_ACQUIRE);
	size_t takes, size;
	bool discarded, more = true;

	/* The writer's position is looked at before each record: what arrives meanwhile is read, too. */
	while (more && at < __atomic_load_n(ring->writer, __ATOMIC_ACQUIRE)) {
		const uint8_t *record = ring->data + (at & (ring->bytes - 1));

		if (!measure(record, ring->bytes, &takes, &size, &discarded))
			return;
		if (!discarded)
			more = fn(ctx, record + BPF_RING_HEADER_BYTES, size);
		at += takes;
		__atomic_store_n(ring->reader, at, __ATOMIC_RELEASE);
	}
}

size_t bpf_ring__waiting(const struct bpf_ring *ring)
{
	uint64_t at = __atomic_load_n(ring->reader, __ATOMIC_ACQUIRE);

	return (size_t)(__atomic_load_n(ring->writer, __ATOMIC_ACQUIRE) - at);
}

size_t bpf_ring__move(struct bpf_ring *ring, void *to, size_t size)
{
	uint64_t at = __atomic_load_n(ring->reader, __ATOMIC_ACQUIRE);
	uint64_t end = __atomic_load_n(ring->writer, __ATOMIC_ACQUIRE);
	const uint8_t *from = ring->data + (at & (ring->bytes - 1));
	size_t takes, length, n = 0;
	bool discarded;

	/* No more than is mapped twice in a row: what has not been read is in the ring once. */
	size = min_of(size, ring->bytes);
	size = min_of(size, (size_t)(end - at));
	while (n < size && measure(from + n, ring->bytes, &takes, &length, &discarded) &&
	       takes <= size - n)
		n += takes;
	memcpy(to, from, n);
	__atomic_store_n(ring->reader, at + n, __ATOMIC_RELEASE);
	return n;
}

bool bpf_ring__each(const void *at, size_t n, bpf_ring_fn fn, void *ctx, size_t *ret_n)
{
	const uint8_t *record = at, *end = record + n;
	size_t takes, size;
	bool discarded, more = true;

	while (more && record < end &&
	       measure(record, (size_t)(end - record), &takes, &size, &discarded)) {
		if (!discarded)
			more = fn(ctx, record + BPF_RING_HEADER_BYTES, size);
		record += takes;
	}
	*ret_n = (size_t)(record - (const uint8_t *)at);
	return more;
}
