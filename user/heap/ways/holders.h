/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_WAYS_HOLDERS_H
#define GLEAKD_HEAP_WAYS_HOLDERS_H

/* What `gleakd holders` shows of one process: ways from roots, equal ones as one. */
#include "heap/ways/contexts.h"
#include "heap/ways/ways.h"

struct heap_holder_step {
	char *type;  /* of the object that it leads to; "": not known */
	char *field; /* where in what is before it the reference is: ".m[…]"; "": not known */
	uint64_t address, size;
};

struct heap_holder_path {
	enum heap_way_root kind;
	char *name; /* of the variable, or of the function whose frame it is; "": not known */
	uint64_t goid;
	struct heap_holder_step *steps; /* the last leads to what was asked about */
	size_t n_steps, left_out;	/* left out in the middle */
	/* Of the last context on the way: itself, its parent, and so on; their types belong to whoever names. */
	struct heap_context *contexts;
	size_t n_contexts;
	uint64_t objects; /* that are held this way */
	uint64_t last;	  /* the object that was counted last */
};

struct heap_holders {
	uint64_t objects; /* that were asked about */
	uint64_t held;	  /* of them: something leads to them */
	uint64_t ways;	  /* references to them, from what is alive */
	/* goroutines that were asked about and wait for nothing that could be held */
	uint64_t apart;
	struct heap_holder_path *paths; /* of most objects first, then the shortest */
	size_t n_paths, capacity;
};

/*
 * How a way is named: each is given @size bytes, and leaves "" there for what it does not know. Step
 * @before is the last that was shown (HEAP_NO_STEP: none); false: @step is a part of that which nobody
 * wants to see, unless it is the last.
 */
#define HEAP_NO_STEP SIZE_MAX

struct heap_namer {
	void (*root)(void *ctx, const struct heap_way *way, char *name, size_t size);
	bool (*step)(void *ctx, const struct heap_way *way, size_t step, size_t before, char *type,
		     char *field, size_t size);
	/* The contexts on the way, as in a path; returns how many. NULL: nobody knows. */
	size_t (*contexts)(void *ctx, const struct heap_way *way, struct heap_context *found,
			   size_t max);
	void *ctx;
};

#define HEAP_NAME_SIZE 512

/*
 * heap_holders__add - @way holds one more object; ways to the same object come one after the other.
 * -ENOMEM.
 */
int heap_holders__add(struct heap_holders *holders, const struct heap_way *way,
		      const struct heap_namer *namer) __must_check;

/* heap_holders__sort - after the last was added. */
void heap_holders__sort(struct heap_holders *holders);
void heap_holders__release(struct heap_holders *holders);

#endif /* GLEAKD_HEAP_WAYS_HOLDERS_H */
