/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_LOCK_CODE_H
#define GLEAKD_GOLANG_LOCK_CODE_H

/*
 * Which functions of a program take a lock, or serve a channel, by its machine code: those that call what
 * does, whether directly or from a copy that was inlined, of which the slow path is a call (src/sync/mutex.go
 * Lock, rwmutex.go RLock). Go does not write down who holds a lock, or who would receive what is sent; who
 * runs such a function may.
 */
#include "golang/module_map.h"

#define LOCK_CODE_MAX_ADDRESSES 16

/* What a function does, in bits. */
#define LOCK_CODE_TAKES		 1u
#define LOCK_CODE_RECEIVES	 2u /* from a channel, a case of a select among them */
#define LOCK_CODE_SENDS		 4u /* ... or closes it */
#define LOCK_CODE_NAMES(address) (8u << (address)) /* it has the address of this variable in it */

/* What is called, and what of the above its caller does. */
struct lock_callee {
	uint64_t entry; /* 0: not in this program */
	unsigned int does;
};

struct lock_code;

/*
 * lock_code__new - for the runtime's own module, which must outlive it. @addresses: variables of
 * the program, link-time, LOCK_CODE_MAX_ADDRESSES at most; copied.
 * Errors: -EOPNOTSUPP no lock is ever taken, or an architecture whose calls are not known; as
 * pclntab__find(); -ENOMEM.
 */
int lock_code__new(const struct loaded_module *module, const uint64_t *addresses, size_t n,
		   struct lock_code **ret_code) __must_check;
void lock_code__free(struct lock_code *code);

/*
 * lock_code__of - what the function with the module pc @pc, a return address, does; 0 also where that
 * cannot be read, for functions of other modules, and for those of the runtime and package sync.
 */
unsigned int lock_code__of(struct lock_code *code, uint64_t pc);

/* lock_code__of_function - the same of a function of that module. */
unsigned int lock_code__of_function(struct lock_code *code, const struct pclntab_func *func);

/* What code may do that matters. */
struct lock_code_sought {
	const struct lock_callee *callees;
	size_t n_callees;
	const uint64_t
		*addresses; /* of variables; 0: none; LOCK_CODE_MAX_ADDRESSES at most count */
	size_t n_addresses;
};

/*
 * lock_code__scan - what @code does, @size bytes of the function at @entry: which of the callees in @sought
 * it calls, and which of the addresses it names.
 */
unsigned int lock_code__scan(enum elf_machine machine, uint64_t entry, const uint8_t *code,
			     size_t size, const struct lock_code_sought *sought);

#endif /* GLEAKD_GOLANG_LOCK_CODE_H */
