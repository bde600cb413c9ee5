/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_WATCH_H
#define GLEAKD_BROKER_WATCH_H

/*
 * Whether a worker still does something: what it has opened may be on a file system whose server does not answer any
 * more, and what it reads may lead it around in circles. Told once a second what /proc/PID says of it.
 */
#include "base/common.h"

/*
 * In the same call that reads a file, or beyond the reach of signals, for so many seconds; a command that somebody
 * waits for is ended then, and a daemon's worker, which is replaced, earlier.
 */
#define WORKER_STUCK_SECONDS  5
#define COMMAND_STUCK_SECONDS 10
/* Processor time without a request: parsing the largest programs takes a tenth of it. */
#define WORKER_SPIN_SECONDS 60

enum worker_state {
	WORKER_WORKS,
	WORKER_IS_STUCK,
	WORKER_SPINS,
};

/* All zero: it has just begun. */
struct worker_watch {
	bool begun;
	uint64_t requests, ticks; /* by then */
	char call[128];		  /* the last one, with its arguments */
	unsigned int seconds;	  /* in which it was stuck */
};

/*
 * worker_watch__look - @stat and @call: texts of /proc/PID/stat and syscall; @ticks_per_second: of processor
 * times, sysconf(_SC_CLK_TCK).
 */
enum worker_state worker_watch__look(struct worker_watch *watch, const char *stat, const char *call,
				     uint64_t requests, uint64_t ticks_per_second);

#endif /* GLEAKD_BROKER_WATCH_H */
