// SPDX-License-Identifier: Apache-2.0
/*
 * Two sources: programs built by real toolchains, compared with what their own runtime says about
 * the same pcs, and those programs with bytes changed.
 */
#include "golang/pclntab.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "golang/pclntab_internal.h"
#include "real_binaries.h"

/* --- against the runtime ----------------------------------------------------------------------- */

static struct pclntab *open_table(struct elf_image *image, const char *name)
{
	struct failure failure = {0};
	struct pclntab *tab = NULL;

	cr_assert_eq(pclntab__open(image, &tab, &failure), 0, "%s: %s", name, failure.text);
	return tab;
}

/*
 * In a process text is somewhere else than in the file of a PIE. Its address there follows from
 * main.main's, and since pcs are all relative to text, the table can be used with addresses of the
 * process.
 */
static void relocate(struct pclntab *tab, uint64_t main_address, const char *name)
{
	static const char *const names[] = {"main.main"};
	struct pclntab_func func;

	pclntab__set_text(tab, 0x1000);
	cr_assert_eq(pclntab__find(tab, names, &func, 1), 1, "%s", name);
	pclntab__set_text(tab, main_address - (func.entry - 0x1000));
}

/* The symbol was renamed in Go 1.20. */
static bool load_gofunc(struct elf_image *image, struct pclntab *tab)
{
	static const char *const names[] = {"go:func.*", "go.func.*"};
	struct elf_symbol symbols[2];

	if (elf_image__symbols(image, names, symbols, 2) <= 0)
		return false;
	pclntab__set_gofunc(tab, max_of(symbols[0].address, symbols[1].address));
	return true;
}

struct comparison {
	const char *name;
	struct pclntab *tab;
	struct pclntab_frame frames[PCLNTAB_MAX_INLINE];
	int n, next;	/* frames of the physical call being compared */
	uint64_t entry; /* of it */
	size_t n_calls, n_inlined, n_samples;
};

static const char *shown_file(const struct pclntab_frame *frame)
{
	return frame->file[0] ? frame->file : "?";
}

static void compare_frame(const struct comparison *comparison, const struct pclntab_frame *frame,
			  uint64_t pc, char *const *expected)
{
	cr_assert_str_eq(frame->function, expected[0], "%s at %#lx: %s, not %s", comparison->name,
			 pc, frame->function, expected[0]);
	cr_assert_str_eq(shown_file(frame), expected[1], "%s at %#lx in %s: %s, not %s",
			 comparison->name, pc, frame->function, frame->file, expected[1]);
	cr_assert_eq(frame->line, strtoul(expected[2], NULL, 10),
		     "%s at %#lx in %s: line %u, not %s", comparison->name, pc, frame->function,
		     frame->line, expected[2]);
}

/* The runtime leaves wrappers out of stacks. */
static void skip_wrappers(struct comparison *c)
{
	while (c->next < c->n && c->frames[c->next].wrapper)
		c->next++;
}

static void finish_physical(struct comparison *c)
{
	skip_wrappers(c);
	cr_assert_eq(c->next, c->n, "%s: %d calls at %#lx, not %d", c->name, c->n, c->entry,
		     c->next);
	c->entry = 0;
}

static void compare_call(struct comparison *c, char *const *fields)
{
	uint64_t pc = strtoull(fields[1], NULL, 16) - 1;
	uint64_t entry = strtoull(fields[2], NULL, 16);

	if (entry != c->entry) {
		if (c->entry)
			finish_physical(c);
		c->n = pclntab__frames(c->tab, pc, c->frames, ARRAY_SIZE(c->frames));
		cr_assert_gt(c->n, 0, "%s: %d at %#lx", c->name, c->n, pc);
		c->next = 0;
		c->entry = entry;
	}
	skip_wrappers(c);
	cr_assert_lt(c->next, c->n, "%s: a call is missing at %#lx: %s", c->name, pc, fields[3]);
	cr_assert_eq(c->frames[c->next].inlined, c->next < c->n - 1);
	compare_frame(c, &c->frames[c->next], pc, fields + 3);
	c->n_inlined += c->frames[c->next].inlined;
	c->n_calls++;
	c->next++;
}

