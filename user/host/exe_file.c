// SPDX-License-Identifier: Apache-2.0
#include "host/exe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/proc_error.h"

#define WANTED (STATX_INO | STATX_SIZE | STATX_CTIME | STATX_MNT_ID)

/* DONT_SYNC: cached attributes will do; NFS and FUSE then send nothing to their servers. */
static int look(int dir, const char *path, int flags, struct exe_file *ret_file)
{
	struct statx file;

	if (statx(dir, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT | flags, WANTED, &file))
		return proc_error(errno);
	*ret_file = (struct exe_file){
		.file =
			{
				.device = makedev(file.stx_dev_major, file.stx_dev_minor),
				.inode = file.stx_ino,
				.mount = file.stx_mask & STATX_MNT_ID ? file.stx_mnt_id : 0,
			},
		.size = file.stx_size,
		.changed_seconds = file.stx_ctime.tv_sec,
		.changed_nanoseconds = file.stx_ctime.tv_nsec,
	};
	return 0;
}

static int look_at_exe(const char *proc_root, pid_t pid, struct exe_file *ret_file)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/exe", proc_root, pid);

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return look(AT_FDCWD, path, 0, ret_file);
}

int exe_file__identify(const char *proc_root, pid_t pid, struct exe_file *ret_file)
{
	int err = look_at_exe(proc_root, pid, ret_file);
	pid_t task = err == -ESRCH ? process__task(proc_root, pid) : pid;

	return task == pid ? err : look_at_exe(proc_root, task, ret_file);
}

int exe_file__of(int fd, struct exe_file *ret_file)
{
	return look(fd, "", AT_EMPTY_PATH, ret_file);
}
