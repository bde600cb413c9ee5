/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_ROOTS_FRAMES_H
#define GLEAKD_HEAP_ROOTS_FRAMES_H

/*
 * Pointer maps of frames by program counter, read once: a hundred thousand goroutines stand in a few
 * hundred places. With a limit on their memory.
 */
#include "golang/frame_map.h"
#include "heap/runtime/runtime.h"

struct heap_frames;

/* heap_frames__new - @runtime must outlive it. -ENOMEM. */
int heap_frames__new(const struct heap_runtime *runtime, uint64_t rodata,
		     struct heap_frames **ret_frames) __must_check;
void heap_frames__free(struct heap_frames *frames);

/*
 * heap_frames__get - the map of a frame whose function stands at @pc, an address of the target.
 * @panicked: its callee is sigpanic, so that it goes on at its deferred calls, if at all. NULL: it
 * is not known. Stays valid until heap_frames__free().
 */
const struct frame_map *heap_frames__get(struct heap_frames *frames, uint64_t pc, bool panicked);

#endif /* GLEAKD_HEAP_ROOTS_FRAMES_H */
