/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SAMPLES_MARKS_H
#define GLEAKD_HEAP_SAMPLES_MARKS_H

/*
 * Which sampled objects are alive, by the allocator's bits and the collector's marks of their spans.
 * Until a span is swept its dead objects have their records still.
 */
#include "heap/spans/spans.h"

enum sample_state {
	SAMPLE_NOT_SETTLED,
	SAMPLE_LIVE,
	SAMPLE_DEAD, /* the last mark did not find it, or it was swept since its record was read */
	SAMPLE_UNCERTAIN, /* its span was swept again and again */
	SAMPLE_GONE,	  /* its span was freed */
};

struct sample_object {
	uint32_t span, index;
	uint32_t bucket; /* of whoever has it */
	enum sample_state state;
};

/*
 * sample_marks__settle - the states of @objects, which are in the order of their spans, from *@next on,
 * which is moved on. 1: there are more; 0: none; -ESRCH, -ENOMEM.
 */
int sample_marks__settle(const struct heap_spans *spans, struct sample_object *objects, size_t n,
			 size_t *next, uint64_t budget_ns) __must_check;

#endif /* GLEAKD_HEAP_SAMPLES_MARKS_H */
