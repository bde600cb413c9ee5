// SPDX-License-Identifier: Apache-2.0
#include "host/image_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "host/access.h"
#include "host/mounts.h"
#include "host/proc_error.h"

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

bool image_file__may_block(const char *proc_root, pid_t pid, const struct image_file *file)
{
	return file->mount && mounts__is_fuse(proc_root, pid, file->mount);
}

bool image_file__path_may_block(const char *proc_root, pid_t pid, const char *path)
{
	return mounts__is_below_fuse(proc_root, pid, path);
}
