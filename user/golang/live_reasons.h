/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LIVE_REASONS_H
#define GLEAKD_GOLANG_LIVE_REASONS_H

/*
 * runtime.waitReasonStrings of a process: which number means which text. The numbers were given
 * anew in Go 1.26, so for a version that is not in the table nothing else tells them. For those that
 * are, the table says the same (the test of layoutgen compares) and costs nothing.
 */
#include "golang/live.h"

#define LIVE_REASONS_MAX	256 /* g.waitreason is a byte */
#define LIVE_REASONS_MAX_LENGTH 64  /* 29 in Go 1.27 */

struct live_reasons {
	const char *texts[LIVE_REASONS_MAX]; /* into text */
	size_t n;
	char text[LIVE_REASONS_MAX][LIVE_REASONS_MAX_LENGTH + 1];
};

/*
 * live_reasons__read - find the array by its symbol, else by what is in it, and copy it. live->module
 * must be set.
 * Errors: -EOPNOTSUPP it is not there or is missing reasons that every version has, -ESRCH, -ENOMEM.
 */
int live_reasons__read(struct live *live, struct live_reasons *ret_reasons) __must_check;

#endif /* GLEAKD_GOLANG_LIVE_REASONS_H */
