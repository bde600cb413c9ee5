// SPDX-License-Identifier: Apache-2.0
#include "probe/insn.h"

insn_decode_fn insn__decoder(const struct elf_image *image)
{
	static const insn_decode_fn decoders[] = {
		[ELF_MACHINE_AMD64] = insn_amd64__decode,
		[ELF_MACHINE_ARM64] = insn_arm64__decode,
	};

	return decoders[elf_image__machine(image)];
}