static void compare_sample(struct comparison *c, char *const *fields)
{
	uint64_t pc = strtoull(fields[1], NULL, 16);
	int n = pclntab__frames(c->tab, pc, c->frames, ARRAY_SIZE(c->frames));

	cr_assert_gt(n, 0, "%s: %d at %#lx", c->name, n, pc);
	compare_frame(c, &c->frames[0], pc, fields + 2);
	c->n_samples++;
}

static void compare_with_runtime(const struct real_binary *binary)
{
	__cleanup_fclose FILE *file = fopen(binary->expected, "re");
	struct elf_image *image = real_binary__open(binary);
	struct pclntab *tab = open_table(image, binary->name);
	struct comparison c = {.name = binary->name, .tab = tab};
	struct expected_line line;

	cr_assert(load_gofunc(image, tab), "%s: no symbols", binary->name);
	while (file && expected_line__next(file, &line)) {
		if (!strcmp(line.field[0], "entry") && line.n == 3)
			relocate(tab, strtoull(line.field[2], NULL, 16), binary->name);
		else if (!strcmp(line.field[0], "stack") && c.entry)
			finish_physical(&c);
		else if (!strcmp(line.field[0], "call") && line.n == 6)
			compare_call(&c, line.field);
		else if (!strcmp(line.field[0], "sample") && line.n == 5)
			compare_sample(&c, line.field);
	}
	cr_assert_gt(c.n_calls, 50, "%s: %zu calls", binary->name, c.n_calls);
	cr_assert_geq(c.n_inlined, 3, "%s: %zu inlined", binary->name, c.n_inlined);
	cr_assert_gt(c.n_samples, 1000, "%s: %zu samples", binary->name, c.n_samples);
	pclntab__free(tab);
	elf_image__free(image);
}

Test(pclntab, frames_are_those_of_the_runtime, .timeout = 120)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		if (!real_binary__is(&binaries[i], "stripped"))
			compare_with_runtime(&binaries[i]);
	}
}

/* --- functions --------------------------------------------------------------------------------- */

static const char *const wanted[] = {"runtime.newproc1", "main.main",	    "no.such.function",
				     "runtime.gopark",	 "runtime.newproc", "main.(*outer).Speak"};

enum { NEWPROC1, MAIN, NO_SUCH, GOPARK, NEWPROC, SPEAK, N_WANTED };

/* Symbols say the same, apart from functions that have two ABIs. */
static void compare_with_symbols(struct elf_image *image, struct pclntab *tab, const char *name)
{
	static const char *const text[] = {"runtime.text"};
	struct elf_symbol symbols[N_WANTED], start;
	struct pclntab_func funcs[N_WANTED];
	char found[64];

	cr_assert_eq(elf_image__symbols(image, text, &start, 1), 1);
	if (pclntab__text(tab))
		cr_expect_eq(pclntab__text(tab), start.address, "%s", name);
	pclntab__set_text(tab, start.address);
	cr_assert_eq(elf_image__symbols(image, wanted, symbols, N_WANTED), N_WANTED - 1, "%s",
		     name);
	cr_assert_eq(pclntab__find(tab, wanted, funcs, N_WANTED), N_WANTED - 1, "%s", name);
	for (size_t i = 0; i < N_WANTED; i++) {
		cr_expect_eq(funcs[i].entry, symbols[i].address, "%s: %s", name, wanted[i]);
		if (i == NO_SUCH)
			continue;
		cr_expect_eq(pclntab__name(tab, &funcs[i], found, sizeof(found)),
			     (int)strlen(wanted[i]));
		cr_expect_str_eq(found, wanted[i]);
		cr_expect_geq(funcs[i].end - funcs[i].entry, symbols[i].size);
	}
}

