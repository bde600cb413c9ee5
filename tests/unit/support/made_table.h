/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_TESTS_GOLANG_MADE_TABLE_H
#define GLEAKD_TESTS_GOLANG_MADE_TABLE_H

/*
 * A pclntab made by hand, in an ELF file of one segment: two functions, of which the first,
 * "main.outer", has a call of "main.inner" inlined into it, all at places known. Needs no Go
 * toolchain, and can be made to hold what no linker writes.
 */
#include <elf.h>

#include "base/common.h"

#define MADE_BASE   0x400000ULL /* where the contents are loaded */
#define MADE_TEXT   0x500000ULL
#define MADE_GOFUNC (MADE_BASE + 4096)
#define MADE_ABSENT 0xffffffffU

/* Offsets of the parts from the header, which is at the start of the contents. */
enum {
	MADE_NAMES = 72,
	MADE_UNITS = 200,
	MADE_FILES = 216,
	MADE_VALUES = 256,
	MADE_FUNCS = 512,
};

/* Offsets of _func records from MADE_FUNCS, behind two entries of ftab and its end. */
enum { MADE_OUTER = 24, MADE_OTHER = 120 };

/* Offsets in MADE_VALUES. */
enum { MADE_LINES = 8, MADE_FILE_NUMBERS = 32, MADE_INDICES = 64, MADE_STACK_SIZES = 96 };

struct made_table {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t padding[136];
	uint8_t contents[8192];
};

/* made_table__make - @modern: the format of Go 1.20 on. */
void made_table__make(struct made_table *table, bool modern);

/* made_table__put - overwrite bytes of the contents. */
void made_table__put(struct made_table *table, size_t at, const void *bytes, size_t size);
void made_table__put32(struct made_table *table, size_t at, uint32_t value);

#endif /* GLEAKD_TESTS_GOLANG_MADE_TABLE_H */
