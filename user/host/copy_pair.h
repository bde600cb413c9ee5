/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_COPY_PAIR_H
#define GLEAKD_HOST_COPY_PAIR_H

/*
 * Large copies of a process's memory by two threads: whoever asks, and one that helps. The process stands still
 * meanwhile, so that there is a processor for it. It has whoever's priority for as long: where only one of
 * them comes first, it takes the time of both on a busy machine.
 */
#include <sys/types.h>
#include <sys/uio.h>

#include "base/common.h"

/* copy_pair__start - from now on there is a second one, if it can be had and there are two processors. */
void copy_pair__start(void);

/*
 * copy_pair__read - as process_vm_readv(2), range by range, each into one of the same size; by one thread of this
 * process at a time, once copy_pair__start() was called. At most ACCESS_COPY_RANGES, of ACCESS_COPY_MAX bytes together.
 */
ssize_t copy_pair__read(pid_t task, const struct iovec *local, const struct iovec *foreign,
			size_t n) __must_check;

#endif /* GLEAKD_HOST_COPY_PAIR_H */
