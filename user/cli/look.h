/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_LOOK_H
#define GLEAKD_CLI_LOOK_H

/*
 * What commands share that scan the heap of processes when it is asked for: nothing is attached, and
 * there are no scans but these.
 */
#include "cli/named.h"
#include "cli/rounds.h"
#include "session/heap/target_view.h"

/* What the command does. Errors are in words in rounds->failure; all but look may be NULL. */
struct look_ops {
	/* At one target. -EINTR: given up. */
	int (*look)(struct rounds *rounds, struct target *target,
		    const struct target_view_options *options);
	int (*open)(void *ctx, struct rounds *rounds);	/* before privileges are given up */
	int (*ready)(void *ctx, struct rounds *rounds); /* the targets are known */
	void (*begin)(
		void *ctx); /* a round; what would disturb it may rest until its looks are over */
	void (*idle)(void *ctx); /* now and then during a look, which may take seconds */
	int (*finish)(void *ctx, struct rounds *rounds); /* after the last report */
	void *ctx;
};

/*
 * look__run - a round, in which each target is looked at, or several within --duration. Of several
 * processes those that cannot be looked at are logged, and the others are reported. Returns the exit
 * code.
 */
int look__run(const struct options *options, const struct named *named, const struct look_ops *ops);

#endif /* GLEAKD_CLI_LOOK_H */
