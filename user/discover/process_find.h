/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_PROCESS_FIND_H
#define GLEAKD_DISCOVER_PROCESS_FIND_H

/*
 * The processes that a user means by a name: that of the process, of its executable, of its systemd
 * unit, or of its container.
 */
#include "base/common.h"
#include "base/failure.h"
#include "host/cgroup.h"
#include "host/process.h"

/* What runs in a process that was found. */
enum found_kind {
	FOUND_GO,
	FOUND_NOT_GO,
	FOUND_UNKNOWN, /* its executable may not be read */
};

struct found_process {
	struct process_info info;
	struct process_origin origin;
	enum found_kind kind;
	bool by_name; /* of the process or of its executable, as --only takes it too */
};

#define PROCESS_FIND_MAX 64

struct process_find {
	size_t n_go, n_not_go; /* how many matched; FOUND_UNKNOWN counts as Go */
	size_t n;	       /* of these the first ones, Go programs before others, by pid */
	struct found_process found[PROCESS_FIND_MAX];
};

struct process_find_options {
	const char *proc_root;
	const char *docker_containers; /* as container_name__matches() takes it */
};

/*
 * process_find__take - look at every process. @name is matched as a glob with '*' and '?', and exactly
 * where it has none. To free(). Errors: -ENOMEM, or that /proc itself cannot be read.
 */
int process_find__take(const struct process_find_options *options, const char *name,
		       struct process_find **ret_find, struct failure *failure) __must_check;

#endif /* GLEAKD_DISCOVER_PROCESS_FIND_H */
