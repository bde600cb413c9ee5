// SPDX-License-Identifier: Apache-2.0
#include "cli/messages.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/common.h"
#include "base/log.h"

/* Of packets: what is written at once is read at once (pipe(7)). */
static int ends[2] = {-1, -1};

static void keep(void *ctx __maybe_unused, const char *line)
{
	/* A reader that leaves a whole pipe of messages unread has no use for this one either. */
	(void)!write(ends[1], line, strlen(line));
}

void messages__keep(void)
{
	if (!pipe2(ends, O_CLOEXEC | O_NONBLOCK | O_DIRECT))
		log__divert(keep, NULL);
}

void messages__take_over(void)
{
	log__divert(NULL, NULL);
}

int messages__fd(void)
{
	return ends[0];
}

void messages__read(void (*take)(void *ctx, const char *line), void *ctx)
{
	char line[PIPE_BUF + 1];
	ssize_t n;

	while ((n = read(ends[0], line, PIPE_BUF)) > 0) {
		line[n] = '\0';
		take(ctx, line);
	}
}

static void tell(void *ctx __maybe_unused, const char *line)
{
	fprintf(stderr, "%s\n", line);
}

void messages__tell_rest(void)
{
	log__divert(NULL, NULL);
	if (ends[0] >= 0)
		messages__read(tell, NULL);
}
