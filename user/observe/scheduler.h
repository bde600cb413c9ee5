/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_SCHEDULER_H
#define GLEAKD_OBSERVE_SCHEDULER_H

/*
 * What the Go scheduler of one process does now: which goroutines hold its Ps, and since when, and how often
 * goroutines have waited long for one. A few reads, no probe.
 */
#include "observe/census.h"

/* Ps beyond this are not looked at. */
#define SCHEDULER_MAX_RUNNING 256

/* A goroutine on a P. Before it is told, others may have run in between. */
struct scheduler_running {
	uint64_t goid;
	uint64_t m;	   /* address of its thread in the runtime */
	uint64_t start_pc; /* a module pc */
	/*
	 * Since when nobody else was scheduled on its P, the host's monotonic; 0: not known. The runtime's
	 * monitor asks goroutines to yield after 10 ms (src/runtime/proc.go forcePreemptNS).
	 */
	uint64_t since_ns;
};

struct scheduler_look {
	uint64_t read_at_ns; /* monotonic */
	/*
	 * How often one of those goroutines whose waits the runtime measures, one in eight, has waited more
	 * than 10 ms for a P, since the program began. 10.49 ms are the edge of the runtime's histogram
	 * (src/runtime/histogram.go) that is next to them.
	 */
	bool latencies_known;
	uint64_t over_10ms;
	bool running_known;
	size_t n_ps, n_running;
	struct scheduler_running running[SCHEDULER_MAX_RUNNING];
};

/*
 * scheduler__look - what cannot be read is not known. Who runs only where @running: a look at each P. Not
 * while a census is under way.
 */
void scheduler__look(const struct census *census, bool running, struct scheduler_look *ret_look);

/*
 * scheduler__thread - the id that the kernel calls the thread of the M at @m by, in the process' own pid
 * namespace, and whether it is in C. Errors: those of remote__read(), -EOPNOTSUPP.
 */
int scheduler__thread(const struct census *census, uint64_t m, uint64_t *ret_tid,
		      bool *ret_in_c) __must_check;

#endif /* GLEAKD_OBSERVE_SCHEDULER_H */
