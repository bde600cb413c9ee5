// SPDX-License-Identifier: Apache-2.0
/*
 * Frames of Go code (src/cmd/internal/obj/x86/obj6.go and arm64/obj7.go preprocess). On both
 * architectures the frame pointer register points at the caller's frame pointer, and the return
 * address is in the word above it:
 *
 *	amd64	sp ... locals ... [saved bp] [return address] | caller's frame
 *	                           ^ bp = sp + delta - 8        delta: pcsp at pc
 *	arm64	[saved fp] | sp: [return address] ... locals ... | caller's frame
 *	        ^ fp = sp - 8
 *
 * A function without a frame (delta 0: in its prologue, or assembly) saves nothing: bp is still the
 * caller's, and on arm64 the return address is in a register, which the runtime put into sched.lr.
 *
 * Where C called back into Go, runtime.cgocallback made a frame on the goroutine's stack whose
 * return address leads to the Go code that had called C; but the frame pointer it left belongs to
 * the thread's stack (asm_amd64.s, asm_arm64.s). There the size of its frame leads on.
 */
#include "observe/unwind.h"

#include <errno.h>

#define WORD 8u

struct walk {
	const struct unwind_input *in;
	unwind_sp_delta_fn sp_delta;
	void *ctx;
	uint64_t *pcs;
	size_t max;
	size_t depth;
	uint64_t last; /* pushed, as an address of the target */
	uint64_t more;
};

/* A function that the walk has reached: its pc, which is pushed, and what its registers held. */
struct position {
	uint64_t pc, sp, bp;
};

/* Whether @n_bytes from @address lie in the goroutine's stack, and are aligned. */
static bool in_stack(const struct unwind_input *in, uint64_t address, uint64_t n_bytes)
{
	return address % WORD == 0 && address >= in->stack_lo && address <= in->stack_hi &&
	       in->stack_hi - address >= n_bytes;
}

static bool in_copy(const struct unwind_input *in, uint64_t address, uint64_t n_bytes)
{
	return address >= in->copy_address && address - in->copy_address <= in->copy_size &&
	       in->copy_size - (address - in->copy_address) >= n_bytes;
}

/* A little-endian word of the copy; the caller has checked that it is there. */
static uint64_t load(const struct unwind_input *in, uint64_t address)
{
	const uint8_t *bytes = in->copy + (address - in->copy_address);
	uint64_t value = 0;

	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	return value;
}

/* Add a program counter; false when it is none, or when there is no room, and the walk ends. */
static bool push(struct walk *walk, uint64_t pc)
{
	if (walk->depth == walk->max || !module_map__find(walk->in->modules, pc))
		return false;
	walk->pcs[walk->depth++] = module_map__pc(walk->in->modules, pc);
	walk->last = pc;
	return true;
}

static bool find_delta(struct walk *walk, uint64_t pc, int32_t *ret_delta)
{
	return walk->sp_delta &&
	       !walk->sp_delta(walk->ctx, module_map__pc(walk->in->modules, pc), ret_delta) &&
	       *ret_delta >= 0;
}

/*
 * sp of the caller of the function at @pc, whose record is at @fp: where the caller's frame begins.
 * On arm64 that takes the size of the callee's frame.
 */
static bool find_callers_sp(struct walk *walk, uint64_t pc, uint64_t fp, uint64_t *ret_sp)
{
	int32_t delta = WORD;

	if (walk->in->uses_lr && !find_delta(walk, pc, &delta))
		return false;
	*ret_sp = fp + WORD + (uint32_t)delta;
	return true;
}

/*
 * Follows frames from @fp outwards; the first may be at @lowest or above. Each is above the one
 * before, so the size of the stack bounds the walk even without @max. A chain ends with 0. Returns
 * true when it leaves the stack instead: *@ret_at is then where the walk has to go on in another
 * way.
 */
static bool walk_frame_pointers(struct walk *walk, uint64_t fp, uint64_t lowest,
				struct position *ret_at)
{
	const struct unwind_input *in = walk->in;

