// SPDX-License-Identifier: Apache-2.0
/* The input is a file: its headers, sections, segments and symbols. */
#include "elf/image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* Segments and sections that are handed out must be readable, and not past the file's end. */
static void read_segments(struct elf_image *image)
{
	struct elf_segment segment;
	char bytes[64];

	for (size_t i = 0; !elf_image__segment(image, i, &segment); i++) {
		uint64_t size = min_of(segment.file_size, (uint64_t)sizeof(bytes));
		uint64_t last = segment.address + segment.file_size - 1, offset;

		fuzz__require(segment.offset + segment.file_size <= elf_image__file_size(image));
		if (!segment.file_size)
			continue;
		fuzz__require(!elf_image__read_offset(image, segment.offset, bytes, size));
		fuzz__require(!elf_image__file_offset(image, last, &offset));
		fuzz__require(offset < elf_image__file_size(image));
		fuzz__require(!elf_image__read(image, last, bytes, 1));
		/* Unless another segment is there, too. */
		if (elf_image__file_offset(image, last + 1, &offset))
			fuzz__require(elf_image__read_string(image, last, bytes, sizeof(bytes)) <=
				      1);
		(void)!elf_image__read(image, last, bytes, 2);
	}
}

static void read_section(struct elf_image *image, const char *name)
{
	struct elf_section section;
	char byte;

	if (elf_image__section(image, name, &section) || !section.has_bits || !section.size)
		return;
	fuzz__require(!elf_image__read_offset(image, section.offset + section.size - 1, &byte, 1));
}

static void read_symbols(struct elf_image *image)
{
	static const char *const names[] = {"runtime.main", "a", "runtime.allgs", ""};
	struct elf_symbol symbols[ARRAY_SIZE(names)];
	int n = elf_image__symbols(image, names, symbols, ARRAY_SIZE(names));
	int found = 0;

	for (size_t i = 0; n >= 0 && i < ARRAY_SIZE(names); i++)
		found += symbols[i].address != 0;
	fuzz__require(n < 0 || n == found);
	fuzz__require(n < 0 || elf_image__has_symbols(image));
}

/* Addresses out of the input, where nothing is promised. */
static void read_anywhere(struct elf_image *image, struct fuzz_input input)
{
	char bytes[300];

	for (int i = 0; i < 16 && input.left; i++) {
		uint64_t address = fuzz_input__u64(&input);
		uint64_t offset;

		if (!elf_image__read(image, address, bytes, sizeof(bytes)))
			fuzz__require(!elf_image__file_offset(image, address, &offset));
		(void)!elf_image__read_offset(image, address, bytes, sizeof(bytes));
		(void)!elf_image__read_string(image, address, bytes, 1 + address % sizeof(bytes));
	}
}

/* The file is cut while it is being looked at: errors, but no more. */
static void cut(struct elf_image *image, int fd, size_t size)
{
	struct elf_section section;

	if (ftruncate(fd, (off_t)(size / 2)))
		return;
	elf_image__drop_cache(image);
	(void)!elf_image__section(image, ".nosuch", &section);
	read_symbols(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	static const char *const sections[] = {".text",	     ".symtab",	      ".strtab",
					       ".gopclntab", ".go.buildinfo", ""};
	struct failure failure = {0};
	struct elf_image *image;
	int fd = fuzz__memfd(data, size);
	int err = elf_image__open(fd, &image, &failure);

	if (err) {
		fuzz__require(err == -ENOEXEC && failure.text[0]);
	} else {
		read_segments(image);
		for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
			read_section(image, sections[i]);
		read_symbols(image);
		read_anywhere(image, (struct fuzz_input){data, size});
		cut(image, fd, size);
		elf_image__free(image);
	}
	close(fd);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
