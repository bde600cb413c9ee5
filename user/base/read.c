// SPDX-License-Identifier: Apache-2.0
#include "base/read.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

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

static int wait_until(int fd, uint64_t end_ns)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	uint64_t now_ns = clock__monotonic_ns();
	/* Rounded up: what is left of a millisecond is waited for as well. */
	uint64_t left_ms = now_ns < end_ns ? (end_ns - now_ns + 999999) / 1000000 : 0;
	int n = poll(&readable, 1, (int)min_of(left_ms, (uint64_t)INT32_MAX));

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	return n ? 0 : -ETIMEDOUT;
}

ssize_t read__within(int fd, void *buffer, size_t size, uint64_t limit_ns)
{
	uint64_t end_ns = clock__monotonic_ns() + limit_ns;
	size_t done = 0;

	while (done < size) {
		int err = wait_until(fd, end_ns);
		ssize_t n;

		if (err)
			return err;
		n = read(fd, (char *)buffer + done, size - done);
		if (n == 0)
			break;
		if (n > 0)
			done += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
			return -errno;
	}
	return (ssize_t)done;
}

ssize_t read__at(int fd, uint64_t offset, void *buffer, size_t size)
{
	return offset > INT64_MAX - size ? 0 : read_all(fd, (off_t)offset, buffer, size);
}
