/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_CALIBRATION_H
#define GLEAKD_PROBE_CALIBRATION_H

/* What a hit of a probe costs on this machine, by what is probed. */
#include "base/common.h"
#include "probe/plan.h"

enum calibration_kind {
	CALIBRATION_CALL, /* with the program for creations; this and the next three take one trap */
	CALIBRATION_JUMP,
	CALIBRATION_BRANCH, /* conditional */
	CALIBRATION_PUSH,   /* x86 only */
	CALIBRATION_SINGLE_STEP,
	CALIBRATION_KINDS,
};

struct calibration {
	/*
	 * Nanoseconds of the target's own CPU time per hit, one after the other; 0: this machine has
	 * no such thing.
	 */
	uint64_t ns[CALIBRATION_KINDS];
	/* What one costs that comes after a rest and other work, in percent of that; 0: not known. */
	uint32_t cold_percent;
};

const char *calibration_kind__name(enum calibration_kind kind); /* "call", "jump", ... */

/*
 * calibration__ns - what a hit of @site, where @event is seen, costs a program that does other things,
 * too. 0 for a site that is not there, and for every site while @calibration is all zero.
 */
uint64_t calibration__ns(const struct calibration *calibration, enum probe_event event,
			 const struct probe_site *site);

#endif /* GLEAKD_PROBE_CALIBRATION_H */
