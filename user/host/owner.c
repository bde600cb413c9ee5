// SPDX-License-Identifier: Apache-2.0
#include "host/owner.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/process.h"

/* Deeper ones cannot be made (kernel/user_namespace.c create_user_ns). */
#define MAX_DEPTH 33

static int open_namespace(const char *proc_root, pid_t pid)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/ns/user", proc_root, pid);

	return n < 0 || (size_t)n >= sizeof(path) ? -1 : open(path, O_RDONLY | O_CLOEXEC);
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return !fstat(a, &x) && !fstat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Who made the child of @own that @fd, which is closed, is or is below of; @uid if there is none. */
static uid_t maker_below(int own, int fd, uid_t uid)
{
	uid_t owner = 0;

	for (int depth = 0; fd >= 0 && depth < MAX_DEPTH && !is_same(fd, own); depth++) {
		int parent = ioctl(fd, NS_GET_PARENT);

		if (ioctl(fd, NS_GET_OWNER_UID, &owner))
			owner = 0;
		close(fd);
		fd = parent;
	}
	if (fd >= 0)
		close(fd);
	return fd < 0 || owner__is_host(owner) ? uid : owner;
}

uid_t owner__of(const char *proc_root, pid_t pid, uid_t uid)
{
	int own = open_namespace(PROC_ROOT, getpid());

	if (own >= 0) {
		uid = maker_below(own, open_namespace(proc_root, pid), uid);
		close(own);
	}
	return uid;
}
