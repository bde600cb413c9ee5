// SPDX-License-Identifier: Apache-2.0
#include "golang/globals.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "fake_go.h"
#include "golang/code_refs.h"
#include "real_binaries.h"

static struct code_refs refs;

static void scan(const struct go_arch *arch, uint64_t address, const void *code, size_t size)
{
	code_refs__scan(arch, address, code, size, &refs);
}

/* --- machine code by hand ----------------------------------------------------------------------- */

Test(code_refs, amd64_operands_relative_to_rip)
{
	static const uint8_t code[] = {
		0x48, 0x8d, 0x05, 0x10, 0x00, 0x00, 0x00, /* lea rax, [rip+16] */
		0x48, 0x8b, 0x0d, 0xf9, 0xff, 0xff, 0xff, /* mov rcx, [rip-7] */
		0x83, 0x3d, 0x00, 0x01, 0x00, 0x00, 0x00, /* cmp [rip+256], 0 */
		0x48, 0xc7, 0x05, 0x00, 0x02, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x00,			  /* mov [rip+512], 0 */
		0x48, 0x8b, 0x40, 0x08,			  /* mov rax, [rax+8] */
		0xe8, 0x00, 0x00, 0x00, 0x00,		  /* call */
		0x48, 0x8d, 0x05, 0xe7, 0xff, 0xff, 0xff, /* lea rax, [rip-25] */
		0xc3,
	};

	scan(&go_arch_amd64, 0x1000, code, sizeof(code));
	cr_assert_eq(refs.n, 4, "%zu", refs.n);
	cr_assert(code_refs__has(&refs, 0x1007 + 16)); /* twice, counted once */
	cr_assert(code_refs__has(&refs, 0x100e - 7));
	cr_assert(code_refs__has(&refs, 0x1015 + 256));
	cr_assert(code_refs__has(&refs, 0x1020 + 512));
	cr_assert_not(code_refs__has(&refs, 0x1000));
}

Test(code_refs, arm64_pairs)
{
	static const uint32_t code[] = {
		0x90000bbb, /* adrp x27, +0x174000 */
		0x913bc37b, /* add x27, x27, #0xef0 */
		0xf9400361, /* ldr x1, [x27] */
		0xf0ffffe2, /* adrp x2, -0x1000 */
		0xf9400c43, /* ldr x3, [x2, #24] */
		0xb9400845, /* ldr w5, [x2, #8] */
		0x91401042, /* add x2, x2, #4, lsl #12 */
		0xf9000443, /* str x3, [x2, #8] */
		0x91001000, /* add x0, x0, #4: x0 is not known */
		0x10000081, /* adr x1, +16 */
		0xd65f03c0, /* ret */
	};

	scan(&go_arch_arm64, 0x44ab4, code, sizeof(code));
	cr_assert(code_refs__has(&refs, 0x44000 + 0x174000 + 0xef0));
	cr_assert(code_refs__has(&refs, 0x43000 + 24));
	cr_assert(code_refs__has(&refs, 0x43000 + 8));
	cr_assert(code_refs__has(&refs, 0x47000));
	cr_assert(code_refs__has(&refs, 0x47008));
	cr_assert(code_refs__has(&refs, 0x44ab4 + 9 * 4 + 16));
	cr_assert_eq(refs.n, 6, "%zu", refs.n);
}

/* A load overwrites the address it loads from. */
Test(code_refs, arm64_forgets_what_a_load_replaces)
{
	static const uint32_t code[] = {
		0x90000bbb, /* adrp x27 */
		0xf940037b, /* ldr x27, [x27] */
		0xf9400b61, /* ldr x1, [x27, #16] */
	};

	scan(&go_arch_arm64, 0x44ab4, code, sizeof(code));
	cr_assert_eq(refs.n, 1);
	cr_assert_eq(refs.addresses[0], 0x1b8000);
}

Test(code_refs, addresses_beyond_the_maximum_are_counted)
{
	static uint8_t code[7 * (CODE_REFS_MAX + 10)];

	for (size_t i = 0; i < sizeof(code); i += 7) {
		uint32_t away = (uint32_t)(sizeof(code) + i);

		memcpy(code + i, (const uint8_t[]){0x48, 0x8d, 0x05}, 3);
		memcpy(code + i + 3, &away, sizeof(away));
	}
	scan(&go_arch_amd64, 0x1000, code, sizeof(code));
	cr_assert_eq(refs.n, CODE_REFS_MAX);
	cr_assert_eq(refs.refused, 10);
	for (size_t i = 1; i < refs.n; i++)
		cr_assert_lt(refs.addresses[i - 1], refs.addresses[i]);
}

