/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_COST_H
#define GLEAKD_PROBE_COST_H

/* What watching costs a target, as people think of it. */
#include "base/common.h"

/* Of a core: a target that uses less is allowed a share of that. Of nearly nothing no share can be taken. */
#define COST_BASE_SHARE 0.1

/* How a cost is known. */
enum cost_basis {
	COST_NONE,	 /* nothing is attached, or nothing was seen of it yet */
	COST_ASSUMED,	 /* by the usual figures: this machine's could not be measured */
	COST_CALIBRATED, /* hits by what they cost on this machine */
	COST_MEASURED,	 /* by the CPU time of the target itself, which is more */
};

const char *cost_basis__name(enum cost_basis basis); /* "none", "assumed", ... */

/* Of the last seconds. */
struct probe_cost {
	enum cost_basis basis;	/* COST_NONE: the rest says nothing */
	double ns_per_s;	/* of its CPU time */
	double ns_per_creation; /* < 0: too few goroutines were created */
	double cpu_share;	/* of the CPU time that it used; 0: it used none */
	bool of_core;		/* which is so little that the budget is of a tenth of a core */
};

#endif /* GLEAKD_PROBE_COST_H */
