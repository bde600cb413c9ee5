// SPDX-License-Identifier: Apache-2.0
#include "broker/let_go.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/common.h"
#include "base/thread.h"

/* It does next to nothing. */
#define STACK_BYTES (64u << 10)

static struct {
	int channel, null;
} let_go;

static void *wait_for_end(void *ctx __maybe_unused)
{
	struct pollfd end = {.fd = let_go.channel, .events = POLLRDHUP};

	while (poll(&end, 1, -1) < 0 && errno == EINTR)
		;
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (let_go.null < 0)
			close(fd);
		else
			(void)!dup3(let_go.null, fd, 0);
	}
	/* This tells the broker. */
	close(let_go.channel);
	return NULL;
}

void let_go__start(int channel, int null)
{
	pthread_t thread;

	let_go.channel = channel;
	let_go.null = null;
	if (!thread__start(&thread, STACK_BYTES, wait_for_end, NULL))
		pthread_detach(thread);
}
