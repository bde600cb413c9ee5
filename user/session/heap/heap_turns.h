/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_HEAP_HEAP_TURNS_H
#define GLEAKD_SESSION_HEAP_HEAP_TURNS_H

/*
 * Whose heap is scanned when: one target at a time, in turn, those for which a scan can tell anything;
 * and so seldom that all scans together take no more than a small share of a processor. Scans need no
 * stop and no probe.
 */
#include "heap/scan/confirm.h"
#include "session/session.h"
#include "session/turns.h"

struct heap_turns {
	/* Set by whoever owns it. */
	struct heap_confirm_options confirm;
	bool only_suspects; /* leave out what merely waits for long: with many targets */
	double max_share;   /* of a processor; 0: HEAP_TURNS_SHARE */
	/* of a target; larger ones are not scanned; 0: as in heap/scan/scan.h */
	uint64_t max_heap_bytes;
	/* For heap_turns.c. */
	struct turns turns;
	/* processor time that the scan under way has taken, ours and of whoever reads for us */
	uint64_t used_ns;
	/* To be read: that of all scans. */
	uint64_t total_ns;
	/* Likewise: scans that could not be made, and why not the last of them. */
	uint64_t failures;
	struct failure failure;
};

#define HEAP_TURNS_SHARE 0.02
/* Where nothing is left to confirm, scans are so far apart. */
#define HEAP_TURNS_IDLE_NS (60 * NSEC_PER_SEC)

/*
 * heap_turns__step - go on with the scan under way, or begin the next that is due, for about
 * @budget_ns. True: there is more to do right now.
 */
bool heap_turns__step(struct heap_turns *turns, const struct session *session, uint64_t budget_ns,
		      uint64_t now_ns);

#endif /* GLEAKD_SESSION_HEAP_HEAP_TURNS_H */
