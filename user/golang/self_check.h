/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_SELF_CHECK_H
#define GLEAKD_GOLANG_SELF_CHECK_H

/*
 * Whether goroutines look like goroutines when they are read with this layout from these addresses.
 * Nothing that a census says is better than this check, so it is done on the live process, at every
 * attach. A goroutine that changes while it is read may look wrong for a moment, but not repeatedly.
 */
#include "golang/live.h"

#define SELF_CHECK_MAX_GOROUTINES (1ULL << 28) /* 2 KiB of stack each are 512 GiB */

enum first_goroutine {
	FIRST_FITS,
	FIRST_NOT_YET, /* there is none, or it has not been given its number */
	FIRST_DIFFERS,
};

/*
 * self_check__first - whether @array in the target is one of *g that begins with goroutine 1,
 * started at runtime.main. A main that ended with runtime.Goexit leaves its g to be used again;
 * then a later number and a function's first instruction are asked for.
 */
enum first_goroutine self_check__first(struct live *live, uint64_t array);

/*
 * self_check__run - the first goroutine, and a sample spread over all.
 * Errors: -EAGAIN the runtime has not started, -EOPNOTSUPP with what is wrong, -ESRCH, -ENOMEM.
 */
int self_check__run(struct live *live, const struct go_globals *globals) __must_check;

#endif /* GLEAKD_GOLANG_SELF_CHECK_H */
