/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_TEXT_H
#define GLEAKD_BASE_TEXT_H

/* Questions about a text that several folders ask. */
#include "base/common.h"

/*
 * text__base_name - the last component of @path, as a pointer into it; all of @path when it ends in
 * a slash.
 */
const char *text__base_name(const char *path);

/* text__is_blank - a space or a tab. */
bool text__is_blank(char c);

/* text__hex_digit - the value of @c, 0 to 15, a letter in lower case; -1: it is no such digit. */
int text__hex_digit(char c);

#endif /* GLEAKD_BASE_TEXT_H */
