// SPDX-License-Identifier: Apache-2.0
#include "base/read.h"

#include <errno.h>
#include <unistd.h>

/* From @offset on, or from where the file stands where that is negative. */
static ssize_t read_all(int fd, off_t offset, char *buffer, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = offset < 0 ?
				    read(fd, buffer + done, size - done) :
				    pread(fd, buffer + done, size - done, offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

ssize_t read__whole(int fd, void *buffer, size_t size)
{
	return read_all(fd, -1, buffer, size);
}

ssize_t read__at(int fd, uint64_t offset, void *buffer, size_t size)
{
	return offset > INT64_MAX - size ? 0 : read_all(fd, (off_t)offset, buffer, size);
}
