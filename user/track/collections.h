/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_COLLECTIONS_H
#define GLEAKD_TRACK_COLLECTIONS_H

/*
 * When the target's collections ended, as far as that is known. A collection notes of each goroutine that it
 * is the first to find waiting that it has waited since the end of the collection *before* (src/runtime/
 * mgcmark.go markroot takes work.tstart, which mgc.go gcMark sets when marking ends; the same from Go 1.18
 * to 1.27). So the wait began after that, and before the next collection ended: a wait lasts at least
 * since then.
 */
#include "base/common.h"

#define COLLECTIONS_MAX 512

struct collections {
	uint64_t ticks[COLLECTIONS_MAX]; /* in rising order; not all of them */
	size_t n;
	uint64_t apart; /* those that are closer to the next are left out */
};

/*
 * collections__note - one has ended at @ticks. When there are too many, those that are close to the next are
 * forgotten: a 256th of the time that they have been known for.
 */
void collections__note(struct collections *collections, uint64_t ticks);

/*
 * collections__bound - the latest time at which a wait can have begun that the target says began at @since;
 * @read when it was read, for where no later collection is known of.
 */
uint64_t collections__bound(const struct collections *collections, uint64_t since, uint64_t read);

#endif /* GLEAKD_TRACK_COLLECTIONS_H */
