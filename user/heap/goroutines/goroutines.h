/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_GOROUTINES_GOROUTINES_H
#define GLEAKD_HEAP_GOROUTINES_GOROUTINES_H

/*
 * Goroutines as one scan sees them: all of runtime.allgs, which of them are candidates for a leak, and
 * what those wait on. A candidate is a goroutine that waits in the program's own synchronisation, on
 * something that is known: a channel, select, a lock, a WaitGroup, a Cond (src/runtime/mgcmark.go
 * internalBlocked of Go 1.26, mgc.go isMaybeRunnable). Everything else may run and is a root.
 */
#include "base/failure.h"
#include "golang/wait_reason.h"
#include "heap/runtime/runtime.h"

/* What keeps alive what a candidate waits on: the first kind of root that leads to it. */
enum heap_root_kind {
	HEAP_ROOT_NONE,	    /* nothing: the goroutine will never run again */
	HEAP_ROOT_NOT_HEAP, /* it is a variable of the program, or on a stack */
	HEAP_ROOT_GLOBAL,   /* a variable of the program */
	HEAP_ROOT_FINALIZER, /* something that has a finalizer, cleanup or weak pointer, or a queue of them */
	HEAP_ROOT_RUNTIME,   /* the runtime: timers, caches of its processors, registers */
	HEAP_ROOT_GOROUTINE, /* the stack of a goroutine that is no candidate */
	HEAP_ROOT_WAITING,   /* the stack of a candidate that is itself reachable */
	HEAP_ROOT_MOVED,     /* it was not known what it waits on, or it ran during the scan */
};

const char *heap_root_kind__name(enum heap_root_kind kind); /* "none", "global", ... */

struct heap_goroutine {
	uint64_t address; /* of its g, the target's */
	uint64_t goid;	  /* 0: there is none in this g */
	/* Of what changes whenever it runs; equal in two scans: it has not run in between. */
	uint64_t fingerprint;
	uint64_t waiting; /* the first of its sudogs, of candidates */
	/* Where its stack is in use, from sp on; above 0: to be read from its g first. */
	uint64_t sp;
	uint32_t above;
	/* in heap_goroutines.waits; n_waits 0: select{}, nil channel */
	uint32_t first_wait, n_waits;
	uint8_t status;	    /* enum go_status */
	uint8_t wait_class; /* enum wait_class */
	uint8_t reached_by; /* enum heap_root_kind, of candidates */
	bool candidate;
	bool scanned; /* its stack was a root */
};

struct heap_wait {
	uint64_t object; /* the channel, or the word that the lock, WaitGroup or Cond waits by */
	uint64_t sudog;
};

struct heap_goroutines {
	const struct heap_runtime *runtime;
	struct heap_goroutine *all; /* in the order of allgs */
	size_t n, capacity;
	struct heap_wait *waits;
	size_t n_waits, waits_capacity;
	size_t n_candidates;
	size_t unreadable; /* g structs */
	size_t waits_unknown; /* waiting goroutines that are no candidates for want of what they wait on */
	uint64_t *addresses; /* of all g structs while they are being read */
	size_t n_addresses;
	size_t max;
};

/* A g, decoded. Addresses are the target's. */
struct heap_g {
	uint64_t goid, m;
	uint64_t stack_lo, stack_hi;
	uint64_t pc, sp, lr; /* where it stopped: syscall* in a system call, else sched.* */
	uint64_t ctxt, panic, defer, xregs;
	uint64_t waiting;
	uint64_t startpc;
	uint64_t fingerprint;
	uint8_t status, reason;
	bool preempted; /* asynchronously: its registers are on its stack */
};

#define HEAP_G_MAX 512 /* bytes of a g; 456 in the largest version */

/* heap_g__decode - @data is a whole g. */
void heap_g__decode(const struct heap_runtime *runtime, const uint8_t *data, struct heap_g *ret_g);

/* heap_g__is_off_thread - it does not run, and where it stopped is saved in it. */
bool heap_g__is_off_thread(const struct heap_g *g);

/* heap_goroutines__init - @runtime must outlive it. @max: goroutines; 0: 16 million. */
void heap_goroutines__init(struct heap_goroutines *goroutines, const struct heap_runtime *runtime,
			   size_t max);
void heap_goroutines__release(struct heap_goroutines *goroutines);

/*
 * heap_goroutines__start - copy the list; whatever was read before is forgotten unless @keep, which
 * is for those that are new since. -EFAULT, -ESRCH, -E2BIG more than the maximum, -ENOMEM.
 */
int heap_goroutines__start(struct heap_goroutines *goroutines, bool keep) __must_check;

/* heap_goroutines__step - as heap_spans__step(). */
int heap_goroutines__step(struct heap_goroutines *goroutines, uint64_t budget_ns) __must_check;

/*
 * heap_waits__read - what the candidates wait on. One whose waits cannot be told is no candidate any
 * more. -ESRCH, -ENOMEM.
 */
int heap_waits__read(struct heap_goroutines *goroutines) __must_check;

/* heap_waits__semaphores - the part of it for locks before Go 1.26, by runtime.semtable. */
int heap_waits__semaphores(struct heap_goroutines *goroutines) __must_check;

/* heap_waits__conds - the part of it for sync.Cond before Go 1.26. */
int heap_waits__conds(struct heap_goroutines *goroutines) __must_check;

/* heap_waits__add - one more wait of @g, which must be the last that was given any. -ENOMEM. */
int heap_waits__add(struct heap_goroutines *goroutines, struct heap_goroutine *g, uint64_t object,
		    uint64_t sudog) __must_check;

/* heap_waits__drop - @g is no candidate: what it waits on is not known. */
void heap_waits__drop(struct heap_goroutines *goroutines, struct heap_goroutine *g);

#endif /* GLEAKD_HEAP_GOROUTINES_GOROUTINES_H */
