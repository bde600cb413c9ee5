/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_LOCKS_H
#define GLEAKD_REPORT_LOCKS_H

/*
 * Locks that members of several sites have to do with: who waits for each, whatever their site, and who
 * seems to hold it. From what was found at single sites (report/objects.h).
 */
#include "output/report.h"
#include "report/objects.h"
#include "session/goroutines/lock_holders.h"

#define BUILT_LOCKS_MAX LOCK_HOLDERS_MAX_QUESTIONS

struct built_locks {
	struct report_lock all[BUILT_LOCKS_MAX];
	size_t n;
};

/*
 * built_locks__find - of @n sites that were looked at, those whose members wait for locks, the locks that
 * most wait for. Reads the target's memory. -ENOMEM.
 */
int built_locks__find(struct target *target, const struct site_objects_wanted *looked_at, size_t n,
		      uint64_t now_ns, struct built_locks *ret_locks) __must_check;

/* built_locks__place - say where the holders are among @sites of one report, which outlive it there. */
void built_locks__place(struct built_locks *locks, const struct report_site *sites, size_t n);

#endif /* GLEAKD_REPORT_LOCKS_H */
