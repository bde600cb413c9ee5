/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_HEAP_LOOKS_H
#define GLEAKD_CLI_HEAP_LOOKS_H

/*
 * Looks at the heaps of what is watched, now and then: what they consist of, who holds it, and what is open.
 * So seldom that they take no more than a small share of the time, since everything else waits for one, and
 * none at heaps that take long to read.
 */
#include "cli/rounds.h"

struct heap_looks;

struct heap_looks_options {
	uint64_t max_memory; /* of ours, for one heap */
	uint64_t pause_ns;   /* between two looks at a target, at least */
	uint64_t max_ns; /* a heap that takes longer to read, each of some times, is left alone */
	/*
	 * Of a processor, since the first round, with what scans take (session/heap/heap_turns.h) as far as they leave
	 * a quarter of it. 0: after each look there is a pause of twenty times as long instead.
	 */
	double max_share;
	bool not_at_once; /* the first, too, after a pause: a short run is not about it */
	bool many; /* targets come and go, and in each round one is looked at: who has waited for longest */
};

/* heap_looks__new - -ENOMEM. */
int heap_looks__new(const struct heap_looks_options *options,
		    struct heap_looks **ret_looks) __must_check;
void heap_looks__free(struct heap_looks *looks);

/*
 * heap_looks__round - between the censuses of a round and its report; monotonic @now_ns. What cannot be looked
 * at is logged once, and left alone from then on. -ENOMEM, in words.
 */
int heap_looks__round(struct heap_looks *looks, struct rounds *rounds,
		      uint64_t now_ns) __must_check;

#endif /* GLEAKD_CLI_HEAP_LOOKS_H */
