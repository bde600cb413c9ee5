/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_OBJECTS_H
#define GLEAKD_OBSERVE_WAIT_OBJECTS_H

/*
 * What goroutines wait on: the channels of g.waiting (src/runtime/runtime2.go sudog, chan.go
 * hchan), and the address of the lock, WaitGroup or Cond, by g.waiting from Go 1.26 on and by the
 * semaphore table (src/runtime/sema.go semtable) before. Read with process_vm_readv from the
 * running target: everything may change while it is read. A goroutine counts only when its g shows
 * the same goid, status and trackingSeq after the read as before it.
 */
#include "base/common.h"
#include "golang/binary.h"
#include "golang/wait_reason.h"
#include "host/remote.h"

enum wait_object_kind {
	WAIT_OBJECT_CHANNEL,
	WAIT_OBJECT_MUTEX,
	WAIT_OBJECT_RWMUTEX,
	WAIT_OBJECT_WAIT_GROUP,
	WAIT_OBJECT_COND,
	WAIT_OBJECT_SEMAPHORE, /* a semaphore of a kind that the reason does not name */
};

const char *wait_object_kind__name(enum wait_object_kind kind); /* "channel", "mutex", ... */

#define WAIT_OBJECTS_TOP	 8    /* objects described of one group */
#define WAIT_OBJECTS_MAX_MEMBERS 1024 /* goroutines looked at of one group */
#define WAIT_OBJECTS_MAX_CASES	 64   /* channels looked at of one select */
#define WAIT_OBJECTS_MAX_WAITERS 4096 /* waiters counted on one object */

struct wait_object {
	enum wait_object_kind kind;
	uint64_t address; /* the target's */
	uint32_t members; /* how many of the given goroutines wait on it */
	/*
	 * All that wait, not only the given ones: channels have the first two counts, other objects
	 * the third.
	 */
	uint32_t receivers, senders, waiters;
	/* Not all could be counted: too many, a queue that kept changing, or no semaphore table. */
	bool more_waiters;
	uint64_t length, capacity;
	uint16_t value_bytes; /* of what a channel carries; 0: it is a mere signal */
	bool closed, timer;
};

/* What a group of goroutines waits on. */
struct wait_objects {
	uint32_t looked_at;   /* goroutines whose waits were read */
	uint32_t unreadable;  /* goroutines that could not be read or ran meanwhile */
	uint32_t distinct;    /* objects among those looked at */
	uint32_t with_timer;  /* goroutines that also wait on the channel of an armed timer */
	uint32_t with_buffer; /* goroutines that wait on a channel with a buffer, full or empty */
	uint32_t shared_by;   /* how many wait on the object that most of them wait on */
	size_t n_top;
	struct wait_object top[WAIT_OBJECTS_TOP]; /* most members first */
};

/* One goroutine to look at. */
struct wait_member {
	uint64_t goid;
	uint64_t address; /* of its g, the target's */
};

struct wait_reader;

/* wait_reader__new - @binary (bound) and @remote must outlive it. -ENOMEM. */
int wait_reader__new(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
		     struct wait_reader **ret_reader) __must_check;
void wait_reader__free(struct wait_reader *reader);

/*
 * wait_reader__begin - a look at several groups begins: the timer heaps are read anew when they are asked
 * for, and once for all groups. All groups together may cost WAIT_LOOK_STEPS (observe/wait_memory.h); what
 * goes beyond is not looked at.
 */
void wait_reader__begin(struct wait_reader *reader);
#define WAIT_LOOK_STEPS (8u << 20) /* a fifth of a second at worst */
#define WAIT_TIMER_STEPS \
	(2u << 20) /* for WAIT_TIMERS_MAX timers, each in a block of its own, 1.1 M */

/*
 * wait_reader__read - what @members (at most WAIT_OBJECTS_MAX_MEMBERS are looked at) wait on; all
 * of them have wait reason @class. Errors: -ESRCH the process is gone, -EOPNOTSUPP nothing of the
 * kind is waited on (sleep, IO). Where channels do not know their timers (before Go 1.23, and where
 * the program's go.mod names an older version, asynctimerchan=1), the timer heaps tell, of 16,384
 * timers at most.
 */
int wait_reader__read(struct wait_reader *reader, enum wait_class class, const char *wait_reason,
		      const struct wait_member *members, size_t n,
		      struct wait_objects *ret_objects) __must_check;

#endif /* GLEAKD_OBSERVE_WAIT_OBJECTS_H */
