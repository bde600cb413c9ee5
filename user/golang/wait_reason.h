/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_WAIT_REASON_H
#define GLEAKD_GOLANG_WAIT_REASON_H

/*
 * What a wait reason means for leak detection, independent of the numbering of a Go version:
 * the numbers move, the words do not (reference: src/runtime/runtime2.go waitReasonStrings).
 */
#include "base/common.h"

enum wait_class {
	WAIT_NONE, /* not waiting, or no reason known */
	WAIT_CHAN_RECEIVE,
	WAIT_CHAN_SEND,
	WAIT_NIL_CHAN, /* send or receive on a nil channel: never returns */
	WAIT_SELECT,
	WAIT_SELECT_NONE, /* select {}: never returns */
	WAIT_LOCK,	  /* sync.Mutex.Lock, sync.RWMutex.Lock/RLock */
	WAIT_SEMAPHORE,	  /* "semacquire": mutexes before 1.20, WaitGroup before 1.24 */
	WAIT_WAIT_GROUP,
	WAIT_COND,
	WAIT_IO, /* netpoll */
	WAIT_SLEEP,
	WAIT_COROUTINE, /* iter.Pull, suspended */
	WAIT_SYSCALL,	/* in a system call or in C; not a wait reason of the runtime */
	WAIT_RUNTIME,	/* the runtime's own business: GC, finalizers, scavenger, traces */
};

/* wait_class__of - class of the runtime's words, "(durable)" and "(synctest)" variants included. */
enum wait_class wait_class__of(const char *words);

#endif /* GLEAKD_GOLANG_WAIT_REASON_H */
