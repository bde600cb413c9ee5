/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_IMAGE_FILE_H
#define GLEAKD_HOST_IMAGE_FILE_H

/*
 * Which file a process runs, found out without asking the file system it is on. A process serves a
 * file system in user space (FUSE): when that process is stuck, stopped or malicious, a stat(2),
 * statfs(2), open(2) or read(2) hangs for ever, and no signal ends it. Code that looks at all
 * processes of a host asks here first.
 */
#include <sys/stat.h>

#include "base/common.h"
#include "host/process.h"

/* What image_file__of() needs to know. */
#define IMAGE_FILE_STATX (STATX_INO | STATX_MNT_ID)

struct image_file {
	uint64_t device; /* with the inode: which file; as stat(2) has it */
	uint64_t inode;
	uint64_t mount; /* its id in /proc/PID/mountinfo; 0: unknown */
};

/*
 * image_file__identify - the file behind /proc/PID/exe, from what the kernel already knows.
 * Errors: -ESRCH gone or a kernel thread, -EACCES not permitted, or whatever the kernel said.
 */
int image_file__identify(const char *proc_root, pid_t pid,
			 struct image_file *ret_file) __must_check;

/* image_file__stat - all that @mask asks for of that file, and what it is; errors as above. */
int image_file__stat(const char *proc_root, pid_t pid, unsigned int mask,
		     struct statx *ret_stat) __must_check;
struct image_file image_file__of(const struct statx *stat);

static inline bool image_file__same(const struct image_file *a, const struct image_file *b)
{
	return a->device == b->device && a->inode == b->inode;
}

/*
 * image_file__may_block - whether @file is on a FUSE mount, in the mount namespace of @pid. A mount
 * that is not visible there counts as an ordinary one. That risk is small: the kernel keeps root
 * away from FUSE mounts of other users (fs/fuse/dir.c fuse_allow_current_process).
 */
bool image_file__may_block(const char *proc_root, pid_t pid, const struct image_file *file);

/*
 * image_file__path_may_block - whether @path or a folder on the way to it is on such a mount: for
 * files that can be reached by name only.
 */
bool image_file__path_may_block(const char *proc_root, pid_t pid, const char *path);

#endif /* GLEAKD_HOST_IMAGE_FILE_H */
