/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_WAIT_REASON_H
#define GLEAKD_GOLANG_WAIT_REASON_H

/*
 * What a wait reason means for leak detection, independent of the numbering of a Go version: the
 * numbers move, the texts do not (src/runtime/runtime2.go waitReasonStrings). Everything that
 * depends on the class alone is a column here; what a class weighs is in track/weights.c.
 */
#include "base/common.h"

/* What is read to find the object that a goroutine of a class waits on. */
enum wait_on {
	WAIT_ON_NOTHING,   /* or on nothing that can be named */
	WAIT_ON_CHANNELS,  /* its sudogs lead to them */
	WAIT_ON_SEMAPHORE, /* a word of package sync, through runtime.semtable or its stack */
	WAIT_ON_COND,	   /* a sync.Cond */
};

/*
 * Columns: can leak - it ends only by what the program does, so a goroutine can be forgotten in it;
 * for ever - it never ends; by nature - it is what the goroutine is there for; may serve - a healthy
 * goroutine per connection or stream spends its life in it.
 */
/* clang-format off */
#define WAIT_CLASS_TABLE(X)								\
	/* class             can leak  for ever  by nature  may serve  object */	\
	X(WAIT_NONE,         false,    false,    false,     false,     WAIT_ON_NOTHING)	\
	X(WAIT_CHAN_RECEIVE, true,     false,    false,     true,      WAIT_ON_CHANNELS)\
	X(WAIT_CHAN_SEND,    true,     false,    false,     false,     WAIT_ON_CHANNELS)\
	/* send or receive on a nil channel */						\
	X(WAIT_NIL_CHAN,     true,     true,     false,     false,     WAIT_ON_NOTHING)	\
	X(WAIT_SELECT,       true,     false,    false,     true,      WAIT_ON_CHANNELS)\
	/* select {} */									\
	X(WAIT_SELECT_NONE,  true,     true,     false,     false,     WAIT_ON_NOTHING)	\
	/* sync.Mutex.Lock, sync.RWMutex.Lock and RLock */				\
	X(WAIT_LOCK,         true,     false,    false,     false,     WAIT_ON_SEMAPHORE)\
	/* "semacquire": mutexes before Go 1.20, WaitGroup before 1.24 */		\
	X(WAIT_SEMAPHORE,    true,     false,    false,     false,     WAIT_ON_SEMAPHORE)\
	X(WAIT_WAIT_GROUP,   true,     false,    false,     false,     WAIT_ON_SEMAPHORE)\
	X(WAIT_COND,         true,     false,    false,     true,      WAIT_ON_COND)	\
	/* netpoll */									\
	X(WAIT_IO,           false,    false,    true,      false,     WAIT_ON_NOTHING)	\
	X(WAIT_SLEEP,        false,    false,    true,      true,      WAIT_ON_NOTHING)	\
	/* iter.Pull, suspended */							\
	X(WAIT_COROUTINE,    true,     false,    false,     false,     WAIT_ON_NOTHING)	\
	/* in a system call or in C; not a wait reason of the runtime */		\
	X(WAIT_SYSCALL,      false,    false,    false,     false,     WAIT_ON_NOTHING)	\
	/* the runtime's own business: GC, finalizers, scavenger, traces */		\
	X(WAIT_RUNTIME,      false,    false,    true,      false,     WAIT_ON_NOTHING)

enum wait_class {
#define X(class, ...) class,
	WAIT_CLASS_TABLE(X)
#undef X
	WAIT_CLASSES,
};
/* clang-format on */

struct wait_class_facts {
	bool can_leak, for_ever, by_nature, may_serve_connection;
	enum wait_on on;
};

/* wait_class__facts - of any class; what is none has those of WAIT_NONE. */
const struct wait_class_facts *wait_class__facts(enum wait_class class);

/* wait_class__of - class of the runtime's text, "(durable)" and "(synctest)" variants included. */
enum wait_class wait_class__of(const char *text);

/*
 * wait_reason__is_durable - whether a goroutine of a testing/synctest bubble that waits so counts as
 * durably blocked although @text does not say it (src/runtime/runtime2.go isIdleInSynctest).
 */
bool wait_reason__is_durable(const char *text);

/*
 * wait_reason__in_bubble - whether @text says that who waits is in a bubble of testing/synctest: its clock goes on
 * when all of them wait, so how long by the clock of the host means nothing.
 */
bool wait_reason__in_bubble(const char *text);

#endif /* GLEAKD_GOLANG_WAIT_REASON_H */
