/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_PROBE_SAMPLE_CALIBRATION_H
#define TESTS_UNIT_PROBE_SAMPLE_CALIBRATION_H

#include <criterion/criterion.h>

#include "probe/calibration.h"

/* What some machine measured, to be written and read back. */
static const struct calibration sample_calibration = {
	.ns =
		{
			[CALIBRATION_CALL] = 503,
			[CALIBRATION_JUMP] = 461,
			[CALIBRATION_BRANCH] = 467,
			[CALIBRATION_PUSH] = 0,
			[CALIBRATION_SINGLE_STEP] = 17389,
		},
	.cold_percent = 210,
};

static inline void sample_calibration__check(const struct calibration *got)
{
	cr_assert_arr_eq(got->ns, sample_calibration.ns, sizeof(sample_calibration.ns));
	cr_assert_eq(got->cold_percent, sample_calibration.cold_percent);
}

#endif /* TESTS_UNIT_PROBE_SAMPLE_CALIBRATION_H */
