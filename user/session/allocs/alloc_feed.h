/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_FEED_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_FEED_H

/*
 * The loaded program that counts calls of functions and draws records of some, with the ring buffer that these
 * come through: of allocations (alloc_watch), of what is opened (open_watch).
 */
#include "base/failure.h"
#include "host/bpf_ring.h"
#include "probe/alloc_probes.h"

struct alloc_feed {
	bool uprobe_multi;
	struct alloc_probes *probes;
	struct bpf_ring *ring;
	struct alloc_cost cost; /* by calibration */
	size_t ring_records;	/* that the ring holds at most */
};

/*
 * alloc_feed__open - @kind: as for alloc_probes__new(). With a ring of @ring_bytes, a power of two. Errors: those of
 * programs__prepare(), alloc_probes__new() and bpf_ring__new(). close also takes what could not be opened.
 */
int alloc_feed__open(struct alloc_feed *feed, enum programs_kind kind, uint32_t ring_bytes,
		     struct failure *failure) __must_check;
void alloc_feed__close(struct alloc_feed *feed);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_FEED_H */
