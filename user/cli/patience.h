/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_PATIENCE_H
#define GLEAKD_CLI_PATIENCE_H

/* How long the loop of rounds waits for one look at a heap; what cannot wait as long goes on meanwhile. */
#include "cli/rounds.h"

struct patience {
	struct rounds *rounds;
	uint64_t end_ns;
	bool seconds; /* what the command does each second is done as well: it adds and removes no targets */
	bool unto_end; /* also when the run is to end */
};

/* patience__is_over - for target_view_options.interrupted; @ctx: a struct patience. */
bool patience__is_over(void *ctx);

#endif /* GLEAKD_CLI_PATIENCE_H */