	while (walk->depth < walk->max && fp >= lowest && in_stack(in, fp, 2 * WORD)) {
		uint64_t callee = walk->last;
		uint64_t record = fp, pc;

		if (!in_copy(in, fp, 2 * WORD)) {
			walk->more = fp;
			return false;
		}
		pc = load(in, fp + WORD);
		if (!push(walk, pc))
			return false;
		lowest = fp + WORD;
		fp = load(in, fp);
		if (fp && (fp < lowest || !in_stack(in, fp, 2 * WORD))) {
			*ret_at = (struct position){.pc = pc};
			return find_callers_sp(walk, callee, record, &ret_at->sp);
		}
	}
	return false;
}

/*
 * Steps from function to function by the sizes of their frames, until the frame pointer found on
 * the way is exactly where the next function's frame keeps it. That proves it, and the fast walk
 * goes on from @at->bp: returns true. A stale frame pointer (Go before 1.23 keeps none during a
 * system call) is never exactly there.
 */
static bool walk_pcsp_pushed(struct walk *walk, struct position *at)
{
	const struct unwind_input *in = walk->in;
	int32_t delta;

	while (walk->depth < walk->max && in_stack(in, at->sp, WORD) &&
	       find_delta(walk, at->pc, &delta)) {
		uint64_t slot = at->sp + (uint32_t)delta;

		if (delta >= (int32_t)WORD && at->bp == slot - WORD)
			return true;
		if (slot < at->sp || !in_stack(in, slot, WORD))
			return false;
		if (!in_copy(in, slot, WORD)) {
			walk->more = slot;
			return false;
		}
		at->pc = load(in, slot);
		if (!push(walk, at->pc))
			return false;
		if (delta >= (int32_t)WORD)
			at->bp = in_copy(in, slot - WORD, WORD) ? load(in, slot - WORD) : 0;
		at->sp = slot + WORD;
	}
	return false;
}

static void walk_pushed(struct walk *walk, bool bp_usable)
{
	const struct unwind_input *in = walk->in;
	struct position at = {.pc = in->pc, .sp = in->sp, .bp = in->bp};

	/* Every round has pushed a pc, and sp rises. */
	while (bp_usable || walk_pcsp_pushed(walk, &at)) {
		bp_usable = false;
		if (!walk_frame_pointers(walk, at.bp, at.sp, &at))
			return;
	}
}

/*
 * Without @bp_usable the frame record is at sp - 8: that of the function itself or, when it has
 * none yet, that of its caller, because the prologue has not moved sp. In that case only the
 * caller's own program counter is missing.
 */
static void walk_with_lr(struct walk *walk, bool bp_usable)
{
	const struct unwind_input *in = walk->in;
	struct position at = {.sp = in->sp};
	int32_t delta;

	if (bp_usable) {
		if (!walk_frame_pointers(walk, in->bp, in->bp, &at))
			return;
	} else if (in->sp < WORD || !find_delta(walk, in->pc, &delta) ||
		   (delta == 0 && !push(walk, in->lr))) {
		return;
	}
	while (walk_frame_pointers(walk, at.sp - WORD, at.sp - WORD, &at))
		; /* every round has pushed a pc */
}

/* Whether the walk can begin at in->bp. */
static bool bp_usable(const struct unwind_input *in)
{
	uint64_t lowest = in->uses_lr && in->sp >= WORD ? in->sp - WORD : in->sp;

	return in->bp_valid && in->bp >= lowest && in_stack(in, in->bp, 2 * WORD);
}

size_t unwind__walk_by(const struct unwind_input *in, unwind_sp_delta_fn sp_delta, void *ctx,
		       uint64_t *pcs, size_t max, uint64_t *ret_more)
{
	struct walk walk = {
		.in = in,
		.sp_delta = sp_delta,
		.ctx = ctx,
		.pcs = pcs,
		.max = max,
	};

	if (push(&walk, in->pc)) {
		if (in->uses_lr)
			walk_with_lr(&walk, bp_usable(in));
		else
			walk_pushed(&walk, bp_usable(in));
	}
	*ret_more = walk.more;
	return walk.depth;
}

static int delta_from_pclntab(void *ctx, uint64_t pc, int32_t *ret_delta)
{
	const struct loaded_module *module = module_map__of(ctx, pc);

	if (!module || !module->tab)
		return -ENOENT;
	return pclntab__sp_delta(module->tab, module_pc__address(pc), ret_delta);
}

size_t unwind__walk(const struct unwind_input *in, uint64_t *pcs, size_t max, uint64_t *ret_more)
{
	return unwind__walk_by(in, delta_from_pclntab, in->modules, pcs, max, ret_more);
}
