/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_PROFILE_GLOBALS_H
#define GLEAKD_GOLANG_PROFILE_GLOBALS_H

/*
 * Addresses of the variables of the runtime's memory profiler (src/runtime/mprof.go). With a .symtab
 * they are looked up. Without, they are recovered from the functions that use them, as globals.h
 * does it.
 */
#include "golang/binary.h"
#include "golang/code_refs.h"

#define PROFILE_TYPE_MEMORY 1 /* src/runtime/mprof.go memProfile, the same from Go 1.18 to 1.27 */
#define PROFILE_MAX_STACK   1024 /* maxProfStackDepth from Go 1.23 on; maxStack was 32 before */

/* Link-time addresses; 0: not found. */
struct profile_globals {
	/* runtime.mbuckets. Without symbols it shows only once there is a bucket */
	uint64_t buckets;
	uint64_t rate; /* runtime.MemProfileRate */
	/*
	 * The program has code that asks for the profile. Where it has none, the linker sets
	 * disableMemoryProfiling, and the runtime the rate to 0 (src/cmd/link/internal/ld/lib.go).
	 */
	bool wanted;
};

/*
 * profile_globals__find - @binary must be bound; @remote and @load_bias stand for a process that runs
 * it. Errors: -ENOMEM, -EPROTO and others of pclntab__find(). What is not found is no error.
 */
int profile_globals__find(struct go_binary *binary, struct remote *remote, uint64_t load_bias,
			  struct profile_globals *ret_globals) __must_check;

/*
 * profile_globals__rate_refs - what both functions refer to that use MemProfileRate in every version,
 * without looking at a process. Errors: as code_refs__read(), -ENOENT there are no such functions.
 */
int profile_globals__rate_refs(struct elf_image *image, struct pclntab *tab,
			       struct code_refs *ret_refs) __must_check;

#endif /* GLEAKD_GOLANG_PROFILE_GLOBALS_H */
