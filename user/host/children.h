/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CHILDREN_H
#define GLEAKD_HOST_CHILDREN_H

/* Processes that a process has started, which have ended, and for which it has not waited. */
#include <sys/types.h>

#include "base/common.h"

/* On a host with more the children of one are not looked for. */
#define CHILDREN_MAX_PROCESSES 8192u

struct ended_child {
	pid_t pid;
	uint64_t number; /* that its parent knows it by, in its own pid namespace */
};

/*
 * process__ended_children - of @pid, by rising numbers; the caller frees them. Errors: -EOPNOTSUPP
 * this kernel does not tell the numbers, or @pid is gone; -E2BIG; -ENOMEM; those of listing
 * @proc_root.
 */
int process__ended_children(const char *proc_root, pid_t pid, struct ended_child **ret_children,
			    size_t *ret_n) __must_check;

/* ended_children__keep - those that are there still, at the front; returns how many. */
size_t ended_children__keep(const char *proc_root, pid_t pid, struct ended_child *children,
			    size_t n);

/* ended_children__find - the one with @number, or NULL. */
struct ended_child *ended_children__find(struct ended_child *children, size_t n, uint64_t number);

#endif /* GLEAKD_HOST_CHILDREN_H */
