// SPDX-License-Identifier: Apache-2.0
#include "base/read_whole.h"

#include <errno.h>
#include <unistd.h>

ssize_t read_whole(int fd, char *buffer, size_t max)
{
	size_t length = 0;

	while (length <= max) {
		ssize_t n = read(fd, buffer + length, max + 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}
