/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_RING_KEEPER_H
#define GLEAKD_HOST_RING_KEEPER_H

/*
 * Reads a BPF ring buffer for somebody who has other things to do, some of which take longer than it takes to
 * fill the ring. A thread of its own waits until the ring wakes its readers. Where half of the ring is still
 * unread a moment later, it moves that to memory, which has room for RING_KEEPER_RINGS times as much as the ring.
 *
 * All functions are for one thread.
 */
#include "host/bpf_ring.h"

#define RING_KEEPER_RINGS 8

struct ring_keeper;

/*
 * ring_keeper__new - of the ring @fd with @bytes, as bpf_ring__new(); the descriptor remains the caller's, and
 * must stay open. Where there can be no thread it is a ring without one.
 */
int ring_keeper__new(int fd, size_t bytes, struct ring_keeper **ret_keeper) __must_check;
void ring_keeper__free(struct ring_keeper *keeper);

/* ring_keeper__consume - hand on what there is, oldest first, until @fn has enough. */
void ring_keeper__consume(struct ring_keeper *keeper, bpf_ring_fn fn, void *ctx);

/* ring_keeper__kept - bytes of records that the thread has moved so far. */
uint64_t ring_keeper__kept(struct ring_keeper *keeper);

#endif /* GLEAKD_HOST_RING_KEEPER_H */
