// SPDX-License-Identifier: Apache-2.0
#include "host/cgroup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read.h"
#include "host/access.h"
#include "host/proc_error.h"

/* As in host/cgroup.c. */
#define CGROUP_MAX_BYTES (64u << 10)
/* "populated 1\nfrozen 0\n", "FREEZING\n"; cpu.stat has some 300 bytes. */
#define TEXT_MAX_BYTES 1024
/* Groups below each other: the kernel's own maximum is larger, and nobody's is. */
#define MAX_DEPTH 32

struct visitor {
	const struct cgroup_file *file;
	bool (*visit)(void *ctx, const char *text, bool v2);
	void *ctx;
};

/* One group, whose path has @n bytes; false: stop. */
static bool visit_group(const struct visitor *visitor, const char *mount, const char *group,
			size_t n, bool v2)
{
	char path[PATH_MAX], text[TEXT_MAX_BYTES];
	ssize_t length;

	if ((size_t)snprintf(path, sizeof(path), "%s%.*s/%s", mount, (int)n, group,
			     v2 ? visitor->file->v2 : visitor->file->v1) >= sizeof(path))
		return true;
	int fd __cleanup_close = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	length = fd < 0 ? -errno : read__whole(fd, text, sizeof(text) - 1);
	if (length < 0)
		return true;
	text[length] = '\0';
	return visitor->visit(visitor->ctx, text, v2);
}

/* That group, and those above it if they matter; the topmost one is the whole system. */
static bool visit_groups(const struct visitor *visitor, const char *mount, const char *group,
			 size_t n, bool v2)
{
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		if (!visit_group(visitor, mount, group, n, v2))
			return false;
		while (n && group[n - 1] != '/')
			n--;
		if (n <= 1 || !visitor->file->ancestors)
			break;
		n--;
	}
	return true;
}

/* Whether it is in the list "cpu,cpuacct" from @list to @end. */
static bool has_controller(const char *list, const char *end, const char *controller)
{
	size_t n = strlen(controller);

	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *next = comma ? comma : end;

		if ((size_t)(next - list) == n && !memcmp(list, controller, n))
			return true;
		list = next + 1;
	}
	return false;
}

/* One line of /proc/PID/cgroup, "ID:CONTROLLERS:PATH" (cgroups(7)); false: stop. */
static bool visit_line(const struct visitor *visitor, const char *line, size_t length,
		       const char *cgroup_root)
{
	const char *end = line + length;
	const char *controllers = memchr(line, ':', length);
	const char *path =
		controllers ? memchr(controllers + 1, ':', (size_t)(end - controllers - 1)) : NULL;
	char mount[PATH_MAX];
	size_t n;

	if (!path || path[1] != '/')
		return true;
	path++;
	n = (size_t)(end - path);
	/* A group outside of our cgroup namespace is not visible here. */
	if (n >= PATH_MAX || memmem(path, n, "/..", 3))
		return true;
	/* Version 2, mounted there or beside those of version 1. */
	if (controllers[1] == ':') {
		if (!visit_groups(visitor, cgroup_root, path, n, true))
			return false;
		snprintf(mount, sizeof(mount), "%s/unified", cgroup_root);
		return visit_groups(visitor, mount, path, n, true);
	}
	if (!has_controller(controllers + 1, path - 1, visitor->file->controller))
		return true;
	snprintf(mount, sizeof(mount), "%s/%s", cgroup_root, visitor->file->controller);
	return visit_groups(visitor, mount, path, n, false);
}

int cgroup_file__visit(const char *proc_root, const char *cgroup_root, pid_t pid,
		       const struct cgroup_file *file,
		       bool (*visit)(void *ctx, const char *text, bool v2), void *ctx)
{
	const struct visitor visitor = {file, visit, ctx};
	char *text __cleanup_free = malloc(CGROUP_MAX_BYTES);
	char path[PATH_MAX];
	ssize_t n;

	if (!text)
		return -ENOMEM;
	if ((size_t)snprintf(path, sizeof(path), "%s/%d/cgroup", proc_root, pid) >= sizeof(path))
		return -ENAMETOOLONG;
	n = access__read_public(path, text, CGROUP_MAX_BYTES - 1);
	if (n < 0)
		return proc_error((int)-n);
	text[n] = '\0';
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");

		if (!visit_line(&visitor, line, length, cgroup_root))
			break;
		line += length + (line[length] == '\n');
	}
	return 0;
}
