/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_LOG_H
#define GLEAKD_BASE_LOG_H

/*
 * Messages about gleakd's own doings, on stderr; data goes to stdout. errno is preserved across
 * every call. Only commands and the session log; libraries return errors (base/failure.h).
 *
 * In a service stderr is the journal: there a message begins with its priority, as sd-daemon(3)
 * says, and not with the program's name, which the journal knows.
 */
#include "base/common.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/*
 * One place in the code that logs. A program that runs for months must not fill a disk with one
 * message: after log__limit(true) each place may write LOG_BURST messages, and one more every
 * LOG_REFILL_NS. The place's next message, or log__tell_suppressed(), says how many were left out.
 */
struct log_site {
	uint64_t refilled_ns; /* 0: never used */
	uint64_t told_ns;     /* when log__tell_suppressed() last mentioned it */
	uint32_t tokens;
	uint32_t suppressed; /* since the last message that was written */
	enum log_level level;
	struct log_site *next; /* of those that ever suppressed */
	bool listed;
	char last[96]; /* the beginning of what was suppressed last */
};

#define LOG_BURST     10
#define LOG_REFILL_NS (30 * NSEC_PER_SEC)

/* log__set_level - the most talkative level that is still printed; LOG_LEVEL_INFO at start. */
void log__set_level(enum log_level level);

/*
 * log__limit - limit messages from now on; debug messages, which the user asked for, are never
 * limited.
 */
void log__limit(bool on);

/*
 * log__tell_suppressed - report what was left out and not reported yet, each place at most once
 * every LOG_REFILL_NS. Call it now and then, and at the end with UINT64_MAX.
 */
void log__tell_suppressed(uint64_t now_ns);

/*
 * log__is_journal - whether @fd is the stream that @journal_stream names, the value of
 * $JOURNAL_STREAM: "device:inode". A program inherits the variable even when its stderr was
 * redirected.
 */
bool log__is_journal(const char *journal_stream, int fd);

/*
 * log__divert - hand each line that would be written, without its newline, to @take instead, while
 * another part of gleakd draws on stderr. NULL: write to stderr again.
 */
void log__divert(void (*take)(void *ctx, const char *line), void *ctx);

/* log_site__take - whether @site may write a message now; counts it when not. */
bool log_site__take(struct log_site *site, uint64_t now_ns);

void log__write(struct log_site *site, enum log_level level, const char *fmt, ...)
	__printf_fmt(3, 4);

#define log__at(level, ...)                                     \
	({                                                      \
		static struct log_site log_site_here;           \
		log__write(&log_site_here, level, __VA_ARGS__); \
	})

#define log_error(...) log__at(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log__at(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log__at(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log__at(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif /* GLEAKD_BASE_LOG_H */
