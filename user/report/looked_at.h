/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_LOOKED_AT_H
#define GLEAKD_REPORT_LOOKED_AT_H

/* What members of a target's sites wait on, kept from one report to the next. */
#include "report/locks.h"
#include "report/objects.h"

/* Of so many targets the last report looks at all that waits; of more that would take seconds. */
#define LOOKED_AT_MAX_TARGETS 16

/* What members of sites were found to wait on, and when. */
struct looked_at {
	size_t n;
	struct {
		uint64_t time_ns;
		struct site_objects_wanted site;
	} * items; /* owned */
	/* Owned, and at its place as long as nothing is looked at anew: reports point into it. NULL: none. */
	struct built_locks *locks;
};

void looked_at__clear(struct looked_at *looked);

/* looked_at__find - where what was found at the tracker's @site is kept, or NULL. */
struct site_objects_wanted *looked_at__find(const struct looked_at *looked, uint32_t site,
					    uint64_t *ret_time_ns);

/*
 * looked_at__renew - look at all of @sites that want it as soon as one of them is new or its objects
 * were read long ago; in the last report (@final) at all that wait on something. Returns 1 when the
 * tracker knows more than it did. -ENOMEM.
 */
int looked_at__renew(struct looked_at *looked, struct target *target,
		     const struct report_site *sites, size_t n_sites, uint64_t now_ns,
		     bool final) __must_check;

#endif /* GLEAKD_REPORT_LOOKED_AT_H */
