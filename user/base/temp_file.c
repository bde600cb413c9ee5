// SPDX-License-Identifier: Apache-2.0
#include "base/temp_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * Removes the file of a gleakd that was killed; one that runs holds a lock on its file. Whatever
 * the file is, it is not followed and not waited for.
 */
static int remove_leftover(const char *path)
{
	int fd __cleanup_close = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return -EBUSY;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

int temp_file__create(const char *path, mode_t mode, int *ret_fd)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd, err;

	fd = open(path, flags, mode);
	if (fd < 0 && errno == EEXIST) {
		err = remove_leftover(path);
		if (err)
			return err;
		fd = open(path, flags, mode);
	}
	if (fd < 0)
		return -errno;
	/* Not every file system has locks; there a second gleakd goes unnoticed. */
	(void)flock(fd, LOCK_EX | LOCK_NB);
	*ret_fd = fd;
	return 0;
}