Test(pclntab, functions_are_where_the_symbols_are, .timeout = 60)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct pclntab *tab = open_table(image, binaries[i].name);

		if (elf_image__has_symbols(image))
			compare_with_symbols(image, tab, binaries[i].name);
		pclntab__free(tab);
		elf_image__free(image);
	}
}

/* All functions of a binary: each begins where the one before it ends, and has a name. */
static void walk_functions(struct pclntab *tab, const char *name)
{
	struct pclntab_func func, other;
	uint64_t pc = pclntab__text(tab);
	char text[256];
	size_t n = 0;

	cr_expect_eq(pclntab__lookup(tab, pc - 1, &func), -ENOENT);
	while (!pclntab__lookup(tab, pc, &func)) {
		int32_t delta = -1;

		cr_assert_eq(func.entry, pc, "%s: %#lx", name, pc);
		cr_assert_gt(func.end, func.entry);
		cr_assert_gt(pclntab__name(tab, &func, text, sizeof(text)), 0);
		cr_assert_eq(pclntab__lookup(tab, func.end - 1, &other), 0);
		cr_assert_eq(other.record, func.record);
		/* Before its first instruction a function has not moved the stack pointer. */
		if (!pclntab__sp_delta(tab, pc, &delta))
			cr_assert_eq(delta, 0, "%s: %s", name, text);
		pc = func.end;
		n++;
	}
	cr_expect_eq(n, tab->n_funcs, "%s: %zu", name, n);
	cr_expect_eq(pclntab__lookup(tab, pc, &func), -ENOENT);
	cr_expect_eq(pclntab__lookup(tab, UINT64_MAX, &func), -ENOENT);
	cr_expect_eq(pclntab__lookup(tab, 0, &func), -ENOENT);
}

Test(pclntab, functions_cover_the_text_without_gaps, .timeout = 60)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct pclntab *tab = open_table(image, binaries[i].name);

		pclntab__set_text(tab, 0x401000);
		walk_functions(tab, binaries[i].name);
		pclntab__free(tab);
		elf_image__free(image);
	}
}

/* Where a call returns to, its caller has a stack frame: a whole number of words, never empty. */
static void check_stack_frames(const struct real_binary *binary)
{
	__cleanup_fclose FILE *file = fopen(binary->expected, "re");
	struct elf_image *image = real_binary__open(binary);
	struct pclntab *tab = open_table(image, binary->name);
	struct expected_line line;
	size_t n = 0;

	while (file && expected_line__next(file, &line)) {
		int32_t delta = 0;

		if (!strcmp(line.field[0], "entry") && line.n == 3)
			relocate(tab, strtoull(line.field[2], NULL, 16), binary->name);
		if (strcmp(line.field[0], "call") != 0 || line.n != 6 ||
		    !strcmp(line.field[3], "runtime.goexit"))
			continue;
		cr_assert_eq(pclntab__sp_delta(tab, strtoull(line.field[1], NULL, 16), &delta), 0);
		cr_assert_gt(delta, 0, "%s: %s", binary->name, line.field[3]);
		cr_assert_eq(delta % 8, 0, "%s: %s", binary->name, line.field[3]);
		n++;
	}
	cr_assert_gt(n, 50);
	pclntab__free(tab);
	elf_image__free(image);
}

Test(pclntab, callers_have_stack_frames)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++)
		check_stack_frames(&binaries[i]);
}

Test(pclntab, wrappers_are_marked)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct pclntab *tab = open_table(image, binaries[i].name);
		struct pclntab_func funcs[N_WANTED];
		struct pclntab_frame frame;

		pclntab__set_text(tab, 0x401000);
		cr_assert_eq(pclntab__find(tab, wanted, funcs, N_WANTED), N_WANTED - 1);
		cr_assert_eq(pclntab__frames(tab, funcs[SPEAK].entry, &frame, 1), 1);
		cr_expect(frame.wrapper, "%s", binaries[i].name);
		cr_assert_eq(pclntab__frames(tab, funcs[NEWPROC].entry, &frame, 1), 1);
		cr_expect_not(frame.wrapper, "%s: not its ABI wrapper", binaries[i].name);
		cr_assert_eq(pclntab__frames(tab, funcs[MAIN].entry, &frame, 1), 1);
		cr_expect_not(frame.wrapper, "%s", binaries[i].name);
		pclntab__free(tab);
		elf_image__free(image);
	}
}

