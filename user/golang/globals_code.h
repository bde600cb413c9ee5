/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_GLOBALS_CODE_H
#define GLEAKD_GOLANG_GLOBALS_CODE_H

/*
 * The half of globals.h that needs no symbols: candidates from machine code, told apart by their
 * contents in the live process.
 */
#include "golang/code_refs.h"
#include "golang/globals.h"

/* A Go slice header. The array is an address of the target. */
struct slice {
	uint64_t array, len, cap;
};

/* globals_code__is_slice - whether @at is in bss and all three words there are referred to. */
bool globals_code__is_slice(const struct live *live, const struct code_refs *refs, uint64_t at);

/* globals_code__read_slice - the header at link-time @address; false when it is unreadable. */
bool globals_code__read_slice(struct live *live, uint64_t address, struct slice *ret_slice);

/*
 * globals_code__allgs - allgs, allgptr and allglen among what runtime.allgadd refers to.
 * Errors: as globals__find().
 */
int globals_code__allgs(struct live *live, const struct code_refs *refs,
			struct go_globals *globals) __must_check;

#endif /* GLEAKD_GOLANG_GLOBALS_CODE_H */
