/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_GOROUTINE_COUNT_H
#define GLEAKD_DISCOVER_GOROUTINE_COUNT_H

/*
 * How many goroutines a process has: one census without stacks, nothing kept. It takes the steps of
 * an attach up to the first census, so a process that can be counted can be watched.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"
#include "golang/symbolize.h"
#include "discover/runtimes.h"
#include "host/process.h"

/*
 * goroutine_count__take - goroutines of @pid, which runs @binary, or has it at @place if that is
 * not NULL, without those of the runtime: what runtime.NumGoroutine() says. @symbolizer, NULL at
 * first, is made once the binary is bound, kept for further processes of it, and freed by the
 * caller. Errors: -EPERM its memory may not be read, -EAGAIN its runtime has not started yet,
 * -ESRCH gone, -EOPNOTSUPP or -EPROTO it is not as its file says, -E2BIG more goroutines than a
 * census takes; the failure has the words.
 */
int goroutine_count__take(const char *proc_root, pid_t pid, const struct runtime_place *place,
			  struct go_binary *binary, struct symbolizer **symbolizer,
			  uint64_t *ret_goroutines, struct failure *failure) __must_check;

#endif /* GLEAKD_DISCOVER_GOROUTINE_COUNT_H */
