/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_LEGEND_H
#define GLEAKD_OUTPUT_TEXT_LEGEND_H

/* The words of a report, explained to whom it is the first. */
#include "output/text/screen.h"

struct legend_word {
	const char *word, *meaning;
	bool in_overview; /* a table of processes has it */
};

extern const struct legend_word legend_words[];
extern const size_t n_legend_words;

/* legend__lines - that legend__put() takes on a screen that is wide enough. */
size_t legend__lines(bool overview);

/* legend__put - a line a word; with @overview those that a table of processes has. */
void legend__put(struct screen *screen, bool overview);

#endif /* GLEAKD_OUTPUT_TEXT_LEGEND_H */
