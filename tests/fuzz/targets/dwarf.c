// SPDX-License-Identifier: Apache-2.0
/*
 * The input is one byte of choices, the length of .debug_abbrev (u16), that section, and
 * .debug_info. The latter is put into the file as it is, or compressed in one of the two ways first:
 * a fuzzer does not find out how to deflate.
 */
#include "golang/layout_dwarf.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "elf_header.h"
#include "fuzz.h"

#define MAX_CONTENTS 16384

enum choice {
	ELF_COMPRESSED = 1 << 0,
	GNU_COMPRESSED = 1 << 1, /* .zdebug_info */
	ALREADY = 1 << 2,	 /* compressed, or not: as the input has it */
	WRONG_SIZE = 1 << 3,	 /* the compressed section claims another one */
};

static const char names[] = "\0.debug_info\0.zdebug_info\0.debug_abbrev\0.shstrtab";
enum { NAME_INFO = 1, NAME_ZINFO = 13, NAME_ABBREV = 26, NAME_NAMES = 40 };
enum { NO_SECTION, INFO, ABBREV, NAMES, N_SECTIONS };

static struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[N_SECTIONS];
	char names[sizeof(names)];
	uint8_t contents[MAX_CONTENTS];
} file;

static size_t used; /* of contents */

static void add_section(int index, uint32_t name, const void *data, size_t size)
{
	fuzz__require(size <= MAX_CONTENTS - used);
	file.sections[index] = (Elf64_Shdr){
		.sh_name = name,
		.sh_type = SHT_PROGBITS,
		.sh_offset = offsetof(struct file, contents) + used,
		.sh_size = size,
		.sh_addralign = 1,
	};
	if (size)
		memcpy(file.contents + used, data, size);
	used += size;
}

static void make_headers(void)
{
	memset(&file, 0, sizeof(file));
	used = 0;
	file.header = elf_header(offsetof(struct file, segment), offsetof(struct file, sections),
				 N_SECTIONS, NAMES);
	file.segment = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R};
	memcpy(file.names, names, sizeof(names));
	file.sections[NAMES] = (Elf64_Shdr){
		.sh_name = NAME_NAMES,
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct file, names),
		.sh_size = sizeof(names),
	};
}

/* @head, which is the header of a compressed section, and what follows it. */
static void add_compressed(uint32_t name, const void *head, size_t head_size, const uint8_t *data,
			   size_t size)
{
	uint8_t packed[MAX_CONTENTS / 2];
	uLongf packed_size = sizeof(packed) - head_size;

	memcpy(packed, head, head_size);
	fuzz__require(compress2(packed + head_size, &packed_size, data, size, 1) == Z_OK);
	add_section(INFO, name, packed, head_size + packed_size);
}

static void add_info(uint8_t choices, const uint8_t *data, size_t size)
{
	uint64_t claim = choices & WRONG_SIZE ? size * 1000003 : size;
	const Elf64_Chdr elf = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = claim, .ch_addralign = 1};
	uint8_t gnu[12] = "ZLIB";

	claim = htobe64(claim);
	memcpy(gnu + 4, &claim, sizeof(claim));
	if (choices & ALREADY)
		add_section(INFO, choices & GNU_COMPRESSED ? NAME_ZINFO : NAME_INFO, data, size);
	else if (choices & GNU_COMPRESSED)
		add_compressed(NAME_ZINFO, gnu, sizeof(gnu), data, size);
	else if (choices & ELF_COMPRESSED)
		add_compressed(NAME_INFO, &elf, sizeof(elf), data, size);
	else
		add_section(INFO, NAME_INFO, data, size);
}

static void check(const struct go_layout *layout)
{
#define X(field)                                           \
	fuzz__require(layout->field == GO_LAYOUT_ABSENT || \
		      layout->field <= LAYOUT_DWARF_MAX_STRUCT);
	GO_LAYOUT_FIELDS(X)
#undef X
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	struct fuzz_input input = {data, min_of(size, (size_t)MAX_CONTENTS / 4)};
	uint8_t choices = fuzz_input__u8(&input);
	size_t n_abbrev = min_of((size_t)fuzz_input__u16(&input), input.left);
	struct go_layout layout = {.minor = 99};
	struct failure failure = {0};
	struct elf_image *image;
	int fd, err;

	make_headers();
	add_section(ABBREV, NAME_ABBREV, input.data, n_abbrev);
	add_info(choices, input.data + n_abbrev, input.left - n_abbrev);
	fd = fuzz__memfd(&file, sizeof(file));
	fuzz__require(!elf_image__open(fd, &image, &failure));
	close(fd);
	err = layout_dwarf__read(image, &layout, &failure);
	fuzz__require(!err || err == -ENOENT || (err == -EOPNOTSUPP && failure.text[0]));
	fuzz__require(layout.minor == 99);
	if (!err)
		check(&layout);
	elf_image__free(image);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
