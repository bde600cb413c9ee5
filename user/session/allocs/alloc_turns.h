/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_TURNS_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_TURNS_H

/*
 * Whose allocations are watched by probes while a session goes on: of those whose runtime takes no samples, all, or
 * where there are many those whose heap grows; of those that do, where that is asked for. Nothing is
 * loaded before the first of them is there.
 */
#include "session/allocs/alloc_watch.h"
#include "session/session.h"

struct alloc_turns {
	/* Set by whoever owns it. */
	struct alloc_watch_options options;
	bool wanted;		     /* else nothing happens */
	bool only_growing;	     /* those of which collections leave more and more */
	size_t max_targets;	     /* at one time */
	uint64_t min_process_age_ns; /* what fills at its start is left alone */
	/* For alloc_turns.c. */
	struct alloc_watch *watch; /* NULL: nobody had to be watched yet */
	/* To be read: it cannot be done here, and why not. */
	bool failed;
	struct failure failure;
};

/* What is said to grow: by more than one in so many of the least that there was, and by more than so much. */
#define ALLOC_TURNS_GROWN_PART	8
#define ALLOC_TURNS_GROWN_BYTES (1u << 20)
/* Whose heap is no larger than it was by then makes room for others. */
#define ALLOC_TURNS_GIVE_UP_NS (900 * NSEC_PER_SEC)

/*
 * alloc_turns__second - once a second: who is watched from now on, and who no longer. True: there was
 * nobody before, so that alloc_turns__tick() is to be called from now on.
 */
bool alloc_turns__second(struct alloc_turns *turns, struct session *session, uint64_t now_ns);

/* alloc_turns__ring_fd - readable when the ring is filling up; once somebody is watched. */
int alloc_turns__ring_fd(const struct alloc_turns *turns);

/*
 * alloc_turns__tick - returns after how many ns it is to be called again; 0: not at all. @busy: other work goes on in
 * slices, behind which a window could not be closed in time.
 */
uint64_t alloc_turns__tick(struct alloc_turns *turns, bool busy);

/* alloc_turns__settle - what was seen so far becomes figures: before a report. */
void alloc_turns__settle(struct alloc_turns *turns);

/* alloc_turns__close - after the session. */
void alloc_turns__close(struct alloc_turns *turns);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_TURNS_H */
