/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_LOG_H
#define GLEAKD_BASE_LOG_H

/*
 * Messages about gleakd's own doings, on stderr; data goes to stdout. errno is preserved across
 * every call. Only commands and the session log; libraries return errors (base/failure.h).
 */
#include "base/common.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

/* log__set_level - the most talkative level that is still printed; LOG_LEVEL_INFO at start. */
void log__set_level(enum log_level level);

/* log__enabled - whether messages of this level are printed. */
bool log__enabled(enum log_level level);

void log__write(enum log_level level, const char *fmt, ...) __printf_fmt(2, 3);

#define log_error(...) log__write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log__write(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log__write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log__write(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif /* GLEAKD_BASE_LOG_H */
