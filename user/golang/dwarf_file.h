/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_DWARF_FILE_H
#define GLEAKD_GOLANG_DWARF_FILE_H

/*
 * libdw never sees the program's file. It is given an ELF file in memory that holds the beginning
 * of .debug_info, cut where a unit ends, with .debug_abbrev and .debug_str, and on request what says
 * where local variables are: nothing else is decompressed, no other file is opened because a section names
 * it, and what can be hostile is bounded before it is parsed. libdw goes only forwards through a unit,
 * so time is bounded by size.
 */
#include <elf.h>
#include <elfutils/libdw.h>

#include "elf/image.h"

#define DWARF_FILE_SECTIONS 10

struct dwarf_file {
	uint8_t *data;
	size_t used;
	Elf64_Shdr sections[DWARF_FILE_SECTIONS];
	bool info_is_whole; /* nothing was cut off */
	Elf *elf;
	Dwarf *dwarf;
};

/*
 * dwarf_file__open - of the first @prefix bytes of .debug_info. @file, which must be zeros, has to be
 * closed in any case.
 * Errors: -ENOENT no DWARF, -EPROTO, -EIO damaged, -ENOMEM.
 */
int dwarf_file__open(struct elf_image *image, size_t prefix, struct dwarf_file *file) __must_check;

/*
 * dwarf_file__open_with_places - the same, with lists of locations and ranges, DWARF 4's or 5's, of which
 * together with .debug_info at most @max bytes are in memory, and some more for lists where .debug_info has
 * taken it all. What does not fit is cut off.
 */
int dwarf_file__open_with_places(struct elf_image *image, size_t max,
				 struct dwarf_file *file) __must_check;
void dwarf_file__close(struct dwarf_file *file);

#endif /* GLEAKD_GOLANG_DWARF_FILE_H */
