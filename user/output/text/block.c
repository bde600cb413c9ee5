// SPDX-License-Identifier: Apache-2.0
#include "output/text/block.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "output/shorten.h"

#define LABEL_COLUMNS 12 /* "created at" and two blanks */
#define MAX_FRAMES    128
#define MIN_PATH      34 /* what a function's name leaves for its path */
#define MIN_FILE      8	 /* a location in fewer columns says nothing */

/* In a pipe, where names are never cut, a longer one is out of line with the others. */
#define MAX_ALIGNED 60

#define INLINED " (inlined)"

void text_part__label(struct screen *screen, const char *label)
{
	screen__to(screen, BLOCK_INDENT);
	screen__put(screen, STYLE_DIM, label);
	screen__to(screen, BLOCK_INDENT + LABEL_COLUMNS);
}

void text_part__widen_to(unsigned int *column, size_t width, unsigned int limit)
{
	*column = max_of(*column, (unsigned int)min_of(width, (size_t)limit));
}

void text_part__widen(unsigned int *column, const char *text, unsigned int limit)
{
	text_part__widen_to(column, utf8__width(text), limit);
}

unsigned int text_part__function_limit(const struct screen *screen, unsigned int location)
{
	unsigned int room = screen->options.columns - (BLOCK_INDENT + LABEL_COLUMNS) - 2;

	if (screen->options.whole)
		return MAX_ALIGNED;
	/* On a narrow screen they share. */
	return max_of(room - min_of(room, location), room / 2);
}

static size_t module_width(const struct report_frame *frame)
{
	const char *module = report__text(frame->module);

	return *module ? utf8__width(module) + strlen(": ") : 0;
}

size_t text_part__function_width(const struct report_frame *frame)
{
	return module_width(frame) + utf8__width(frame->function);
}

void text_part__function(struct screen *screen, enum style style, const struct report_frame *frame,
			 unsigned int columns)
{
	unsigned int module = (unsigned int)min_of(module_width(frame), (size_t)columns);

	if (module) {
		screen__put(screen, style, frame->module);
		screen__put(screen, style, ": ");
	}
	screen__put_function(screen, style, frame->function, columns - module);
}

void text_part__frame(struct screen *screen, enum style style, const struct report_frame *frame,
		      unsigned int function_columns, bool whole_path)
{
	unsigned int location = screen->column + function_columns + 2;
	unsigned int note = whole_path && frame->inlined ? (unsigned int)strlen(INLINED) : 0;
	const char *file = report__text(frame->file);

	text_part__function(screen, style, frame, function_columns);
	if (*file && (screen->options.whole || screen__room(screen) >= 2 + MIN_FILE + note)) {
		screen__next(screen, location);
		screen__put_location(screen, style, whole_path ? file : text__base_name(file),
				     frame->line, screen__room(screen) - note);
	}
	if (note)
		screen__put(screen, STYLE_DIM, INLINED);
}

void text_part__labelled_frame(struct screen *screen, const char *label,
			       const struct report_frame *frame, unsigned int function_columns)
{
	text_part__label(screen, label);
	if (report__frame_known(frame))
		text_part__frame(screen, STYLE_PLAIN, frame, function_columns, false);
	else
		screen__put(screen, STYLE_DIM, "not known");
	screen__end_line(screen);
}

/* The service's own frames stand out; those that were inlined have no frame on the real stack. */
void text_part__stack(struct screen *screen, const struct report_site *site)
{
	unsigned int limit = text_part__function_limit(screen, MIN_PATH), width = MIN_FUNCTION;
	size_t shown = min_of(site->n_stack, (size_t)MAX_FRAMES);

	for (size_t i = 0; i < shown; i++) {
		if (report__frame_known(&site->stack[i]))
			text_part__widen_to(&width, text_part__function_width(&site->stack[i]),
					    limit);
	}
	for (size_t i = 0; i < shown; i++) {
		struct report_frame frame = site->stack[i];

		text_part__label(screen, i == 0 ? "stack" : "");
		if (!report__frame_known(&frame))
			frame.function = "?";
		text_part__frame(screen, frame.own ? STYLE_BOLD : STYLE_PLAIN, &frame, width, true);
		screen__end_line(screen);
	}
	if (shown < site->n_stack) {
		text_part__label(screen, "");
		screen__putf(screen, STYLE_DIM, "and %zu more frames", site->n_stack - shown);
		screen__end_line(screen);
	}
}
