/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_EXECUTABLE_H
#define GLEAKD_SESSION_EXECUTABLE_H

/*
 * One file with a Go runtime, executable or library, and what was found out about it: how to read it, the
 * names of its functions, the stacks and places that its processes have shown. Fifty processes of a
 * service share one, which is nearly all of the memory that watching fifty idle processes would take.
 *
 * Shared among processes of one user only: what a process adds comes from its own memory, and must
 * not be able to mislead about, or to use up the room of, somebody else's.
 */
#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"
#include "discover/runtimes.h"
#include "golang/symbolize.h"
#include "host/exe_file.h"
#include "host/mapped_file.h"
#include "host/process.h"
#include "host/remote.h"
#include "observe/stack_table.h"
#include "naming/places.h"

/* A plugin that processes of the executable have opened. */
struct executable_module {
	struct mapped_file mapped; /* as it was first met */
	struct exe_file file;
	struct go_binary *binary; /* NULL: not readable, for this reason */
	struct failure reason;
	int fd; /* of its file; -1 */
};

struct executable {
	struct exe_file file;
	int fd; /* of its file */
	struct go_binary *binary;
	/* From the first process on that it was bound to: */
	struct symbolizer *symbolizer;
	struct stack_table *stacks;
	struct places *places;
	/* Number 1 is the first: one number for all of the processes. */
	struct executable_module **modules;
	size_t n_modules;
};

/* All executables in use. */
struct executables;

int executables__new(struct executables **ret_executables) __must_check;
/* executables__free - after all that were taken were put back. */
void executables__free(struct executables *executables);

/*
 * executables__take - what @process runs, or what it has at @place if that is not NULL; opened when nobody
 * else uses it. The file stays open, and its mount busy, until it is put back as often as it was taken.
 * Errors: as exe_file__identify(), process__open_exe() or mapped_file__open(), go_binary__open();
 * -ENOEXEC a plugin, which has no runtime of its own; -ENOMEM; -ESRCH it runs another file than
 * @expected (NULL: any), or meanwhile. What else is wrong is wrong with the file.
 */
int executables__take(struct executables *executables, const char *proc_root,
		      const struct process_info *process, const struct runtime_place *place,
		      const struct exe_file *expected, struct executable **ret_executable,
		      struct failure *failure) __must_check;

/*
 * executables__take_another - as it was taken, @ret_executable, which is put back, but read once more: what
 * processes have in their memory, of which some is kept of the first, is their own word only. Whoever comes next
 * has this one. Errors: as above, and then nothing is put back.
 */
int executables__take_another(struct executables *executables, const char *proc_root,
			      const struct process_info *process, const struct runtime_place *place,
			      struct executable **ret_executable,
			      struct failure *failure) __must_check;

/* executables__put - @executable may be NULL. */
void executables__put(struct executables *executables, struct executable *executable);

/*
 * executable__bind - as go_binary__bind(), and make what needs a bound binary, for the first process.
 * Errors: as there; -ENOMEM.
 */
int executable__bind(struct executable *executable, struct remote *remote, uint64_t load_bias,
		     struct failure *failure) __must_check;

/* executable__is_bound - to some process already. */
bool executable__is_bound(const struct executable *executable);

/*
 * executable__module - the number, above @after, of a module in the file @mapped of process @pid, which is opened once
 * more where there is none: no process may have shown it before, or the memory of those that have may not be as
 * that of this one. Errors: -ENOMEM; -ENOSPC there are MODULE_MAX modules, or EXECUTABLE_MODULE_TRIES of that file.
 */
int executable__module(struct executable *executable, const char *proc_root, pid_t pid,
		       const struct mapped_file *mapped, uint32_t after,
		       uint32_t *ret_number) __must_check;

/* How many processes may each have something else in their memory of one plugin. */
#define EXECUTABLE_MODULE_TRIES 4

/* executable__fd - of the file of module @number; stays open until the executable is put back. */
int executable__fd(const struct executable *executable, uint32_t number);

/* executable__memory - what its stacks take, for each of those that share it. */
uint64_t executable__memory(const struct executable *executable);

size_t executables__count(const struct executables *executables);

#endif /* GLEAKD_SESSION_EXECUTABLE_H */
