// SPDX-License-Identifier: Apache-2.0
#include "probe/own_text.h"

#include <link.h>

struct search {
	uintptr_t address;
	uint64_t file_offset; /* 0: not found */
};

/* The main program comes first. */
static int search_main_program(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct search *search = ctx;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && search->address >= start &&
		    search->address - start < segment->p_filesz)
			search->file_offset = search->address - start + segment->p_offset;
	}
	return 1;
}

uint64_t own_text__file_offset(uintptr_t address)
{
	struct search search = {.address = address};

	dl_iterate_phdr(search_main_program, &search);
	return search.file_offset;
}
