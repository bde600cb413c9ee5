/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_TEXT_SITE_COLUMNS_H
#define GLEAKD_OUTPUT_TEXT_SITE_COLUMNS_H

/*
 * What a line says of a site, and how wide that is in lines that stand under one another.
 */
#include "output/report.h"
#include "base/number.h"
#include "output/text/screen.h"

#define SITE_ID_COLUMNS 8
#define MAX_VERDICT	10
#define MAX_WAIT	28 /* "sync.RWMutex.RLock" and nearly all of the runtime's other words */

/* Column widths of headlines that stand under one another. */
struct site_columns {
	unsigned int verdict, confidence, count, wait, growth, function;
};

/* text_part__columns_add - make room for @site. Start with all zero. */
void text_part__columns_add(struct site_columns *columns, const struct report_site *site);

/* text_part__wait_words - the runtime's, or what there is to say without one. */
const char *text_part__wait_words(const struct report_site *site);

/*
 * text_part__growth_words - "+120/min", "-0.5/min"; "" when steady. Those that are stuck do not get
 * more, others join them: "12 more/min". What is idle or active is so because its number does not
 * rise, as far as that can be told: a slope through few points would only contradict it.
 */
#define SITE_GROWTH_SIZE (NUMBER_RATE_SIZE + sizeof(" more/min"))
void text_part__growth_words(const struct report_site *site, char out[SITE_GROWTH_SIZE]);

/*
 * text_part__runs - what the go statement runs, "" when not known. For `go f(x)` the start function
 * is a wrapper that the compiler made (cmd/compile/internal/ir/func.go, "gowrap"); what it
 * calls, the outermost frame of the park stack, says more.
 */
const char *text_part__runs(const struct report_site *site);

/*
 * text_part__site_name - what names it best: where it waits when that is the service's own code, else
 * what it runs. A hundred sites of any service wait in net.(*netFD).Read.
 */
const char *text_part__site_name(const struct report_site *site);

/*
 * text_part__wait_and_growth - those two columns, from @column on. Returns where the next begins.
 */
unsigned int text_part__wait_and_growth(struct screen *screen, const struct site_columns *columns,
					const struct report_site *site, unsigned int column);

enum style text_part__verdict_style(const struct report_site *site);

#endif /* GLEAKD_OUTPUT_TEXT_SITE_COLUMNS_H */
