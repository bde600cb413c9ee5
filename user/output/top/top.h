/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TOP_TOP_H
#define GLEAKD_OUTPUT_TOP_TOP_H

/*
 * What `gleakd top` shows: the processes, the sites of one of them, and one site with all that is known
 * of it. Pure: told of reports and keys, asked what a screen of some size shows.
 */
#include "output/report.h"
#include "output/top/frame.h"

struct top;

struct top_options {
	bool ascii;
	bool alone; /* one process was named: begin with its sites */
};

/* Keys beside those that are characters. */
enum top_key {
	TOP_KEY_UP = 0x110000, /* behind the last character of Unicode */
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_BACK, /* left, Escape */
	TOP_KEY_TAB,
	TOP_KEY_BACKSPACE,
};

/* top__new - -ENOMEM. */
int top__new(const struct top_options *options, struct top **ret_top) __must_check;
void top__free(struct top *top);

/* top__take - @report is what is shown from now on, unless it is paused; copied. -ENOMEM. */
int top__take(struct top *top, const struct report *report) __must_check;

/* top__message - what gleakd itself has to say; the latest is shown. */
void top__message(struct top *top, const char *line);

/* top__urgent_message - one that is replaced by its like alone, until a key is pressed. */
void top__urgent_message(struct top *top, const char *line);

/* top__key - an enum top_key, or a character. */
void top__key(struct top *top, uint32_t key);

/* top__click - on a row of the last frame: the first chooses what is there, the second opens it. */
void top__click(struct top *top, unsigned int row);

/* top__wants_end - somebody has pressed q. */
bool top__wants_end(const struct top *top);

/* top__draw - into @frame, which is made @columns by @rows. -ENOMEM. */
int top__draw(struct top *top, struct top_frame *frame, unsigned int columns,
	      unsigned int rows) __must_check;

#endif /* GLEAKD_OUTPUT_TOP_TOP_H */
