/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_HEAP_GLOBALS_H
#define GLEAKD_GOLANG_HEAP_GLOBALS_H

/*
 * Addresses of those variables of the runtime from which its heap is read. With a .symtab they are
 * looked up. Without, they are recovered from the functions that use them, as globals.h does it.
 */
#include "base/failure.h"
#include "golang/arch.h"
#include "golang/binary.h"

#define HEAP_GLOBALS_MAX_QUEUES 64

/* src/runtime/malloc.go, mheap.go: linux on amd64 and arm64, the same from Go 1.18 to 1.27. */
#define GO_PAGE_SHIFT  13
#define GO_PAGE_SIZE   (1u << GO_PAGE_SHIFT)
#define GO_ARENA_SHIFT 26 /* 64 MiB */
#define GO_ARENA_SIZE  (1u << GO_ARENA_SHIFT)
#define GO_ARENA_PAGES (GO_ARENA_SIZE / GO_PAGE_SIZE)
#define GO_HEAP_BITS   48 /* heapAddrBits */
#define GO_N_ARENAS    (1u << (GO_HEAP_BITS - GO_ARENA_SHIFT))

/* Link-time addresses. */
struct heap_globals {
	uint64_t mheap; /* runtime.mheap_ */
	/*
	 * Words that hold the first block of the queue of finalizers (runtime.allfin) or of cleanups
	 * (runtime.gcCleanups.all, from Go 1.25 on). Where only code tells, both are among others,
	 * which do not point at anything that looks like a block.
	 */
	uint64_t queues[HEAP_GLOBALS_MAX_QUEUES];
	size_t n_queues;
	bool queues_certain; /* they are these two, in this order */
};

/*
 * heap_globals__find - @binary must be bound; @remote and @load_bias stand for a process that runs
 * it. mheap_ is verified: its allspans are spans, and the page map leads back to them.
 * Errors: -EOPNOTSUPP not found, or the layout lacks what it takes (the failure says what), -EAGAIN
 * the heap is not set up yet, -ESRCH, -ENOMEM.
 */
int heap_globals__find(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
		       struct heap_globals *ret_globals, struct failure *failure) __must_check;

/* The page map: from the address of a page to the span it belongs to. Addresses are the target's. */
struct page_map {
	struct remote *remote;
	uint64_t arenas;      /* mheap_.arenas[0], array of *heapArena */
	uint64_t base_offset; /* arenaBaseOffset, subtracted from an address */
	uint32_t spans;	      /* offset in a heapArena */
};

/* page_map__open - of the mheap_ at the target's address @mheap. -EFAULT, -ESRCH, -EAGAIN none yet. */
int page_map__open(struct page_map *map, struct remote *remote, const struct go_layout *layout,
		   const struct go_arch *arch, uint64_t mheap) __must_check;

/* page_map__arena - the heapArena of @address; 0: none. -EFAULT, -ESRCH. */
int page_map__arena(const struct page_map *map, uint64_t address, uint64_t *ret_arena) __must_check;

/* page_map__span - the mspan whose page @address is in; 0: none. -EFAULT, -ESRCH. */
int page_map__span(const struct page_map *map, uint64_t address, uint64_t *ret_mspan) __must_check;

#endif /* GLEAKD_GOLANG_HEAP_GLOBALS_H */
