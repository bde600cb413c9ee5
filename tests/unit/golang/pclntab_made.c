// SPDX-License-Identifier: Apache-2.0
/*
 * Tables made here, in both formats: two functions, of which the first has a call of "main.inner"
 * inlined into it, all at places known. Needs no Go toolchain, and can hold what no linker writes.
 */
#include "golang/pclntab.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

#define BASE	0x400000ULL /* where the contents are loaded */
#define TEXT	0x500000ULL
#define GOFUNC	(BASE + 4096)
#define ABSENT	0xffffffffU
#define N_FUNCS 2

/* Offsets of the parts from the header, which is at the start of the contents. */
enum { NAMES = 72, UNITS = 200, FILES = 216, VALUES = 256, FUNCS = 512 };

/* Offsets of _func records from FUNCS, behind two entries of ftab and its end. */
enum { OUTER = 24, OTHER = 120 };

/* Offsets in the name table. */
enum { NAME_OUTER = 1, NAME_INNER = 12, NAME_STACK = 28 };

struct test_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t padding[136];
	uint8_t contents[8192];
};

static struct test_file file;

static void put(size_t at, const void *bytes, size_t size)
{
	cr_assert_leq(at + size, sizeof(file.contents));
	memcpy(file.contents + at, bytes, size);
}

static void put32(size_t at, uint32_t value)
{
	put(at, &value, sizeof(value));
}

static void put64(size_t at, uint64_t value)
{
	put(at, &value, sizeof(value));
}

static void make_elf(void)
{
	memset(&file, 0, sizeof(file));
	file.header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct test_file, segment),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	file.segment = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_offset = offsetof(struct test_file, contents),
		.p_vaddr = BASE,
		.p_filesz = sizeof(file.contents),
		.p_memsz = sizeof(file.contents),
	};
}

/* Pairs of value delta (zig-zag: 2 is +1, 1 is -1) and pc delta, from value -1 on. */
static const uint8_t lines[] = {22, 16, 20, 16, 2, 32, 0}; /* 10, then 20, then 21 */
static const uint8_t file_numbers[] = {2, 64, 0};	   /* 0 everywhere */
static const uint8_t indices[] = {0, 16, 2, 16, 1, 32, 0}; /* -1, then 0, then -1 */
static const uint8_t stack_sizes[] = {2, 4, 48, 60, 0};	   /* 0, then 24 */

enum { LINES = 8, FILE_NUMBERS = 32, INDICES = 64, STACK_SIZES = 96 };

static void put_func(size_t at, bool modern, uint32_t name, bool inlines)
{
	size_t size = modern ? 44 : 40;
	size_t tail = modern ? 40 : 36; /* funcID, flag, pad, nfuncdata */

	put32(at + 4, name);
	put32(at + 16, STACK_SIZES);
	put32(at + 20, FILE_NUMBERS);
	put32(at + 24, LINES);
	put32(at + 28, 3); /* pcdata */
	file.contents[at + tail + 3] = 4;
	put32(at + size + 8, inlines ? INDICES : 0);
	put32(at + size + 12 + 12, inlines ? 0 : ABSENT);
}

/* "main.inner" at [16, 32) of "main.outer", called in its line 10 (modern: at its pc 4) . */
static void put_inline_tree(bool modern)
{
	size_t at = GOFUNC - BASE;
	int16_t parent = -1;

	if (modern) {
		put32(at + 4, NAME_INNER);
		put32(at + 8, 4);
		return;
	}
	put(at, &parent, sizeof(parent));
	put32(at + 4, 1);
	put32(at + 8, 10);
	put32(at + 12, NAME_INNER);
}

static void make_table(bool modern)
{
	static const char names[] = "\0main.outer\0main.inner[int]\0runtime.systemstack";
	static const char files[] = "\0outer.go\0call.go";

	make_elf();
	put32(0, modern ? 0xfffffff1U : 0xfffffff0U);
	file.contents[6] = 1;
	file.contents[7] = 8;
	put64(8, N_FUNCS);
	put64(16, 2);
	put64(24, TEXT);
	put64(32, NAMES);
	put64(40, UNITS);
	put64(48, FILES);
	put64(56, VALUES);
	put64(64, FUNCS);
	put(NAMES, names, sizeof(names));
	put32(UNITS, 1);
	put32(UNITS + 4, 10);
	put(FILES, files, sizeof(files));
	put(VALUES + LINES, lines, sizeof(lines));
	put(VALUES + FILE_NUMBERS, file_numbers, sizeof(file_numbers));
	put(VALUES + INDICES, indices, sizeof(indices));
	put(VALUES + STACK_SIZES, stack_sizes, sizeof(stack_sizes));
	put32(FUNCS, 0);
	put32(FUNCS + 4, OUTER);
	put32(FUNCS + 8, 64);
	put32(FUNCS + 12, OTHER);
	put32(FUNCS + 16, 128);
	put_func(FUNCS + OUTER, modern, NAME_OUTER, true);
	put_func(FUNCS + OTHER, modern, NAME_STACK, false);
	put_inline_tree(modern);
}

struct opened {
	struct elf_image *image;
	struct pclntab *tab;
};

static struct opened open_made(void)
{
	__cleanup_close int fd = memfd_create("pclntab-test", MFD_CLOEXEC);
	struct failure failure = {0};
	struct opened opened = {0};

	cr_assert_eq(write(fd, &file, sizeof(file)), (ssize_t)sizeof(file));
	cr_assert_eq(elf_image__open(fd, &opened.image, &failure), 0, "%s", failure.text);
	cr_assert_eq(pclntab__open(opened.image, &opened.tab, &failure), 0, "%s", failure.text);
	pclntab__set_gofunc(opened.tab, GOFUNC);
	return opened;
}

