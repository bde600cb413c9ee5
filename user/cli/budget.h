/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_BUDGET_H
#define GLEAKD_CLI_BUDGET_H

/*
 * What gleakd itself may use. Processor time: over --max-self-cpu, targets whose censuses take most of it
 * are looked at less often; where there are none, rounds come at longer intervals.
 * Memory: over --max-memory, nothing more is taken in, neither processes nor goroutines of those that
 * are watched; both are counted, and made up for when there is room.
 */
#include "base/common.h"

struct session;

struct budget {
	double max_cpu;	     /* share of one core; 0: no limit */
	uint64_t max_memory; /* bytes; 0: no limit */

	unsigned int stretch; /* one round every so many intervals */
	bool full;	      /* over the limit of memory */
	/* The most that was occupied since this round began, and in the one before: a census needs it again. */
	uint64_t peak, peak_before;

	double cpu_seconds; /* of gleakd when it was last looked at */
	uint64_t cpu_ns;    /* and when that was; 0: never */
	bool settled;	    /* no process was waiting to be attached then */
};

/* budget__begin_round - before the other two. */
void budget__begin_round(struct budget *budget);

/* budget__keep_cpu - before a round. @settled: no process is waiting to be attached. */
void budget__keep_cpu(struct budget *budget, struct session *session, bool settled,
		      uint64_t now_ns);

/*
 * budget__keep_memory - often: a census takes in a million goroutines within a second.
 * budget__trim - about once a second, when memory was short: what is free goes back to the system, and
 * there may be room again.
 */
void budget__keep_memory(struct budget *budget);
void budget__trim(struct budget *budget);

#endif /* GLEAKD_CLI_BUDGET_H */
