/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SCAN_PICTURE_H
#define GLEAKD_HEAP_SCAN_PICTURE_H

/*
 * One consistent picture of what a scan reads: a copy of the target's memory, without the objects
 * that hold no pointers, and the registers of its threads, all of one moment for which the target
 * stood still. The scan itself comes afterwards, when the target has long gone on.
 */
#include "heap/runtime/runtime.h"
#include "heap/roots/stacks.h"

struct heap_picture;

struct heap_picture_options {
	const char *proc_root;
	pid_t pid;
	uint64_t max_stop_ns; /* rather give up than stop the target for longer */
	uint64_t max_bytes;   /* of copy; 0: no limit */
};

struct heap_picture_figures {
	uint64_t copy_bytes;	 /* what the copy holds */
	uint64_t left_out_bytes; /* of objects without pointers */
	/* what the copy took when it was rehearsed, and the threads will */
	uint64_t expected_stop_ns;
	bool soft_dirty; /* only what was written since the first copy is copied again */
	/* Once taken: */
	uint64_t stopped_ns; /* how long the first thread stood still */
	uint64_t again_bytes;
	size_t threads;
};

/*
 * heap_picture__prepare - copy it all a first time, while the target runs. @runtime must outlive the
 * picture.
 * Errors: as memory_copy__new() and memory_copy__first(), heap_spans__start() and _step().
 */
int heap_picture__prepare(const struct heap_runtime *runtime,
			  const struct heap_picture_options *options,
			  struct heap_picture **ret_picture, struct failure *failure) __must_check;

/*
 * heap_picture__take - stop the target, copy what may have changed, let it go on. Once.
 * Errors: as process_stop__hold(); -ETIME the copy would have taken longer than allowed; -EAGAIN what
 * was read did not fit together. The target goes on in any case.
 */
int heap_picture__take(struct heap_picture *picture, struct failure *failure) __must_check;

void heap_picture__free(struct heap_picture *picture);

const struct heap_picture_figures *heap_picture__figures(const struct heap_picture *picture);

/*
 * heap_picture__runtime - the target as it was when the picture was taken, for heap_scan__new() with
 * `exact`, and its threads. Both live as long as the picture.
 */
const struct heap_runtime *heap_picture__runtime(const struct heap_picture *picture);
const struct heap_thread *heap_picture__threads(const struct heap_picture *picture, size_t *ret_n);

#endif /* GLEAKD_HEAP_SCAN_PICTURE_H */
