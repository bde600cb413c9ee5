/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_RUN_H
#define GLEAKD_BROKER_RUN_H

/*
 * Two processes: this one, which becomes the broker and keeps the privileges, and a child, the worker,
 * which gives them up and does the work. The broker passes on signals to it and its exit to whoever
 * waits.
 */
#include "base/notify.h"
#include "broker/sandbox.h"
#include "broker/server.h"

struct broker_options {
	struct broker_server_options server; /* its ctx is that of all of these */
	/* Before a SIGHUP is passed on: the files may be others now. May be NULL, as the next. */
	void (*reload)(void *ctx);
	void (*end)(void *ctx); /* in the broker, which may end by a signal then */
	struct sandbox_options sandbox;
	bool restarts; /* a worker that crashes or is killed is replaced */
	bool stops;    /* it may ask for a process to stand still */
};

/* A worker that dies more often than this is not replaced: as StartLimit of systemd.unit(5). */
#define BROKER_MAX_RESTARTS	 5
#define BROKER_RESTART_WINDOW_NS (600 * NSEC_PER_SEC)

/*
 * broker__run - run @work in a worker. Returns what it returned, in either process: the caller goes on to
 * its end. A worker that was ended by a signal ends this process by the same.
 */
int broker__run(const struct broker_options *options, int (*work)(void *ctx), void *ctx);

/* broker__restarts - how many workers there were before this one. */
unsigned int broker__restarts(void);

#endif /* GLEAKD_BROKER_RUN_H */
