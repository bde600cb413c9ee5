/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_MADE_RECORDING_H
#define GLEAKD_TESTS_MADE_RECORDING_H

/* A recording that no process was needed for. */
#include "base/common.h"

#define MADE_BEGIN_NS  (1000 * NSEC_PER_SEC)
#define MADE_END_NS    (1060 * NSEC_PER_SEC)
#define MADE_LIVES     97 /* ended, of the first site */
#define MADE_ALIVE     13 /* of the second */
#define MADE_MAX_BYTES ((size_t)1 << 20)

/*
 * made_recording__new - the bytes of one, to free(): a process with two sites, lives, parks, memory and
 * one place that allocates. @sql (NULL: nothing) is executed in it at last.
 */
void *made_recording__new(const char *sql, size_t *ret_size);

#endif /* GLEAKD_TESTS_MADE_RECORDING_H */
