// SPDX-License-Identifier: Apache-2.0
#include "output/text/canvas.h"

#include <stdlib.h>
#include <string.h>

/* ECMA-48: cursor to the top left corner; erase from the cursor to the end of line or screen. */
#define CURSOR_HOME "\033[H"
#define ERASE_BELOW "\033[J"
#define ERASE_LINE  "\r\033[K"

void canvas__release(struct canvas *canvas)
{
	for (size_t i = 0; i < CANVAS_MAX_MESSAGES; i++)
		free(canvas->messages[i]);
	*canvas = (struct canvas){0};
}

size_t canvas__rows(unsigned int rows)
{
	/* The cursor rests on the last row, where messages are. */
	return rows ? rows - 1 : SIZE_MAX;
}

struct screen_mark canvas__begin(struct canvas *canvas, struct screen *screen, unsigned int rows)
{
	screen->clear_lines = true;
	for (unsigned int i = 0; i < rows && !canvas->drawn; i++)
		screen__escape(screen, "\n");
	screen__escape(screen, CURSOR_HOME);
	canvas->drawn = true;
	return screen__mark(screen);
}

/* Without an end: the cursor stays on that line. */
static void put_last_message(const struct canvas *canvas, struct screen *screen)
{
	if (canvas->n_messages)
		screen__put(screen, STYLE_DIM,
			    canvas->messages[(canvas->n_messages - 1) % CANVAS_MAX_MESSAGES]);
}

void canvas__end(struct canvas *canvas, struct screen *screen, struct screen_mark top, size_t rows)
{
	if (screen->lines > rows && !screen__error(screen)) {
		while (top.lines < rows)
			top.lines += screen->data[top.len++] == '\n';
		screen__rollback(screen, top);
	}
	screen__escape(screen, ERASE_BELOW);
	screen->clear_lines = false;
	put_last_message(canvas, screen);
}

void canvas__message(struct canvas *canvas, struct screen *screen, const char *line)
{
	char **kept = &canvas->messages[canvas->n_messages % CANVAS_MAX_MESSAGES];
	char *copy = strdup(line);

	if (!copy)
		return;
	free(*kept);
	*kept = copy;
	canvas->n_messages++;
	if (!canvas->drawn)
		return;
	screen__escape(screen, ERASE_LINE);
	put_last_message(canvas, screen);
}

void canvas__leave(struct canvas *canvas, struct screen *screen)
{
	size_t n = canvas->n_messages, first = n - min_of(n, (size_t)CANVAS_MAX_MESSAGES);

	if (canvas->drawn)
		screen__escape(screen, CURSOR_HOME ERASE_BELOW);
	if (first) {
		screen__putf(screen, STYLE_DIM, "%zu messages before these are not kept", first);
		screen__end_line(screen);
	}
	for (size_t i = first; i < n; i++) {
		screen__put(screen, STYLE_PLAIN, canvas->messages[i % CANVAS_MAX_MESSAGES]);
		screen__end_line(screen);
	}
	if (n)
		screen__end_line(screen);
	canvas__release(canvas);
}
