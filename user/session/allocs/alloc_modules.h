/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_MODULES_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_MODULES_H

/* The modules of a target, each with its probes of the program for allocations. */
#include "probe/alloc_probes.h"
#include "session/target.h"

#define ALLOC_MAX_MODULES 16 /* of a target, plugins included */

struct alloc_module {
	struct alloc_plan plan;
	uint64_t bias;
	int fd; /* the executable's, or of its module */
	struct alloc_links links;
};

struct alloc_modules {
	struct alloc_module *all;
	size_t n;
};

/*
 * alloc_modules__attach - what is planned, to all of them or to none. Errors: -EBUSY something speaks against it, as
 * alloc_probes__attach().
 */
int alloc_modules__attach(const struct alloc_modules *modules, struct alloc_probes *probes,
			  struct target *target, size_t slot, struct failure *failure) __must_check;

/* alloc_modules__detach - as alloc_links__detach(). */
void alloc_modules__detach(const struct alloc_modules *modules);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_MODULES_H */
