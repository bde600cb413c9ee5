/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_PROGRAM_H
#define GLEAKD_SESSION_PROGRAM_H

/*
 * One executable file and what was found out about it: how to read it, the names of its functions,
 * the stacks and places that its processes have shown. Fifty processes of a service share one, which
 * is nearly all of the memory that watching fifty idle processes would take.
 *
 * Shared among processes of one user only: what a process adds comes from its own memory, and must
 * not be able to mislead about, or to use up the room of, somebody else's.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"
#include "golang/symbolize.h"
#include "host/exe_file.h"
#include "host/process.h"
#include "host/remote.h"
#include "observe/stack_table.h"
#include "session/places.h"

struct program {
	struct exe_file file;
	struct go_binary *binary;
	/* From the first process on that it was bound to: */
	struct symbolizer *symbolizer;
	struct stack_table *stacks;
	struct places *places;
};

/* All programs in use. */
struct programs;

int programs__new(struct programs **ret_programs) __must_check;
/* programs__free - after all that were taken were put back. */
void programs__free(struct programs *programs);

/*
 * programs__take - what @process runs; opened when nobody else uses it. The executable's file stays
 * open, and its mount busy, until it is put back as often as it was taken.
 * Errors: as exe_file__identify(), process__open_exe(), go_binary__open(); -ENOMEM.
 */
int programs__take(struct programs *programs, const char *proc_root,
		   const struct process_info *process, struct program **ret_program,
		   struct failure *failure) __must_check;
/* programs__put - @program may be NULL. */
void programs__put(struct programs *programs, struct program *program);

/*
 * program__bind - as go_binary__bind(), and make what needs a bound binary, for the first process.
 * Errors: as there; -ENOMEM.
 */
int program__bind(struct program *program, struct remote *remote, uint64_t load_bias,
		  struct failure *failure) __must_check;

size_t programs__count(const struct programs *programs);

#endif /* GLEAKD_SESSION_PROGRAM_H */
