/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_WATCH_H
#define GLEAKD_CLI_WATCH_H

/* `gleakd NAME` and `gleakd --pid N`: processes that were named, until the last of them has ended. */
#include "cli/named.h"
#include "cli/options.h"
#include "cli/rounds.h"

/*
 * command__watch - watch them until interrupted, until all have ended, or for --duration. Returns the
 * program's exit code, as rounds__close().
 */
int command__watch(const struct options *options, const struct named *named);

/*
 * What a command adds that watches likewise; each may be NULL. Errors are in words in rounds->failure. With
 * complete() it is the command that looks at heaps.
 */
struct watch_extra {
	int (*open)(void *ctx, struct rounds *rounds);	/* before privileges are given up */
	int (*begin)(void *ctx, struct rounds *rounds); /* all processes are there */
	int (*second)(void *ctx, struct rounds *rounds, uint64_t now_ns);
	int (*complete)(
		void *ctx,
		struct rounds *rounds); /* the censuses of a round are, and its report follows */
	int (*reported)(void *ctx, struct rounds *rounds, const struct report *report);
	int (*finish)(void *ctx, struct rounds *rounds); /* after the last report */
	void (*close)(void *ctx); /* in any case, while there is still a session */
	void *ctx;
};

/* watch__run - as command__watch(). */
int watch__run(const struct options *options, const struct named *named,
	       const struct watch_extra *extra);

#endif /* GLEAKD_CLI_WATCH_H */
