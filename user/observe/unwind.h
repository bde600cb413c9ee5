/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_UNWIND_H
#define GLEAKD_OBSERVE_UNWIND_H

/*
 * Call stacks of goroutines that do not run, from a copy of the top of their stack. It follows
 * frame pointers from sched.bp. Where a version saved no frame pointer (a system call before Go
 * 1.23, a goroutine preempted in a prologue), it steps by the sizes of frames in the pcsp table
 * until it finds a saved frame pointer that proves right. The memory is foreign and may be torn:
 * every step must go up the stack and land in text, or the walk ends.
 */
#include "base/common.h"
#include "golang/module_map.h"

struct unwind_input {
	uint64_t pc, sp, bp;	     /* target addresses */
	uint64_t stack_lo, stack_hi; /* of the goroutine */
	const uint8_t *copy;	     /* bytes [copy_address, copy_address + copy_size) */
	uint64_t copy_address; /* at most sp; with lr at most sp - 8, where the frame begins */
	size_t copy_size;
	struct module_map *modules; /* whose text every frame is in */
	bool bp_valid; /* false: begin with a step by pcsp, and trust bp only once it is proven */
	bool uses_lr;  /* the return address is saved at the bottom of the frame, or not at all */
	uint64_t lr; /* with lr: sched.lr, the caller of a function stopped in its prologue; or 0 */
};

/*
 * unwind__walk - module pcs, innermost first, into @pcs.
 * Returns the depth. @ret_more is set to the address of the first frame that lies outside the copy
 * when the walk had to stop there, else to 0. Modules may have no table when bp_valid.
 */
size_t unwind__walk(const struct unwind_input *in, uint64_t *pcs, size_t max, uint64_t *ret_more);

/* pclntab__sp_delta(), or a function of a test in its place. @pc is a module pc. */
typedef int (*unwind_sp_delta_fn)(void *ctx, uint64_t pc, int32_t *ret_delta);

/* unwind__walk_by - unwind__walk() with another source of sp deltas; @sp_delta may be NULL. */
size_t unwind__walk_by(const struct unwind_input *in, unwind_sp_delta_fn sp_delta, void *ctx,
		       uint64_t *pcs, size_t max, uint64_t *ret_more);

#endif /* GLEAKD_OBSERVE_UNWIND_H */
