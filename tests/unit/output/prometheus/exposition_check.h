/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OUTPUT_EXPOSITION_CHECK_H
#define TESTS_UNIT_OUTPUT_EXPOSITION_CHECK_H

/* What a reader of Prometheus' text format asks of it; no Criterion, as the fuzzer uses it too. */
#include "base/common.h"

/*
 * exposition_check - NULL, or what is wrong: a last line without end, invalid UTF-8, control
 * characters, bad names, labels or escapes, a sample outside its family, a value that is not a
 * finite number, a timestamp, a family or a series that is there twice. @size is without the
 * terminating NUL.
 */
const char *exposition_check(const char *text, size_t size);

#endif /* TESTS_UNIT_OUTPUT_EXPOSITION_CHECK_H */
