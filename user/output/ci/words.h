/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_CI_WORDS_H
#define GLEAKD_OUTPUT_CI_WORDS_H

/* What both formats say, as lines without decoration. Foreign bytes are in it: whoever writes it escapes. */
#include "output/ci/ci.h"

#define CI_LINE_SIZE 512

/* ci_words__fails - whether @site is a failure. */
bool ci_words__fails(const struct report_site *site, const struct ci_options *options);

/* ci_words__name - the same in each run: "goroutines of main.handle, chan send at main.ask". */
void ci_words__name(const struct report_site *site, char out[CI_LINE_SIZE]);
void ci_words__memory_name(const struct report_alloc_site *place, char out[CI_LINE_SIZE]);

/* ci_words__headline - "leaking, 99 % sure: 154 goroutines, chan send, +250 a minute". */
void ci_words__headline(const struct report_site *site, char out[CI_LINE_SIZE]);
void ci_words__memory_headline(const struct report_alloc_site *place, char out[CI_LINE_SIZE]);

/* ci_words__body - all that is known of it, with the stack, to free(); NULL without memory. */
char *ci_words__body(const struct report_site *site) __must_check;
char *ci_words__memory_body(const struct report_alloc_site *place) __must_check;

/* ci_words__line - the line of code that an annotation belongs to: the program's own if there is one. */
const struct report_frame *ci_words__line(const struct report_site *site);

/* ci_words__looked_at - "shop (pid 21007): 538 goroutines in 12 places, watched for 36s". */
void ci_words__looked_at(const struct report_target *target, char out[CI_LINE_SIZE]);

#endif /* GLEAKD_OUTPUT_CI_WORDS_H */
