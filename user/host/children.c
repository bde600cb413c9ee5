// SPDX-License-Identifier: Apache-2.0
#include "host/children.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "host/access.h"
#include "host/pids.h"
#include "host/process.h"

/* /proc/PID/status of a process without memory has less than 1 KiB. */
#define STATUS_BYTES 4096
/* MAX_PID_NS_LEVEL of include/linux/pid_namespace.h, and the outermost one. */
#define MAX_LEVELS 33

/*
 * Of "NSpid:\t4711\t12", the numbers from the outermost namespace on; 0: they are not known. The Name line before it
 * has its newlines escaped.
 */
static size_t numbers_of(const char *proc_root, pid_t pid, uint64_t numbers[MAX_LEVELS])
{
	char path[PATH_MAX], status[STATUS_BYTES];
	const char *line;
	ssize_t length;
	size_t n = 0;
	char *end;

	if ((size_t)snprintf(path, sizeof(path), "%s/%d/status", proc_root, pid) >= sizeof(path))
		return 0;
	length = access__read_public(path, status, sizeof(status) - 1);
	if (length < 0)
		return 0;
	status[length] = '\0';
	line = strstr(status, "\nNSpid:");
	if (!line)
		return 0;
	for (line += strlen("\nNSpid:"); *line == '\t' && n < MAX_LEVELS; line = end) {
		numbers[n] = strtoull(line + 1, &end, 10);
		if (end == line + 1)
			return 0;
		n++;
	}
	return n;
}

static int compare_children(const void *a, const void *b)
{
	const struct ended_child *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static bool is_ended_child(const char *proc_root, pid_t pid, pid_t parent)
{
	pid_t parent_now;

	return process__has_ended(proc_root, pid, &parent_now) && parent_now == parent;
}

int process__ended_children(const char *proc_root, pid_t pid, struct ended_child **ret_children,
			    size_t *ret_n)
{
	uint64_t numbers[MAX_LEVELS];
	size_t level = numbers_of(proc_root, pid, numbers), n_pids, capacity = 0, n = 0;
	__cleanup_free pid_t *pids = NULL;
	struct ended_child *children = NULL;
	int err;

	if (!level)
		return -EOPNOTSUPP;
	err = pids__read(proc_root, &pids, &n_pids);
	if (!err && n_pids > CHILDREN_MAX_PROCESSES)
		err = -E2BIG;
	for (size_t i = 0; i < n_pids && !err; i++) {
		/* What is gone meanwhile has been waited for. */
		if (!is_ended_child(proc_root, pids[i], pid) ||
		    numbers_of(proc_root, pids[i], numbers) < level)
			continue;
		if (array__reserve(children, capacity, n + 1))
			children[n++] = (struct ended_child){pids[i], numbers[level - 1]};
		else
			err = -ENOMEM;
	}
	if (err) {
		free(children);
		return err;
	}
	if (n)
		qsort(children, n, sizeof(*children), compare_children);
	*ret_children = children;
	*ret_n = n;
	return 0;
}

size_t ended_children__keep(const char *proc_root, pid_t pid, struct ended_child *children,
			    size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_ended_child(proc_root, children[i].pid, pid))
			children[kept++] = children[i];
	}
	return kept;
}

struct ended_child *ended_children__find(struct ended_child *children, size_t n, uint64_t number)
{
	const struct ended_child key = {.number = number};

	return n ? bsearch(&key, children, n, sizeof(key), compare_children) : NULL;
}
