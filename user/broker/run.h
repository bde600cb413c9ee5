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
	struct broker_files *files;
	uint64_t (*give_up)(void *ctx, bool probes, bool uprobe_multi);
	void (*reload)(void *ctx); /* before a SIGHUP is passed on: the files may be others now */
	void *ctx;
	struct sandbox_options sandbox;
	bool restarts;	    /* a worker that crashes or is killed is replaced */
	bool stops;	    /* it may ask for a process to stand still */
	uint64_t max_bytes; /* struct broker_server_options */
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
