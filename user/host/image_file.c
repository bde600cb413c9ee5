// SPDX-License-Identifier: Apache-2.0
#include "host/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/access.h"
#include "host/proc_error.h"

/* Documentation/admin-guide/sysctl/fs.rst: mount-max is 100,000 unless raised. */
#define MAX_MOUNTS 1000000

static int identify(const char *proc_root, pid_t pid, struct image_file *ret_file)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/exe", proc_root, pid);
	struct statx file;
	int err;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	err = access__stat(path, STATX_INO | STATX_MNT_ID, &file);
	if (err)
		return proc_error(-err);
	*ret_file = (struct image_file){
		.device = makedev(file.stx_dev_major, file.stx_dev_minor),
		.inode = file.stx_ino,
		.mount = file.stx_mask & STATX_MNT_ID ? file.stx_mnt_id : 0, /* Linux 5.8 */
	};
	return 0;
}

int image_file__identify(const char *proc_root, pid_t pid, struct image_file *ret_file)
{
	int err = identify(proc_root, pid, ret_file);
	pid_t task = err == -ESRCH ? process__task(proc_root, pid) : pid;

	return task == pid ? err : identify(proc_root, task, ret_file);
}

/* "fuse", "fuseblk" (on a block device), both also with the program's name: "fuse.sshfs". */
static bool is_fuse(const char *type)
{
	size_t length = strcspn(type, ". \n");

	return (length == 4 && !strncmp(type, "fuse", 4)) ||
	       (length == 7 && !strncmp(type, "fuseblk", 7));
}

/*
 * A line of mountinfo (proc(5)): the mount's id, then among others paths, whose blanks are escaped,
 * and after a lone "-" the type.
 */
static bool line_says_fuse(const char *line, uint64_t mount, bool *ret_fuse)
{
	const char *separator = strstr(line, " - ");
	char *end;

	if (strtoull(line, &end, 10) != mount || end == line || !separator)
		return false;
	*ret_fuse = is_fuse(separator + strlen(" - "));
	return true;
}

/* Whether @path is the mount point of a line of mountinfo or below it. */
static bool is_below(const char *path, const char *line)
{
	const char *point = line;
	bool below = false; /* the mount point ends in a slash: it is the root */

	/* "24 22 0:45 / /home/joe/remote ...": the fifth word; blanks in it are written as "\040". */
	for (int word = 1; word < 5; word++) {
		point = strchr(point, ' ');
		if (!point)
			return false;
		point++;
	}
	while (*point != ' ' && *point) {
		char c = *point++;

		if (c == '\\' && point[0] && point[1] && point[2]) {
			c = (char)((point[0] - '0') << 6 | (point[1] - '0') << 3 |
				   (point[2] - '0'));
			point += 3;
		}
		if (c != *path++)
			return false;
		below = c == '/';
	}
	return below || !*path || *path == '/';
}

/* What a line of mountinfo is asked for; true: the answer is there. */
typedef bool (*mount_fn)(const char *line, const void *what, bool *ret_fuse);

static bool ask_mounts(const char *proc_root, pid_t pid, mount_fn fn, const void *what)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/mountinfo", proc_root,
			 process__task(proc_root, pid));
	FILE *mounts __cleanup_fclose = NULL;
	int fd;
	char *line __cleanup_free = NULL;
	size_t size = 0;
	bool fuse = false;

	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	fd = access__open(path, O_RDONLY);
	mounts = fd < 0 ? NULL : fdopen(fd, "r");
	if (fd >= 0 && !mounts)
		close(fd);
	for (int i = 0; mounts && i < MAX_MOUNTS && getline(&line, &size, mounts) > 0; i++) {
		if (fn(line, what, &fuse))
			break;
	}
	return fuse;
}

static bool by_mount(const char *line, const void *what, bool *ret_fuse)
{
	return line_says_fuse(line, *(const uint64_t *)what, ret_fuse);
}

bool image_file__may_block(const char *proc_root, pid_t pid, const struct image_file *file)
{
	return file->mount && ask_mounts(proc_root, pid, by_mount, &file->mount);
}

static bool by_path(const char *line, const void *what, bool *ret_fuse)
{
	const char *separator = strstr(line, " - ");

	*ret_fuse = separator && is_fuse(separator + strlen(" - ")) && is_below(what, line);
	return *ret_fuse;
}

bool image_file__path_may_block(const char *proc_root, pid_t pid, const char *path)
{
	return ask_mounts(proc_root, pid, by_path, path);
}
