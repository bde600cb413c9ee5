/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_MEMORY_COPY_PRIVATE_H
#define GLEAKD_HOST_MEMORY_COPY_PRIVATE_H

/* What memory_copy.c (what is mapped) and memory_copy_pages.c (what of it is read) share. */
#include <pthread.h>

#include "host/memory_copy.h"
#include "host/pagemap.h"

/* One look at the page map, and what one thread takes: 16 MiB of the process at pages of 4 KiB. */
#define LOOK_PAGES 4096
#define BATCH_RUNS 64
/* One read: large enough that copying is what it costs, small enough to keep a deadline. */
#define RUN_BYTES (1u << 20)

enum pass {
	PASS_FIRST,
	PASS_REHEARSAL, /* like the last one, while the process runs */
	PASS_LAST,	/* the process stands still */
};

struct region {
	uint64_t start, end;
	uint8_t *data;	/* as large as the mapping; pages that are not copied cost nothing */
	bool shared;	/* it is a part of memory_copy.shared */
	bool from_file; /* pages that are not present have contents all the same */
	bool constant;	/* not writable */
	uint8_t *skip;	/* a bit for each page: not wanted, ... */
	uint8_t *have;	/* copied, ... */
	uint8_t *still; /* copied while the process stood still */
};

/* The runs of pages that are read with one call. */
struct page_batch {
	struct remote_span runs[BATCH_RUNS];
	struct region *regions[BATCH_RUNS];
	size_t n;
	uint64_t bytes, max_bytes;
	bool shared; /* the regions' */
};

/* What one thread has for itself. */
struct worker {
	struct memory_copy *copy;
	pthread_t thread;
	struct page_batch batch;
	uint64_t entries[LOOK_PAGES];
	uint64_t cpu_ns; /* of the pass under way, or the last one */
	int err;
};

/* What is still to be copied by a pass of all workers; a piece has at most LOOK_PAGES. */
struct pieces {
	pthread_mutex_t lock;
	size_t region;
	uint64_t page, deadline_ns;
	bool failed;
};

struct memory_copy {
	struct memory_copy_options options;
	struct memory_copy_totals totals;
	struct pagemap pagemap;
	uint64_t page;
	struct region *regions; /* by address */
	size_t n, capacity;
	enum pass pass;	    /* under way */
	size_t next;	    /* of the first pass: region ... */
	uint64_t next_page; /* ... and page in it */
	struct remote *image;
	/* Room for what was mapped when the copy began, and for some more: access__share(); or NULL. */
	uint8_t *shared;
	size_t shared_size, shared_used;
	struct pieces pieces;
	struct worker *workers;
	size_t n_workers;
};

static inline bool bit(const uint8_t *bits, uint64_t i)
{
	return bits[i / 8] >> i % 8 & 1;
}

static inline void set_bit(uint8_t *bits, uint64_t i)
{
	bits[i / 8] |= (uint8_t)(1 << i % 8);
}

static inline uint64_t n_pages(const struct memory_copy *copy, const struct region *region)
{
	return (region->end - region->start) / copy->page;
}

/* memory_copy__read_maps - add what is mapped by now. As memory_copy__new(). */
int memory_copy__read_maps(struct memory_copy *copy);

#endif /* GLEAKD_HOST_MEMORY_COPY_PRIVATE_H */
