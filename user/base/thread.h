/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_THREAD_H
#define GLEAKD_BASE_THREAD_H

/* Threads beside the loop's. */
#include <pthread.h>
#include <stddef.h>

#include "base/common.h"

/*
 * thread__start - one that runs @run with @ctx, and begins with all signals blocked: they are the
 * loop's. It is joined or detached by the caller. @stack_bytes: 0 for what is usual, else as much
 * as it uses itself. Errors: those of pthread_create(3), negative.
 */
int thread__start(pthread_t *ret_thread, size_t stack_bytes, void *(*run)(void *ctx),
		  void *ctx) __must_check;

#endif /* GLEAKD_BASE_THREAD_H */
