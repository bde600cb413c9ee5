/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_PATH_H
#define GLEAKD_PROBE_PATH_H

/*
 * The straight line through a function: the instructions that run exactly once per call, in order,
 * with the registers and stack slots that hold the g before each. The line begins at the entry,
 * passes the stack check (behind which the function does not start again), and ends at the first
 * branch, jump or return, or where another path joins.
 */
#include "base/common.h"
#include "probe/insn.h"

struct code {
	const uint8_t *bytes;
	size_t size;
	uint64_t address; /* link-time, of the first byte */
	insn_decode_fn decode;
};

/* Where on the line a g appears, and the call that the search ends at; addresses, 0: none. */
struct path_query {
	uint64_t after_call; /* its result is the g; 0: the function's first argument is */
	uint64_t up_to_call; /* the last instruction looked at is this call */
	bool up_to_any_call;
	/*
	 * Only where all arguments are in their registers still: the branch of the stack check, and the
	 * instruction behind it.
	 */
	bool at_check;
};

struct path_point {
	uint32_t offset; /* in the function, never 0 */
	uint8_t length;
	enum probe_class class;
	enum gl_g_location location;
	enum gl_guard guard;
	uint16_t stack_offset;
};

/*
 * path__cheapest - the cheapest instruction of the line before which a g is known to be in a
 * register or slot; the first of several. Errors: -ENOENT there is none, -EILSEQ the bytes cannot
 * be decoded up to the end, -E2BIG too many of them, -ENOMEM.
 */
int path__cheapest(const struct code *code, const struct path_query *query,
		   struct path_point *ret_point) __must_check;

/* path__only_return - the return instruction of a function that has just one. Errors as above. */
int path__only_return(const struct code *code, struct path_point *ret_point) __must_check;

/*
 * path__calls - 1 when the function calls @target, 0 when it does not: the compiler may have
 * inlined @target there although a copy of it exists. Errors: -EILSEQ, -E2BIG, -ENOMEM.
 */
int path__calls(const struct code *code, uint64_t target) __must_check;

/*
 * path__only_call - the one call of @target in the function, where its arguments are in their registers.
 * Errors: -ENOENT there is none, or several; as above.
 */
int path__only_call(const struct code *code, uint64_t target,
		    struct path_point *ret_point) __must_check;

#endif /* GLEAKD_PROBE_PATH_H */
