/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_FAKE_RUNTIME_H
#define GLEAKD_TESTS_FAKE_RUNTIME_H

/*
 * Fabricated memory of a Go process: the runtime's globals, allgs, g structs and stacks, with the
 * field offsets of a given version. Everything may be changed between (and during) reads.
 */
#include "observe/census_private.h"

#define FAKE_TEXT	0x401000ULL /* link-time */
#define FAKE_ETEXT	0x480000ULL
#define FAKE_MAIN	0x402000ULL
#define FAKE_GOEXIT	0x470000ULL
#define FAKE_GOEXIT_END 0x470010ULL
#define FAKE_GOPARK	0x403010ULL

#define FAKE_GLOBALS	0x500000ULL /* target addresses, from here on */
#define FAKE_ARRAY	0xc000100000ULL
#define FAKE_HEAP	0xc010000000ULL
#define FAKE_STACKS	0xc020000000ULL
#define FAKE_STACK_SIZE 8192u

/* Offsets of the globals from FAKE_GLOBALS. */
#define FAKE_ALLGPTR	  0u
#define FAKE_ALLGLEN	  8u
#define FAKE_ALLP	  16u
#define FAKE_SCHED	  64u
#define FAKE_PS		  256u /* array of *p, then the ps themselves */
#define FAKE_P		  1024u
#define FAKE_P_SIZE	  512u
#define FAKE_GLOBALS_SIZE 8192u

struct fake {
	struct go_layout layout;
	struct census_runtime runtime;
	uint64_t bias; /* of its only module */
	struct remote_range ranges[6];
	size_t n_ranges;
	uint8_t *globals, *array, *heap, *stacks;
	size_t stride;	   /* from one g to the next: their size class */
	size_t stack_size; /* FAKE_STACK_SIZE, or less */
	size_t max;
	size_t n;
};

/*
 * fake_new - Go 1.@minor (19 or 26) with room for @max goroutines and only the main one, parked.
 * 1.26 is position independent: its load bias is not 0.
 */
struct fake *fake_new(int minor, size_t max);
void fake_free(struct fake *fake);

/* fake_open - build the remote from ranges[]; call it again after changing them. */
void fake_open(struct fake *fake);

uint64_t fake_g_address(const struct fake *fake, size_t index);
void fake_set64(struct fake *fake, size_t index, uint32_t offset, uint64_t value);
uint64_t fake_get64(const struct fake *fake, size_t index, uint32_t offset);
void fake_set_status(struct fake *fake, size_t index, uint32_t status);
void fake_set_reason(struct fake *fake, size_t index, uint8_t reason);
/* fake_ran - what a run leaves behind: trackingSeq is bumped. */
void fake_ran(struct fake *fake, size_t index);

/* fake_entry / fake_length - poke allgs itself. */
void fake_entry(struct fake *fake, size_t index, uint64_t address);
void fake_length(struct fake *fake, uint64_t length);
void fake_global(struct fake *fake, uint32_t offset, uint64_t value);

/* fake_add - one more goroutine in allgs, dead and without stack contents. Returns its index. */
size_t fake_add(struct fake *fake, uint64_t goid);

/*
 * fake_park - waiting for @reason below the link-time @pcs (innermost first, without goexit),
 * each frame @frame_size bytes big; the outermost returns to goexit if @ends.
 */
void fake_park(struct fake *fake, size_t index, uint8_t reason, const uint64_t *pcs, size_t n,
	       size_t frame_size, bool ends);

/* fake_add_parked - fake_add() and fake_park() in gopark called by @caller. */
size_t fake_add_parked(struct fake *fake, uint64_t goid, uint64_t caller);

#endif /* GLEAKD_TESTS_FAKE_RUNTIME_H */
