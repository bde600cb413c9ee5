// SPDX-License-Identifier: Apache-2.0
/* On files made here, of both classes and byte orders, and on what a hostile one may look like. */
#include "golang/go_sniff.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_SIZE   4096
#define CONTENTS_AT 1024
#define NAMES_AT    2048
#define TABLE_AT    2560
#define N_SECTIONS  3 /* none, names, the one in question */

struct made {
	bool elf64, big_endian;
	uint8_t bytes[FILE_SIZE];
};

static void put(struct made *made, size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		size_t byte = made->big_endian ? size - 1 - i : i;

		made->bytes[at + i] = (uint8_t)(value >> 8 * byte);
	}
}

#define PUT(made, at, type, field, value)                                       \
	((made)->elf64 ? put(made, (at) + offsetof(Elf64_##type, field), value, \
			     sizeof(((Elf64_##type *)0)->field)) :              \
			 put(made, (at) + offsetof(Elf32_##type, field), value, \
			     sizeof(((Elf32_##type *)0)->field)))

static size_t header_size(const struct made *made)
{
	return made->elf64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
}

static void put_section(struct made *made, size_t index, uint32_t name, uint32_t type,
			uint64_t offset, uint64_t size)
{
	size_t at = TABLE_AT + index * header_size(made);

	PUT(made, at, Shdr, sh_name, name);
	PUT(made, at, Shdr, sh_type, type);
	PUT(made, at, Shdr, sh_offset, offset);
	PUT(made, at, Shdr, sh_size, size);
}

/* An ELF file with one section of interest. */
static struct made make(bool elf64, bool big_endian, const char *name, uint32_t type,
			const void *contents, size_t size)
{
	struct made made = {.elf64 = elf64, .big_endian = big_endian};

	memcpy(made.bytes, ELFMAG, SELFMAG);
	made.bytes[EI_CLASS] = elf64 ? ELFCLASS64 : ELFCLASS32;
	made.bytes[EI_DATA] = big_endian ? ELFDATA2MSB : ELFDATA2LSB;
	PUT(&made, 0, Ehdr, e_shoff, TABLE_AT);
	PUT(&made, 0, Ehdr, e_shentsize, header_size(&made));
	PUT(&made, 0, Ehdr, e_shnum, N_SECTIONS);
	PUT(&made, 0, Ehdr, e_shstrndx, 1);
	memcpy(made.bytes + NAMES_AT + 1, name, strlen(name));
	put_section(&made, 1, 0, SHT_STRTAB, NAMES_AT, strlen(name) + 2);
	put_section(&made, 2, 1, type, CONTENTS_AT, size);
	memcpy(made.bytes + CONTENTS_AT, contents, size);
	return made;
}

static struct go_sniff sniff_bytes(const void *bytes, size_t size)
{
	int fd = memfd_create("sniff", MFD_CLOEXEC);
	struct go_sniff sniff;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	memset(&sniff, 0x5a, sizeof(sniff));
	cr_assert_eq(go_sniff__file(fd, &sniff), 0);
	close(fd);
	cr_assert_lt(strnlen(sniff.version, sizeof(sniff.version)), sizeof(sniff.version));
	return sniff;
}

static struct go_sniff sniff_made(const struct made *made)
{
	return sniff_bytes(made->bytes, sizeof(made->bytes));
}

static struct go_sniff sniff_section(const char *name, uint32_t type, const void *contents,
				     size_t size)
{
	struct made made = make(true, false, name, type, contents, size);

	return sniff_made(&made);
}

#define BUILD_INFO(flags, length, version) \
	"\xff Go buildinf:\x08" flags "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" length version
#define GO_1_26 BUILD_INFO("\x02", "\x08", "go1.26.8")

Test(go_sniff, build_info_of_every_class_and_byte_order)
{
	for (int kind = 0; kind < 4; kind++) {
		struct made made = make(kind & 1, kind & 2, ".go.buildinfo", SHT_PROGBITS, GO_1_26,
					sizeof(GO_1_26));
		struct go_sniff sniff = sniff_made(&made);

		cr_expect_eq(sniff.kind, GO_SNIFF_GO, "kind %d", kind);
		cr_expect_str_eq(sniff.version, "go1.26.8");
	}
}

Test(go_sniff, versions_that_are_not_there_or_too_long)
{
	static const char old[] = BUILD_INFO("\x00", "\x08", "go1.17.9");
	static const char cut[] = BUILD_INFO("\x02", "\x30", "go1.26");
	static const char long_one[] = BUILD_INFO("\x02", "\x90\x01", "go1.26");
	static const char steering[] = BUILD_INFO("\x02", "\x06", "go\033[2J");
	struct go_sniff sniff = sniff_section(".go.buildinfo", SHT_PROGBITS, old, sizeof(old));

	cr_expect_eq(sniff.kind, GO_SNIFF_GO);
	cr_expect_str_eq(sniff.version, "");
	sniff = sniff_section(".go.buildinfo", SHT_PROGBITS, cut, sizeof(cut));
	cr_expect_str_eq(sniff.version, "");
	sniff = sniff_section(".go.buildinfo", SHT_PROGBITS, long_one, sizeof(long_one));
	cr_expect_str_eq(sniff.version, "");
	sniff = sniff_section(".go.buildinfo", SHT_PROGBITS, steering, sizeof(steering));
	cr_expect_str_eq(sniff.version, "go?[2J");
	sniff = sniff_section(".go.buildinfo", SHT_PROGBITS, GO_1_26, 20);
	cr_expect_eq(sniff.kind, GO_SNIFF_NO, "cut off in the header");
}

Test(go_sniff, other_sections_of_go)
{
	static const char note[] = "\x04\0\0\0\x53\0\0\0\x04\0\0\0Go\0\0id";
	static const char table[] = "\xf1\xff\xff\xff\0\0\x01\x08";
	static const char old_table[] = "\xfb\xff\xff\xff\0\0\x01\x08";

	cr_expect_eq(sniff_section(".note.go.buildid", SHT_NOTE, note, sizeof(note)).kind,
		     GO_SNIFF_GO);
	cr_expect_eq(sniff_section(".gopclntab", SHT_PROGBITS, table, sizeof(table)).kind,
		     GO_SNIFF_GO);
	cr_expect_eq(
		sniff_section(".data.rel.ro.gopclntab", SHT_PROGBITS, table, sizeof(table)).kind,
		GO_SNIFF_GO);
	cr_expect_eq(sniff_section(".gopclntab", SHT_PROGBITS, old_table, sizeof(old_table)).kind,
		     GO_SNIFF_GO);
}

Test(go_sniff, a_name_alone_is_not_believed)
{
	static const char table32[] = "\xf1\xff\xff\xff\0\0\x01\x04";

	cr_expect_eq(sniff_section(".gopclntab", SHT_PROGBITS, "int table[];", 12).kind,
		     GO_SNIFF_NO);
	cr_expect_eq(sniff_section(".gopclntab", SHT_PROGBITS, table32, sizeof(table32)).kind,
		     GO_SNIFF_NO, "the word size of another class");
	cr_expect_eq(sniff_section(".gopclntab", SHT_PROGBITS, "", 0).kind, GO_SNIFF_NO);
	cr_expect_eq(sniff_section(".go.buildinfo", SHT_NOBITS, GO_1_26, sizeof(GO_1_26)).kind,
		     GO_SNIFF_NO);
	cr_expect_eq(sniff_section(".data", SHT_PROGBITS, GO_1_26, sizeof(GO_1_26)).kind,
		     GO_SNIFF_NO, "a program that looks for the magic");
}

Test(go_sniff, other_compilers)
{
	static const char gccgo[] = "\0libc.so.6\0libgo.so.22\0";
	static const char gccgo_static[] = "\0main\0__go_init_main\0";
	static const char tinygo[] = "\0_start\0tinygo_startTask\0";
	static const char neither[] = "\0mylibgo.so.22\0__go_init_mainly\0xtinygo_startTask\0";
	static const char no_first_nul[] = "libgo.so.22";

	cr_expect_eq(sniff_section(".dynstr", SHT_STRTAB, gccgo, sizeof(gccgo)).kind,
		     GO_SNIFF_GCCGO);
	cr_expect_eq(sniff_section(".strtab", SHT_STRTAB, gccgo_static, sizeof(gccgo_static)).kind,
		     GO_SNIFF_GCCGO);
	cr_expect_eq(sniff_section(".strtab", SHT_STRTAB, tinygo, sizeof(tinygo)).kind,
		     GO_SNIFF_TINYGO);
	cr_expect_eq(sniff_section(".strtab", SHT_STRTAB, neither, sizeof(neither)).kind,
		     GO_SNIFF_NO);
	cr_expect_eq(sniff_section(".dynstr", SHT_STRTAB, no_first_nul, sizeof(no_first_nul)).kind,
		     GO_SNIFF_NO);
	cr_expect_eq(sniff_section(".rodata", SHT_PROGBITS, gccgo, sizeof(gccgo)).kind,
		     GO_SNIFF_NO);
}

Test(go_sniff, without_section_headers_nothing_is_sure)
{
	struct made made =
		make(true, false, ".go.buildinfo", SHT_PROGBITS, GO_1_26, sizeof(GO_1_26));
	struct made changed = made;

	PUT(&changed, 0, Ehdr, e_shoff, 0);
	cr_expect_eq(sniff_made(&changed).kind, GO_SNIFF_UNSURE);
	changed = made;
	PUT(&changed, 0, Ehdr, e_shnum, 65000);
	cr_expect_eq(sniff_made(&changed).kind, GO_SNIFF_UNSURE);
	changed = made;
	PUT(&changed, 0, Ehdr, e_shstrndx, N_SECTIONS);
	cr_expect_eq(sniff_made(&changed).kind, GO_SNIFF_UNSURE);
	changed = made;
	PUT(&changed, 0, Ehdr, e_shentsize, 17);
	cr_expect_eq(sniff_made(&changed).kind, GO_SNIFF_UNSURE);
	changed = made;
	PUT(&changed, 0, Ehdr, e_shoff, UINT64_MAX - 8);
	cr_expect_eq(sniff_made(&changed).kind, GO_SNIFF_UNSURE);
}

Test(go_sniff, no_elf_file)
{
	cr_expect_eq(sniff_bytes("", 0).kind, GO_SNIFF_NO);
	cr_expect_eq(sniff_bytes("#!/bin/sh\n", 10).kind, GO_SNIFF_NO);
	cr_expect_eq(sniff_bytes("\177ELF\2\1", 6).kind, GO_SNIFF_NO);
}

/* --- libraries ----------------------------------------------------------------------------------- */

static enum go_sniff_kind sniff_library(const struct made *made)
{
	int fd = memfd_create("sniff", MFD_CLOEXEC);
	struct go_sniff sniff;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, made->bytes, sizeof(made->bytes)), (ssize_t)sizeof(made->bytes));
	cr_assert_eq(go_sniff__library(fd, &sniff), 0);
	close(fd);
	return sniff.kind;
}

Test(go_sniff, of_a_library_only_go_is_asked)
{
	static const char gccgo[] = "\0libc.so.6\0libgo.so.22\0";
	struct made made =
		make(true, false, ".go.buildinfo", SHT_PROGBITS, GO_1_26, sizeof(GO_1_26));

	cr_expect_eq(sniff_library(&made), GO_SNIFF_GO);
	PUT(&made, 0, Ehdr, e_shoff, 0);
	cr_expect_eq(sniff_library(&made), GO_SNIFF_NO, "there are too many libraries to wonder");
	made = make(true, false, ".dynstr", SHT_STRTAB, gccgo, sizeof(gccgo));
	cr_expect_eq(sniff_library(&made), GO_SNIFF_NO);
}

/* --- in memory ----------------------------------------------------------------------------------- */

#define IMAGE	 0x7f0000001000 /* where the first page of the file is */
#define NOTES_AT 512

static const char note_of_go[] = "\x04\0\0\0\x03\0\0\0\x04\0\0\0Go\0\0id\0";
static const char note_of_gnu[] = "\x04\0\0\0\x03\0\0\0\x03\0\0\0GNU\0id\0";

/* A file which has both notes, and whose first address is not 0. */
static struct made make_image(void)
{
	struct made made = {.elf64 = true};
	const Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB},
		.e_phoff = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 2,
	};
	const Elf64_Phdr segments[] = {
		{.p_type = PT_LOAD, .p_vaddr = 0x1000, .p_filesz = FILE_SIZE, .p_memsz = FILE_SIZE},
		{.p_type = PT_NOTE, .p_vaddr = 0x1000 + NOTES_AT, .p_filesz = 40, .p_memsz = 40},
	};

	memcpy(made.bytes, &header, sizeof(header));
	memcpy(made.bytes + sizeof(header), segments, sizeof(segments));
	memcpy(made.bytes + NOTES_AT, note_of_gnu, 20);
	memcpy(made.bytes + NOTES_AT + 20, note_of_go, 20);
	return made;
}

static bool sniff_memory(const struct made *made, size_t size)
{
	const struct remote_range range = {IMAGE, made->bytes, size};
	struct remote *remote;
	bool is_go;

	cr_assert_eq(remote__open_image(&range, 1, &remote), 0);
	is_go = go_sniff__memory(remote, IMAGE);
	cr_expect_not(go_sniff__memory(remote, 0), "not known where it begins");
	remote__free(remote);
	return is_go;
}

Test(go_sniff, notes_in_memory)
{
	const struct made made = make_image();
	struct made changed = made;

	cr_expect(sniff_memory(&made, FILE_SIZE));
	memcpy(changed.bytes + NOTES_AT + 20, note_of_gnu, 20);
	cr_expect_not(sniff_memory(&changed, FILE_SIZE), "only C's");
	changed = made;
	changed.bytes[0] = 'x';
	cr_expect_not(sniff_memory(&changed, FILE_SIZE));
	changed = made;
	PUT(&changed, 0, Ehdr, e_phnum, 65);
	cr_expect_not(sniff_memory(&changed, FILE_SIZE));
	changed = made;
	put(&changed, NOTES_AT, UINT32_MAX, 4);
	cr_expect_not(sniff_memory(&changed, FILE_SIZE), "a name of 4 GB");
	cr_expect_not(sniff_memory(&made, NOTES_AT), "not mapped");
}

Test(go_sniff, damage_in_memory)
{
	const struct made made = make_image();

	srandom(7);
	for (int i = 0; i < 3000; i++) {
		struct made changed = made;

		for (int k = 0; k < 3; k++)
			changed.bytes[(size_t)random() % (NOTES_AT + 40)] = (uint8_t)random();
		sniff_memory(&changed, FILE_SIZE);
	}
}

/* --- damage -------------------------------------------------------------------------------------- */

/* Every cut and many changes of a good file: an answer, and nothing read beyond a buffer. */
Test(go_sniff, damage)
{
	struct made made =
		make(true, false, ".go.buildinfo", SHT_PROGBITS, GO_1_26, sizeof(GO_1_26));

	for (size_t size = 0; size < sizeof(made.bytes); size += 7)
		sniff_bytes(made.bytes, size);
	srandom(7);
	for (int i = 0; i < 3000; i++) {
		static const size_t spans[][2] = {{4, 60}, {TABLE_AT, 192}, {NAMES_AT, 16}};
		size_t span = (size_t)random() % ARRAY_SIZE(spans);
		struct made changed = made;

		for (int k = 0; k < 3; k++)
			changed.bytes[spans[span][0] + (size_t)random() % spans[span][1]] =
				(uint8_t)random();
		sniff_made(&changed);
	}
}
