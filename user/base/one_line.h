/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_ONE_LINE_H
#define GLEAKD_BASE_ONE_LINE_H

/*
 * Messages contain names of processes and files, which users choose. In a log or a notification a
 * newline in such a name would begin a line of its own, with a priority or a key that the user
 * wrote.
 */
#include "base/common.h"

/*
 * one_line__copy - copy @text as valid UTF-8. Control characters become spaces; what is not UTF-8
 * or cannot be shown becomes U+FFFD. A text that does not fit is cut between characters. Returns
 * the length of the copy.
 */
size_t one_line__copy(char *out, size_t out_size, const char *text);

#endif /* GLEAKD_BASE_ONE_LINE_H */
