// SPDX-License-Identifier: Apache-2.0
#include "made_table.h"

#include <criterion/criterion.h>
#include <string.h>

/* Offsets in the name table. */
enum { NAME_OUTER = 1, NAME_INNER = 12, NAME_STACK = 28 };

void made_table__put(struct made_table *table, size_t at, const void *bytes, size_t size)
{
	cr_assert_leq(at + size, sizeof(table->contents));
	memcpy(table->contents + at, bytes, size);
}

void made_table__put32(struct made_table *table, size_t at, uint32_t value)
{
	made_table__put(table, at, &value, sizeof(value));
}

static void put64(struct made_table *table, size_t at, uint64_t value)
{
	made_table__put(table, at, &value, sizeof(value));
}

static void make_elf(struct made_table *table)
{
	memset(table, 0, sizeof(*table));
	table->header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct made_table, segment),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	table->segment = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = offsetof(struct made_table, contents),
		.p_vaddr = MADE_BASE,
		.p_filesz = sizeof(table->contents),
		.p_memsz = sizeof(table->contents),
	};
}

/* Pairs of value delta (zig-zag: 2 is +1, 1 is -1) and pc delta, from value -1 on. */
static const uint8_t lines[] = {22, 16, 20, 16, 2, 32, 0}; /* 10, then 20, then 21 */
static const uint8_t file_numbers[] = {2, 64, 0};	   /* 0 everywhere */
static const uint8_t indices[] = {0, 16, 2, 16, 1, 32, 0}; /* -1, then 0, then -1 */
static const uint8_t stack_sizes[] = {2, 4, 48, 60, 0};	   /* 0, then 24 */

static void put_func(struct made_table *table, size_t at, bool modern, uint32_t name, bool inlines)
{
	size_t size = modern ? 44 : 40;
	size_t tail = modern ? 40 : 36; /* funcID, flag, pad, nfuncdata */

	made_table__put32(table, at + 4, name);
	made_table__put32(table, at + 16, MADE_STACK_SIZES);
	made_table__put32(table, at + 20, MADE_FILE_NUMBERS);
	made_table__put32(table, at + 24, MADE_LINES);
	made_table__put32(table, at + 28, 3); /* pcdata */
	table->contents[at + tail + 3] = 4;
	made_table__put32(table, at + size + 8, inlines ? MADE_INDICES : 0);
	made_table__put32(table, at + size + 12 + 12, inlines ? 0 : MADE_ABSENT);
}

/* "main.inner" at [16, 32) of "main.outer", called in its line 10 (modern: at its pc 4) . */
static void put_inline_tree(struct made_table *table, bool modern)
{
	size_t at = MADE_GOFUNC - MADE_BASE;
	int16_t parent = -1;

	if (modern) {
		made_table__put32(table, at + 4, NAME_INNER);
		made_table__put32(table, at + 8, 4);
		return;
	}
	made_table__put(table, at, &parent, sizeof(parent));
	made_table__put32(table, at + 4, 1);
	made_table__put32(table, at + 8, 10);
	made_table__put32(table, at + 12, NAME_INNER);
}

void made_table__make(struct made_table *table, bool modern)
{
	static const char names[] = "\0main.outer\0main.inner[int]\0runtime.systemstack";
	static const char files[] = "\0outer.go\0call.go";

	make_elf(table);
	made_table__put32(table, 0, modern ? 0xfffffff1U : 0xfffffff0U);
	table->contents[6] = 1;
	table->contents[7] = 8;
	put64(table, 8, 2);
	put64(table, 16, 2);
	put64(table, 24, MADE_TEXT);
	put64(table, 32, MADE_NAMES);
	put64(table, 40, MADE_UNITS);
	put64(table, 48, MADE_FILES);
	put64(table, 56, MADE_VALUES);
	put64(table, 64, MADE_FUNCS);
	made_table__put(table, MADE_NAMES, names, sizeof(names));
	made_table__put32(table, MADE_UNITS, 1);
	made_table__put32(table, MADE_UNITS + 4, 10);
	made_table__put(table, MADE_FILES, files, sizeof(files));
	made_table__put(table, MADE_VALUES + MADE_LINES, lines, sizeof(lines));
	made_table__put(table, MADE_VALUES + MADE_FILE_NUMBERS, file_numbers, sizeof(file_numbers));
	made_table__put(table, MADE_VALUES + MADE_INDICES, indices, sizeof(indices));
	made_table__put(table, MADE_VALUES + MADE_STACK_SIZES, stack_sizes, sizeof(stack_sizes));
	made_table__put32(table, MADE_FUNCS, 0);
	made_table__put32(table, MADE_FUNCS + 4, MADE_OUTER);
	made_table__put32(table, MADE_FUNCS + 8, 64);
	made_table__put32(table, MADE_FUNCS + 12, MADE_OTHER);
	made_table__put32(table, MADE_FUNCS + 16, 128);
	put_func(table, MADE_FUNCS + MADE_OUTER, modern, NAME_OUTER, true);
	put_func(table, MADE_FUNCS + MADE_OTHER, modern, NAME_STACK, false);
	put_inline_tree(table, modern);
}
