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
	size_t refused;	   /* beyond the maximum */
	size_t opened;	   /* files that nobody had looked at before */
	size_t not_opened; /* that may not be, or could block whoever does */
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
 * runtimes__refuse - the file of @place holds nothing that can be watched, as was found out with process
 * @pid: it is not found again.
 */
void runtimes__refuse(struct exe_cache *files, const struct runtime_place *place, pid_t pid);

#endif /* GLEAKD_DISCOVER_RUNTIMES_H */
