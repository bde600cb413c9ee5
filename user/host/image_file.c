// SPDX-License-Identifier: Apache-2.0
#include "host/image_file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "host/access.h"
#include "host/mounts.h"
#include "host/proc_error.h"

static int stat_exe(const char *proc_root, pid_t pid, unsigned int mask, struct statx *ret_stat)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%d/exe", proc_root, pid);
	int err;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	err = access__stat(path, mask, ret_stat);
	return err ? proc_error(-err) : 0;
}

int image_file__stat(const char *proc_root, pid_t pid, unsigned int mask, struct statx *ret_stat)
{
	int err = stat_exe(proc_root, pid, mask | IMAGE_FILE_STATX, ret_stat);
	pid_t task = err == -ESRCH ? process__task(proc_root, pid) : pid;

	return task == pid ? err : stat_exe(proc_root, task, mask | IMAGE_FILE_STATX, ret_stat);
}

struct image_file image_file__of(const struct statx *stat)
{
	return (struct image_file){
		.device = makedev(stat->stx_dev_major, stat->stx_dev_minor),
		.inode = stat->stx_ino,
		.mount = stat->stx_mask & STATX_MNT_ID ? stat->stx_mnt_id : 0, /* Linux 5.8 */
	};
}

int image_file__identify(const char *proc_root, pid_t pid, struct image_file *ret_file)
{
	struct statx stat;
	int err = image_file__stat(proc_root, pid, 0, &stat);

	if (!err)
		*ret_file = image_file__of(&stat);
	return err;
}

bool image_file__may_block(const char *proc_root, pid_t pid, const struct image_file *file)
{
	return file->mount && mounts__is_fuse(proc_root, pid, file->mount);
}

bool image_file__path_may_block(const char *proc_root, pid_t pid, const char *path)
{
	return mounts__is_below_fuse(proc_root, pid, path);
}
