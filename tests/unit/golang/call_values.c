// SPDX-License-Identifier: Apache-2.0
#include "golang/call_values.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "real_binaries.h"

#define ADDRESS 0x401000ULL

static struct call_values values;

Test(call_values, amd64_loads_right_before_the_call)
{
	static const uint8_t code[] = {
		0x48, 0x8d, 0x05, 0xf9, 0x0f, 0x00, 0x00, /* lea rax, [rip+0xff9]: 0x402000 */
		0x48, 0x89, 0xc1,			  /* mov rcx, rax */
		0xbb, 0x05, 0x00, 0x00, 0x00,		  /* mov ebx, 5 */
		0xe8, 0xec, 0x0f, 0x00, 0x00,		  /* call 0x402000 */
		0x90,
	};

	cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, code, sizeof(code) - 1, &values),
		     0);
	cr_assert_eq(values.callee, 0x402000);
	cr_assert_eq(values.arguments[0], 0x402000);
	cr_assert_eq(values.arguments[1], 0);
	cr_assert_eq(values.arguments[2], 0x402000);
	/* Not the address of an instruction behind a call, and none at all. */
	cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, code, sizeof(code), &values),
		     -ENOENT);
	cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, code, 9, &values), -ENOENT);
	cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, code, 0, &values), -ENOENT);
}

Test(call_values, nothing_is_known_behind_a_call_and_where_branches_lead_to)
{
	static const uint8_t after_call[] = {
		0x48, 0x8d, 0x05, 0xf9, 0x0f, 0x00, 0x00, /* lea rax, [rip+0xff9] */
		0xe8, 0x00, 0x00, 0x00, 0x00,		  /* call */
		0xe8, 0x00, 0x00, 0x00, 0x00,		  /* call */
	};
	static const uint8_t target[] = {
		0x74, 0x07,				  /* je: behind the lea */
		0x48, 0x8d, 0x05, 0xf9, 0x0f, 0x00, 0x00, /* lea rax, [rip+0xff9] */
		0xe8, 0x00, 0x00, 0x00, 0x00,		  /* call */
	};
	static const uint8_t overwritten[] = {
		0x48, 0x8d, 0x05, 0xf9, 0x0f, 0x00, 0x00, /* lea rax, [rip+0xff9] */
		0x31, 0xc0,				  /* xor eax, eax */
		0xe8, 0x00, 0x00, 0x00, 0x00,		  /* call */
	};
	static const struct {
		const uint8_t *code;
		size_t size;
	} all[] = {{after_call, sizeof(after_call)},
		   {target, sizeof(target)},
		   {overwritten, sizeof(overwritten)}};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, all[i].code, all[i].size,
					       &values),
			     0, "%zu", i);
		cr_assert_eq(values.arguments[0], 0, "%zu", i);
	}
}

Test(call_values, calls_that_are_none)
{
	static const uint8_t indirect[] = {0xff, 0xd0}; /* call rax */
	static const uint8_t nothing[] = {0x06, 0x06, 0x06};
	static const uint8_t cut[] = {0x48, 0x8d, 0x05, 0xf9, 0x0f};

	cr_assert_eq(
		call_values__read(&go_arch_amd64, ADDRESS, indirect, sizeof(indirect), &values), 0);
	cr_assert_eq(values.callee, 0);
	cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, nothing, sizeof(nothing), &values),
		     -ENOENT);
	cr_assert_eq(call_values__read(&go_arch_amd64, ADDRESS, cut, sizeof(cut), &values),
		     -ENOENT);
	cr_assert_eq(call_values__read(&go_arch_arm64, ADDRESS, cut, 3, &values), -ENOENT);
}

Test(call_values, arm64_builds_addresses_of_two_parts)
{
	static const uint32_t code[] = {
		0xb0000000, /* adrp x0, 0x402000 */
		0x91048000, /* add x0, x0, #0x120 */
		0xaa0003e4, /* mov x4, x0 */
		0xf90007e0, /* str x0, [sp, #8] */
		0xd2800041, /* mov x1, #2 */
		0x94000400, /* bl ADDRESS + 20 + 0x1000 */
	};

	cr_assert_eq(call_values__read(&go_arch_arm64, ADDRESS, (const uint8_t *)code, sizeof(code),
				       &values),
		     0);
	cr_assert_eq(values.callee, ADDRESS + 20 + 0x1000);
	cr_assert_eq(values.arguments[0], 0x402120);
	cr_assert_eq(values.arguments[1], 0);
	cr_assert_eq(values.arguments[4], 0x402120);
}

