/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_CLI_TERMINAL_H
#define GLEAKD_CLI_TERMINAL_H

/* What standard output is connected to. */
#include "cli/options.h"

#define TERMINAL_DEFAULT_COLUMNS 100

/* terminal__present - it is a terminal that understands control sequences. */
bool terminal__present(void);

/* terminal__want_color - by --color, else on a terminal unless NO_COLOR is set. */
bool terminal__want_color(enum color_choice choice);

/*
 * terminal__size - its width and height; without a terminal, or one that does not tell, the default
 * width and no limit (0) of height. NULL for what is not wanted.
 */
void terminal__size(unsigned int *ret_columns, unsigned int *ret_rows);

/*
 * terminal__line_width - where lines of a table are to be cut: the terminal's width; 0, nowhere, in a
 * file or pipe, which will be searched rather than read.
 */
unsigned int terminal__line_width(void);

#endif /* GLEAKD_CLI_TERMINAL_H */
