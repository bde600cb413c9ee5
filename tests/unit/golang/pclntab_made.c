// SPDX-License-Identifier: Apache-2.0
/* Tables made here, in both formats: see made_table.h. */
#include "golang/pclntab.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "made_table.h"

static struct made_table file;

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
	pclntab__set_gofunc(opened.tab, MADE_GOFUNC);
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
}

Test(pclntab_made, inlined_call_comes_before_its_function)
{
	for (int modern = 0; modern <= 1; modern++) {
		made_table__make(&file, modern);
		cr_assert_eq(frames_at(MADE_TEXT + 20), 2);
		/* The older linker left out type arguments itself. */
		expect_frame(0, modern ? "main.inner[...]" : "main.inner[int]", "outer.go", 20);
		cr_expect(frames[0].inlined);
		expect_frame(1, "main.outer", modern ? "outer.go" : "call.go", 10);
		cr_expect_not(frames[1].inlined);
		cr_assert_eq(frames_at(MADE_TEXT + 40), 1);
		expect_frame(0, "main.outer", "outer.go", 21);
	}
}

Test(pclntab_made, innermost_calls_are_kept_when_there_is_no_room_for_all)
{
	struct opened opened;

	made_table__make(&file, true);
	opened = open_made();
	cr_assert_eq(pclntab__frames(opened.tab, MADE_TEXT + 20, frames, 1), 1);
	expect_frame(0, "main.inner[...]", "outer.go", 20);
	cr_expect_eq(pclntab__frames(opened.tab, MADE_TEXT + 20, frames, 0), -EINVAL);
	close_made(&opened);
}

Test(pclntab_made, without_gofunc_only_the_function_is_known)
{
	struct opened opened;

	made_table__make(&file, true);
	opened = open_made();
	pclntab__set_gofunc(opened.tab, 0);
	cr_assert_eq(pclntab__frames(opened.tab, MADE_TEXT + 20, frames, 2), 1);
	expect_frame(0, "main.outer", "outer.go", 20);
	close_made(&opened);
}

Test(pclntab_made, stack_delta_follows_the_table)
{
	struct opened opened;
	int32_t delta = -7;

	made_table__make(&file, true);
	opened = open_made();
	cr_expect_eq(pclntab__sp_delta(opened.tab, MADE_TEXT + 3, &delta), 0);
	cr_expect_eq(delta, 0);
	cr_expect_eq(pclntab__sp_delta(opened.tab, MADE_TEXT + 4, &delta), 0);
	cr_expect_eq(delta, 24);
	cr_expect_eq(pclntab__sp_delta(opened.tab, MADE_TEXT + 128, &delta), -ENOENT);
	close_made(&opened);
}

/* Inlined into itself: the walk has to end nevertheless. */
Test(pclntab_made, circular_inlining_ends)
{
	int16_t self = 0;

	made_table__make(&file, false);
	made_table__put(&file, MADE_GOFUNC - MADE_BASE, &self, sizeof(self));
	cr_expect_eq(frames_at(MADE_TEXT + 20), PCLNTAB_MAX_INLINE + 1);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_GOFUNC - MADE_BASE + 8, 20);
	cr_expect_eq(frames_at(MADE_TEXT + 20), PCLNTAB_MAX_INLINE + 1);
}

Test(pclntab_made, references_out_of_their_part_are_errors)
{
	made_table__make(&file, true);
	made_table__put32(&file, MADE_GOFUNC - MADE_BASE + 8,
			  64); /* the call is in another function */
	cr_expect_eq(frames_at(MADE_TEXT + 20), -EPROTO);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_GOFUNC - MADE_BASE + 4, MADE_UNITS - MADE_NAMES); /* name */
	cr_expect_eq(frames_at(MADE_TEXT + 20), -EPROTO);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_UNITS, MADE_VALUES - MADE_FILES); /* file name */
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_FUNCS + MADE_OUTER + 32,
			  (MADE_FILES - MADE_UNITS) / 4); /* compilation unit */
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_FUNCS + MADE_OUTER + 24,
			  MADE_FUNCS - MADE_VALUES); /* line table */
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_FUNCS + MADE_OUTER + 28,
			  UINT32_MAX); /* number of pc-value tables */
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
	made_table__make(&file, true);
	made_table__put32(&file, MADE_FUNCS + 4, UINT32_MAX - 8); /* the record itself */
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
}

/* Neither a table that does not advance nor one that does not end may hold up the reader. */
Test(pclntab_made, endless_tables_end, .timeout = 20)
{
	made_table__make(&file, true);
	memset(file.contents + MADE_VALUES + MADE_LINES, 0xff, 24);
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
	made_table__make(&file, true);
	/* Value deltas of 1 and pc deltas of 0, up to the end of all tables. */
	for (size_t at = MADE_VALUES + MADE_STACK_SIZES; at < MADE_FUNCS; at += 2)
		memcpy(file.contents + at, "\2\0", 2);
	made_table__put32(&file, MADE_FUNCS + MADE_OUTER + 24, MADE_STACK_SIZES);
	cr_expect_eq(frames_at(MADE_TEXT + 40), -EPROTO);
}

/* Headers one behind the other, all right but for the last entry of a long ftab they share. */
static void fill_with_candidates(uint8_t *bytes, size_t size)
{
	const uint64_t start = 0xfffffff1U | 1ULL << 48 | 8ULL << 56, half = size / 2;
	const uint32_t pair[2] = {1, UINT32_MAX};

	for (uint64_t at = 0; at + 144 <= half; at += 72) {
		const uint64_t parts = half - at;
		const uint64_t header[] = {start, half / 8 - 1, 0,     0,    parts,
					   parts, parts,	parts, parts};

		memcpy(bytes + at, header, sizeof(header));
	}
	for (uint64_t at = half; at < size; at += sizeof(pair))
		memcpy(bytes + at, pair, sizeof(pair));
	memset(bytes + size - sizeof(pair), 0, sizeof(pair));
}

/* Each costs a pass through ftab: without a limit this takes a minute, and hours at 100 MB. */
Test(pclntab_made, many_candidates_are_given_up, .timeout = 20)
{
	const size_t size = (size_t)8 << 20;
	uint8_t *contents = malloc(size);
	__cleanup_close int fd = memfd_create("pclntab-test", MFD_CLOEXEC);
	struct failure failure = {0};
	struct elf_image *image;
	struct pclntab *tab;

	cr_assert_not_null(contents);
	made_table__make(&file, true);
	file.segment.p_filesz = size;
	file.segment.p_memsz = size;
	fill_with_candidates(contents, size);
	cr_assert_eq(pwrite(fd, &file, sizeof(file), 0), (ssize_t)sizeof(file));
	cr_assert_eq(pwrite(fd, contents, size, offsetof(struct made_table, contents)),
		     (ssize_t)size);
	cr_assert_eq(elf_image__open(fd, &image, &failure), 0, "%s", failure.text);
	cr_expect_eq(pclntab__open(image, &tab, &failure), -ENOEXEC, "%s", failure.text);
	elf_image__free(image);
	free(contents);
}

Test(pclntab_made, file_may_be_absent)
{
	made_table__make(&file, true);
	made_table__put32(&file, MADE_UNITS, MADE_ABSENT);
	cr_assert_eq(frames_at(MADE_TEXT + 40), 1);
	expect_frame(0, "main.outer", "", 21);
}
