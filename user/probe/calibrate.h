/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_CALIBRATE_H
#define GLEAKD_PROBE_CALIBRATE_H

/*
 * Finds out what a hit of a probe costs here and now. The programs that are brought to targets are
 * brought to instructions of our own instead, one of each kind that plans choose, and run over a
 * made-up goroutine. Nobody else is probed, and nothing stays behind.
 */
#include "probe/calibration.h"
#include "probe/kernel.h"

/*
 * calibrate__run - measure all kinds. Takes some 60 ms of CPU time, and 30 to 50 ms of waiting per
 * kind to attach. kernel__check() must have accepted @features. Errors: -ENOMEM, -EPERM, or the
 * kernel's error of loading or attaching; libbpf_text__get() may know more.
 */
int calibrate__run(const struct kernel_features *features,
		   struct calibration *ret_calibration) __must_check;

#endif /* GLEAKD_PROBE_CALIBRATE_H */
