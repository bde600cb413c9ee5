/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_SITE_FRAMES_H
#define GLEAKD_NAMING_SITE_FRAMES_H

/*
 * Frames of a site as people read them: inlined calls expanded, what the runtime's own traceback
 * hides hidden, and the line of the service's own code picked out.
 *
 * Places have names, numbers made of files, lines and functions alone: the same for every way in
 * which the compiler has translated a line, and in every run of the same build.
 */
#include "golang/symbolize.h"
#include "golang/wait_reason.h"
#include "observe/stack_table.h"
#include "output/report.h"

#define SITE_MAX_FRAMES 256

struct site_frames {
	struct report_frame created_by;
	struct report_frame blocked_at;
	const char *start_function;
	uint64_t creation, start, place; /* names of the three; 0: there is none */
	struct report_frame called_from; /* see site_frames__set_call() */
	uint64_t call;			 /* its name; 0: the site is not one by that */
	struct report_frame stack[SITE_MAX_FRAMES];
	size_t n_stack;
};

/*
 * site_frames__resolve - for a goroutine created at @creation_pc (0: none), started at @start_pc
 * and parked with @stack_id. Strings belong to @symbolizer. Frames that do not apply have function
 * "".
 */
void site_frames__resolve(struct symbolizer *symbolizer, const struct stack_table *stacks,
			  uint64_t creation_pc, uint64_t start_pc, uint32_t stack_id,
			  struct site_frames *ret_frames);

/*
 * site_frames__of_calls - for a stack as the runtime's profiles have it: @depth return addresses,
 * innermost first, one for each call, inlined ones too. Sets `stack`, `place`, and in `blocked_at` the
 * line of the program's own code, or the best there is. Strings belong to @symbolizer.
 */
void site_frames__of_calls(struct symbolizer *symbolizer, const uint64_t *pcs, size_t depth,
			   struct site_frames *ret_frames);

/*
 * site_frames__creation - name of the line of the `go` statement that @pc returns to.
 * site_frames__start - name of the place where the function that begins at @pc begins.
 * Both 0 for pc 0, and for no other.
 */
uint64_t site_frames__creation(struct symbolizer *symbolizer, uint64_t pc);
uint64_t site_frames__start(struct symbolizer *symbolizer, uint64_t pc);

/*
 * site_frames__call - name of the innermost line of the program's own code that the call which @pc
 * returns to stands for; 0: there is none, it is all others'.
 * site_frames__is_own - whether the `go` statement that @pc returns to is the program's own.
 * site_frames__set_call - sets `called_from` to that line, of the call that led to the `go` statement; pc 0:
 * not known. @apart: the site has those alone that came from there, and is another for that.
 */
uint64_t site_frames__call(struct symbolizer *symbolizer, uint64_t pc);
bool site_frames__is_own(struct symbolizer *symbolizer, uint64_t creation_pc);
void site_frames__set_call(struct site_frames *frames, struct symbolizer *symbolizer, uint64_t pc,
			   bool apart);

/*
 * site_frames__is_shown - whether the runtime's own traceback shows @frame
 * (src/runtime/traceback.go showfuncinfo): a function of package runtime when it is exported, or when
 * it is the panic between deferred calls and the code that panicked, or what runs finalizers; a wrapper
 * made by the compiler never, nor what has no package (the C side of a callback).
 */
bool site_frames__is_shown(const struct frame *frame, bool innermost);

/*
 * site_frames__id - 8 hex digits that name the site: the names of creation, start and park place,
 * and the wait reason. The same in every run of the same build.
 */
void site_frames__id(const struct site_frames *frames, const char *wait_reason, char id[9]);

/*
 * site_frames__library - the module of the code in which it blocks, where that is not the program's own;
 * NULL: it is, or nobody knows. Of plugins their own build information is not asked.
 */
const struct go_dependency *site_frames__library(const struct site_frames *frames,
						 struct go_binary *binary);

/*
 * site_frames__wait_class - @by_reason, made precise: until Go 1.19 a wait for a lock, and until
 * 1.23 one for a wait group, has the runtime's words for a semaphore, which others use as well.
 */
enum wait_class site_frames__wait_class(const struct site_frames *frames,
					enum wait_class by_reason);

#endif /* GLEAKD_NAMING_SITE_FRAMES_H */
