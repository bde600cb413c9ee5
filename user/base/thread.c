// SPDX-License-Identifier: Apache-2.0
#include "base/thread.h"

#include <limits.h>
#include <signal.h>

static int start(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*run)(void *ctx),
		 void *ctx)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	err = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (err)
		return -err;
	err = pthread_create(ret_thread, attributes, run, ctx);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

int thread__start(pthread_t *ret_thread, size_t stack_bytes, void *(*run)(void *ctx), void *ctx)
{
	pthread_attr_t attributes;
	int err;

	if (!stack_bytes)
		return start(ret_thread, NULL, run, ctx);
	err = pthread_attr_init(&attributes);
	if (err)
		return -err;
	err = pthread_attr_setstacksize(&attributes, stack_bytes + (size_t)PTHREAD_STACK_MIN);
	err = err ? -err : start(ret_thread, &attributes, run, ctx);
	pthread_attr_destroy(&attributes);
	return err;
}
