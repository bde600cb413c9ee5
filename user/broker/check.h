/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BROKER_CHECK_H
#define GLEAKD_BROKER_CHECK_H

/* What the broker does for a worker, and what it refuses. Pure: nothing is opened here. */
#include "broker/protocol.h"

/* Files that the user named; NULL: none. */
#define BROKER_FILES_MAX 8

struct broker_files {
	const char *in[BROKER_FILES_MAX];
	const char *out[BROKER_FILES_MAX];
	const char *evidence; /* a folder; NULL: none */
	struct evidence_limits evidence_limits;
};

/*
 * broker_request__check - whether the packet of @size bytes is a request that may be done. Errors:
 * -EPROTO it is none; -EPERM it is about something that no worker has to do with, -EINVAL makes no sense;
 * -EACCES it is about @own, the broker's process, or @worker, the worker's: of these only what they run
 * may be known, and a worker that looks at all processes is told so like of others.
 */
int broker_request__check(const struct broker_request *request, size_t size,
			  const struct broker_files *files, pid_t own, pid_t worker) __must_check;

/*
 * broker_ranges__check - @n ranges of one read: none of them empty or around the end of the address
 * space, @max bytes together at most. Errors: -EINVAL.
 */
int broker_ranges__check(const struct iovec *ranges, size_t n, size_t max) __must_check;

/*
 * broker_ranges__check_offsets - @n checked ranges, each of which goes to its offset in @size bytes. -EINVAL: one
 * would go beyond them.
 */
int broker_ranges__check_offsets(const struct iovec *ranges, const __u64 *offsets, size_t n,
				 size_t size) __must_check;

#endif /* GLEAKD_BROKER_CHECK_H */
