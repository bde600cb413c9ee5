/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_EVIDENCE_H
#define GLEAKD_GOLANG_EVIDENCE_H

/*
 * What speaks for a guessed layout beyond self_check.h: goroutines are asked about the same thing in
 * two ways, and the answers must agree. Where a goroutine is parked and why it says it waits; a
 * thread's goroutine and a goroutine's thread; a goroutine and what queues for it on a channel; the
 * place of its creation and a call instruction there.
 */
#include "golang/live.h"
#include "golang/live_reasons.h"

/*
 * evidence__check - of up to EVIDENCE_SAMPLES goroutines, after self_check__run(). There has to be
 * some evidence, and none against.
 * Errors: -EAGAIN no goroutine is parked yet, -EOPNOTSUPP with what does not agree, -ESRCH, -ENOMEM.
 */
int evidence__check(struct live *live, const struct go_globals *globals,
		    const struct live_reasons *reasons) __must_check;

#define EVIDENCE_SAMPLES 256

#endif /* GLEAKD_GOLANG_EVIDENCE_H */
