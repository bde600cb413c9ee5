/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_BUDGET_H
#define GLEAKD_CLI_BUDGET_H

/*
 * What gleakd itself may use. Processor time: over --max-self-cpu, targets whose censuses take most of it
 * are looked at less often, and so are new processes of users who have many; where that is not enough, rounds come
 * at longer intervals.
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
	bool paced; /* over that of processor time: users' new processes wait for each other */
	/* The most that was occupied since this round began, and in the one before: a census needs it again. */
	uint64_t peak, peak_before;

	double cpu_seconds; /* of gleakd when it was last looked at */
	uint64_t cpu_ns;    /* and when that was; 0: never */
	bool settled;	    /* no process was waiting to be attached then */
	bool was_settled;   /* ... or at any time before */

	uint64_t started_ns;  /* gleakd */
	uint64_t held_ns;     /* what can wait is not begun before */
	uint64_t looked_ns;   /* when that was last thought of */
	double begun_seconds; /* of processor time, when something was last begun */

	/* What can wait is paid from what a minute leaves. */
	uint64_t minute_ns;	    /* when this one began; 0: the first one, with gleakd */
	double minute_seconds;	    /* of processor time then, less what was too much before */
	double round_seconds;	    /* that the last round took */
	double round_begun_seconds; /* of processor time, when the one under way began */
	uint64_t begin_ns; /* when something that can wait could be begun for the last time */
};

/*
 * budget__begin_round - before the other two.
 * budget__end_round - when it has been reported. @else_seconds: of its processor time, what could have waited.
 */
void budget__begin_round(struct budget *budget);
void budget__end_round(struct budget *budget, double else_seconds);

/* budget__looks_share - what looking at new processes of one user may take of a processor; 0: no limit. */
double budget__looks_share(const struct budget *budget);

/* budget__keep_cpu - before a round. @settled: no process is waiting to be attached. */
void budget__keep_cpu(struct budget *budget, struct session *session, bool settled,
		      uint64_t now_ns);

/*
 * budget__hold - when gleakd starts there is much to do at once: to attach all processes that are there, to read
 * heaps. For it most of what may be used in the first minute is there; what takes more waits, until the
 * minute is over at most. Then it is done with pauses. Asked often, before a piece of such work. Returns how long to
 * wait, in ns; 0: not at all.
 */
uint64_t budget__hold(struct budget *budget, uint64_t now_ns);

/*
 * budget__held_until - the same by what gleakd has @used, in seconds of processor time: in the first minute in all,
 * then since it was last looked at.
 */
uint64_t budget__held_until(const struct budget *budget, double used, uint64_t now_ns);

/*
 * budget__wait - rounds come first, and heaps, what is open and where memory is allocated are looked at for what they
 * leave: one purse for all that can wait. Asked about once a second. Returns how long nothing of it is to begin, in ns;
 * 0: something may. @interval_ns: from one round to the next.
 */
uint64_t budget__wait(struct budget *budget, uint64_t interval_ns, uint64_t now_ns);

/* budget__wait_of - the same by what gleakd has @used in all, in seconds of processor time. */
uint64_t budget__wait_of(struct budget *budget, double used, uint64_t interval_ns, uint64_t now_ns);

/*
 * budget__keep_memory - often: a census takes in a million goroutines within a second.
 * budget__trim - about once a second, when memory was short: what is free goes back to the system, and
 * there may be room again.
 */
void budget__keep_memory(struct budget *budget);
void budget__trim(struct budget *budget);

#endif /* GLEAKD_CLI_BUDGET_H */
