/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_WINDOWS_H
#define GLEAKD_PROBE_ALLOC_WINDOWS_H

/*
 * When probes on each allocation are attached to a target, so that its hits stay within the budget. Pure:
 * told the time, hits and CPU time, it says what to do.
 *
 * The budget is an account: a share of the target's CPU time, and of a tenth of a core at least, comes in,
 * and each hit is paid from it. A window opens when there is enough for one, and closes when the account
 * is empty; what it has cost more than that, until the probes were gone, is a debt that the next one waits
 * for. Of a target that allocates little the account never gets empty, and the window does not close.
 */
#include "base/common.h"

struct alloc_windows {
	double max_overhead; /* share; 0: no limit */
	double ns_per_hit;
	bool open;
	double credit_ns;		/* < 0: a debt */
	uint64_t time_ns, cpu_ns, hits; /* at the last tick; time 0: there was none */
};

/* What is paid for a window, at most: 10 ms of hits. */
#define ALLOC_WINDOW_CREDIT_NS (10 * NSEC_PER_MSEC)

/* alloc_windows__init - the first tick opens one. */
void alloc_windows__init(struct alloc_windows *windows, double max_overhead, double ns_per_hit);

/*
 * alloc_windows__tick - @cpu_ns: used by the target so far, @hits: so far. Returns whether a window is to be
 * open from now on; the caller says by alloc_windows__set() what has come of it.
 */
bool alloc_windows__tick(struct alloc_windows *windows, uint64_t now_ns, uint64_t cpu_ns,
			 uint64_t hits);
void alloc_windows__set(struct alloc_windows *windows, bool open);

#endif /* GLEAKD_PROBE_ALLOC_WINDOWS_H */