Test(call_values, what_is_stored_first_in_a_new_object)
{
	static const uint8_t amd64[] = {
		0x48, 0x8d, 0x0d, 0xf9, 0x0f, 0x00, 0x00, /* lea rcx, [rip+0xff9] */
		0x48, 0x89, 0x08,			  /* mov [rax], rcx */
	};
	static const uint8_t second_word[] = {
		0x48, 0x8d, 0x0d, 0xf9, 0x0f, 0x00, 0x00, /* lea rcx, [rip+0xff9] */
		0x48, 0x89, 0x48, 0x08,			  /* mov [rax+8], rcx */
	};
	static const uint8_t moved[] = {
		0x31, 0xc0,				  /* xor eax, eax */
		0x48, 0x8d, 0x0d, 0xf7, 0x0f, 0x00, 0x00, /* lea rcx, [rip+0xff7] */
		0x48, 0x89, 0x08,			  /* mov [rax], rcx */
	};
	static const uint32_t arm64[] = {
		0xb0000001, /* adrp x1, 0x402000 */
		0x91048021, /* add x1, x1, #0x120 */
		0xf9000001, /* str x1, [x0] */
	};

	cr_assert_eq(call_values__stored(&go_arch_amd64, ADDRESS, amd64, sizeof(amd64)), 0x402000);
	cr_assert_eq(call_values__stored(&go_arch_amd64, ADDRESS, second_word, sizeof(second_word)),
		     0);
	cr_assert_eq(call_values__stored(&go_arch_amd64, ADDRESS, moved, sizeof(moved)), 0);
	cr_assert_eq(call_values__stored(&go_arch_amd64, ADDRESS, amd64, 7), 0);
	cr_assert_eq(
		call_values__stored(&go_arch_arm64, ADDRESS, (const uint8_t *)arm64, sizeof(arm64)),
		0x402120);
}

/* --- programs that toolchains have made --------------------------------------------------------- */

/* Whether there may be a type's descriptor: its size, alignment and kind (src/internal/abi/type.go). */
static bool is_type(struct elf_image *image, uint64_t address)
{
	uint8_t data[24];

	return !elf_image__read(image, address, data, sizeof(data)) &&
	       bytes__u64(data, 0) < 1u << 20 && data[21] && data[21] <= 8 && data[23] % 32 &&
	       data[23] % 32 <= 26;
}

/* Calls of @callee in @func whose first argument is a type; those of which that is not known. */
static void count_calls(struct elf_image *image, const struct pclntab_func *func, uint64_t callee,
			size_t *known, size_t *unknown)
{
	const struct go_arch *arch = go_arch__of(image);
	size_t size = func->end - func->entry;
	uint8_t *code = malloc(size);
	struct go_insn insn;

	cr_assert(code);
	cr_assert_eq(elf_image__read(image, func->entry, code, size), 0);
	for (size_t at = 0; at < size; at += insn.length) {
		if (arch->read_insn(func->entry + at, code + at, size - at, &insn))
			break;
		if (insn.kind != GO_INSN_CALL || insn.value != callee)
			continue;
		cr_assert_eq(call_values__read(arch, func->entry, code, at + insn.length, &values),
			     0);
		cr_assert_eq(values.callee, callee);
		if (is_type(image, values.arguments[0]))
			++*known;
		else
			++*unknown;
	}
	free(code);
}

Test(call_values, types_in_real_programs)
{
	static const char *const names[] = {
		"runtime.newobject", "runtime.procresize", "runtime.malg",	"os.newFile",
		"fmt.init",	     "runtime.newproc1",   "runtime.schedinit", "runtime.allocm",
		"os.init",	     "syscall.init"};
	struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES);

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct pclntab_func funcs[ARRAY_SIZE(names)] = {0};
		size_t known = 0, unknown = 0;
		struct failure failure;
		struct pclntab *tab;

		cr_assert_eq(pclntab__open(image, &tab, &failure), 0);
		if (!pclntab__text(tab)) {
			const char *const text[] = {"runtime.text"};
			struct elf_symbol symbol = {0};

			if (elf_image__symbols(image, text, &symbol, 1) == 1)
				pclntab__set_text(tab, symbol.address);
		}
		if (pclntab__text(tab) && pclntab__find(tab, names, funcs, ARRAY_SIZE(names)) > 0) {
			for (size_t k = 1; k < ARRAY_SIZE(names); k++) {
				if (funcs[k].entry)
					count_calls(image, &funcs[k], funcs[0].entry, &known,
						    &unknown);
			}
			cr_assert_geq(known, 3, "%s: %zu", binaries[i].name, known);
			cr_assert_eq(unknown, 0, "%s: %zu", binaries[i].name, unknown);
		}
		pclntab__free(tab);
		elf_image__free(image);
	}
}
