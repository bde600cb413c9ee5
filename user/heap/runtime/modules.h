/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HEAP_RUNTIME_MODULES_H
#define GLEAKD_HEAP_RUNTIME_MODULES_H

/*
 * Every module of the process, the executable first, then plugins: their variables and which of them
 * are pointers (src/runtime/symtab.go moduledata). All addresses are the target's.
 */
#include "heap/runtime/runtime.h"

#define HEAP_MAX_MODULES 64

struct heap_section {
	uint64_t start, end;
	uint64_t bits; /* address of a bitmap with one bit per word */
};

struct heap_module {
	uint64_t text, etext;
	struct heap_section data, bss;
	uint64_t types, etypes;
	uint64_t rodata;
};

struct heap_modules {
	size_t n;
	struct heap_module all[HEAP_MAX_MODULES];
};

/*
 * heap_modules__read - all of them, or an error: -EFAULT one cannot be read or makes no sense, -E2BIG
 * there are more, -ESRCH.
 */
int heap_modules__read(const struct heap_runtime *runtime,
		       struct heap_modules *ret_modules) __must_check;

#endif /* GLEAKD_HEAP_RUNTIME_MODULES_H */
