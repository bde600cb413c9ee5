/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_WATCH_H
#define GLEAKD_BROKER_WATCH_H

/*
 * Whether a worker still does something: what it has opened may be on a file system whose server does not answer any
 * more, and what it reads may lead it around in circles. Told once a second what it does.
 */
#include "base/common.h"
#include "host/task.h"

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

/* What it does at one moment. */
struct worker_doing {
	char state;		   /* as process__state() says it */
	struct task_call call;	   /* of its first thread; number -1: not known */
	uint64_t cpu_ns, requests; /* so far */
};

/* All zero: it has just begun. */
struct worker_watch {
	bool begun;
	uint64_t cpu_ns; /* by its last request */
	struct worker_doing last;
	unsigned int seconds; /* in which it was stuck */
};

/* worker_watch__look - to be told once a second what it does @now; what is to be thought of it. */
enum worker_state worker_watch__look(struct worker_watch *watch, const struct worker_doing *now);

#endif /* GLEAKD_BROKER_WATCH_H */
