// SPDX-License-Identifier: Apache-2.0
#include "output/text/frame.h"

/* ECMA-48: cursor to the top left corner; erase from the cursor to the end of the screen. */
#define CURSOR_HOME "\033[H"
#define ERASE_BELOW "\033[J"

size_t frame__rows(unsigned int rows)
{
	/* The cursor rests on the last row. */
	return rows ? rows - 1 : SIZE_MAX;
}

struct screen_mark frame__begin(struct screen *screen, unsigned int rows, bool first)
{
	screen->clear_lines = true;
	for (unsigned int i = 0; i < rows && first; i++)
		screen__escape(screen, "\n");
	screen__escape(screen, CURSOR_HOME);
	return screen__mark(screen);
}

void frame__end(struct screen *screen, struct screen_mark top, size_t rows)
{
	if (screen->lines > rows && !screen__error(screen)) {
		while (top.lines < rows)
			top.lines += screen->data[top.len++] == '\n';
		screen__rollback(screen, top);
	}
	screen__escape(screen, ERASE_BELOW);
}

void frame__erase(struct screen *screen)
{
	screen__escape(screen, CURSOR_HOME ERASE_BELOW);
}
