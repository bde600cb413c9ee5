/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_ALLOC_COST_H
#define GLEAKD_PROBE_ALLOC_COST_H

/* Finds out what a hit of the program for allocations costs, on instructions of gleakd's own: see calibrate.h. */
#include "base/common.h"

struct bpf_program;

/*
 * alloc_cost__measure - nanoseconds of a hit of @program, which writes to the ring of @ring_bytes with
 * descriptor @ring_fd, or 0. Nobody else reads the ring meanwhile.
 */
double alloc_cost__measure(const struct bpf_program *program, int ring_fd, size_t ring_bytes,
			   bool uprobe_multi);

#endif /* GLEAKD_PROBE_ALLOC_COST_H */
