/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_REPORT_ALLOC_GROUPS_H
#define GLEAKD_REPORT_ALLOC_GROUPS_H

/* Who allocates what: what probes have told, by goroutine, `go` statement, labels or type. */
#include "output/report.h"
#include "session/target.h"
#include "track/alloc_errors.h"

struct alloc_groups;

/*
 * alloc_groups__build - NULL in @ret_groups where nobody watches, or @by is not one of these four. The
 * target must outlive the result. -ENOMEM.
 */
int alloc_groups__build(struct target *target, enum report_alloc_by by,
			struct alloc_groups **ret_groups) __must_check;
void alloc_groups__free(struct alloc_groups *groups);

/* alloc_groups__report - NULL for NULL. */
const struct report_alloc_groups *alloc_groups__report(const struct alloc_groups *groups);

/* What an entry of the flow stands for. */
struct alloc_share {
	double objects, bytes;
	double chance;		    /* variance of bytes, of samples */
	struct alloc_errors errors; /* of windows */
	double in_use_objects, in_use_bytes;
	double in_use_variance; /* of bytes */
	/* Of objects that are followed: those that are there to stay, and what they stand for. */
	double samples, old_bytes;
};

/* alloc_share__of - by where the figures come from. */
struct alloc_share alloc_share__of(const struct alloc_flow_entry *entry,
				   const struct alloc_figures *figures);
void alloc_share__add(struct alloc_share *sum, const struct alloc_share *share);

/* alloc_share__relative_error - the standard error of its bytes, as a part of them. */
double alloc_share__relative_error(const struct alloc_share *share);

#endif /* GLEAKD_REPORT_ALLOC_GROUPS_H */