Test(code_refs, code_that_is_none)
{
	static uint8_t code[4096];
	uint32_t state = 1;

	scan(&go_arch_amd64, 0x1000, code, 0);
	cr_assert_eq(refs.n, 0);
	scan(&go_arch_arm64, 0x1000, code, 3);
	cr_assert_eq(refs.n, 0);
	for (size_t round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(code); i++) {
			state = state * 1664525 + 1013904223;
			code[i] = (uint8_t)(state >> 24);
		}
		scan(&go_arch_amd64, UINT64_MAX - 100, code, sizeof(code));
		cr_assert_leq(refs.n, CODE_REFS_MAX);
		scan(&go_arch_arm64, UINT64_MAX - 100, code, sizeof(code));
		cr_assert_leq(refs.n, CODE_REFS_MAX);
	}
}

Test(code_refs, functions_without_end_are_refused)
{
	static struct fake_go fake;
	struct pclntab_func func = {.entry = FAKE_TEXT, .end = FAKE_TEXT};

	fake_go__make(&fake, &(struct fake_options){.version = "go1.26.8"});
	cr_assert_eq(fake_go__open(&fake), 0);
	cr_assert_eq(code_refs__read(go_binary__image(fake.binary), &func, &refs), -E2BIG);
	func.end = FAKE_TEXT + CODE_REFS_MAX_BYTES + 1;
	cr_assert_eq(code_refs__read(go_binary__image(fake.binary), &func, &refs), -E2BIG);
	func.end = FAKE_TEXT - 1;
	cr_assert_eq(code_refs__read(go_binary__image(fake.binary), &func, &refs), -E2BIG);
	func.entry = UINT64_MAX - 10;
	func.end = UINT64_MAX;
	cr_assert_eq(code_refs__read(go_binary__image(fake.binary), &func, &refs), -EFAULT);
	fake_go__release(&fake);
}

/* --- real compilers ----------------------------------------------------------------------------- */

enum { TEXT, ALLGS, ALLGPTR, ALLGLEN, ALLP, SCHED, N_SYMBOLS };

static void read_refs(struct elf_image *image, const struct pclntab_func *func, const char *name)
{
	cr_assert_neq(func->entry, 0, "%s", name);
	cr_assert_eq(code_refs__read(image, func, &refs), 0, "%s", name);
	cr_assert_eq(refs.refused, 0, "%s", name);
}

static void expect_slice(uint64_t address, const char *name)
{
	for (uint64_t word = 0; word < 3; word++)
		cr_assert(code_refs__has(&refs, address + 8 * word), "%s", name);
}

/* What the recovery relies on: these functions refer to these variables. */
static void compare_with_symbols(struct elf_image *image, int minor, const char *name)
{
	static const char *const symbol_names[N_SYMBOLS] = {
		"runtime.text",	   "runtime.allgs", "runtime.allgptr",
		"runtime.allglen", "runtime.allp",  "runtime.sched",
	};
	static const char *const func_names[] = {"runtime.allgadd", "runtime.procresize",
						 "runtime.newproc1"};
	struct elf_symbol symbols[N_SYMBOLS] = {0};
	struct pclntab_func funcs[ARRAY_SIZE(func_names)] = {0};
	struct pclntab *tab;

	cr_assert_eq(elf_image__symbols(image, symbol_names, symbols, N_SYMBOLS), N_SYMBOLS);
	cr_assert_eq(pclntab__open(image, &tab, NULL), 0, "%s", name);
	pclntab__set_text(tab, symbols[TEXT].address);
	cr_assert_eq(pclntab__find(tab, func_names, funcs, ARRAY_SIZE(funcs)), 3, "%s", name);

	read_refs(image, &funcs[0], name);
	expect_slice(symbols[ALLGS].address, name);
	cr_assert(code_refs__has(&refs, symbols[ALLGPTR].address), "%s", name);
	cr_assert(code_refs__has(&refs, symbols[ALLGLEN].address), "%s", name);
	read_refs(image, &funcs[1], name);
	expect_slice(symbols[ALLP].address, name);
	read_refs(image, &funcs[2], name);
	cr_assert(code_refs__has(&refs, symbols[SCHED].address), "%s", name);
	cr_assert(
		code_refs__has(&refs, symbols[SCHED].address + go_layout__find(minor)->sched_ngsys),
		"%s", name);
	pclntab__free(tab);
}

Test(code_refs, variables_of_real_programs, .timeout = 60)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES), compared = 0;

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);

		if (elf_image__has_symbols(image)) {
			compare_with_symbols(image, real_binary__minor(&binaries[i]),
					     binaries[i].name);
			compared++;
		}
		elf_image__free(image);
	}
	cr_assert_gt(compared, 0);
}