/* --- changed files ----------------------------------------------------------------------------- */

struct copy {
	uint8_t *bytes;
	size_t size;
	int fd; /* memfd with the same bytes, mapped at `bytes` */
};

static struct copy copy_binary(const struct real_binary *binary)
{
	__cleanup_close int from = open(binary->program, O_RDONLY | O_CLOEXEC);
	struct copy copy = {.fd = memfd_create("pclntab-test", MFD_CLOEXEC)};
	off_t size = lseek(from, 0, SEEK_END);

	cr_assert(from >= 0 && copy.fd >= 0 && size > 0);
	copy.size = (size_t)size;
	cr_assert_eq(ftruncate(copy.fd, size), 0);
	copy.bytes = mmap(NULL, copy.size, PROT_READ | PROT_WRITE, MAP_SHARED, copy.fd, 0);
	cr_assert_neq(copy.bytes, MAP_FAILED);
	cr_assert_eq(pread(from, copy.bytes, copy.size, 0), size);
	return copy;
}

static void free_copy(struct copy *copy)
{
	munmap(copy->bytes, copy->size);
	close(copy->fd);
}

static struct real_binary binary_of_kind(const char *kind, int minor)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = n; i-- > 0;) {
		if (real_binary__is(&binaries[i], kind) &&
		    (!minor || real_binary__minor(&binaries[i]) == minor))
			return binaries[i];
	}
	cr_skip_test("needs a Go 1.%d program of kind %s", minor, kind);
	return binaries[0];
}

static struct elf_image *open_copy(const struct copy *copy)
{
	struct failure failure = {0};
	struct elf_image *image = NULL;

	cr_assert_eq(elf_image__open(copy->fd, &image, &failure), 0, "%s", failure.text);
	return image;
}

/* File offset of the table's header. */
static size_t table_offset(const struct copy *copy)
{
	struct elf_image *image = open_copy(copy);
	struct pclntab *tab = open_table(image, "copy");
	uint64_t offset = 0;

	cr_assert_eq(elf_image__file_offset(image, pclntab__address(tab), &offset), 0);
	pclntab__free(tab);
	elf_image__free(image);
	return (size_t)offset;
}

/* As sstrip(1) leaves it. */
static void remove_sections(const struct copy *copy)
{
	memset(copy->bytes + 40, 0, 8); /* e_shoff */
	memset(copy->bytes + 60, 0, 4); /* e_shnum, e_shstrndx */
}

Test(pclntab, table_is_found_without_sections)
{
	static const char *const kinds[] = {"stripped", "pie", "cgo"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct real_binary real = binary_of_kind(kinds[i], 0);
		struct copy copy = copy_binary(&real);
		size_t offset = table_offset(&copy);

		remove_sections(&copy);
		cr_expect_eq(table_offset(&copy), offset, "%s", real.name);
		free_copy(&copy);
	}
}

static void expect_open_error(const struct copy *copy, int err, const char *words)
{
	struct elf_image *image = open_copy(copy);
	struct failure failure = {0};
	struct pclntab *tab = NULL;

	cr_expect_eq(pclntab__open(image, &tab, &failure), err, "%s: %s", words, failure.text);
	cr_expect_not_null(strstr(failure.text, words), "\"%s\" is not in: %s", words,
			   failure.text);
	cr_expect_null(tab);
	elf_image__free(image);
}

