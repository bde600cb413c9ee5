/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_COST_H
#define GLEAKD_PROBE_ALLOC_COST_H

/* Finds out what a hit of the program for allocations costs, on instructions of gleakd's own: see calibrate.h. */
#include "base/common.h"

struct bpf_program;

/* The program, and the ring that it writes to, which nobody else reads meanwhile. */
struct alloc_trial {
	const struct bpf_program *program;
	int ring_fd;
	size_t ring_bytes;
	bool uprobe_multi;
};

/*
 * alloc_cost__measure - nanoseconds of a hit of slot 0 as it is described now. Errors: those of mapping the
 * ring and of attaching; -ENODATA it was nothing.
 */
int alloc_cost__measure(const struct alloc_trial *trial, double *ret_ns) __must_check;

#endif /* GLEAKD_PROBE_ALLOC_COST_H */
