/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_CALIBRATE_H
#define GLEAKD_PROBE_CALIBRATE_H

/*
 * What a hit of a probe costs on this machine, now. The programs that are brought to targets are
 * brought to instructions of our own instead, one of each kind that plans choose, and run over a
 * made-up goroutine. Nobody else is probed, and nothing stays behind.
 */
#include "base/common.h"
#include "probe/kernel.h"
#include "probe/plan.h"

enum calibration_kind {
	CALIBRATION_CALL, /* this one and the next three are emulated behind one trap */
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

const char *calibration_kind__name(enum calibration_kind kind); /* "nop5", "call", ... */

/*
 * calibrate__run - takes some 60 ms of CPU time, and for attaching 30 to 50 ms of waiting per kind.
 * @features: kernel__check() is content with them.
 * Errors: -ENOMEM, -EPERM, or what the kernel said to loading or attaching; libbpf_text__get()
 * may know more.
 */
int calibrate__run(const struct kernel_features *features,
		   struct calibration *ret_calibration) __must_check;

/*
 * calibration__ns - what a hit of @site costs a program that does other things, too. 0 for a site that is not there, and for every site
 * while @calibration is all zero.
 */
uint64_t calibration__ns(const struct calibration *calibration, const struct probe_site *site);

#endif /* GLEAKD_PROBE_CALIBRATE_H */
