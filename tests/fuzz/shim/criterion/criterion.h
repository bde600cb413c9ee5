/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_FUZZ_SHIM_CRITERION_H
#define GLEAKD_FUZZ_SHIM_CRITERION_H

/*
 * The makers of fake programs in tests/unit state what they rely on with Criterion's assertions.
 * Fuzz targets use the same makers without Criterion, whose own processes and threads have no place
 * in a fuzzer: here an assertion that does not hold is a crash of the target.
 */
#include <stdlib.h>

#define cr_assert(condition, ...)	((condition) ? (void)0 : abort())
#define cr_assert_eq(left, right, ...)	cr_assert((left) == (right))
#define cr_assert_leq(left, right, ...) cr_assert((left) <= (right))
#define cr_assert_geq(left, right, ...) cr_assert((left) >= (right))

#endif /* GLEAKD_FUZZ_SHIM_CRITERION_H */
