// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal__present(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(term && !strcmp(term, "dumb"));
}

bool terminal__want_color(enum color_choice choice)
{
	const char *no_color = getenv("NO_COLOR");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	/* https://no-color.org: present and not empty. */
	return terminal__present() && !(no_color && *no_color);
}

void terminal__size(unsigned int *ret_columns, unsigned int *ret_rows)
{
	struct winsize size = {0};
	bool known = !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col;

	if (ret_columns)
		*ret_columns = known ? size.ws_col : TERMINAL_DEFAULT_COLUMNS;
	if (ret_rows)
		*ret_rows = known ? size.ws_row : 0;
}

unsigned int terminal__line_width(void)
{
	unsigned int columns = 0;

	if (isatty(STDOUT_FILENO))
		terminal__size(&columns, NULL);
	return columns;
}
