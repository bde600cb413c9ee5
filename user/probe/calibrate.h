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
 * calibrate__run - takes some 60 ms of CPU time, and as much waiting for probes to be gone.
 * @features: kernel__check() is content with them.
 * Errors: -ENOMEM, -EPERM, or what the kernel said to loading or attaching; libbpf_text__get()
 * may know more.
 */
int calibrate__run(const struct kernel_features *features,
		   struct calibration *ret_calibration) __must_check;

#endif /* GLEAKD_PROBE_CALIBRATE_H */
