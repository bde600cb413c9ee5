/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_CALL_VALUES_H
#define GLEAKD_GOLANG_CALL_VALUES_H

/*
 * Which static addresses a call in a function's machine code is given: the compiler loads the address
 * of a type descriptor right before it calls the allocator. Pure; all addresses are those that the code
 * was made for, or all moved by the same.
 *
 * Code is followed in the order of addresses. Where a branch leads to, nothing is known any more of
 * what the registers hold, nor is behind a call: Go saves no registers across calls. So what is known
 * was loaded on the straight way to the call.
 */
#include "base/common.h"
#include "golang/arch.h"

#define CALL_VALUES_MAX	      6 /* arguments in registers; those that follow are not looked at */
#define CALL_VALUES_MAX_BYTES (1u << 18) /* of a function; the largest of Kubernetes has 100 KB */

struct call_values {
	uint64_t callee;
	uint64_t arguments[CALL_VALUES_MAX]; /* 0: not known */
};

/*
 * call_values__read - of the call that returns to @address + @at, in a function whose first @at bytes at
 * least are in @code, and which begins at @address. -ENOENT there is no direct call right before it, or
 * the code cannot be followed to there.
 */
int call_values__read(const struct go_arch *arch, uint64_t address, const uint8_t *code, size_t at,
		      struct call_values *ret_values) __must_check;

/*
 * call_values__stored - the static address that is stored in the first word of what the call that
 * returned to @address, where @size bytes of @code are, has returned; by the next few instructions. 0:
 * there is none.
 */
uint64_t call_values__stored(const struct go_arch *arch, uint64_t address, const uint8_t *code,
			     size_t size);

#endif /* GLEAKD_GOLANG_CALL_VALUES_H */
