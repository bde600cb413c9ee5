// SPDX-License-Identifier: Apache-2.0
#include "golang/arch.h"

#include <criterion/criterion.h>

#include "golang/layout.h"

/* What assembly of each kind of call leaves before the return address. */
Test(arch, calls)
{
	static const uint8_t direct[8] = {0, 0, 0, 0xe8, 1, 2, 3, 4};
	static const uint8_t by_register[8] = {0, 0, 0, 0, 0, 0, 0xff, 0xd1};
	static const uint8_t by_slot[8] = {0, 0, 0, 0, 0, 0xff, 0x53, 0x08};
	static const uint8_t by_far_slot[8] = {0, 0, 0xff, 0x92, 0, 1, 0, 0};
	static const uint8_t jump[8] = {0, 0, 0, 0xe9, 1, 2, 3, 4};
	static const uint8_t bl[8] = {0, 0, 0, 0, 0x10, 0x00, 0x00, 0x94};
	static const uint8_t blr[8] = {0, 0, 0, 0, 0x20, 0x00, 0x3f, 0xd6};
	static const uint8_t br[8] = {0, 0, 0, 0, 0x20, 0x00, 0x1f, 0xd6};

	cr_expect(go_arch_amd64.ends_in_call(direct));
	cr_expect(go_arch_amd64.ends_in_call(by_register));
	cr_expect(go_arch_amd64.ends_in_call(by_slot));
	cr_expect(go_arch_amd64.ends_in_call(by_far_slot));
	cr_expect_not(go_arch_amd64.ends_in_call(jump));
	cr_expect(go_arch_arm64.ends_in_call(bl));
	cr_expect(go_arch_arm64.ends_in_call(blr));
	cr_expect_not(go_arch_arm64.ends_in_call(br));
}

Test(arch, each_has_columns_of_its_own)
{
	const struct go_layout *newest = go_layout__newest();

	cr_expect_eq(go_arch__mheap_arenas(&go_arch_amd64, newest), newest->mheap_arenas);
	cr_expect_eq(go_arch__mheap_arenas(&go_arch_arm64, newest), newest->mheap_arenas_arm64);
	cr_expect_neq(newest->mheap_arenas, newest->mheap_arenas_arm64);
	cr_expect_eq(go_arch__cleanup_queue(&go_arch_amd64, newest), newest->cleanupQueue_all);
	cr_expect_eq(go_arch__cleanup_queue(&go_arch_arm64, newest),
		     newest->cleanupQueue_all_arm64);
}

/* src/internal/cpu/cpu_x86.go, cpu_arm64.go CacheLinePadSize. */
Test(arch, cache_lines)
{
	cr_expect_eq(go_arch_amd64.cache_line(18), 64);
	cr_expect_eq(go_arch_amd64.cache_line(27), 64);
	cr_expect_eq(go_arch_arm64.cache_line(19), 64);
	cr_expect_eq(go_arch_arm64.cache_line(20), 128);
}
