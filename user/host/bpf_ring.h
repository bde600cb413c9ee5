/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_BPF_RING_H
#define GLEAKD_HOST_BPF_RING_H

/*
 * Reads a BPF ring buffer through its descriptor alone. libbpf's own reader asks the kernel with bpf(2)
 * how large it is, which takes CAP_BPF on some kernels, and which a process under seccomp may not call.
 */
#include "base/common.h"

struct bpf_ring;

/* Header before each record, and the multiple that records are rounded up to: BPF_RINGBUF_HDR_SZ. */
#define BPF_RING_HEADER_BYTES 8

/* @data is into the ring: valid during the call only. false: that was the last one for now. */
typedef bool (*bpf_ring_fn)(void *ctx, const void *data, size_t size);

/*
 * bpf_ring__new - map the ring of @bytes, a power of two, whose descriptor is @fd. The descriptor
 * remains the caller's and may be closed. Errors: -EINVAL, -ENOMEM, or those of mmap(2).
 */
int bpf_ring__new(int fd, size_t bytes, struct bpf_ring **ret_ring) __must_check;
void bpf_ring__free(struct bpf_ring *ring);

/* bpf_ring__consume - hand on what is there, oldest first, until @fn has enough. */
void bpf_ring__consume(struct bpf_ring *ring, bpf_ring_fn fn, void *ctx);

/* bpf_ring__waiting - bytes of records that nobody has read. */
size_t bpf_ring__waiting(const struct bpf_ring *ring);

/*
 * bpf_ring__move - as many records, oldest first, as are there and fit the @size bytes at @to, with their headers.
 * Returns how many bytes, a multiple of BPF_RING_HEADER_BYTES.
 */
size_t bpf_ring__move(struct bpf_ring *ring, void *to, size_t size);

/*
 * bpf_ring__each - hand on the records in the @n bytes that bpf_ring__move() has left at @at, until @fn has enough:
 * false. *@ret_n is how many bytes of them are dealt with.
 */
bool bpf_ring__each(const void *at, size_t n, bpf_ring_fn fn, void *ctx, size_t *ret_n);

#endif /* GLEAKD_HOST_BPF_RING_H */
