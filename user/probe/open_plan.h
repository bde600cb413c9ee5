/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_OPEN_PLAN_H
#define GLEAKD_PROBE_OPEN_PLAN_H

/*
 * Which instructions to probe to see who opens things: in the functions of Go's standard library through which
 * each file, context, timer, ... comes, and which no version inlines, where something that it can be known by later is
 * in a register.
 */
#include "probe/alloc_plan.h"

/* What a record of GL_ALLOC_OPEN is from. */
enum open_function {
	OPEN_FINALIZER, /* the object that is given one: files, sockets, processes */
	OPEN_CONTEXT,	/* the context */
	OPEN_TIMER,	/* the timer */
	OPEN_ROWS,	/* the rows */
	OPEN_CONN,	/* a connection that is taken, for whatever */
	OPEN_STMT,	/* the connection that a statement is prepared on */
	OPEN_HTTP_CONN, /* the connection of a request */
	OPEN_HTTP2,	/* the request */
	OPEN_PROCESS,	/* the process's number */
	OPEN_POOL_GET,	/* the pool: nothing is opened, but taken out of it ... */
	OPEN_POOL_PUT,	/* ... and put back */
	OPEN_FUNCTIONS,
};

/* They are attached at different times: some programs take out of pools, and put back, a million times a second. */
enum open_watched {
	OPEN_WATCH_OPENINGS,
	OPEN_WATCH_POOLS,
	OPEN_WATCHED,
};

/*
 * open_plan__make - the sites in @binary for those that are @watched: none where it has none of
 * these functions; those whose code is not understood are left out. Errors: -EIO, -ENOMEM.
 */
int open_plan__make(struct go_binary *binary, enum open_watched watched,
		    struct alloc_plan *ret_plan, struct failure *failure) __must_check;

/* open_function__object - what a hit that tells @word is known by: where the object begins. */
uint64_t open_function__object(enum open_function function, uint64_t word, int go_minor);

#endif /* GLEAKD_PROBE_OPEN_PLAN_H */
