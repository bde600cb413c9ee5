/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_ALLOC_ERRORS_H
#define GLEAKD_TRACK_ALLOC_ERRORS_H

/*
 * How far off may be what hits stand for (track/alloc_weights.h). What there was of each size class in all is
 * counted; what is not known is how the parts of it in windows differ from those of all the time. That shows in how
 * they differ between windows, which are dealt out to ALLOC_WINDOW_GROUPS groups in turn: each is as good a sample of
 * the whole time as the others. What entries differ by in a group is added up before it is squared: two of one place,
 * of one class or not, which come and go together, are further off than two that have nothing to do with each other.
 */
#include "track/alloc_weights.h"

/* Of one entry, or of several together; all 0: none. */
struct alloc_errors {
	double chance;			    /* variance within windows */
	double differ[ALLOC_WINDOW_GROUPS]; /* what it has more than its part, in each */
	double disturbed; /* by how much more or less it does in windows than between them */
};

/* alloc_errors__add - to @errors those of @entry, whose objects count @size each. */
void alloc_errors__add(struct alloc_errors *errors, const struct alloc_weights *weights,
		       const struct alloc_flow_entry *entry, double size);

/* alloc_errors__merge - what either has, together. */
void alloc_errors__merge(struct alloc_errors *errors, const struct alloc_errors *more);

/* alloc_errors__variance - of the sum of these objects' sizes. Of a single window nothing is known: all of it. */
double alloc_errors__variance(const struct alloc_errors *errors);

#endif /* GLEAKD_TRACK_ALLOC_ERRORS_H */
