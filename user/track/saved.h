/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_SAVED_H
#define GLEAKD_TRACK_SAVED_H

/*
 * What is saved of a tracker for the next gleakd that watches the same process. Times are ticks of
 * the monotonic clock (track/ticks.h): that clock goes on while gleakd restarts, and no process
 * outlives the boot that it counts from. Single goroutines are not saved: the next census finds
 * those that still exist, and the goid clock tells how old they are, since Go hands goids out in
 * order.
 */
#include "track/alloc_history.h"
#include "track/goid_clock.h"
#include "track/histograms.h"
#include "track/history.h"
#include "track/site_table.h"

struct saved_process {
	uint64_t watch_ticks; /* when the first gleakd had finished its first census */
	uint64_t saved_ticks;
	uint64_t created, exited, lost, repaired;
	struct goid_clock clock;
	const struct history *files; /* open files, as goroutines */
	struct alloc_times allocs;   /* looks at where memory is allocated */
};

/* Of one bucket of the runtime's memory profile, which is where it is for as long as the process lives. */
struct saved_alloc {
	uint64_t bucket;
	struct alloc_past past; /* of as many looks as its process has */
};

/*
 * The histories of both structs are borrowed: the visitor of tracker__save() must not keep them,
 * and tracker__restore_*() copies them.
 */
struct saved_site {
	struct site_key key;
	uint64_t first_ticks; /* first seen */
	uint64_t created, exited;
	uint64_t left_ticks;
	struct length_histogram ended_parks, ended_lives;
	struct site_alarm alarm;
	const struct history *history; /* NULL: none */
};

#endif /* GLEAKD_TRACK_SAVED_H */
