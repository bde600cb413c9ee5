/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_TERMINAL_H
#define GLEAKD_CLI_TERMINAL_H

/* What standard output is connected to. */
#include "cli/options.h"
#include "output/text/screen.h"

#define TERMINAL_DEFAULT_COLUMNS 100 /* also where a report in a pipe is folded */

/* terminal__present - @fd is a terminal that understands control sequences. */
bool terminal__present(int fd);

/* terminal__has_stderr - standard error goes to the same terminal. */
bool terminal__has_stderr(void);

/*
 * terminal__want_color - by --color, else none if NO_COLOR is set, else on a terminal, and anywhere if
 * CLICOLOR_FORCE is set.
 */
bool terminal__want_color(int fd, enum color_choice choice);

/*
 * terminal__pipe_was_read - whether the reader of @fd, if that is a pipe, has taken all that was
 * written. False when it has gone before: of what it left nobody knows. Waits for a moment only; who
 * is slow is believed to read on.
 */
bool terminal__pipe_was_read(int fd);

/* terminal__rows - its height; 0, no limit, without a terminal, or one that does not tell. */
unsigned int terminal__rows(void);

/*
 * terminal__screen - how text is to be written to @fd. Lines fit the terminal; in a file
 * or pipe, which will be searched, nothing is cut, and sentences are folded at @fold columns (0:
 * nowhere). $COLUMNS makes both narrower, or a pipe wider.
 */
struct screen_options terminal__screen(int fd, enum color_choice choice, unsigned int fold);

/*
 * terminal__is_utf8 - whether text may be UTF-8, by the values of $LC_ALL, $LC_CTYPE and $LANG, of
 * which the first that is set and not empty counts (POSIX, Environment Variables). What the locale's
 * name says is enough: its data may not be installed where somebody logs in from elsewhere.
 */
bool terminal__is_utf8(const char *lc_all, const char *lc_ctype, const char *lang);

/* terminal__columns_of - @text of $COLUMNS as a number; 0 when it is none, or NULL. */
unsigned int terminal__columns_of(const char *text);

#endif /* GLEAKD_CLI_TERMINAL_H */
