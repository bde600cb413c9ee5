/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_CENSUS_RUNTIME_H
#define GLEAKD_OBSERVE_CENSUS_RUNTIME_H

/*
 * The part of one process's Go runtime that a census reads: where its globals are, and how to
 * decode a copied g struct. Private to the census; made from a go_binary, or by hand in tests.
 */
#include "base/bytes.h"
#include "base/common.h"
#include "golang/binary.h"
#include "golang/layout.h"
#include "golang/module_map.h"
#include "host/remote.h"
#include "observe/census.h"

/* runtime.allp as it was found; while the slice is the same, so are its elements (src/runtime/proc.go procresize). */
#define CENSUS_MAX_PS 64
struct census_ps {
	uint64_t slice[3]; /* all 0: not known */
	uint64_t ps[CENSUS_MAX_PS];
};

struct census_runtime {
	const struct go_layout *layout;
	struct remote *remote;
	struct module_map *modules; /* modules may be added between two censuses */
	bool uses_lr;		    /* see struct go_arch */
	/* Target addresses; sched and allp may be 0 (unknown). */
	uint64_t allgptr, allglen, sched, allp;
	int64_t clock_offset; /* ns that the process's monotonic clock is ahead of the host's */
	/* Bytes of a g that the census reads: [g + window, g + window + window_size). */
	uint32_t window, window_size;
	struct census_ps known_ps;
};

/* One g struct, decoded. Addresses are the target's. */
struct census_g {
	uint64_t goid, parent_goid;
	uint64_t stack_lo, stack_hi;
	uint64_t m;
	uint64_t pc, sp, bp; /* where it stopped: sched.*, or syscall* in a system call */
	uint64_t lr;	     /* sched.lr, where there is one */
	uint64_t frames;     /* lowest address of a frame: sp, or with lr the word below */
	uint64_t sched_pc;
	uint64_t waitsince;
	uint64_t tracking_stamp; /* when it became runnable, the target's clock; 0: not measured */
	uint64_t gopc, startpc;
	uint64_t labels;
	uint8_t status; /* enum go_status, scan bit removed */
	uint8_t wait_reason;
	uint8_t tracking_seq;
	bool bp_valid;
	bool locked_to_thread, in_bubble;
};

/* census_runtime__init - from a map with one module at least. -EPROTO when the layout row makes no sense. */
int census_runtime__init(struct census_runtime *runtime, struct module_map *modules,
			 struct remote *remote, struct failure *failure) __must_check;

/* census_runtime__set_window - derive window and window_size from layout; -EPROTO as above. */
int census_runtime__set_window(struct census_runtime *runtime,
			       struct failure *failure) __must_check;

/* census_runtime__decode - all of a g from the copy of its window. */
void census_runtime__decode(const struct census_runtime *runtime, const uint8_t *window,
			    struct census_g *ret_g);

/* census_runtime__tell - what is told of one that was read at @read_at_ns from @address. */
struct census_goroutine census_runtime__tell(const struct census_runtime *runtime,
					     const struct census_g *g, uint64_t address,
					     uint64_t read_at_ns, uint32_t stack_id);

/*
 * census_runtime__read_first - @n spans, CENSUS_FIRST_SPANS at most, as remote__read_spans(), and then what
 * census_runtime__goids_issued() says; in one request where that is possible.
 */
#define CENSUS_FIRST_SPANS 4
int census_runtime__read_first(struct census_runtime *runtime, struct remote_span *spans, size_t n,
			       uint64_t *ret_issued) __must_check;

/*
 * census_runtime__goids_issued - goroutine ids handed out so far; 0 when it cannot be known. Ps
 * draw ids from sched.goidgen 16 at a time (src/runtime/proc.go newproc1), so what they have drawn
 * and not used is subtracted. Exact for some moment during the call, or 0 if the target draws ids
 * faster than its Ps can be read.
 */
uint64_t census_runtime__goids_issued(struct census_runtime *runtime);

/* g_load* - a field of a copied g, by its offset in the struct. */
static inline uint64_t g_load64(const struct census_runtime *runtime, const uint8_t *window,
				uint32_t offset)
{
	return bytes__u64(window, offset - runtime->window);
}

static inline uint8_t g_load8(const struct census_runtime *runtime, const uint8_t *window,
			      uint32_t offset)
{
	return window[offset - runtime->window];
}

static inline uint32_t g_status(const struct census_runtime *runtime, const uint8_t *window)
{
	return go_status__of(bytes__u32(window, runtime->layout->g_atomicstatus - runtime->window));
}

/*
 * g_fingerprint - of what changes whenever the goroutine runs, or another takes over its g. Never 0.
 * The leak profile of the runtime marks a waiting goroutine LEAKED without its having run.
 */
uint64_t g_fingerprint(uint64_t goid, uint64_t pc, uint32_t status, uint8_t reason, uint8_t seq);

#endif /* GLEAKD_OBSERVE_CENSUS_RUNTIME_H */
