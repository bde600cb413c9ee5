/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_ALLOCS_ALLOC_PACES_H
#define GLEAKD_SESSION_ALLOCS_ALLOC_PACES_H

/*
 * Windows on refills (track/alloc_pace.h), of targets in which somebody does nothing but allocate; in turns with those
 * on each allocation, and never both at a time.
 */
#include "probe/alloc_probes.h"
#include "probe/alloc_windows.h"
#include "session/allocs/alloc_modules.h"
#include "session/target.h"

struct target_allocs;

struct alloc_paces {
	/* ALLOC_MAX_MODULES of them; NULL: it was not needed so far. */
	struct alloc_module *modules;
	size_t n_modules;
	bool wanted;
	bool fails; /* it cannot be done */
	bool attached;
	bool settles; /* the window has been closed, and not all of its records are read yet */
	struct alloc_windows windows;
	uint64_t opened_ns, closed_ns; /* of the latest window; closed UINT64_MAX: it is open */
	uint64_t lost;		       /* when it began */
	uint16_t classes;	       /* GL_ALLOC_REFILL_BIT()s that are seen */
	uint64_t n_windows;
	uint64_t records;
	uint64_t hits;	  /* before the latest window */
	uint64_t skipped; /* all of the target's by then */
};

/*
 * alloc_paces__turn - open or close a window where it is time for that. @rests: none is to be open; @wanted: one on
 * each allocation is, or goes on. Returns whether it may. What was in the ring until @now_ns has been read.
 */
bool alloc_paces__turn(struct target *target, struct alloc_probes *probes, bool rests, bool wanted,
		       uint64_t now_ns);

/* alloc_paces__reads - there may be records of theirs. */
static inline bool alloc_paces__reads(const struct alloc_paces *paces)
{
	return paces->attached || paces->settles;
}

/* alloc_paces__share - what windows may cost is for both kinds, where both are wanted. */
void alloc_paces__share(struct target_allocs *allocs);

/* alloc_paces__take - a record of theirs. */
void alloc_paces__take(struct target *target, const struct gl_alloc *record);

/* alloc_paces__hits - theirs, of those of the target's that are skipped. */
uint64_t alloc_paces__hits(const struct target_allocs *allocs);

/* alloc_paces__cost_ns - of the target's CPU time, by all of them so far. */
double alloc_paces__cost_ns(const struct target_allocs *allocs);

/* alloc_paces__close - detach, and forget; part of target_allocs__close(). */
void alloc_paces__close(struct alloc_paces *paces);

#endif /* GLEAKD_SESSION_ALLOCS_ALLOC_PACES_H */