Test(pclntab, damaged_headers_are_not_believed)
{
	struct real_binary real = binary_of_kind("stripped", 0);
	struct copy copy = copy_binary(&real);
	size_t at = table_offset(&copy);
	uint8_t header[72];

	memcpy(header, copy.bytes + at, sizeof(header));
	/* Numbers of functions and files, and the places of all parts. */
	for (size_t word = 8; word < sizeof(header); word += 8) {
		if (word == 24)
			continue;
		memset(copy.bytes + at + word, 0xff, 8);
		expect_open_error(&copy, -EPROTO, "damaged");
		memcpy(copy.bytes + at, header, sizeof(header));
	}
	/* Parts in another order. */
	memcpy(copy.bytes + at + 32, header + 40, 8);
	memcpy(copy.bytes + at + 40, header + 32, 8);
	expect_open_error(&copy, -EPROTO, "damaged");
	memcpy(copy.bytes + at, header, sizeof(header));

	copy.bytes[at] = 0xfa; /* Go 1.16 */
	expect_open_error(&copy, -EOPNOTSUPP, "1.18");
	copy.bytes[at] = 0x77;
	expect_open_error(&copy, -EPROTO, "damaged");
	remove_sections(&copy);
	expect_open_error(&copy, -ENOEXEC, "pclntab");
	free_copy(&copy);
}

/* A small generator with a fixed start: the same damage in every run. */
static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static void use_table(struct pclntab *tab, uint64_t *random)
{
	static struct pclntab_frame frames[PCLNTAB_MAX_INLINE + 1];
	struct pclntab_func funcs[N_WANTED];
	int n = pclntab__find(tab, wanted, funcs, N_WANTED);

	cr_assert_leq(n, N_WANTED);
	for (int i = 0; i < 100; i++) {
		uint64_t pc = pclntab__text(tab) + next_random(random) % 600000;
		int32_t delta;

		n = pclntab__frames(tab, pc, frames, ARRAY_SIZE(frames));
		cr_assert_leq(n, (int)ARRAY_SIZE(frames));
		for (int j = 0; j < n; j++) {
			cr_assert_lt(strlen(frames[j].function), sizeof(frames[j].function));
			cr_assert_lt(strlen(frames[j].file), sizeof(frames[j].file));
		}
		if (pclntab__sp_delta(tab, pc, &delta))
			continue;
	}
}

/* Damages @n bytes in @size at @from, uses the table, and puts the bytes back. */
static void use_damaged(const struct copy *copy, size_t from, size_t size, size_t n,
			uint64_t gofunc, uint64_t *random)
{
	__cleanup_free uint8_t *saved = malloc(size);
	struct elf_image *image;
	struct pclntab *tab;

	cr_assert_not_null(saved);
	memcpy(saved, copy->bytes + from, size);
	for (size_t i = 0; i < n; i++)
		copy->bytes[from + next_random(random) % size] = (uint8_t)next_random(random);
	image = open_copy(copy);
	if (!pclntab__open(image, &tab, NULL)) {
		pclntab__set_text(tab, 0x401000);
		pclntab__set_gofunc(tab, gofunc);
		use_table(tab, random);
		pclntab__free(tab);
	}
	elf_image__free(image);
	memcpy(copy->bytes + from, saved, size);
}

Test(pclntab, damaged_contents_do_no_harm, .timeout = 120)
{
	static const int minors[] = {19, 26};

	for (size_t i = 0; i < ARRAY_SIZE(minors); i++) {
		struct real_binary real = binary_of_kind("stripped", minors[i]);
		struct copy copy = copy_binary(&real);
		size_t at = table_offset(&copy);
		size_t size = min_of(copy.size - at, (size_t)600000);
		uint64_t random = 7;

		for (int round = 0; round < 60; round++) {
			/* Inline trees anywhere in the file's text: nonsense, but readable. */
			uint64_t gofunc = 0x401000 + next_random(&random) % 100000;

			use_damaged(&copy, at, size, 20000, gofunc, &random);
			use_damaged(&copy, at, 72, 3, gofunc, &random);
		}
		free_copy(&copy);
	}
}
