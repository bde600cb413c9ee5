/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_OPEN_TURNS_H
#define GLEAKD_SESSION_RESOURCES_OPEN_TURNS_H

/*
 * Who opens what targets have open, and how they use their pools, while a session goes on that looks at both now and
 * then. Nothing is loaded before the first look.
 */
#include "session/resources/open_watch.h"

struct open_turns {
	/* Set by whoever owns it. */
	struct open_watch_options options;
	bool wanted; /* else nothing happens */
	/* For open_turns.c. */
	struct open_watch *watch; /* NULL: there was no look yet */
	bool failed;		  /* it cannot be done here */
};

/*
 * open_turns__looked - after a look at what @target has open (target_resources__take()). True:
 * nobody was watched before, so that open_turns__tick() is to be called from now on. Errors:
 * -ENOMEM.
 */
int open_turns__looked(struct open_turns *turns, struct target *target, bool *ret_first,
		       struct failure *failure) __must_check;

/* open_turns__ring_fd - readable when the ring is filling up; once somebody is watched. */
int open_turns__ring_fd(const struct open_turns *turns);

/* open_turns__tick - returns after how many ns it is to be called again; 0: not before the next look. */
uint64_t open_turns__tick(struct open_turns *turns);

/* open_turns__close - after the session. */
void open_turns__close(struct open_turns *turns);

#endif /* GLEAKD_SESSION_RESOURCES_OPEN_TURNS_H */
