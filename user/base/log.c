// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static enum log_level max_level = LOG_LEVEL_INFO;

static const char *const level_prefix[] = {
	[LOG_LEVEL_ERROR] = "gleakd: ",
	[LOG_LEVEL_WARN] = "gleakd: warning: ",
	[LOG_LEVEL_INFO] = "gleakd: ",
	[LOG_LEVEL_DEBUG] = "gleakd: debug: ",
};

void log__set_level(enum log_level level)
{
	max_level = level;
}

bool log__enabled(enum log_level level)
{
	return level <= max_level;
}

void log__write(enum log_level level, const char *fmt, ...)
{
	char line[1024];
	int saved_errno = errno;
	va_list ap;

	if (!log__enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* One write per message, so that lines of several writers do not mix. */
	fprintf(stderr, "%s%s\n", level_prefix[level], line);
	errno = saved_errno;
}
