/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_RUNTIME_RUNTIME_H
#define GLEAKD_HEAP_RUNTIME_RUNTIME_H

/*
 * Where one process's Go runtime keeps what its heap is read from. Made from a bound go_binary, or
 * by hand in tests. All addresses are the target's but where a name says otherwise.
 */
#include "base/failure.h"
#include "golang/binary.h"
#include "golang/heap_globals.h"
#include "host/remote.h"

struct heap_runtime {
	const struct go_layout *layout;
	const struct go_arch *arch;
	struct remote *remote;
	/* link-time addresses; NULL in tests: stacks are read conservatively */
	struct pclntab *tab;
	uint64_t bias; /* target address minus link-time address */
	struct page_map pages;
	uint64_t mheap;
	uint64_t queues[HEAP_GLOBALS_MAX_QUEUES]; /* see struct heap_globals */
	size_t n_queues;
	bool queues_certain;
	uint64_t allgptr, allglen;
	uint64_t allp;	   /* 0: unknown */
	uint64_t semtable; /* 0: unknown */
	uint64_t moduledata;
	uint64_t memstats, gc_controller; /* likewise: see golang/memory_globals.h */
	/* Entries of functions whose frames the collector treats in its own way, link-time; or 0. */
	uint64_t async_preempt, debug_call, sigpanic, cgocallback;
};

/*
 * heap_runtime__init - @binary must be bound and, as @remote, outlive the result.
 * Errors: as heap_globals__find().
 */
int heap_runtime__init(struct heap_runtime *runtime, struct go_binary *binary,
		       struct remote *remote, uint64_t load_bias,
		       struct failure *failure) __must_check;

#endif /* GLEAKD_HEAP_RUNTIME_RUNTIME_H */
