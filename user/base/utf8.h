/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_UTF8_H
#define GLEAKD_BASE_UTF8_H

/*
 * Text from foreign binaries is bytes. These functions make valid UTF-8 of it and tell how many
 * columns it takes. An invalid sequence counts as one U+FFFD per maximal subpart (Unicode 15,
 * section 3.9, table 3-8).
 *
 * Widths do not depend on the locale: gleakd often runs with LANG=C in a UTF-8 terminal. They are
 * never smaller than those of wcwidth(), so a line that is thought to fit does fit.
 */
#include "base/common.h"

#define UTF8_REPLACEMENT     0xfffdU
#define UTF8_REPLACEMENT_STR "\xef\xbf\xbd"

/*
 * utf8__decode - the character at @text, which must not be at its terminating NUL.
 * Returns the bytes it takes, at least 1; 0 in @ret_code when they are not valid UTF-8.
 */
size_t utf8__decode(const char *text, uint32_t *ret_code);

/* utf8__valid - whether all of @text is. */
bool utf8__valid(const char *text);

/* utf8__repair - a copy to free(), with U+FFFD for what was invalid; NULL without memory. */
char *utf8__repair(const char *text) __must_check;

/*
 * utf8__printable - safe to send to a terminal: no control (C0, DEL, C1), nothing that is invisible
 * or turns the direction of what follows, no private use. 0 is not.
 */
bool utf8__printable(uint32_t code);

/* utf8__columns - of one character, 1 or 2; what is not printable is shown as U+FFFD: 1. */
unsigned int utf8__columns(uint32_t code);

/* utf8__width - columns of @text. */
size_t utf8__width(const char *text);

/* utf8__prefix - bytes of the longest beginning of @text that takes at most @columns. */
size_t utf8__prefix(const char *text, size_t columns);

/* utf8__suffix - where the longest end of @text begins that takes at most @columns. */
size_t utf8__suffix(const char *text, size_t columns);

#endif /* GLEAKD_BASE_UTF8_H */
