/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TRACK_VERDICT_WORDS_H
#define GLEAKD_TRACK_VERDICT_WORDS_H

/* What a verdict rests on, in words: the lines of `why`. Private to verdict.c. */
#include "base/duration.h"
#include "track/verdict.h"

/* verdict_words__add - one line more, if there is room. */
void verdict_words__add(struct judgement *judgement, const char *format, ...) __printf_fmt(2, 3);

/* verdict_words__duration - @ns in @out, which is returned. */
const char *verdict_words__duration(char out[DURATION_SIZE], uint64_t ns);

/* verdict_words__leak - that @growth is one of those that stay; @judgement has how many. */
void verdict_words__leak(const struct evidence *e, const struct growth *growth,
			 struct judgement *judgement);

/* verdict_words__own - that connections came with them which the process opened, if they did. */
void verdict_words__own(const struct evidence *e, const struct growth *growth,
			struct judgement *judgement);

/* verdict_words__hold - the rule that holds a verdict back; when one is due is in .due_ns. */
void verdict_words__hold(const struct evidence *e, const struct growth_hold *hold,
			 struct judgement *judgement);

#endif /* GLEAKD_TRACK_VERDICT_WORDS_H */
