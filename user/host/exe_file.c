// SPDX-License-Identifier: Apache-2.0
#include "host/exe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/access.h"
#include "host/proc_error.h"

#define WANTED (STATX_INO | STATX_SIZE | STATX_CTIME | STATX_MNT_ID)

static struct exe_file describe(const struct statx *file)
{
	return (struct exe_file){
		.file =
			{
				.device = makedev(file->stx_dev_major, file->stx_dev_minor),
				.inode = file->stx_ino,
				.mount = file->stx_mask & STATX_MNT_ID ? file->stx_mnt_id : 0,
			},
		.size = file->stx_size,
		.changed_seconds = file->stx_ctime.tv_sec,
		.changed_nanoseconds = file->stx_ctime.tv_nsec,
	};
}

static int look_at_exe(const char *proc_root, pid_t pid, struct exe_file *ret_file)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/exe", proc_root, pid);

	struct statx file;
	int err;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	err = access__stat(path, WANTED, &file);
	if (err)
		return proc_error(-err);
	*ret_file = describe(&file);
	return 0;
}

int exe_file__identify(const char *proc_root, pid_t pid, struct exe_file *ret_file)
{
	int err = look_at_exe(proc_root, pid, ret_file);
	pid_t task = err == -ESRCH ? process__task(proc_root, pid) : pid;

	return task == pid ? err : look_at_exe(proc_root, task, ret_file);
}

int exe_file__of(int fd, struct exe_file *ret_file)
{
	struct statx file;

	/* DONT_SYNC: as access__stat(). */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, WANTED, &file))
		return proc_error(errno);
	*ret_file = describe(&file);
	return 0;
}
