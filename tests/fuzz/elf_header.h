/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_FUZZ_ELF_HEADER_H
#define GLEAKD_FUZZ_ELF_HEADER_H

#include <elf.h>

/* An executable for x86-64 with one segment, whose header is at @segment of the file, and @n sections at @sections. */
static inline Elf64_Ehdr elf_header(size_t segment, size_t sections, uint16_t n, uint16_t names)
{
	return (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = segment,
		.e_shoff = sections,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = n,
		.e_shstrndx = names,
	};
}

#endif /* GLEAKD_FUZZ_ELF_HEADER_H */
