/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_ONE_LINE_H
#define GLEAKD_BASE_ONE_LINE_H

/*
 * Messages name processes and files, whose names anybody may choose. In a log and in a notification
 * a newline would begin a line of its own, with a priority or a key that somebody else wrote.
 */
#include "base/common.h"

/*
 * one_line__copy - @text as valid UTF-8 without control characters: they become spaces, and what is
 * not UTF-8 or not to be seen U+FFFD. Cut at a character where it does not fit. Returns its length.
 */
size_t one_line__copy(char *out, size_t out_size, const char *text);

#endif /* GLEAKD_BASE_ONE_LINE_H */
