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
#include "probe/calibration.h"
#include "probe/event.h"
#include "probe/kernel.h"

struct programs;

/* Where a program is attached: to one instruction of one process. */
struct program_site {
	enum probe_event event;
	pid_t pid;
	int exe_fd; /* O_PATH will do */
	uint64_t file_offset;
	uint64_t cookie; /* GL_COOKIE() */
};

/* What can be done here, and what a hit costs. */
struct programs_outlook {
	struct kernel_features features;
	struct calibration calibration;
	bool calibrated; /* false: it could not be found out */
};

struct programs_ops {
	int (*prepare)(struct programs_outlook *ret_outlook, struct failure *failure);
	int (*load)(uint32_t ring_bytes, const struct kernel_features *features,
		    struct programs **ret_programs, struct failure *failure);
	void (*unload)(struct programs *programs);
	int (*ring_fd)(const struct programs *programs);
	int (*describe)(struct programs *programs, size_t slot, const struct gl_target *target);
	int (*losses)(const struct programs *programs, size_t slot, struct gl_losses *ret_losses);
	int (*attach)(struct programs *programs, const struct program_site *site);
};

/* With the privileges of this process. */
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
int programs__load(uint32_t ring_bytes, const struct kernel_features *features,
		   struct programs **ret_programs, struct failure *failure) __must_check;

/* programs__unload - what is attached stays, and with it the programs. NULL is fine. */
void programs__unload(struct programs *programs);

/* programs__ring_fd - belongs to @programs. */
int programs__ring_fd(const struct programs *programs);

/* programs__describe - fill slot @slot of gl_targets, and forget what was lost of its former owner. */
int programs__describe(struct programs *programs, size_t slot,
		       const struct gl_target *target) __must_check;

int programs__losses(const struct programs *programs, size_t slot,
		     struct gl_losses *ret_losses) __must_check;

/* programs__attach - returns the descriptor of a link: closing it detaches. */
int programs__attach(struct programs *programs, const struct program_site *site) __must_check;

#endif /* GLEAKD_PROBE_PROGRAMS_H */
