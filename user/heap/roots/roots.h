/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_ROOTS_ROOTS_H
#define GLEAKD_HEAP_ROOTS_ROOTS_H

/*
 * What a heap hangs from but for the stacks: the variables of all modules by their pointer masks, the
 * queues of finalizers and cleanups, what finalizers, cleanups and weak pointers keep, and the
 * runtime's processors (src/runtime/mgcmark.go markroot). Each part can be read whole, or it counts as
 * unreadable: then nothing can be proven by this scan.
 *
 * The collector's own work buffers are no roots: what is only in them the program cannot get at.
 */
#include "heap/mark/mark.h"
#include "heap/runtime/modules.h"
#include "heap/spans/specials.h"

struct heap_roots;

struct heap_root_totals {
	uint64_t globals_bytes;
	uint64_t specials;
	uint64_t queued; /* finalizers and cleanups that are to be run */
	uint64_t processors;
	uint64_t unreadable; /* parts of roots */
};

/* heap_roots__new - all four must outlive it. -ENOMEM. */
int heap_roots__new(const struct heap_runtime *runtime, const struct heap_modules *modules,
		    struct heap_spans *spans, struct heap_mark *mark,
		    struct heap_roots **ret_roots) __must_check;
void heap_roots__free(struct heap_roots *roots);

/* heap_roots__globals - mark from variables, as heap_spans__step(). Starts again after its end. */
int heap_roots__globals(struct heap_roots *roots, uint64_t budget_ns) __must_check;

/* heap_roots__specials - mark from specials and queues, as heap_spans__step(). */
int heap_roots__specials(struct heap_roots *roots, uint64_t budget_ns) __must_check;

/*
 * heap_roots__hide_processors - keep what only the runtime's processors hold (timers, caches) from
 * being marked until heap_roots__processors(), to be able to tell it from variables of the program.
 */
int heap_roots__hide_processors(struct heap_roots *roots) __must_check;
int heap_roots__processors(struct heap_roots *roots) __must_check;

/* heap_roots__list - addresses of the processors, once they are hidden. */
const uint64_t *heap_roots__list(const struct heap_roots *roots, size_t *ret_n);

const struct heap_root_totals *heap_roots__totals(const struct heap_roots *roots);

#endif /* GLEAKD_HEAP_ROOTS_ROOTS_H */
