/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_TRIALS_H
#define GLEAKD_PROBE_TRIALS_H

/*
 * Loops in assembly, each around one instruction of a kind that is probed, which runs with a g in
 * the first argument register of Go's ABI.
 */
#include "probe/calibrate.h"

struct trial {
	/* Runs the instruction @count > 0 times; NULL: this processor has no such kind. */
	void (*run)(const void *g, uint64_t count);
	uintptr_t address; /* of the instruction */
};

struct trial trial__get(enum calibration_kind kind);

#endif /* GLEAKD_PROBE_TRIALS_H */
