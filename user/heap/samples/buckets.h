/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_SAMPLES_BUCKETS_H
#define GLEAKD_HEAP_SAMPLES_BUCKETS_H

/*
 * Buckets of the runtime's memory profile: one per allocation stack and size of object, with counts of
 * what was sampled there (src/runtime/mprof.go). They are never freed and hold each other in a list,
 * the newest first. The target goes on counting while they are read.
 *
 * Counts are kept in four parts, one that is published and three that will be with later collections;
 * their sum is what happened so far. A collection moves counts from one part to another, so a bucket
 * is believed when two readings of it are the same.
 */
#include "heap/runtime/runtime.h"

struct heap_sample_bucket {
	uint64_t address;	/* of the runtime's struct */
	uint64_t size;		/* bytes of each object, rounded up to its size class */
	uint64_t allocs, frees; /* sampled objects so far */
	uint64_t live;		/* of those, as far as the specials of spans tell: see samples.h */
	uint64_t dead;
	uint64_t object; /* address of a live one; 0: there is none */
	uint32_t first_pc, n_pcs;
	bool tried, read; /* it was asked for; it is a bucket */
};

struct sample_bucket_totals {
	uint64_t read;
	uint64_t refused;    /* beyond the limits */
	uint64_t unreadable; /* the list ends there */
	uint64_t invalid;    /* no bucket of the memory profile */
	uint64_t unsteady;   /* counted anew each time it was read */
};

struct sample_buckets {
	const struct heap_runtime *runtime;
	struct heap_sample_bucket *all;
	uint64_t *pcs; /* return addresses, the target's */
	size_t n, n_pcs;
	struct sample_bucket_totals totals;
	/* Of the implementation. */
	struct index *index; /* by address */
	size_t capacity, pcs_capacity, max, max_pcs;
	uint64_t next;	/* of the list */
	size_t n_known; /* of `all`, how many were looked at by sample_buckets__step_known() */
	struct sample_window *windows;
	uint32_t oldest; /* window that is replaced next */
};

/* sample_buckets__init - empty. @max: buckets, 0: 262,144. @runtime must outlive it. -ENOMEM. */
int sample_buckets__init(struct sample_buckets *buckets, const struct heap_runtime *runtime,
			 size_t max) __must_check;
void sample_buckets__destroy(struct sample_buckets *buckets);

/*
 * sample_buckets__named - number of the bucket at @address, which an object names; it is added where it
 * is new. Errors: -ENOSPC beyond the maximum (counted), -ENOMEM.
 */
int sample_buckets__named(struct sample_buckets *buckets, uint64_t address,
			  uint32_t *ret_number) __must_check;

/* sample_buckets__start - the list begins at the address of a bucket @first; 0: it is empty. */
void sample_buckets__start(struct sample_buckets *buckets, uint64_t first);

/* sample_buckets__step - read on in the list. 1: there is more; 0: its end; -ESRCH, -ENOMEM. */
int sample_buckets__step(struct sample_buckets *buckets, uint64_t budget_ns) __must_check;

/* sample_buckets__step_known - read what was named and is not in the list. As above. */
int sample_buckets__step_known(struct sample_buckets *buckets, uint64_t budget_ns) __must_check;

#endif /* GLEAKD_HEAP_SAMPLES_BUCKETS_H */
