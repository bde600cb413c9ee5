// SPDX-License-Identifier: Apache-2.0
#include "golang/code_fields.h"

#include <criterion/criterion.h>
#include <string.h>

#include "real_binaries.h"

static struct code_fields fields;

/* --- machine code by hand ----------------------------------------------------------------------- */

Test(code_fields, amd64_widths)
{
	static const uint8_t code[] = {
		0x49, 0x8b, 0x46, 0x30,			  /* mov rax, [r14+0x30] */
		0x88, 0x88, 0xb0, 0x00, 0x00, 0x00,	  /* mov [rax+0xb0], cl */
		0x8b, 0x90, 0x90, 0x00, 0x00, 0x00,	  /* mov edx, [rax+0x90] */
		0x0f, 0x11, 0x80, 0x00, 0x01, 0x00, 0x00, /* movups [rax+0x100], xmm0 */
		0x48, 0x8d, 0x48, 0x40,			  /* lea rcx, [rax+0x40] */
		0x48, 0x89, 0x44, 0x24, 0x18,		  /* mov [rsp+0x18], rax */
		0x48, 0x8b, 0x40, 0xf8,			  /* mov rax, [rax-8] */
		0x48, 0x8b, 0x05, 0x08, 0x00, 0x00, 0x00, /* mov rax, [rip+8] */
	};

	code_fields__scan(&go_arch_amd64, code, sizeof(code), &fields);
	cr_assert_eq(fields.widths[0x30], CODE_FIELD_8);
	cr_assert_eq(fields.widths[0xb0], CODE_FIELD_1);
	cr_assert_eq(fields.widths[0x90], CODE_FIELD_4);
	cr_assert_eq(fields.widths[0x100], CODE_FIELD_8);
	cr_assert_eq(fields.widths[0x108], CODE_FIELD_8);
	cr_assert_eq(fields.widths[0x40], CODE_FIELD_ADDRESS);
	cr_assert_eq(fields.widths[0x18], 0);
	cr_assert_eq(fields.widths[8], 0);
}

Test(code_fields, arm64_widths)
{
	static const uint32_t code[] = {
		0xf9401b80, /* ldr x0, [x28, #48] */
		0x3902c001, /* strb w1, [x0, #176] */
		0xb9409002, /* ldr w2, [x0, #144] */
		0xa9100c02, /* stp x2, x3, [x0, #256] */
		0x91010001, /* add x1, x0, #64 */
		0xf9000fe0, /* str x0, [sp, #24] */
		0xf85f8000, /* ldur x0, [x0, #-8] */
	};

	code_fields__scan(&go_arch_arm64, (const uint8_t *)code, sizeof(code), &fields);
	cr_assert_eq(fields.widths[48], CODE_FIELD_8);
	cr_assert_eq(fields.widths[176], CODE_FIELD_1);
	cr_assert_eq(fields.widths[144], CODE_FIELD_4);
	cr_assert_eq(fields.widths[256], CODE_FIELD_8);
	cr_assert_eq(fields.widths[264], CODE_FIELD_8);
	cr_assert_eq(fields.widths[64], CODE_FIELD_ADDRESS);
	cr_assert_eq(fields.widths[24], 0);
}

Test(code_fields, code_that_is_none)
{
	static uint8_t code[4096];
	uint32_t state = 1;

	for (size_t round = 0; round < 200; round++) {
		for (size_t i = 0; i < sizeof(code); i++) {
			state = state * 1664525 + 1013904223;
			code[i] = (uint8_t)(state >> 24);
		}
		code_fields__scan(&go_arch_amd64, code, sizeof(code) - round, &fields);
		code_fields__scan(&go_arch_arm64, code, sizeof(code) - round, &fields);
	}
}

/* --- real programs under every layout ----------------------------------------------------------- */

/* Versions whose fields are in the same places. Go 1.24 is 1.23 with one field more. */
static bool is_same_layout(int program, int row)
{
	if (program <= 20 && row <= 20)
		return true;
	if (program >= 26 && row >= 26)
		return true;
	return program == row || (program == 24 && row == 23);
}

static void try_every_row(struct elf_image *image, struct pclntab *tab, int minor, const char *name)
{
	for (int row = go_layout__oldest()->minor; row <= go_layout__newest()->minor; row++) {
		char what[160] = "";
		int result = code_fields__contradicts(image, tab, go_layout__find(row), what,
						      sizeof(what));

		cr_assert_eq(result, is_same_layout(minor, row) ? 0 : 1, "%s as Go 1.%d: %d %s",
			     name, row, result, what);
		cr_assert_eq(*what != '\0', result == 1);
	}
}

Test(code_fields, no_program_passes_for_another_layout, .timeout = 120)
{
	static const char *const names[] = {"runtime.text"};
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES), tried = 0;

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct elf_symbol text = {0};
		struct pclntab *tab;

		if (elf_image__symbols(image, names, &text, 1) == 1) {
			cr_assert_eq(pclntab__open(image, &tab, NULL), 0);
			pclntab__set_text(tab, text.address);
			try_every_row(image, tab, real_binary__minor(&binaries[i]),
				      binaries[i].name);
			pclntab__free(tab);
			tried++;
		}
		elf_image__free(image);
	}
	cr_assert_gt(tried, 0);
}
