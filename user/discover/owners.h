/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_OWNERS_H
#define GLEAKD_DISCOVER_OWNERS_H

/*
 * How many targets each user has, so that one with many cannot keep those of the others out. All zero: nobody
 * has any. Owners as host/owner.h has them. There are few: those of the targets.
 */
#include <sys/types.h>

#include "base/common.h"

struct owners {
	struct owner_count {
		uid_t owner;
		size_t n;
	} * all;
	size_t n, size;
};

void owners__clear(struct owners *owners);

/* owners__add - one more. Without memory it is not counted: it then counts as nobody's. */
void owners__add(struct owners *owners, uid_t owner);
void owners__remove(struct owners *owners, uid_t owner);

/*
 * owners__who_yields - when there is no room: whose target should make room for one more of @owner. The
 * user with most of them, if he has two more than @owner, so that nobody is ousted to and fro. What is
 * the host's own makes room for nobody, and others' make room for it but for the last one of each.
 * False: nobody's.
 */
bool owners__who_yields(const struct owners *owners, uid_t owner, uid_t *ret_owner);

#endif /* GLEAKD_DISCOVER_OWNERS_H */
