/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_TARGET_SAMPLES_H
#define GLEAKD_SESSION_TARGET_SAMPLES_H

/*
 * Where a target allocates its memory, by what its runtime's memory profiler has sampled. The first
 * and the latest reading are kept, and what became of the sampled objects in between.
 */
#include "heap/paths/paths.h"
#include "heap/samples/samples.h"
#include "session/target_view.h"
#include "track/alloc_history.h"

/* How many of a bucket's live samples stand at one node of the path tree of the heap. */
struct sample_place {
	uint64_t bucket; /* its address */
	uint16_t node;
	uint32_t samples;
};

/* A bucket is the same struct of the runtime's in both: its address tells. */
struct target_samples {
	struct heap_samples *first, *last; /* last: NULL, there is none; first: as last after one */
	struct failure missing;		   /* why the latest reading gave nothing; "" */
	struct alloc_history *history;
	struct sample_place *places; /* of the last reading, by bucket; none before a scan */
	size_t n_places;
};

/*
 * target_samples__take - read them once. That there are none, or that they cannot be read, is no error:
 * the result says why. Errors: -EINTR given up, -ESRCH, -ENOMEM.
 */
int target_samples__take(struct target *target, const struct target_view_options *options,
			 struct failure *failure) __must_check;

/*
 * target_samples__locate - where in the heap the samples of the last reading hang, by a scan whose spans
 * are @spans and whose objects @paths has counted. Without memory nothing is known of it.
 */
void target_samples__locate(struct target *target, const struct heap_spans *spans,
			    const struct heap_paths *paths);

/* target_samples__get - NULL: nobody asked. */
const struct target_samples *target_samples__get(const struct target *target);

/* target_samples__close - part of target__free(). */
void target_samples__close(struct target *target);

#endif /* GLEAKD_SESSION_TARGET_SAMPLES_H */
