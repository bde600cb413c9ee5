/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_PROGRAMS_H
#define GLEAKD_PROBE_PROGRAMS_H

/*
 * The BPF programs that probes run, and their maps: everything about probes that takes privileges.
 * Whoever holds those loads and attaches itself (programs_direct); whoever has given them up asks one that
 * holds them (broker/client.h).
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "probe/abi.h"
#include "probe/alloc_abi.h"
#include "probe/calibration.h"
#include "probe/event.h"
#include "probe/kernel.h"

/* Programs that are loaded together, and write to one ring. */
enum programs_kind {
	PROGRAMS_GOROUTINES,
	PROGRAMS_ALLOCATIONS,
	PROGRAMS_OPENINGS, /* those of allocations once more: on what is opened */
	PROGRAMS_KINDS,
};

struct programs;

/* Which program is attached to which file of which process. */
struct program_site {
	enum probe_event event; /* of PROGRAMS_GOROUTINES; the others have one program each */
	pid_t pid;
	int exe_fd; /* O_PATH will do */
};

/* To which instruction of it. */
struct program_place {
	uint64_t file_offset;
	uint64_t cookie; /* GL_COOKIE(), GL_ALLOC_COOKIE() */
};

#define PROGRAM_PLACES_MAX 128

/* Of its kind. */
union program_target {
	struct gl_target goroutines;
	struct gl_alloc_target allocations;
};

union program_counts {
	struct gl_losses goroutines;
	struct gl_alloc_counts allocations;
};

/* What a hit of an allocation costs, and what a record of it costs besides. */
struct alloc_cost {
	double hit_ns, record_ns;
};

/* What can be done here, and what a hit costs. */
struct programs_outlook {
	struct kernel_features features;
	struct calibration calibration;
	bool calibrated; /* false: it could not be found out */
};

struct programs_ops {
	int (*prepare)(struct programs_outlook *ret_outlook, struct failure *failure);
	int (*load)(enum programs_kind kind, uint32_t ring_bytes,
		    const struct kernel_features *features, struct programs **ret_programs,
		    struct failure *failure);
	void (*unload)(struct programs *programs);
	int (*ring_fd)(const struct programs *programs);
	int (*counts_fd)(const struct programs *programs);
	int (*hit_cost)(struct programs *programs, struct alloc_cost *ret_cost);
	int (*describe)(struct programs *programs, size_t slot, const union program_target *target);
	int (*counts)(const struct programs *programs, size_t slot,
		      union program_counts *ret_counts);
	int (*draw)(struct programs *programs, size_t slot, uint64_t gap);
	int (*attach)(struct programs *programs, const struct program_site *site,
		      const struct program_place *places, size_t n);
};

/*
 * With the privileges of this process. @counts_fd, which no other has: of PROGRAMS_GOROUTINES, an array of
 * GL_MAX_TARGETS struct gl_losses that can be mapped.
 */
extern const struct programs_ops programs_direct;

/* programs__use - from now on, for the whole process. @ops outlives it. */
void programs__use(const struct programs_ops *ops);

/*
 * programs__prepare - look at the kernel, and calibrate unless the folder of calibration_file.h knows.
 * Errors: as kernel__check().
 */
int programs__prepare(struct programs_outlook *ret_outlook, struct failure *failure) __must_check;

/*
 * programs__load - with a ring buffer of @ring_bytes, a power of two. Nothing is attached yet. Errors: as
 * kernel__check(); -ENOMEM; -EINVAL a verifier or size problem (the failure quotes it).
 */
int programs__load(enum programs_kind kind, uint32_t ring_bytes,
		   const struct kernel_features *features, struct programs **ret_programs,
		   struct failure *failure) __must_check;

/* programs__unload - what is attached stays, and with it the programs. NULL is fine. */
void programs__unload(struct programs *programs);

/* programs__ring_fd - belongs to @programs. */
int programs__ring_fd(const struct programs *programs);

/*
 * programs__hit_cost - of all but PROGRAMS_GOROUTINES, on this machine, measured on gleakd's own instructions: nothing
 * is attached yet, and nobody reads the ring. Errors: those of attaching, -ENODATA it was nothing.
 */
int programs__hit_cost(struct programs *programs, struct alloc_cost *ret_cost) __must_check;

/*
 * programs__describe - say what process is in slot @slot, below GL_MAX_TARGETS or GL_ALLOC_MAX_TARGETS, and
 * forget what was counted of its former owner.
 */
int programs__describe(struct programs *programs, size_t slot,
		       const union program_target *target) __must_check;

/* programs__counts - hits without a record; of allocations all hits, of all processors together. */
int programs__counts(const struct programs *programs, size_t slot,
		     union program_counts *ret_counts) __must_check;

/*
 * programs__draw - likewise: how far apart the hits of a slot are that have a record, up to
 * GL_ALLOC_MAX_GAP. Nothing of the slot is attached. Errors: -EINVAL, else the kernel's.
 */
int programs__draw(struct programs *programs, size_t slot, uint64_t gap) __must_check;

/*
 * programs__attach - to all of @n places; more than one, PROGRAM_PLACES_MAX at most, only with uprobe_multi
 * links. Returns the descriptor of a link: closing it detaches.
 */
int programs__attach(struct programs *programs, const struct program_site *site,
		     const struct program_place *places, size_t n) __must_check;

#endif /* GLEAKD_PROBE_PROGRAMS_H */
