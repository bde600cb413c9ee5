/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_ACCESS_HELPER_H
#define GLEAKD_HOST_ACCESS_HELPER_H

/* The helper of access_guard.h: a fork of this process that does what access_direct does, when asked. */
#include <limits.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/common.h"
#include "host/access_guard.h"
#include "host/access_private.h"
#include "host/helper_wait.h"

enum access_helper_op {
	ACCESS_HELPER_OPEN,	  /* .texts[0], .flags -> descriptor */
	ACCESS_HELPER_OPEN_BELOW, /* .texts[0] the root, [1] the path */
	ACCESS_HELPER_HOSTNAME,	  /* .memory.pid, .size -> bytes in the window */
	ACCESS_HELPER_READ,   /* .memory, whose descriptor comes with it; .size ranges -> bytes */
	ACCESS_HELPER_COPY,   /* likewise, each of them to its .places[] */
	ACCESS_HELPER_IN_USE, /* likewise */
	ACCESS_HELPER_MARK,   /* .memory.pid */
};

struct access_request {
	enum access_helper_op op;
	int flags;
	size_t size;
	struct access_memory memory;
};

/* Both have it mapped. */
struct access_shared {
	struct iovec ranges[ACCESS_RANGES_MAX];
	struct iovec places[ACCESS_COPY_RANGES];
	char texts[2][PATH_MAX];
	uint8_t own_window[ACCESS_GUARD_MEMORY_MAX]; /* of a helper that has no other */
};

struct access_helper {
	pid_t pid; /* 0: none */
	int channel;
	struct access_shared *shared;
	uint8_t *window; /* where it leaves what it has read: ACCESS_GUARD_MEMORY_MAX bytes */
};

/*
 * access_helper__start - with @window, which is shared with whoever is forked; NULL: one of its own. -errno of
 * fork(2) or of what it needs.
 */
int access_helper__start(struct access_helper *helper, uint8_t *window) __must_check;

/*
 * access_helper__ask - returns what the system call did, and the descriptor that came of it in
 * @ret_fd. @request's memory has the descriptor that goes with it, -1: none. -ETIMEDOUT: no answer
 * within @wait; -EPIPE: it has ended.
 */
ssize_t access_helper__ask(const struct access_helper *helper, const struct access_request *request,
			   const struct helper_wait *wait, int *ret_fd) __must_check;

/* access_helper__forget - let it be; access_helper__end - when it is known to have ended. */
void access_helper__forget(struct access_helper *helper);
void access_helper__end(struct access_helper *helper);

#endif /* GLEAKD_HOST_ACCESS_HELPER_H */
