// SPDX-License-Identifier: Apache-2.0
#include "host/bpf_usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The line that is wanted is among the first of a descriptor's file. */
#define MAX_LINES 64

/*
 * "memlock:\t8192", as bpf_map_show_fdinfo() and bpf_prog_show_fdinfo() in kernel/bpf/syscall.c
 * print it since Linux 4.10; programs without their machine code. The same map or program is never
 * held by two descriptors of gleakd.
 */
static uint64_t memlock_bytes(int fdinfo, const char *name)
{
	int fd = openat(fdinfo, name, O_RDONLY | O_CLOEXEC);
	FILE *file __cleanup_fclose = fd < 0 ? NULL : fdopen(fd, "r");
	uint64_t bytes = 0;
	char line[128];

	if (!file) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (int i = 0; i < MAX_LINES && fgets(line, sizeof(line), file); i++) {
		if (sscanf(line, "memlock: %" SCNu64, &bytes) == 1)
			return bytes;
	}
	return 0;
}

/* Names of anonymous inodes: kernel/bpf/syscall.c, and kernel/events/core.c for perf events. */
static void count(struct bpf_usage *usage, const char *what, int fdinfo, const char *name)
{
	usage->fds++;
	usage->links +=
		!strcmp(what, "anon_inode:bpf_link") || !strcmp(what, "anon_inode:[perf_event]");
	if (!strcmp(what, "anon_inode:bpf-map") || !strcmp(what, "anon_inode:bpf-prog"))
		usage->bytes += memlock_bytes(fdinfo, name);
}

static int open_folder(const char *proc_root, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/self/%s", proc_root, name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The two descriptors that this search itself has open do not count. */
static bool is_left_out(const char *name, int one, int other, int except)
{
	int fd = (int)strtol(name, NULL, 10);

	return fd == one || fd == other || fd == except;
}

static void count_all(struct bpf_usage *usage, DIR *folder, int fdinfo, int except)
{
	const struct dirent *entry;
	char what[64];

	while (usage->fds < BPF_USAGE_MAX_FDS && (entry = readdir(folder))) {
		ssize_t n;

		if (entry->d_name[0] == '.' ||
		    is_left_out(entry->d_name, dirfd(folder), fdinfo, except))
			continue;
		n = readlinkat(dirfd(folder), entry->d_name, what, sizeof(what) - 1);
		if (n < 0)
			continue;
		what[n] = '\0';
		count(usage, what, fdinfo, entry->d_name);
	}
}

struct bpf_usage bpf_usage__read(const char *proc_root, int except)
{
	struct bpf_usage usage = {0};
	int fdinfo __cleanup_close = open_folder(proc_root, "fdinfo");
	int fd = open_folder(proc_root, "fd");
	DIR *folder __cleanup_closedir = fd < 0 ? NULL : fdopendir(fd);

	if (folder)
		count_all(&usage, folder, fdinfo, except);
	else if (fd >= 0)
		close(fd);
	return usage;
}
