/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_NAMING_PLACES_H
#define GLEAKD_NAMING_PLACES_H

/*
 * What is one place to a human. The compiler makes many addresses of one line: inlined copies,
 * instances of generics, wrappers. Here they get one name again, so that the tracker counts a leak
 * as one site however it was compiled, and finds it again in another run.
 *
 * - a creation is the line of its `go` statement;
 * - a start is the line where the started function begins; named functions on one line are told
 *   apart by their names, and the wrappers that hold the arguments of several `go f(x)` on one line
 *   by their numbers. Several closures on one line are one start;
 * - a call is the innermost line of the program's own code that it stands for;
 * - a park place is the line of the innermost frame that is not the runtime's, and the line that
 *   reports name: the innermost of the main module, or the best there is. So: where it blocks, and
 *   where the program got it there. What is between and outside of them may differ (recursion,
 *   callers).
 */
#include "golang/symbolize.h"
#include "observe/stack_table.h"

struct places;

int places__new(struct symbolizer *symbolizer, const struct stack_table *stacks,
		struct places **ret_places) __must_check;
void places__free(struct places *places);

/*
 * places__creation / places__start - the pc that stands for all pcs of the same line: the first one
 * that was asked for. 0 stays 0. Fast: a hash lookup after the first time; called per event.
 * Which one that is depends on the run: ask for the pcs that were remembered from a former run of
 * gleakd before any other, and they stand for their lines again.
 */
uint64_t places__creation(struct places *places, uint64_t pc);
uint64_t places__start(struct places *places, uint64_t pc);

/* places__call - likewise, of a call that returns to @pc; 0 where none of it is the program's own code. */
uint64_t places__call(struct places *places, uint64_t pc);

/*
 * places__park - the name of the place where @stack_id is parked: 0 for STACK_ID_NONE and for no
 * other; made of file names, lines and functions alone, so that it is the same in every run of the
 * same build, and equal to the `place` of the site's frames (naming/site_frames.h).
 */
uint64_t places__park(struct places *places, uint32_t stack_id);

#endif /* GLEAKD_NAMING_PLACES_H */
