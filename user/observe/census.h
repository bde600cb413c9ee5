/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_H
#define GLEAKD_OBSERVE_CENSUS_H

/*
 * A census lists every goroutine that exists. It reads runtime.allgs with process_vm_readv, without
 * probes and without stopping the target. It works in slices, so that the caller can drain the ring
 * buffer while a million goroutines are read.
 *
 * g structs are never freed and allgs only grows (src/runtime/proc.go allgadd). So the census keeps
 * their addresses sorted and for each slot a fingerprint of (goid, trackingSeq, status, sched.pc,
 * waitreason). A slot whose fingerprint has not changed has not run since the last census (mod 256,
 * docs/architecture.md), and its stack is not read again. Some runs leave no trace in a
 * fingerprint: a switch between coroutines, and from Go 1.26 on a system call. Goroutines in a
 * system call are therefore always reported in full there.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/go_status.h"
#include "golang/module_map.h"
#include "host/remote.h"
#include "observe/stack_table.h"

struct census;

/* What one g looked like. Addresses of code are module pcs. */
struct census_goroutine {
	uint64_t goid;
	uint64_t parent_goid; /* 0: unknown (before Go 1.21) */
	uint64_t creation_pc; /* return address of the go statement; 0: none (goroutine 1) */
	uint64_t start_pc;
	uint64_t waitsince_ns; /* the host's monotonic; 0: no GC has seen it blocked yet */
	uint64_t read_at_ns;   /* monotonic, taken before the read */
	/* Since when it waits for a processor, the host's monotonic; 0: not measured, or it does not. */
	uint64_t runnable_since_ns;
	uint64_t address;     /* of its g, the target's */
	uint64_t m;	      /* of the M that runs it, the target's; 0: none */
	uint64_t labels;      /* of its set of profiler labels, the target's; 0: none */
	uint32_t stack_id;    /* park stack, STACK_ID_NONE while running or unreadable */
	uint8_t status;	      /* enum go_status, scan bit removed */
	uint8_t wait_reason;  /* this version's number; only meaningful while waiting */
	bool on_system_stack; /* waiting, but its M runs it on g0 for the GC: not blocked */
	bool in_syscall;
	bool runnable;
	bool never_ran;	       /* it is runnable and has not left the instruction it starts at */
	bool locked_to_thread; /* runtime.LockOSThread */
	bool in_bubble;	       /* of testing/synctest, from Go 1.24 on */
};

/* census_goroutine__is_parked - whether it is blocked: it waits, and nothing of it runs. */
static inline bool census_goroutine__is_parked(const struct census_goroutine *g)
{
	return go_status__waits(g->status) && !g->on_system_stack;
}

struct census_ops {
	/*
	 * A goroutine that is new, or whose fingerprint changed. The returned handle comes back
	 * with unchanged(); 0 means "none".
	 */
	uint32_t (*seen)(void *ctx, const struct census_goroutine *g);
	/*
	 * The goroutine is exactly as it was at the last census. Return false when @handle no
	 * longer means @goid: it is then read in full and given to seen().
	 */
	bool (*unchanged)(void *ctx, uint32_t handle, uint64_t goid, uint64_t read_at_ns);
};

struct census_options {
	size_t max_goroutines; /* 0: 8 million */
	bool stacks;	       /* read park stacks */
	bool runnable_stacks;  /* and those of goroutines that wait for a processor */
	int64_t clock_offset;  /* ns that the process's monotonic clock is ahead of the host's */
};

/* What the last complete census read and what it left out. */
struct census_result {
	uint64_t started_ns; /* monotonic: everything created later may be missing */
	uint64_t finished_ns;
	uint64_t cpu_ns;
	size_t slots;	/* length of allgs */
	size_t alive;	/* neither dead nor idle extra Ms, system goroutines included */
	size_t changed; /* of those, given to seen() */
	size_t stacks_read;
	size_t unreadable;     /* g structs whose memory could not be read, or is no g */
	size_t stacks_partial; /* of those, chains of frames that end before the first frame */
	size_t stacks_failed;  /* park stacks unreadable or torn; read again next time */
	size_t refused;	       /* slots beyond max_goroutines */
	/*
	 * Goroutine ids ever handed out, or 0 when it cannot be known. Read right after
	 * started_ns, before any g: goroutines created during the census are not in it.
	 */
	uint64_t goids_issued;
};

/*
 * census__new - @modules, of which the first is bound and modules may be added between two censuses,
 * @remote and @stacks must outlive it. Errors: -ENOMEM, -EPROTO the layout lacks a field or the
 * globals are not known.
 */
int census__new(struct module_map *modules, struct remote *remote, struct stack_table *stacks,
		const struct census_options *options, const struct census_ops *ops, void *ctx,
		struct census **ret_census) __must_check;
void census__free(struct census *census);

/*
 * census__freeze - while @frozen, a census reads only the slots that are known by then, also one that is
 * under way.
 */
void census__freeze(struct census *census, bool frozen);

uint64_t census__memory(const struct census *census); /* bytes for what is known of slots */
uint64_t census__cpu_ns(const struct census *census); /* by all censuses so far */

/*
 * census__start - begin one; -EBUSY while one is under way, -ESRCH and -ESTALE when the process is
 * gone, -EPROTO as below.
 */
int census__start(struct census *census, struct failure *failure) __must_check;

/*
 * census__step - go on for about @budget_ns (0: to the end). Returns 1 when there is more to do, 0
 * when the census is complete, -ESRCH when the process ended, -ESTALE when it ended or executes
 * another program, -EPROTO when what is read cannot be a Go runtime.
 */
int census__step(struct census *census, uint64_t budget_ns, struct failure *failure) __must_check;

/*
 * census__carries_on - whether another one would find what the last one found, if the process has not run since that
 * began: it was complete, and nothing of it was unreadable or left out.
 */
bool census__carries_on(const struct census *census);

/* census__carry_on - then: the last one's result is that of one that began at @started_ns and is over now. */
void census__carry_on(struct census *census, uint64_t started_ns);

/* census__running - whether one is under way. */
bool census__running(const struct census *census);

/* census__goids_issued - goroutine ids that the process has handed out by now; 0: that cannot be known. */
uint64_t census__goids_issued(struct census *census);

/* census__result - of the last complete census; all zero before the first. */
const struct census_result *census__result(const struct census *census);

/*
 * census__slots - every slot that has a handle, in address order: the handle that seen() returned,
 * and the target's address of the g. @visit returns false to stop, and must not change the census.
 * A slot keeps its handle until a census finds its goroutine gone or another one in its place, so
 * @visit must check that the handle still means the same goroutine.
 */
void census__slots(const struct census *census,
		   bool (*visit)(void *ctx, uint32_t handle, uint64_t g_address), void *ctx);

#endif /* GLEAKD_OBSERVE_CENSUS_H */
