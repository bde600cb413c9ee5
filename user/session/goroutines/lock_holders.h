/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_GOROUTINES_LOCK_HOLDERS_H
#define GLEAKD_SESSION_GOROUTINES_LOCK_HOLDERS_H

/*
 * Who seems to hold a lock that others wait for, or to be the other end of a channel. Go does not write it
 * down. But whoever took a lock and then blocks leaves traces: a function on its stack takes a lock, a
 * pointer to what the lock is part of is on its stack or one step from there (or the function names the
 * variable), it does not wait for that lock itself, and it began to wait about when the others did. So does
 * whoever would receive from a channel that others send to, or send to one that others receive from. All of
 * that together is told as what it is: likely.
 */
#include "golang/lock_code.h"
#include "session/target.h"

#define LOCK_HOLDERS_MAX	   3 /* more that seem to are nobody */
#define LOCK_HOLDERS_MAX_QUESTIONS 16
#define LOCK_HOLDERS_MAX_SITES	   16
/* How far waits may be apart: two collections (src/runtime/proc.go forcegcperiod), and a minute. */
#define LOCK_HOLDERS_APART_NS (180 * NSEC_PER_SEC)

struct lock_holder {
	uint64_t goid;
	uint32_t site; /* the tracker's */
	uint64_t waiting_ns;
};

/* A lock or channel, where it is in the target, and who waits for it. */
struct lock_question {
	uint64_t address;
	unsigned int needs;  /* what code of a holder does: LOCK_CODE_TAKES, _RECEIVES or _SENDS */
	uint64_t waiting_ns; /* the longest wait for it */
	uint32_t sites[LOCK_HOLDERS_MAX_SITES]; /* whose members wait for it */
	size_t n_sites;
	struct lock_holder holders[LOCK_HOLDERS_MAX]; /* the answer, the likeliest first */
	size_t n_holders;
};

/*
 * lock_holders__find - answer @n questions by what the target's memory shows now and what its tracker
 * knows; no answer where that cannot be read. Costs reads of a few stacks. -ENOMEM.
 */
int lock_holders__find(struct target *target, struct lock_question *questions, size_t n,
		       uint64_t now_ns) __must_check;

#endif /* GLEAKD_SESSION_GOROUTINES_LOCK_HOLDERS_H */
