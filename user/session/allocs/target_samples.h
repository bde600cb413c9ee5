/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_TARGET_SAMPLES_H
#define GLEAKD_SESSION_ALLOCS_TARGET_SAMPLES_H

/*
 * Where a target allocates its memory, by what its runtime's memory profiler has sampled. The first
 * and the latest reading are kept, and what became of the sampled objects in between.
 */
#include "heap/paths/paths.h"
#include "heap/samples/samples.h"
#include "session/heap/target_places.h"
#include "session/heap/target_view.h"
#include "track/alloc_history.h"

struct target_samples_options {
	uint64_t max_heap_bytes; /* as in heap/scan.h */
	/* For those that are read again and again while the target is watched; 0: for a few looks. */
	uint64_t period_ns;	/* from look to look */
	uint64_t min_window_ns; /* as in struct alloc_evidence */
};

/* A bucket is the same struct of the runtime's in both: its address tells. */
struct target_samples {
	/* last: NULL, there is none; first: as last after one, and of those read again and again. */
	struct heap_samples *first, *last;
	struct failure missing; /* why the latest reading gave nothing; "" */
	struct alloc_history *history;
	uint64_t min_window_ns;
	bool again;		     /* they are read again and again */
	struct object_places places; /* of the last reading; none before a scan */
	uint64_t changed_ns; /* monotonic: when any of that was another; never twice the same */
	/* For target_samples.c. */
	struct heap_samples *reading; /* under way */
	uint64_t cpu_ns;	      /* what the latest reading took */
};

/*
 * target_samples__start - begin to read them. target_samples__step goes on for about @budget_ns (0: to
 * the end): 1 there is more, 0 it is done. That there are none, or that they cannot be read, is no error: the
 * result says why. Errors: -ESRCH, -ENOMEM.
 */
int target_samples__start(struct target *target, const struct target_samples_options *options,
			  struct failure *failure) __must_check;
int target_samples__step(struct target *target, uint64_t budget_ns,
			 struct failure *failure) __must_check;

/* target_samples__take - read them once, to the end. Errors: also -EINTR given up. */
int target_samples__take(struct target *target, const struct target_view_options *options,
			 struct failure *failure) __must_check;

/* target_samples__is_reading - a reading has begun and not ended; what the latest took of a processor. */
bool target_samples__is_reading(const struct target *target);
uint64_t target_samples__cpu_ns(const struct target *target);

/* target_samples__are_due - whether a reading now would tell more than the last one did. */
bool target_samples__are_due(struct target *target, uint64_t now_ns);

/*
 * target_samples__know - tell @paths of what type the samples of the last reading are. Without memory, or
 * without samples, nothing more is known.
 */
void target_samples__know(const struct target *target, struct heap_paths *paths);

/* target_samples__objects - those that the last reading has found alive, for the caller to free. NULL: no memory. */
struct alloc_object *target_samples__objects(const struct target *target, size_t *ret_n);

/* target_samples__note_change - what is known of them has become another. */
void target_samples__note_change(struct target *target);

/*
 * target_samples__history - for what an earlier gleakd knew, or of what this one knows; made when @make
 * says so. NULL: there is none, or no memory.
 */
struct alloc_history *target_samples__history(struct target *target, bool make);

/*
 * target_samples__rate - how many bytes the runtime allocates from one sample to the next, now; 0: it takes
 * none, or it is not known whether it does. Errors: as profile_globals__find(), -ESRCH.
 */
int target_samples__rate(struct target *target, uint64_t *ret_rate,
			 struct failure *failure) __must_check;

/* target_samples__get - NULL: nobody asked. _kept: to be told of, as target_places__told() has it. */
const struct target_samples *target_samples__get(const struct target *target);
struct target_samples *target_samples__kept(struct target *target);

/* target_samples__close - part of target__free(). */
void target_samples__close(struct target *target);

#endif /* GLEAKD_SESSION_ALLOCS_TARGET_SAMPLES_H */
