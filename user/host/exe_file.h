/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_EXE_FILE_H
#define GLEAKD_HOST_EXE_FILE_H

/*
 * Which contents a process runs: the file, as image_file knows it, and the attributes that change
 * when it is written to. What was found out about an executable holds as long as all of these are
 * the same. They come from the kernel and not from the file system, see image_file.h.
 */
#include "base/common.h"
#include "host/image_file.h"

struct exe_file {
	struct image_file file;
	uint64_t size;
	int64_t changed_seconds; /* ctime */
	uint32_t changed_nanoseconds;
};

/*
 * exe_file__identify - of /proc/PID/exe. Errors: -ESRCH gone, or a kernel thread; -EACCES not
 * permitted; or whatever the kernel said.
 */
int exe_file__identify(const char *proc_root, pid_t pid, struct exe_file *ret_file) __must_check;

/* exe_file__of - of an open file; O_PATH will do. */
int exe_file__of(int fd, struct exe_file *ret_file) __must_check;

/* exe_file__same_file - its name, owner, mode or contents may have changed since. */
static inline bool exe_file__same_file(const struct exe_file *a, const struct exe_file *b)
{
	return image_file__same(&a->file, &b->file);
}

/* exe_file__same_contents - none of these has changed either: all of them change the ctime. */
static inline bool exe_file__same_contents(const struct exe_file *a, const struct exe_file *b)
{
	return exe_file__same_file(a, b) && a->size == b->size &&
	       a->changed_seconds == b->changed_seconds &&
	       a->changed_nanoseconds == b->changed_nanoseconds;
}

#endif /* GLEAKD_HOST_EXE_FILE_H */
