/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_SERVER_H
#define GLEAKD_BROKER_SERVER_H

/*
 * Does what one worker asks for, after check.h has allowed it, and forgets what it opened for it when the
 * worker ends. Never writes to a process, and starts none.
 */
#include "base/notify.h"
#include "broker/check.h"

struct broker_server;

struct broker_server_options {
	const struct broker_files *files; /* may change; outlives the server */
	/* Gives up what is not needed; returns the capabilities that are left. */
	uint64_t (*give_up)(void *ctx, bool probes, bool uprobe_multi);
	uint64_t max_bytes; /* of processes' memory in a minute; 0: no limit */
	void *ctx;
};

/* @notify and @shared, which the worker has mapped too, outlive the server. -ENOMEM. */
int broker_server__new(const struct broker_server_options *options, struct notify *notify,
		       struct broker_shared *shared,
		       struct broker_server **ret_server) __must_check;

/* broker_server__free - lets go of a process that stands still, and unloads the programs. */
void broker_server__free(struct broker_server *server);

/* broker_server__set_worker - whose requests they are; its own process is not its business. */
void broker_server__set_worker(struct broker_server *server, pid_t worker);

/*
 * broker_server__serve - answer one request that waits in @channel. Returns 0; -EPIPE the worker has
 * gone; another error when the worker does not keep to the protocol, and is to be ended.
 */
int broker_server__serve(struct broker_server *server, int channel) __must_check;

/*
 * broker_server__wait_ms - how long the next request may be waited for, @max_ms at most;
 * broker_server__tick - afterwards, whether one came or not: a process that stands still for longer than was
 * allowed goes on.
 */
int broker_server__wait_ms(const struct broker_server *server, int max_ms);
void broker_server__tick(struct broker_server *server);

/* broker_server__requests - so far; and the process of which a file was opened last, 0: none. */
uint64_t broker_server__requests(const struct broker_server *server);
pid_t broker_server__last_pid(const struct broker_server *server);

/* broker_server__refused - what check.h did not allow since the last call; NULL: nothing. */
const char *broker_server__refused(struct broker_server *server);

#endif /* GLEAKD_BROKER_SERVER_H */
