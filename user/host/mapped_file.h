/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MAPPED_FILE_H
#define GLEAKD_HOST_MAPPED_FILE_H

/*
 * Files that a process has mapped besides the one it was started from: libraries, plugins, a
 * program that ld.so was given. /proc/PID/exe does not lead to them. /proc/PID/map_files leads to
 * the very file, even when it was removed since or never had a name (memfd), but needs
 * CAP_CHECKPOINT_RESTORE. Without that there is only the path, which may lead to another file by
 * now.
 */
#include "base/common.h"
#include "base/failure.h"
#include "host/exe_file.h"
#include "host/process.h"

struct mapped_file {
	uint64_t start, end; /* of the mapping it was found by */
	uint64_t file_offset;
	uint64_t image;	       /* where the file's beginning is mapped, below that; 0: not known */
	uint32_t major, minor; /* as /proc/PID/maps has them: stat(2) may differ, see process.h */
	uint64_t inode;
	char path[PATH_MAX]; /* in the process's mount namespace */
	bool removed;	     /* no path leads to it any more */
};

/*
 * mapped_file__at - what is mapped at @address in @pid. Errors: -ENOENT no file there; those of
 * reading /proc/PID/maps (maps.h).
 */
int mapped_file__at(const char *proc_root, pid_t pid, uint64_t address,
		    struct mapped_file *ret_file) __must_check;

/*
 * mapped_file__each_executable - every mapping of a file from which code is run, lowest address first,
 * until @fn returns false. Errors: as above.
 */
int mapped_file__each_executable(const char *proc_root, pid_t pid,
				 bool (*fn)(void *ctx, const struct mapped_file *file),
				 void *ctx) __must_check;

/*
 * mapped_file__identify - which file it is, from what the kernel already knows.
 * Errors: -ESRCH gone, -EACCES not permitted, -ESTALE the path leads to another file, -EAGAIN the path
 * leads through a file system in user space (host/image_file.h), which was left alone.
 */
int mapped_file__identify(const char *proc_root, pid_t pid, const struct mapped_file *file,
			  struct exe_file *ret_file) __must_check;

/*
 * mapped_file__open - O_RDONLY|O_CLOEXEC descriptor of it, which the caller closes. Errors: as above,
 * -EAGAIN also when it is on such a file system itself, -ENOEXEC not a regular file; the failure has the
 * words.
 */
int mapped_file__open(const char *proc_root, pid_t pid, const struct mapped_file *file,
		      struct failure *failure) __must_check;

/* mapped_file__name - the last part of its path. */
const char *mapped_file__name(const struct mapped_file *file);

#endif /* GLEAKD_HOST_MAPPED_FILE_H */
