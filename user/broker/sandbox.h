/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_SANDBOX_H
#define GLEAKD_BROKER_SANDBOX_H

/*
 * What the worker takes from itself, for good: capabilities, most of the file system (Landlock), most of
 * the system calls (seccomp). What it opens itself from then on is text of the kernel's; everything else
 * comes from the broker.
 */
#include "base/common.h"
#include "base/failure.h"

struct sandbox_options {
	const char *const *readable; /* files and folders, and all below them */
	size_t n_readable;
	uint64_t max_address_space; /* bytes; 0: no limit */
};

/* What was in force when it was entered. */
struct sandbox {
	int landlock; /* its version; 0: this kernel has none */
	bool seccomp;
};

/*
 * sandbox__enter - for the calling process, while it has one thread. A kernel without Landlock or seccomp
 * is no error; where one of the parts is refused, as by a sandbox around this one, the others are done all
 * the same. Errors: those of prctl(2), capset(2), setrlimit(2), landlock_restrict_self(2), seccomp(2).
 */
int sandbox__enter(const struct sandbox_options *options, struct sandbox *ret_sandbox,
		   struct failure *failure) __must_check;

/*
 * sandbox__forbid - the calling process, the broker, and whatever it forks from now on: what neither it nor its
 * helpers need, whatever privileges they have. @stops: processes may be stopped (ptrace). It is refused with
 * -EPERM; a library that tries something goes on without. Kernels without seccomp are no error. Errors: those of
 * prctl(2), seccomp(2).
 */
int sandbox__forbid(bool stops, bool *ret_done) __must_check;

/* sandbox__restrict_files, sandbox__restrict_calls - its parts. */
int sandbox__restrict_files(const struct sandbox_options *options, int *ret_version) __must_check;
int sandbox__restrict_calls(bool *ret_done) __must_check;

#endif /* GLEAKD_BROKER_SANDBOX_H */
