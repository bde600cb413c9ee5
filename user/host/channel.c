// SPDX-License-Identifier: Apache-2.0
#include "host/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* More come only from somebody who does not keep to the protocol. */
#define MAX_FDS 8

union control {
	struct cmsghdr head;
	char space[CMSG_SPACE(MAX_FDS * sizeof(int))];
};

int channel__send(int channel, const void *packet, size_t size, const int *fds, size_t n_fds)
{
	struct iovec part = {.iov_base = (void *)(uintptr_t)packet, .iov_len = size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	if (n_fds > MAX_FDS)
		return -EINVAL;
	if (n_fds) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(channel, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* Descriptors beyond @max are closed. Returns how many are kept. */
static size_t take_fds(struct msghdr *message, int *fds, size_t max)
{
	size_t n = 0;

	for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head;
	     head = CMSG_NXTHDR(message, head)) {
		size_t bytes = head->cmsg_len - CMSG_LEN(0);

		if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < bytes / sizeof(int); i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
			if (n < max)
				fds[n++] = fd;
			else
				close(fd);
		}
	}
	return n;
}

ssize_t channel__receive(int channel, void *packet, size_t max, int *fds, size_t max_fds,
			 size_t *ret_n_fds)
{
	union control control;
	struct iovec part = {.iov_base = packet, .iov_len = max};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(channel, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	*ret_n_fds = 0;
	if (n < 0)
		return errno == ECONNRESET ? 0 : -errno;
	*ret_n_fds = take_fds(&message, fds, max_fds);
	/* The kernel closed what did not fit. */
	if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (*ret_n_fds)
			close(fds[--*ret_n_fds]);
		return -EPROTO;
	}
	return n;
}
