// SPDX-License-Identifier: Apache-2.0
#include "golang/dwarf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/debug_section.h"

#define MAX_ABBREV ((size_t)1024 * 1024) /* 370 bytes by Go alone, 20 KB with C code */
#define MAX_STR	   ((size_t)4 * 1024 * 1024)
#define MAX_UNITS  100000

static const char section_names[] = "\0.debug_info\0.debug_abbrev\0.debug_str\0.shstrtab";
enum { NAME_INFO = 1, NAME_ABBREV = 13, NAME_STR = 27, NAME_NAMES = 38 };
enum { NO_SECTION, INFO, ABBREV, STR, NAMES };
_Static_assert(NAMES + 1 == DWARF_FILE_SECTIONS, "room for all of them");

void dwarf_file__close(struct dwarf_file *file)
{
	dwarf_end(file->dwarf);
	elf_end(file->elf);
	free(file->data);
}

/* Where the last unit ends that is whole. Units of 64-bit DWARF, which Go does not write, end it. */
static size_t whole_units(const uint8_t *info, size_t size)
{
	size_t at = 0;

	for (size_t i = 0; i < MAX_UNITS && size - at > sizeof(uint32_t); i++) {
		uint32_t length;

		memcpy(&length, info + at, sizeof(length));
		if (length >= 0xfffffff0 || length > size - at - sizeof(length))
			break;
		at += sizeof(length) + length;
	}
	return at;
}

static void add_section(struct dwarf_file *file, int index, uint32_t name, uint32_t type,
			size_t size)
{
	file->sections[index] = (Elf64_Shdr){
		.sh_name = name,
		.sh_type = type,
		.sh_offset = file->used,
		.sh_size = size,
		.sh_addralign = 1,
	};
	file->used = (file->used + size + 7) & ~(size_t)7;
}

static void finish_file(struct dwarf_file *file)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64, /* decides nothing that is read here */
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = DWARF_FILE_SECTIONS,
		.e_shstrndx = NAMES,
	};

	memcpy(file->data + file->used, section_names, sizeof(section_names));
	add_section(file, NAMES, NAME_NAMES, SHT_STRTAB, sizeof(section_names));
	header.e_shoff = file->used;
	memcpy(file->data + file->used, file->sections, sizeof(file->sections));
	file->used += sizeof(file->sections);
	memcpy(file->data, &header, sizeof(header));
}

static int fill_file(struct elf_image *image, size_t prefix, struct dwarf_file *file)
{
	size_t size = 0, whole;
	int err;

	file->used = sizeof(Elf64_Ehdr);
	err = debug_section__read(image, "info", file->data + file->used, prefix, &size);
	if (err)
		return err;
	file->info_is_whole = size < prefix;
	whole = whole_units(file->data + file->used, size);
	add_section(file, INFO, NAME_INFO, SHT_PROGBITS, whole);

	err = debug_section__read(image, "abbrev", file->data + file->used, MAX_ABBREV, &size);
	if (err)
		return err;
	add_section(file, ABBREV, NAME_ABBREV, SHT_PROGBITS, size);

	/* Go writes names in place; tools that rewrite DWARF (dwz) may move them here. */
	size = 0;
	err = debug_section__read(image, "str", file->data + file->used, MAX_STR, &size);
	if (err && err != -ENOENT)
		return err;
	add_section(file, STR, NAME_STR, SHT_PROGBITS, size);
	finish_file(file);
	return 0;
}

int dwarf_file__open(struct elf_image *image, size_t prefix, struct dwarf_file *file)
{
	int err;

	/* Pages that are not written to cost nothing. */
	file->data = malloc(sizeof(Elf64_Ehdr) + prefix + MAX_ABBREV + MAX_STR + 4096);
	if (!file->data || elf_version(EV_CURRENT) == EV_NONE)
		return -ENOMEM;
	err = fill_file(image, prefix, file);
	if (err)
		return err;
	file->elf = elf_memory((char *)file->data, file->used);
	file->dwarf = file->elf ? dwarf_begin_elf(file->elf, DWARF_C_READ, NULL) : NULL;
	return file->dwarf ? 0 : -ENOENT;
}
