// SPDX-License-Identifier: Apache-2.0
#include "golang/dwarf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "elf/debug_section.h"

#define MAX_ABBREV ((size_t)1024 * 1024) /* 370 bytes by Go alone, 20 KB with C code */
#define MAX_STR	   ((size_t)4 * 1024 * 1024)
#define MAX_UNITS  100000

#define MIN_PLACES ((size_t)1024 * 1024)
#define OVERHEAD   ((size_t)8192) /* headers, names and padding */

static const char section_names[] = "\0.debug_info\0.debug_abbrev\0.debug_str\0.shstrtab"
				    "\0.debug_loc\0.debug_ranges\0.debug_loclists"
				    "\0.debug_rnglists\0.debug_addr";
enum { NAME_INFO = 1, NAME_ABBREV = 13, NAME_STR = 27, NAME_NAMES = 38 };
enum { NO_SECTION, INFO, ABBREV, STR, NAMES, PLACES };

/* Where variables are, and which code a block is: of DWARF 4, then of 5. */
static const struct {
	const char *name;
	uint32_t at; /* of section_names */
} places[] = {
	{"addr", 105}, {"loclists", 73}, {"rnglists", 89}, {"loc", 48}, {"ranges", 59},
};
_Static_assert(PLACES + ARRAY_SIZE(places) == DWARF_FILE_SECTIONS, "room for all of them");

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

/* Room for @size bytes more than are used. Pages that are not written to cost nothing. */
static bool make_room(struct dwarf_file *file, size_t size)
{
	void *data = realloc(file->data, file->used + size + OVERHEAD);

	if (data)
		file->data = data;
	return data;
}

/* At most @max bytes of a section to where the used ones end; *@ret_size is 0 when there are none. */
static int read_section(struct elf_image *image, const char *name, size_t max,
			struct dwarf_file *file, size_t *ret_size)
{
	size_t most = debug_section__most(image, name, max);

	*ret_size = 0;
	if (!make_room(file, most))
		return -ENOMEM;
	return most ? debug_section__read(image, name, file->data + file->used, most, ret_size) :
		      -ENOENT;
}

/* Each as far as there is room; without one of them less is known of variables. */
static int add_places(struct elf_image *image, size_t max, struct dwarf_file *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(places) && max; i++) {
		size_t size;
		int err = read_section(image, places[i].name, max, file, &size);

		if (err == -ENOMEM)
			return err;
		if (err)
			continue;
		add_section(file, PLACES + (int)i, places[i].at, SHT_PROGBITS, size);
		max -= size;
	}
	return 0;
}

/* @places_max: bytes that the lists may take, with what .debug_info leaves of @prefix; 0: they are not wanted. */
static int fill_file(struct elf_image *image, size_t prefix, size_t places_max,
		     struct dwarf_file *file)
{
	size_t size, whole;
	int err;

	file->used = sizeof(Elf64_Ehdr);
	err = read_section(image, "info", prefix, file, &size);
	if (err)
		return err;
	file->info_is_whole = size < prefix;
	whole = whole_units(file->data + file->used, size);
	add_section(file, INFO, NAME_INFO, SHT_PROGBITS, whole);

	err = read_section(image, "abbrev", MAX_ABBREV, file, &size);
	if (err)
		return err;
	add_section(file, ABBREV, NAME_ABBREV, SHT_PROGBITS, size);

	/* Go writes names in place; tools that rewrite DWARF (dwz) may move them here. */
	err = read_section(image, "str", MAX_STR, file, &size);
	if (err && err != -ENOENT)
		return err;
	add_section(file, STR, NAME_STR, SHT_PROGBITS, size);
	err = places_max ? add_places(image, max_of(places_max, prefix - whole), file) : 0;
	/* What was reserved for more goes back. */
	if (!err && !make_room(file, 0))
		err = -ENOMEM;
	if (!err)
		finish_file(file);
	return err;
}

static int open_file(struct elf_image *image, size_t prefix, size_t places_max,
		     struct dwarf_file *file)
{
	int err;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOMEM;
	err = fill_file(image, prefix, places_max, file);
	if (err)
		return err;
	file->elf = elf_memory((char *)file->data, file->used);
	file->dwarf = file->elf ? dwarf_begin_elf(file->elf, DWARF_C_READ, NULL) : NULL;
	return file->dwarf ? 0 : -ENOENT;
}

int dwarf_file__open(struct elf_image *image, size_t prefix, struct dwarf_file *file)
{
	return open_file(image, prefix, 0, file);
}

int dwarf_file__open_with_places(struct elf_image *image, size_t max, struct dwarf_file *file)
{
	return open_file(image, max, MIN_PLACES, file);
}
