/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_BLOCK_H
#define GLEAKD_OUTPUT_TEXT_BLOCK_H

/*
 * The lines of a site's block: a label, and what it is about.
 */
#include "output/report.h"
#include "output/text/screen.h"

/* Where the lines of a block begin: "LEAKING" and two blanks. */
#define BLOCK_INDENT 9
#define MIN_FUNCTION 12

/* text_part__label - begin a line of a site's block: "created at", or "" for one that goes on. */
void text_part__label(struct screen *screen, const char *label);

/* text_part__widen - make @column wide enough for @text or @width, @limit at most. */
void text_part__widen(unsigned int *column, const char *text, unsigned int limit);
void text_part__widen_to(unsigned int *column, size_t width, unsigned int limit);

/*
 * text_part__function - as screen__put_function(), with "plugin.so: " before it where @frame is in a
 * plugin. text_part__function_width - how wide that is with all of its path.
 */
void text_part__function(struct screen *screen, enum style style, const struct report_frame *frame,
			 unsigned int columns);
size_t text_part__function_width(const struct report_frame *frame);

/* text_part__function_limit - columns for functions that leave @location columns beside them. */
unsigned int text_part__function_limit(const struct screen *screen, unsigned int location);

/*
 * text_part__frame - function and "file.go:42" on the open line, if there is room for that. With
 * @whole_path as much of the path as there is room for, and a word when the frame was inlined.
 */
void text_part__frame(struct screen *screen, enum style style, const struct report_frame *frame,
		      unsigned int function_columns, bool whole_path);

/* text_part__labelled_frame - a labelled line: @frame, or that it is not known. */
void text_part__labelled_frame(struct screen *screen, const char *label,
			       const struct report_frame *frame, unsigned int function_columns);

/* text_part__stack - the park stack, one line a frame. */
void text_part__stack(struct screen *screen, const struct report_site *site);

#endif /* GLEAKD_OUTPUT_TEXT_BLOCK_H */
