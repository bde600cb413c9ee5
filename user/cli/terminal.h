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

/* terminal__columns - its width, or the default when it does not tell. */
unsigned int terminal__columns(void);

#endif /* GLEAKD_CLI_TERMINAL_H */
