/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_LABEL_SETS_H
#define GLEAKD_NAMING_LABEL_SETS_H

/*
 * The profiler labels of many goroutines. They share sets, so each set is read once. The target
 * runs on meanwhile: a set counts for a goroutine only if its g still points to it after the set
 * was read, so that it was in use all the time and no memory that had been given to something else.
 */
#include "base/common.h"
#include "golang/layout.h"
#include "host/remote.h"
#include "output/report.h"

struct label_sets;

/* A goroutine whose labels are wanted. */
struct labels_wanted {
	uint64_t g;			   /* address of its g */
	uint64_t goid;			   /* that g must still be this goroutine */
	uint64_t labels;		   /* where g.labels pointed */
	const struct report_labels *found; /* NULL: none, or not read */
};

int label_sets__new(struct label_sets **ret_sets) __must_check;
void label_sets__free(struct label_sets *sets);

/*
 * label_sets__read - fills in what was found; valid until the sets are freed. Returns how many
 * goroutines have labels that could not be read or do not fit, or -ENOMEM.
 */
int label_sets__read(struct label_sets *sets, struct remote *remote, const struct go_layout *layout,
		     struct labels_wanted *wanted, size_t n) __must_check;

#endif /* GLEAKD_NAMING_LABEL_SETS_H */
