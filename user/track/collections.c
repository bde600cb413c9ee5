// SPDX-License-Identifier: Apache-2.0
#include "track/collections.h"

#include <string.h>

#include "base/bisect.h"
#include "track/ticks.h"

/*
 * The end of one collection is told twice: work.tstart and memstats.last_gc_nanotime are taken before and
 * after the program is stopped for the last time (src/runtime/mgc.go gcMarkTermination).
 */
#define SAME_NS NSEC_PER_SEC

/* The first that is after @ticks. */
static size_t place_after(const struct collections *collections, uint64_t ticks)
{
	return bisect(collections->n, i, collections->ticks[i] <= ticks);
}

/* From the latest on, so that each that is forgotten has one at most so far behind it. */
static void thin_out(struct collections *collections)
{
	uint64_t *ticks = collections->ticks;
	size_t kept = COLLECTIONS_MAX - 1;

	collections->apart = (ticks[COLLECTIONS_MAX - 1] - ticks[0]) / (COLLECTIONS_MAX / 2) + 1;
	for (size_t i = COLLECTIONS_MAX - 1; i-- > 0;) {
		if (ticks[kept] - ticks[i] >= collections->apart)
			ticks[--kept] = ticks[i];
	}
	collections->n = COLLECTIONS_MAX - kept;
	memmove(ticks, &ticks[kept], collections->n * sizeof(ticks[0]));
}

void collections__note(struct collections *collections, uint64_t ticks)
{
	size_t at;

	if (collections->n == COLLECTIONS_MAX)
		thin_out(collections);
	at = place_after(collections, ticks);
	if ((at && collections->ticks[at - 1] == ticks) ||
	    (at < collections->n && collections->ticks[at] - ticks < collections->apart))
		return;
	memmove(&collections->ticks[at + 1], &collections->ticks[at],
		(collections->n - at) * sizeof(collections->ticks[0]));
	collections->ticks[at] = ticks;
	collections->n++;
}

uint64_t collections__bound(const struct collections *collections, uint64_t since, uint64_t read)
{
	size_t at = place_after(collections, since + ticks__of(SAME_NS));

	return at < collections->n ? min_of(collections->ticks[at], read) : read;
}
