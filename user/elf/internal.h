/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_ELF_INTERNAL_H
#define GLEAKD_ELF_INTERNAL_H

/*
 * What elf/open.c builds and elf/image.c reads; no other file includes this. Two invariants keep
 * both short:
 *
 *   - `segments` holds only PT_LOADs whose bytes lie inside the file, and a section is `usable`
 *     only when its bytes do: readers need not check that again.
 *   - A block of the cache is as long as what pread() returned. A file that was cut after it was
 *     opened gives short blocks, hence -EIO, never a fault.
 */
#include "elf/image.h"

#define BLOCK_SIZE ((size_t)16 * 1024) /* small: most reads are a few words here and there */
#define N_BLOCKS   64
#define NO_BLOCK   UINT64_MAX

struct block {
	uint64_t number; /* of the block in the file; NO_BLOCK when empty */
	uint64_t used;	 /* tick of the last use */
	size_t size;
	uint8_t *data; /* BLOCK_SIZE bytes, NULL until first used */
};

struct section {
	struct elf_section view;
	uint32_t name; /* offset in the section name table */
	uint32_t type;
	uint32_t link;
	bool usable; /* the bytes are inside the file, or there are none */
};

struct elf_image {
	int fd;
	char name[256];
	uint64_t file_size;
	enum elf_machine machine;
	bool pie;
	bool dynamic;

	struct elf_segment *segments;
	size_t n_segments;
	struct section *sections;
	size_t n_sections;
	struct elf_section section_names;

	struct block blocks[N_BLOCKS];
	uint64_t tick;
};

#endif /* GLEAKD_ELF_INTERNAL_H */
