/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_CHANNEL_H
#define GLEAKD_HOST_CHANNEL_H

/* Packets with descriptors, by a SOCK_SEQPACKET of socketpair(2): between gleakd's processes. */
#include <sys/types.h>

#include "base/common.h"

/*
 * channel__send - one packet of @size bytes, and @n_fds descriptors, which remain the caller's. Errors:
 * -EPIPE the other one is gone, or those of sendmsg(2).
 */
int channel__send(int channel, const void *packet, size_t size, const int *fds,
		  size_t n_fds) __must_check;

/*
 * channel__receive - the next packet, at most @max bytes of it, and at most @max_fds descriptors, which
 * the caller closes; others are closed here. Returns its size; 0: the other one is gone; or -errno.
 */
ssize_t channel__receive(int channel, void *packet, size_t max, int *fds, size_t max_fds,
			 size_t *ret_n_fds) __must_check;

#endif /* GLEAKD_HOST_CHANNEL_H */
