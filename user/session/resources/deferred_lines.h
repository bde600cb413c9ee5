/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_RESOURCES_DEFERRED_LINES_H
#define GLEAKD_SESSION_RESOURCES_DEFERRED_LINES_H

/* Lines with `defer` statements of a target, which are known without a probe: each deferred call has its own. */
#include "session/target.h"
#include "track/resources.h"

struct deferred_lines {
	struct deferred_line *all;
	size_t n, capacity;
};

void deferred_lines__release(struct deferred_lines *lines);

/*
 * deferred_lines__at - the line of @target that the link-time address @pc, behind a call, stands for; .at NULL: it has
 * no name. Valid until the release. -ENOMEM.
 */
int deferred_lines__at(struct deferred_lines *lines, const struct target *target, uint64_t pc,
		       struct resource_opened_at *ret_opened) __must_check;

#endif /* GLEAKD_SESSION_RESOURCES_DEFERRED_LINES_H */