static void close_made(struct opened *opened)
{
	pclntab__free(opened->tab);
	elf_image__free(opened->image);
}

static struct pclntab_frame frames[PCLNTAB_MAX_INLINE + 1];

static int frames_at(uint64_t pc)
{
	struct opened opened = open_made();
	int n = pclntab__frames(opened.tab, pc, frames, ARRAY_SIZE(frames));

	close_made(&opened);
	return n;
}

static void expect_frame(size_t i, const char *function, const char *path, uint32_t line)
{
	cr_expect_str_eq(frames[i].function, function);
	cr_expect_str_eq(frames[i].file, path);
	cr_expect_eq(frames[i].line, line, "%u", frames[i].line);
	cr_expect_eq(frames[i].func_entry, TEXT);
}

Test(pclntab_made, inlined_call_comes_before_its_function)
{
	for (int modern = 0; modern <= 1; modern++) {
		make_table(modern);
		cr_assert_eq(frames_at(TEXT + 20), 2);
		/* The older linker left out type arguments itself. */
		expect_frame(0, modern ? "main.inner[...]" : "main.inner[int]", "outer.go", 20);
		cr_expect(frames[0].inlined);
		expect_frame(1, "main.outer", modern ? "outer.go" : "call.go", 10);
		cr_expect_not(frames[1].inlined);
		cr_assert_eq(frames_at(TEXT + 40), 1);
		expect_frame(0, "main.outer", "outer.go", 21);
	}
}

Test(pclntab_made, innermost_calls_are_kept_when_there_is_no_room_for_all)
{
	struct opened opened;

	make_table(true);
	opened = open_made();
	cr_assert_eq(pclntab__frames(opened.tab, TEXT + 20, frames, 1), 1);
	expect_frame(0, "main.inner[...]", "outer.go", 20);
	cr_expect_eq(pclntab__frames(opened.tab, TEXT + 20, frames, 0), -EINVAL);
	close_made(&opened);
}

Test(pclntab_made, without_gofunc_only_the_function_is_known)
{
	struct opened opened;

	make_table(true);
	opened = open_made();
	pclntab__set_gofunc(opened.tab, 0);
	cr_assert_eq(pclntab__frames(opened.tab, TEXT + 20, frames, 2), 1);
	expect_frame(0, "main.outer", "outer.go", 20);
	close_made(&opened);
}

Test(pclntab_made, stack_delta_follows_the_table)
{
	struct opened opened;
	int32_t delta = -7;

	make_table(true);
	opened = open_made();
	cr_expect_eq(pclntab__sp_delta(opened.tab, TEXT + 3, &delta), 0);
	cr_expect_eq(delta, 0);
	cr_expect_eq(pclntab__sp_delta(opened.tab, TEXT + 4, &delta), 0);
	cr_expect_eq(delta, 24);
	cr_expect_eq(pclntab__sp_delta(opened.tab, TEXT + 128, &delta), -ENOENT);
	close_made(&opened);
}

/* Inlined into itself: the walk has to end nevertheless. */
Test(pclntab_made, circular_inlining_ends)
{
	int16_t self = 0;

	make_table(false);
	put(GOFUNC - BASE, &self, sizeof(self));
	cr_expect_eq(frames_at(TEXT + 20), PCLNTAB_MAX_INLINE + 1);
	make_table(true);
	put32(GOFUNC - BASE + 8, 20);
	cr_expect_eq(frames_at(TEXT + 20), PCLNTAB_MAX_INLINE + 1);
}

Test(pclntab_made, references_out_of_their_part_are_errors)
{
	make_table(true);
	put32(GOFUNC - BASE + 8, 64); /* the call is in another function */
	cr_expect_eq(frames_at(TEXT + 20), -EPROTO);
	make_table(true);
	put32(GOFUNC - BASE + 4, UNITS - NAMES); /* name */
	cr_expect_eq(frames_at(TEXT + 20), -EPROTO);
	make_table(true);
	put32(UNITS, VALUES - FILES); /* file name */
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
	make_table(true);
	put32(FUNCS + OUTER + 32, (FILES - UNITS) / 4); /* compilation unit */
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
	make_table(true);
	put32(FUNCS + OUTER + 24, FUNCS - VALUES); /* line table */
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
	make_table(true);
	put32(FUNCS + OUTER + 28, UINT32_MAX); /* number of pc-value tables */
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
	make_table(true);
	put32(FUNCS + 4, UINT32_MAX - 8); /* the record itself */
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
}

/* Neither a table that does not advance nor one that does not end may hold up the reader. */
Test(pclntab_made, endless_tables_end, .timeout = 20)
{
	make_table(true);
	memset(file.contents + VALUES + LINES, 0xff, 24);
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
	make_table(true);
	/* Value deltas of 1 and pc deltas of 0, up to the end of all tables. */
	for (size_t at = VALUES + STACK_SIZES; at < FUNCS; at += 2)
		memcpy(file.contents + at, "\2\0", 2);
	put32(FUNCS + OUTER + 24, STACK_SIZES);
	cr_expect_eq(frames_at(TEXT + 40), -EPROTO);
}

Test(pclntab_made, file_may_be_absent)
{
	make_table(true);
	put32(UNITS, ABSENT);
	cr_assert_eq(frames_at(TEXT + 40), 1);
	expect_frame(0, "main.outer", "", 21);
}
