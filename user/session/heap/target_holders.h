/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_HEAP_TARGET_HOLDERS_H
#define GLEAKD_SESSION_HEAP_TARGET_HOLDERS_H

/* What leads to objects of a target's heap, or to what its goroutines wait on, by a scan while it runs. */
#include "heap/ways/holders.h"
#include "session/heap/target_view.h"

/* One of them. */
struct holders_question {
	uint64_t object;  /* an address in it; 0: not this */
	const char *type; /* live objects of this type, as gleakd heap calls it; NULL: not this */
	uint64_t goid;	  /* what this goroutine waits on; 0: not this */
	const uint32_t *sites; /* what members of these sites of the tracker wait on */
	size_t n_sites;
};

/*
 * target_holders__find - what holds what @question is about; kept until the next time. Errors: as
 * target_view__take(); -EINVAL there is no such thing, or nothing can hold it (the failure says what).
 */
int target_holders__find(struct target *target, const struct holders_question *question,
			 const struct target_view_options *options,
			 struct failure *failure) __must_check;

/* target_holders__get - NULL: nobody asked. */
const struct heap_holders *target_holders__get(const struct target *target);

/* target_holders__close - part of target__free(). */
void target_holders__close(struct target *target);

#endif /* GLEAKD_SESSION_HEAP_TARGET_HOLDERS_H */
