// SPDX-License-Identifier: Apache-2.0
#include "host/exe_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/proc_error.h"

#define WANTED (STATX_SIZE | STATX_CTIME)

static struct exe_file describe(const struct statx *file)
{
	return (struct exe_file){
		.file = image_file__of(file),
		.size = file->stx_size,
		.changed_seconds = file->stx_ctime.tv_sec,
		.changed_nanoseconds = file->stx_ctime.tv_nsec,
	};
}

int exe_file__identify(const char *proc_root, pid_t pid, struct exe_file *ret_file)
{
	struct statx file;
	int err = image_file__stat(proc_root, pid, WANTED, &file);

	if (!err)
		*ret_file = describe(&file);
	return err;
}

int exe_file__of(int fd, struct exe_file *ret_file)
{
	struct statx file;

	/* DONT_SYNC: as access__stat(). */
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, IMAGE_FILE_STATX | WANTED, &file))
		return proc_error(errno);
	*ret_file = describe(&file);
	return 0;
}
