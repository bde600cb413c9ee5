/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_VIEW_VIEW_H
#define GLEAKD_HEAP_VIEW_VIEW_H

/* What `gleakd heap` shows of one process: how much memory there is, of what, held by whom, growing where. */
#include "heap/paths/growth.h"
#include "heap/view/memory.h"
#include "heap/paths/paths.h"

struct heap_view_type {
	char *name; /* main.session; "unknown, 64 B" */
	uint64_t objects, bytes;
	bool known;
};

/* In the order of a tree: each after the one that it hangs from, of several the largest first. */
struct heap_view_holder {
	char *path;	  /* main.sessions.m[…] */
	char *type;	  /* *main.session */
	const char *step; /* the last part of path */
	uint64_t objects, retained_bytes;
	unsigned int depth;
	bool recursive;
};

struct heap_view_growth {
	char *path;
	char *type;
	bool counted; /* entries are known */
	uint64_t entries_before, entries_after;
	uint64_t bytes_before, bytes_after;
	double per_minute; /* entries, or bytes */
};

struct heap_view {
	struct heap_memory memory;
	struct heap_view_type *types; /* by bytes, the most first */
	size_t n_types;
	struct heap_view_holder *holders;
	size_t n_holders;
	struct heap_view_growth *growing; /* by bytes, the most first */
	size_t n_growing;
	bool growth_known;	     /* there were enough looks */
	uint64_t bytes, typed_bytes; /* of live objects; those of a known type */
	uint64_t looked_ns;	     /* from the first look to the last */
};

/* heap_view__fill - all but memory, from what a scan has counted. -ENOMEM. */
int heap_view__fill(struct heap_view *view, struct heap_paths *paths, struct heap_growth *growth,
		    const struct heap_look *look) __must_check;

/* heap_view__clear - forget what heap_view__fill() made. */
void heap_view__clear(struct heap_view *view);

#endif /* GLEAKD_HEAP_VIEW_VIEW_H */
