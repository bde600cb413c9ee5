// SPDX-License-Identifier: Apache-2.0
#include "session/site_frames.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define MAX_INLINE 32

static const struct report_frame no_frame = {.function = "", .file = ""};

static struct report_frame to_report(const struct frame *frame)
{
	return (struct report_frame){.function = frame->function,
				     .file = frame->file,
				     .line = frame->line,
				     .own = frame->owner == FRAME_MAIN,
				     .inlined = frame->inlined};
}

/*
 * src/runtime/traceback.go showfuncinfo: a function of package runtime is shown when it is
 * exported, or when it is the panic between deferred calls and the code that panicked, or what runs
 * finalizers; a wrapper made by the compiler never, nor what has no package (the C side of a callback).
 */
static bool is_shown(const struct frame *frame, bool innermost)
{
	const char *name = frame->function;

	if (frame->wrapper || !strchr(name, '.'))
		return false;
	if (strncmp(name, "runtime.", strlen("runtime.")))
		return true;
	if (!strcmp(name, "runtime.gopanic"))
		return !innermost;
	/* From Go 1.25 on, for which they got these names. */
	if (!strcmp(name, "runtime.runFinalizers") || !strcmp(name, "runtime.runCleanups"))
		return true;
	return isupper((unsigned char)name[strlen("runtime.")]);
}

/*
 * Functions whose call the runtime made up in a signal handler: what they return to is not behind a
 * call but is the instruction that was interrupted (traceback.go, "injectedCall").
 */
static bool is_injected(const struct frame *frame)
{
	static const char *const names[] = {"runtime.sigpanic", "runtime.asyncPreempt",
					    "runtime.debugCallV2"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(frame->function, names[i]))
			return true;
	}
	return false;
}

/* Returns whether the next outer pc is that of an interrupted instruction. */
static bool add_frames(struct symbolizer *symbolizer, uint64_t pc, bool return_address,
		       bool show_all, struct site_frames *out, enum frame_owner *owners)
{
	struct frame frames[MAX_INLINE];
	size_t n = symbolizer__frames(symbolizer, pc, return_address, frames, MAX_INLINE);

	for (size_t i = 0; i < n && out->n_stack < SITE_MAX_FRAMES; i++) {
		if (!show_all && !is_shown(&frames[i], out->n_stack == 0))
			continue;
		owners[out->n_stack] = frames[i].owner;
		out->stack[out->n_stack++] = to_report(&frames[i]);
	}
	return is_injected(&frames[n - 1]);
}

static void resolve_stack(struct symbolizer *symbolizer, const uint64_t *pcs, size_t depth,
			  struct site_frames *out, enum frame_owner *owners)
{
	/*
	 * The innermost pc is what mcall saved (src/runtime/asm_amd64.s), a return address as all
	 * others are, unless the goroutine has not begun.
	 */
	bool begun = depth && !symbolizer__is_entry(symbolizer, pcs[0]);

	for (int show_all = 0; show_all < 2 && !out->n_stack; show_all++) {
		bool interrupted = !begun;

		for (size_t i = 0; i < depth; i++)
			interrupted =
				add_frames(symbolizer, pcs[i], !interrupted, show_all, out, owners);
	}
}

/*
 * The innermost frame of the main module; without one the innermost of a dependency; without one
 * the innermost of the standard library that is not an internal package.
 */
static struct report_frame pick_blocked_at(const struct site_frames *frames,
					   const enum frame_owner *owners)
{
	for (enum frame_owner wanted = FRAME_MAIN; wanted >= FRAME_STDLIB; wanted--) {
		for (size_t i = 0; i < frames->n_stack; i++) {
			bool internal = !strncmp(frames->stack[i].function, "internal/", 9);

			if (owners[i] == wanted && !(wanted == FRAME_STDLIB && internal))
				return frames->stack[i];
		}
	}
	return frames->n_stack ? frames->stack[0] : no_frame;
}

void site_frames__resolve(struct symbolizer *symbolizer, const struct stack_table *stacks,
			  uint64_t creation_pc, uint64_t start_pc, uint32_t stack_id,
			  struct site_frames *ret_frames)
{
	enum frame_owner owners[SITE_MAX_FRAMES];
	struct frame creation[MAX_INLINE];
	size_t depth;
	const uint64_t *pcs = stack_table__get(stacks, stack_id, &depth);

	ret_frames->n_stack = 0;
	ret_frames->created_by = no_frame;
	ret_frames->start_function = start_pc ? symbolizer__function(symbolizer, start_pc) : "";
	if (creation_pc && symbolizer__frames(symbolizer, creation_pc, true, creation, MAX_INLINE))
		ret_frames->created_by = to_report(&creation[0]);
	resolve_stack(symbolizer, pcs, depth, ret_frames, owners);
	ret_frames->blocked_at = pick_blocked_at(ret_frames, owners);
}

static uint64_t hash_string(uint64_t hash, const char *text)
{
	/* The NUL counts, so that "ab","c" and "a","bc" differ. */
	return hash__bytes(hash, text, strlen(text) + 1);
}

static uint64_t hash_frame(uint64_t hash, const struct report_frame *frame)
{
	return hash__bytes(hash_string(hash, frame->function), &frame->line, sizeof(frame->line));
}

void site_frames__id(const struct site_frames *frames, const char *wait_reason, char id[9])
{
	uint64_t hash = hash_frame(HASH_FNV_BASIS, &frames->created_by);

	hash = hash_string(hash, frames->start_function);
	hash = hash_string(hash, wait_reason);
	for (size_t i = 0; i < frames->n_stack; i++)
		hash = hash_frame(hash, &frames->stack[i]);
	snprintf(id, 9, "%08x", (uint32_t)(hash ^ hash >> 32));
}
