/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_PLAN_H
#define GLEAKD_PROBE_ALLOC_PLAN_H

/*
 * Which instructions to probe for allocations: the branch of a function's stack check, or what is right
 * behind it. There the function runs once per call, and its arguments are still in their registers
 * (docs/architecture.md, "Probe sites").
 */
#include "probe/alloc_abi.h"
#include "probe/plan.h"

/* mallocgc, and what Go 1.27 has for itself of each small size: see alloc_plan.c. */
#define ALLOC_PLAN_MAX_SITES 72

enum alloc_plan_wanted {
	ALLOC_PLAN_SAMPLES, /* those that the runtime's own profile samples */
	ALLOC_PLAN_ALL,	    /* each one */
	ALLOC_PLAN_REFILLS, /* one for each span of small objects */
};

struct alloc_site_plan {
	struct probe_site site;
	enum gl_alloc_kind kind;
	uint16_t
		min_size; /* smaller ones are seen at other sites; of refills: GL_ALLOC_REFILL_BIT()s */
};

struct alloc_plan {
	size_t n;
	struct alloc_site_plan sites[ALLOC_PLAN_MAX_SITES];
};

/*
 * alloc_plan__make - decode the runtime's functions in @binary and choose. It is all or nothing: where one
 * function is not understood, what it allocates would be missing. Errors: -ENOENT no usable site, with
 * the reason in words; -EIO, -ENOMEM.
 */
int alloc_plan__make(struct go_binary *binary, enum alloc_plan_wanted wanted,
		     struct alloc_plan *ret_plan, struct failure *failure) __must_check;

#endif /* GLEAKD_PROBE_ALLOC_PLAN_H */
