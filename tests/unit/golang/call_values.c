// SPDX-License-Identifier: Apache-2.0
#include "golang/call_values.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

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
