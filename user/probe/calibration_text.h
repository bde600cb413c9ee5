/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_CALIBRATION_TEXT_H
#define GLEAKD_PROBE_CALIBRATION_TEXT_H

/* A calibration as text, with what it holds for. Pure; the text may come from anybody. */
#include "probe/calibration.h"

#define CALIBRATION_MAX_AGE_NS (3600 * NSEC_PER_SEC)

#define CALIBRATION_TEXT_SIZE 2048

/* What a calibration holds for. */
struct calibration_scope {
	char boot[64];	  /* /proc/sys/kernel/random/boot_id */
	char kernel[160]; /* release and version */
	char build[96];	  /* of gleakd */
	uint64_t now_ns;  /* by the monotonic clock */
};

/* calibration_text__write - returns its length; 0: it does not fit. */
size_t calibration_text__write(const struct calibration *calibration,
			       const struct calibration_scope *scope,
			       char text[CALIBRATION_TEXT_SIZE]);

/*
 * calibration_text__read - from @text, which ends with a NUL. -ESTALE: of another boot, kernel or
 * build, or old; -EPROTO: anything else is wrong with it.
 */
int calibration_text__read(const char *text, const struct calibration_scope *scope,
			   struct calibration *ret_calibration) __must_check;

#endif /* GLEAKD_PROBE_CALIBRATION_TEXT_H */
