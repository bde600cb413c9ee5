// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/one_line.h"

static enum log_level max_level = LOG_LEVEL_INFO;
static bool limited;
static struct log_site *suppressing;
static void (*diverted)(void *ctx, const char *line);
static void *diverted_ctx;

static const char *const level_prefix[] = {
	[LOG_LEVEL_ERROR] = "gleakd: ",
	[LOG_LEVEL_WARN] = "gleakd: warning: ",
	[LOG_LEVEL_INFO] = "gleakd: ",
	[LOG_LEVEL_DEBUG] = "gleakd: debug: ",
};

/* Priorities of syslog(3), which sd-daemon(3) takes over. */
static const char *const journal_prefix[] = {
	[LOG_LEVEL_ERROR] = "<3>",
	[LOG_LEVEL_WARN] = "<4>",
	[LOG_LEVEL_INFO] = "<6>",
	[LOG_LEVEL_DEBUG] = "<7>",
};

void log__set_level(enum log_level level)
{
	max_level = level;
}

void log__limit(bool on)
{
	limited = on;
}

bool log__is_journal(const char *journal_stream, int fd)
{
	uint64_t device, inode;
	struct stat st;
	int end = 0;

	if (!journal_stream || fstat(fd, &st))
		return false;
	if (sscanf(journal_stream, "%" SCNu64 ":%" SCNu64 "%n", &device, &inode, &end) != 2 ||
	    journal_stream[end])
		return false;
	return st.st_dev == device && st.st_ino == inode;
}

static const char *prefix(enum log_level level)
{
	static bool asked, journal;

	if (!asked) {
		journal = log__is_journal(getenv("JOURNAL_STREAM"), STDERR_FILENO);
		asked = true;
	}
	return journal ? journal_prefix[level] : level_prefix[level];
}

bool log_site__take(struct log_site *site, uint64_t now_ns)
{
	uint64_t earned;

	if (!site->refilled_ns) {
		site->tokens = LOG_BURST;
		site->refilled_ns = max_of(now_ns, (uint64_t)1);
	}
	earned = now_ns > site->refilled_ns ? (now_ns - site->refilled_ns) / LOG_REFILL_NS : 0;
	site->refilled_ns += earned * LOG_REFILL_NS;
	site->tokens = (uint32_t)min_of(site->tokens + earned, (uint64_t)LOG_BURST);
	if (!site->tokens) {
		if (site->suppressed < UINT32_MAX)
			site->suppressed++;
		return false;
	}
	site->tokens--;
	return true;
}

static void keep_for_later(struct log_site *site, enum log_level level, const char *line)
{
	site->level = level;
	one_line__copy(site->last, sizeof(site->last), line);
	if (site->listed)
		return;
	site->listed = true;
	site->next = suppressing;
	suppressing = site;
}

void log__divert(void (*take)(void *ctx, const char *line), void *ctx)
{
	diverted = take;
	diverted_ctx = ctx;
}

/* One write per message, so that lines of several writers do not mix. */
static __printf_fmt(2, 3) void put_line(enum log_level level, const char *fmt, ...)
{
	char line[1280];
	size_t used = (size_t)snprintf(line, sizeof(line), "%s", prefix(level));
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + used, sizeof(line) - used, fmt, ap);
	va_end(ap);
	if (diverted)
		diverted(diverted_ctx, line);
	else
		fprintf(stderr, "%s\n", line);
}

static void write_line(enum log_level level, uint32_t suppressed, const char *line)
{
	if (suppressed)
		put_line(level, "%s (%" PRIu32 " more like this were not written)", line,
			 suppressed);
	else
		put_line(level, "%s", line);
}

void log__write(struct log_site *site, enum log_level level, const char *fmt, ...)
{
	char text[1024], line[1024];
	int saved_errno = errno;
	uint32_t suppressed;
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	one_line__copy(line, sizeof(line), text);
	if (limited && level < LOG_LEVEL_DEBUG && !log_site__take(site, clock__monotonic_ns())) {
		keep_for_later(site, level, line);
	} else {
		suppressed = site->suppressed;
		site->suppressed = 0;
		write_line(level, suppressed, line);
	}
	errno = saved_errno;
}

static bool is_worth_telling(const struct log_site *site, uint64_t now_ns)
{
	if (!site->suppressed)
		return false;
	return !site->told_ns ||
	       (now_ns > site->told_ns && now_ns - site->told_ns >= LOG_REFILL_NS);
}

void log__tell_suppressed(uint64_t now_ns)
{
	int saved_errno = errno;

	for (struct log_site *site = suppressing; site; site = site->next) {
		if (!is_worth_telling(site, now_ns))
			continue;
		put_line(site->level, "%" PRIu32 " messages were not written, the last one: %s",
			 site->suppressed, site->last);
		site->suppressed = 0;
		site->told_ns = now_ns;
	}
	errno = saved_errno;
}
