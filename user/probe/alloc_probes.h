/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_PROBES_H
#define GLEAKD_PROBE_ALLOC_PROBES_H

/*
 * The loaded BPF object for allocations, and what attaches it to a process. As with probes.h, the kernel
 * takes the probes away when gleakd ends, however that happens.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "golang/layout.h"
#include "probe/alloc_plan.h"
#include "probe/kernel.h"
#include "probe/links.h"
#include "probe/programs.h"
#include "probe/slots.h"

struct alloc_probes;

/* What is attached to one module of a process; all zero: nothing. */
struct alloc_links {
	size_t n;
	struct probe_link links[ALLOC_PLAN_MAX_SITES];
};

/*
 * alloc_probes__new - load the program; nothing is attached yet. @kind: PROGRAMS_ALLOCATIONS or
 * PROGRAMS_OPENINGS, of which there is one each at a time. @ring_bytes: a power of two. Errors: as
 * kernel__check(); -ENOMEM; -EPERM; -EINVAL the kernel refuses it (the failure quotes it).
 */
int alloc_probes__new(enum programs_kind kind, const struct kernel_features *features,
		      uint32_t ring_bytes, struct alloc_probes **ret_probes,
		      struct failure *failure) __must_check;
/* alloc_probes__free - after all links. NULL is fine. */
void alloc_probes__free(struct alloc_probes *probes);

/* alloc_probes__ring_fd - map descriptor of the ring buffer of struct gl_alloc. */
int alloc_probes__ring_fd(const struct alloc_probes *probes);

/*
 * alloc_probes__describe - tell the program what process @pid is in @slot, below GL_ALLOC_MAX_TARGETS.
 * Errors: -EINVAL the layout does not fit the ABI, else the kernel's.
 */
int alloc_probes__describe(struct alloc_probes *probes, size_t slot, const struct go_layout *layout,
			   pid_t pid, const struct alloc_recording *recording,
			   struct failure *failure) __must_check;

/*
 * alloc_probes__attach - all sites of @plan, in the file of @exe_fd (O_PATH will do); on failure
 * nothing is attached. Errors:
 * -ESRCH gone, -EPERM, else the kernel's refusal.
 */
int alloc_probes__attach(struct alloc_probes *probes, size_t slot, const struct alloc_plan *plan,
			 pid_t pid, int exe_fd, struct alloc_links *links,
			 struct failure *failure) __must_check;

/*
 * alloc_links__detach - no hit comes after it returns, for which the kernel waits some tens of ms;
 * harmless when nothing is attached.
 */
void alloc_links__detach(struct alloc_links *links);

/*
 * alloc_probes__cost - of this machine, measured on gleakd's own instructions before anybody else is hit;
 * usual figures where that does not work. Nobody reads the ring meanwhile.
 */
struct alloc_cost alloc_probes__cost(struct alloc_probes *probes);

/*
 * alloc_probes__draw - from now on one hit of @slot per @gap bytes allocated has a record (alloc_draws.h); 0:
 * each one. Nothing of it may be attached.
 */
int alloc_probes__draw(struct alloc_probes *probes, size_t slot, uint64_t gap) __must_check;

/* alloc_probes__counts - hits of @slot on all processors, so far; gap is that of a processor that draws. */
int alloc_probes__counts(const struct alloc_probes *probes, size_t slot,
			 struct gl_alloc_counts *ret_counts) __must_check;

#endif /* GLEAKD_PROBE_ALLOC_PROBES_H */
