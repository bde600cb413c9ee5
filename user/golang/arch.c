// SPDX-License-Identifier: Apache-2.0
#include "golang/arch.h"

const struct go_arch *go_arch__of(const struct elf_image *image)
{
	static const struct go_arch *const archs[] = {
		[ELF_MACHINE_AMD64] = &go_arch_amd64,
		[ELF_MACHINE_ARM64] = &go_arch_arm64,
	};

	return archs[elf_image__machine(image)];
}
