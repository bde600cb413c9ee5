/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_STREAM_H
#define GLEAKD_BASE_STREAM_H

/* What stdio(3) says of a write that failed, as a negative errno. */
#include <stdio.h>

#include "base/common.h"

/*
 * stream__flush - write out what @out has buffered. Returns 0, or why that or an earlier write
 * failed: -EPIPE when the reader is gone, -ENOSPC, or -EIO when the reason is not known.
 */
int stream__flush(FILE *out) __must_check;

/* stream__write - @size bytes at once, then as stream__flush(). */
int stream__write(FILE *out, const void *bytes, size_t size) __must_check;

#endif /* GLEAKD_BASE_STREAM_H */
