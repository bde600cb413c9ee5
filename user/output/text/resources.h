/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_RESOURCES_H
#define GLEAKD_OUTPUT_TEXT_RESOURCES_H

/* What a process has opened and not closed, for `gleakd resources`. */
#include "output/text/news.h"
#include "output/text/screen.h"
#include "track/resources.h"

/* text_part__resources - @all: every place, not only what grows and the largest. */
void text_part__resources(struct screen *screen, const struct resource_lines *lines, bool all);

/* text_part__told_resources - how many places a watch tells of: those that grow, and behind them pools of no use. */
size_t text_part__told_resources(const struct resource_lines *lines);

/*
 * text_part__growing_resources - the first @max places where what is open only ever becomes more,
 * and as many pools of no use, how many more there are, and a blank line behind each; nothing where
 * there are none, or for NULL.
 */
void text_part__growing_resources(struct screen *screen, const struct resource_lines *lines,
				  size_t max);

/*
 * text_part__resource_news - those of them that @news has not printed, @max at most, each with a
 * blank line before it.
 */
void text_part__resource_news(struct screen *screen, const struct text_news *news,
			      const struct report_target *target, size_t max);

/* text_part__resource - all that is known of one place. */
void text_part__resource(struct screen *screen, const struct resource_lines *lines,
			 const struct resource_line *line);

/* text_part__resource_id - 8 hex digits for it, by its kind and what held it first. */
void text_part__resource_id(const struct resource_line *line, char id[9]);

/* text_part__resource_holder - in words, where nothing has a name. */
const char *text_part__resource_holder(const struct resource_line *line);

#endif /* GLEAKD_OUTPUT_TEXT_RESOURCES_H */
