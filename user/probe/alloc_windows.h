/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_WINDOWS_H
#define GLEAKD_PROBE_ALLOC_WINDOWS_H

/*
 * When probes on each allocation are attached to a target, so that its hits stay within the budget. Pure:
 * told the time, what hits have cost and CPU time, it says what to do.
 *
 * The budget is an account: a share of the target's CPU time, and of a tenth of a core at least, comes in,
 * and each hit is paid from it. A window opens when there is enough for one; what it has cost more, until the
 * probes were gone, is a debt that the next one waits for. Of a target that allocates little the account never
 * gets empty, and the window does not close.
 *
 * A target that waits and then allocates a lot would find a window open each time that it begins,
 * and use it up before it comes to what it does next. So once one was used up, windows are no
 * longer than what is dearest in the target allows, whatever they see, until nothing was as dear
 * for a while.
 *
 * Windows are to be a fair sample of time. On a busy machine a target runs in bursts, and the account is filled,
 * and emptied, while it runs: so a window begins some time of chance later, and is as long as it was
 * meant to be, by what the one before has cost.
 */
#include "base/common.h"

struct alloc_windows {
	double max_overhead; /* share; 0: no limit */
	double price_ns;     /* what one is meant to cost, once one was used up */
	bool open;
	double credit_ns;	  /* < 0: a debt */
	uint64_t time_ns, cpu_ns; /* at the last tick; time 0: there was none */
	double spent_ns;
	uint64_t opens_ns;  /* when the next one does; 0: not known yet */
	uint64_t closes_ns; /* when the one that is open is looked at again */
	uint64_t length_ns; /* of one */
	/* What hits cost by the ns where that was most: in this window, and lately; 0: none was used up. */
	double window_dearest, dearest;
	double span_ns, span_spent_ns; /* since the last time that was looked at */
	bool cheap;		       /* the last window was */
	/* When it was opened, or was seen to go on. */
	uint64_t began_ns;
	double began_spent_ns, began_credit_ns;
	uint64_t random; /* never 0 */
};

/*
 * alloc_windows__price - for probes on each allocation. Who allocates most is slowed by hits, and
 * the longer that goes on, the more others do who had to wait for it, or for its collections; but
 * to come and go costs 2 ms as well, and gleakd the kernel's time, so that short ones do not use up
 * a large budget.
 */
uint64_t alloc_windows__price(double max_overhead);

/*
 * alloc_windows__init - the first tick opens one. @price_ns: of the target's CPU time, that one
 * takes about once one was used up; the less, the more there are. @random: any number.
 */
void alloc_windows__init(struct alloc_windows *windows, double max_overhead, uint64_t price_ns,
			 uint64_t random);

/*
 * alloc_windows__tick - @cpu_ns: used by the target so far, @spent_ns: of that by hits so far. Returns whether
 * a window is to be open from now on; the caller says by alloc_windows__set() what has come of it, and
 * when: to attach takes its time.
 */
bool alloc_windows__tick(struct alloc_windows *windows, uint64_t now_ns, uint64_t cpu_ns,
			 double spent_ns);
void alloc_windows__set(struct alloc_windows *windows, bool open, uint64_t now_ns);

/* alloc_windows__is_used_up - the account has less than the next one costs. */
bool alloc_windows__is_used_up(const struct alloc_windows *windows);

/*
 * alloc_windows__share - of what the budget is taken of, hits that cost @cost_ns in @elapsed_ns, of which the
 * target used @cpu_ns.
 */
double alloc_windows__share(uint64_t elapsed_ns, uint64_t cpu_ns, double cost_ns);

#endif /* GLEAKD_PROBE_ALLOC_WINDOWS_H */
