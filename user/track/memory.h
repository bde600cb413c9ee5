/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_MEMORY_H
#define GLEAKD_TRACK_MEMORY_H

/*
 * What a tracker hands over to the next gleakd that watches the same process. Times are ticks of the
 * monotonic clock (track/ticks.h): they go on through a restart of gleakd, and no process outlives
 * the boot they count from. Goroutines are not remembered one by one: the next census finds those
 * that still exist, and the goid clock tells how old they are, since Go hands goids out in order.
 */
#include "track/ages.h"
#include "track/goid_clock.h"
#include "track/history.h"
#include "track/site_table.h"

struct process_memory {
	uint64_t watch_ticks; /* when the first gleakd had finished its first census */
	uint64_t saved_ticks;
	uint64_t created, exited, lost, repaired;
	struct goid_clock clock;
	const struct history *files; /* open files, as goroutines */
};

/*
 * Histories are borrowed: the visitor of tracker__remember() must not keep them, and
 * tracker__recall_*() copies them.
 */
struct site_memory {
	struct site_key key;
	uint64_t first_ticks; /* first seen */
	uint64_t created, exited;
	uint64_t left_ticks;
	struct leavers leavers, lives;
	struct site_alarm alarm;
	const struct history *history; /* NULL: none */
};

#endif /* GLEAKD_TRACK_MEMORY_H */
