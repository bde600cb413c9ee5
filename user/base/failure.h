/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_FAILURE_H
#define GLEAKD_BASE_FAILURE_H

/*
 * Why something failed, in words for the user. Functions return a negative errno. A function that
 * can fail for a reason the user can act on also fills a struct failure: what failed, on which
 * object, why, and what to do next. Library code fills it and does not log; the command prints it
 * once.
 *
 * The errno decides the exit code: -ENOEXEC and -EOPNOTSUPP mean "this target or kernel is not
 * supported" (3), -ENOTRECOVERABLE the same of a process for what its memory showed, -EPERM and
 * -EACCES "not permitted" (4), -EINVAL in option handling "usage" (2), everything else 1.
 */
#include "base/common.h"

struct failure {
	char text[640];
};

/*
 * failure__set - record the reason and pass the error through.
 * @f:   where to write; NULL is allowed and ignored.
 * @err: negative errno, returned unchanged, so that callers can `return failure__set(...)`.
 * A second call replaces the first text.
 */
int failure__set(struct failure *f, int err, const char *fmt, ...) __printf_fmt(3, 4);

/* failure__exit_code - the documented exit code for a negative errno (never 2). */
int failure__exit_code(int err);

#endif /* GLEAKD_BASE_FAILURE_H */
