/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_CROSS_CHECK_H
#define GLEAKD_GOLANG_CROSS_CHECK_H

/*
 * A closer check of a layout that is a guess, beyond self_check.h: the same fact is read in two
 * ways, which have to agree. The function in which a goroutine is parked fits its wait reason; the
 * goroutine of a thread has that thread; the sudog that queues a goroutine at a channel points back
 * at it; a call instruction is where it was created.
 */
#include "golang/live.h"
#include "golang/live_reasons.h"

/*
 * cross_check__run - of up to CROSS_CHECK_SAMPLES goroutines, after self_check__run(). It passes
 * when no goroutine contradicts itself and at least one park and one creation are confirmed.
 * Errors: -EAGAIN no goroutine is parked yet, -EOPNOTSUPP with what does not agree, -ESRCH,
 * -ENOMEM.
 */
int cross_check__run(struct live *live, const struct go_globals *globals,
		     const struct live_reasons *reasons) __must_check;

#define CROSS_CHECK_SAMPLES 256

#endif /* GLEAKD_GOLANG_CROSS_CHECK_H */
