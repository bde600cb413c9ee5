/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_RUNTIMES_H
#define GLEAKD_DISCOVER_RUNTIMES_H

/*
 * Go code that a process has beside, or instead of, that of its executable: libraries made with
 * -buildmode=c-shared in a C or Python program, plugins, a program that was started through ld.so.
 * Every file that code runs from is looked at, and each file only once, whatever number of processes
 * has it: what was found out is kept by the file's identity, size and ctime.
 */
#include "base/common.h"
#include "base/failure.h"
#include "discover/exe_cache.h"
#include "host/mapped_file.h"

#define RUNTIMES_MAX 64 /* in one process */

/* A mapping of code from a file that was made by Go's toolchain. */
struct runtime_place {
	struct mapped_file mapped;
	struct exe_file file; /* all 0: it cannot be opened, and that it is Go's shows in memory */
};

struct runtimes {
	size_t n;
	struct runtime_place places[RUNTIMES_MAX];
	uint64_t fingerprint; /* of all that was looked at, see below */
	size_t refused;	      /* beyond the maximum */
	size_t opened;	      /* files that nobody had looked at before */
	size_t not_opened;    /* that may not be, or could block whoever does */
	/* The last one that cannot be watched, as was found out with this process; 0: there is none. */
	pid_t unsupported_with;
	char unsupported[PATH_MAX];
};

/*
 * runtimes__find - in process @pid, by path and then by address, without its executable. A plugin is
 * among them: whether a place is one of a runtime that is watched already shows in that runtime's module
 * map. To be freed with free().
 * Errors: those of reading /proc/PID/maps (host/mapped_file.h), -ENOMEM.
 */
int runtimes__find(const char *proc_root, pid_t pid, struct exe_cache *files,
		   struct runtimes **ret_runtimes) __must_check;

/*
 * runtimes__fingerprint - of the files that code of @pid runs from and where they are: what
 * runtimes__find() said holds as long as this is the same. Opens none of them. Errors: as there.
 */
int runtimes__fingerprint(const char *proc_root, pid_t pid, uint64_t *ret_fingerprint) __must_check;

/*
 * runtimes__check_threads - fork(2) copies the memory of a runtime and none of its threads: what is left
 * in the child is the picture of a moment. -EAGAIN @pid has one thread alone, which a runtime that is
 * at work never has: one of them is sysmon's (src/runtime/proc.go main).
 */
int runtimes__check_threads(const char *proc_root, pid_t pid, struct failure *failure) __must_check;

/*
 * runtimes__refuse - the file of @place holds nothing that can be watched, as was found out with process
 * @pid: it is not found again.
 */
void runtimes__refuse(struct exe_cache *files, const struct runtime_place *place, pid_t pid);

#endif /* GLEAKD_DISCOVER_RUNTIMES_H */
