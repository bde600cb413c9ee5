/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_PROCESS_LIST_H
#define GLEAKD_DISCOVER_PROCESS_LIST_H

/*
 * The Go processes of a host, in a form that both renderers read and neither changes. As in a
 * report, strings are owned by whoever made the list and may hold any bytes; NULL and "" both mean
 * "not known".
 */
#include <stdio.h>
#include <sys/types.h>

#include "base/common.h"
#include "host/execution.h"

#define LIST_SCHEMA_VERSION 1

/* Something that a file tells, or does not. */
enum file_fact {
	FACT_UNKNOWN,
	FACT_NO,
	FACT_YES,
};

struct listed_build {
	enum file_fact stripped; /* no symbol table */
	enum file_fact pie;
	enum file_fact cgo; /* runs C code: runtime/cgo is linked in */
	enum file_fact statically_linked;
	enum file_fact race;
};

struct listed_process {
	pid_t pid;
	uid_t uid;
	const char *user; /* its name; "" when the uid has none */
	const char *comm;
	const char *exe;
	const char *exe_claimant; /* whose word exe is (host/exe_claim.h); "": root's */
	bool exe_elsewhere;
	const char *runtime_file; /* that the Go runtime came with: exe, or a library */
	const char *build_id;	  /* of that file; "" */
	bool another;		  /* of a process that is in the list already */
	double uptime_seconds;
	struct execution execution; /* whether it gets to run, and who traces it */
	bool counted;		    /* else `goroutines` is not known */
	uint64_t goroutines;
	const char *go_version;
	const char *module;
	const char *main_path; /* of its main package; "" */
	const char *module_version;
	struct listed_build build;
	bool supported;	    /* gleakd --pid understands it */
	const char *reason; /* why not supported, or why not counted; "" */
};

struct process_list {
	uint64_t realtime_ns;
	const struct listed_process *processes; /* in the order to show them */
	size_t n_processes;
	/* What was looked at besides. */
	size_t looked_at;    /* processes of any kind; kernel threads are none */
	size_t not_readable; /* their executables may not be read */
	bool privileged;     /* nor would it help to be root: CAP_SYS_PTRACE is there */
	size_t not_opened;   /* on a file system that may block whoever opens it */
};

#endif /* GLEAKD_DISCOVER_PROCESS_LIST_H */
