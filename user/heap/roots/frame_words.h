/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_ROOTS_FRAME_WORDS_H
#define GLEAKD_HEAP_ROOTS_FRAME_WORDS_H

/*
 * Which pointers functions that take locks or serve channels have in their frames, by the compiler's own
 * maps: a stack is full of words that nobody uses any more, of functions that have returned and of
 * goroutines that had it before.
 */
#include "golang/lock_code.h"
#include "heap/goroutines/goroutines.h"
#include "heap/roots/frames.h"

#define FRAME_WORDS_MAX 1024

struct frame_words {
	size_t n;
	struct {
		uint64_t value;
		unsigned int does; /* the function whose frame it is in: LOCK_CODE_... */
	} all[FRAME_WORDS_MAX];
};

/*
 * frame_words__read - of the goroutine @g, which does not run; @stack: a copy of @size bytes from its
 * sp on. As far as the frames can be followed.
 */
void frame_words__read(const struct heap_runtime *runtime, struct heap_frames *frames,
		       struct lock_code *code, const struct heap_g *g, const uint8_t *stack,
		       size_t size, struct frame_words *ret_words);

#endif /* GLEAKD_HEAP_ROOTS_FRAME_WORDS_H */
