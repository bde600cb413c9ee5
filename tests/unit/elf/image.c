// SPDX-License-Identifier: Apache-2.0
/* ELF files are made byte by byte in a memfd, the healthy one first, then one defect at a time. */
#include "elf/image.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "real_binaries.h"

#define BASE	  0x400000ULL
#define TEXT_SIZE 100000U /* more than a block of the cache */
#define DATA	  0x600000ULL

/* Everything of the file in the order it lies there. */
struct test_file {
	Elf64_Ehdr header;
	Elf64_Phdr segments[3];
	uint8_t text[TEXT_SIZE];
	char names[64];	  /* of sections */
	char strings[64]; /* of symbols */
	Elf64_Sym symbols[4];
	Elf64_Shdr sections[5];
};

enum { SECTION_TEXT = 1, SECTION_NAMES, SECTION_STRINGS, SECTION_SYMBOLS, N_SECTIONS };

#define AT(member) offsetof(struct test_file, member)

static void fill_headers(struct test_file *file)
{
	file->header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = BASE + 0x1234,
		.e_phoff = AT(segments),
		.e_shoff = AT(sections),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = N_SECTIONS,
		.e_shstrndx = SECTION_NAMES,
	};
	file->segments[0] = (Elf64_Phdr){.p_type = PT_NOTE};
	file->segments[1] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_offset = AT(text),
		.p_vaddr = BASE,
		.p_filesz = TEXT_SIZE,
		.p_memsz = TEXT_SIZE,
	};
	file->segments[2] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = AT(names),
		.p_vaddr = DATA,
		.p_filesz = sizeof(file->names),
		.p_memsz = 4096, /* the rest is .bss */
	};
}

static Elf64_Shdr section(uint32_t name, uint32_t type, uint64_t offset, uint64_t size)
{
	return (Elf64_Shdr){.sh_name = name, .sh_type = type, .sh_offset = offset, .sh_size = size};
}

static void fill_sections(struct test_file *file)
{
	static const char names[] = "\0.text\0.names\0.strtab\0.symtab";
	static const char strings[] = "\0main.main\0runtime.gopark\0main.mainly";

	memcpy(file->names, names, sizeof(names));
	memcpy(file->strings, strings, sizeof(strings));
	file->sections[SECTION_TEXT] = section(1, SHT_PROGBITS, AT(text), TEXT_SIZE);
	file->sections[SECTION_TEXT].sh_addr = BASE;
	file->sections[SECTION_TEXT].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
	file->sections[SECTION_NAMES] = section(7, SHT_STRTAB, AT(names), sizeof(file->names));
	file->sections[SECTION_STRINGS] =
		section(14, SHT_STRTAB, AT(strings), sizeof(file->strings));
	file->sections[SECTION_SYMBOLS] =
		section(22, SHT_SYMTAB, AT(symbols), sizeof(file->symbols));
	file->sections[SECTION_SYMBOLS].sh_link = SECTION_STRINGS;
	file->sections[SECTION_SYMBOLS].sh_entsize = sizeof(Elf64_Sym);
	file->symbols[1] = (Elf64_Sym){.st_name = 26, .st_shndx = 1, .st_value = BASE + 0x30};
	file->symbols[2] =
		(Elf64_Sym){.st_name = 1, .st_shndx = 1, .st_value = BASE + 0x10, .st_size = 0x20};
	file->symbols[3] = (Elf64_Sym){.st_name = 11, .st_shndx = 1, .st_value = BASE + 0x40};
}

static void make_file(struct test_file *file)
{
	memset(file, 0, sizeof(*file));
	fill_headers(file);
	fill_sections(file);
	for (size_t i = 0; i < TEXT_SIZE; i++)
		file->text[i] = (uint8_t)(i * 7 + i / 256);
}

static int write_file(const void *bytes, size_t size)
{
	int fd = memfd_create("elf-test", MFD_CLOEXEC);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static struct elf_image *open_file(const struct test_file *file)
{
	__cleanup_close int fd = write_file(file, sizeof(*file));
	struct failure failure = {0};
	struct elf_image *image = NULL;

	cr_assert_eq(elf_image__open(fd, &image, &failure), 0, "%s", failure.text);
	return image;
}

/* Opening must fail, in these words, and leave the result alone. */
static void expect_refusal(const void *bytes, size_t size, const char *words)
{
	struct elf_image *const untouched = (struct elf_image *)&expect_refusal;
	__cleanup_close int fd = write_file(bytes, size);
	struct elf_image *image = untouched;
	struct failure failure = {0};

	cr_expect_eq(elf_image__open(fd, &image, &failure), -ENOEXEC, "%s", words);
	cr_expect_not_null(strstr(failure.text, words), "\"%s\" is not in: %s", words,
			   failure.text);
	cr_expect_eq(image, untouched);
}

static struct test_file file; /* too large for the stack; tests run in processes of their own */

Test(elf_image, headers_are_understood)
{
	struct elf_segment segment;
	struct elf_section text;
	struct elf_image *image;

	make_file(&file);
	image = open_file(&file);
	cr_expect_eq(elf_image__machine(image), ELF_MACHINE_AMD64);
	cr_expect_not(elf_image__is_pie(image));
	cr_expect_not(elf_image__is_dynamic(image));
	cr_expect(elf_image__has_symbols(image));
	cr_expect_eq(elf_image__file_size(image), sizeof(file));
	cr_assert_eq(elf_image__section(image, ".text", &text), 0);
	cr_expect_eq(text.address, BASE);
	cr_expect(text.has_bits);
	cr_expect_eq(elf_image__section(image, ".tex", &text), -ENOENT);
	cr_expect_eq(elf_image__section(image, "", &text), -ENOENT);
	cr_assert_eq(elf_image__segment(image, 1, &segment), 0);
	cr_expect_eq(segment.address, DATA);
	cr_expect(segment.writable && !segment.executable);
	cr_expect_eq(segment.memory_size, 4096);
	cr_expect_eq(elf_image__segment(image, 2, &segment), -ENOENT);
	elf_image__free(image);
	elf_image__free(NULL);
}

Test(elf_image, pie_for_arm64_with_interpreter)
{
	struct elf_image *image;

	make_file(&file);
	file.header.e_type = ET_DYN;
	file.header.e_machine = EM_AARCH64;
	file.segments[0].p_type = PT_INTERP;
	image = open_file(&file);
	cr_expect_eq(elf_image__machine(image), ELF_MACHINE_ARM64);
	cr_expect(elf_image__is_pie(image));
	cr_expect(elf_image__is_dynamic(image));
	elf_image__free(image);
}

Test(elf_image, contents_are_read_across_cache_blocks)
{
	static uint8_t buffer[TEXT_SIZE];
	struct elf_image *image;
	uint64_t offset;

	make_file(&file);
	image = open_file(&file);
	cr_assert_eq(elf_image__read(image, BASE, buffer, TEXT_SIZE), 0);
	cr_expect_arr_eq(buffer, file.text, TEXT_SIZE);
	for (size_t at = 0; at < TEXT_SIZE - 8; at += 4093) {
		cr_assert_eq(elf_image__read(image, BASE + at, buffer, 8), 0);
		cr_expect_arr_eq(buffer, file.text + at, 8);
		elf_image__drop_cache(image);
	}
	cr_assert_eq(elf_image__file_offset(image, BASE + 0x10, &offset), 0);
	cr_expect_eq(offset, AT(text) + 0x10);
	cr_assert_eq(elf_image__read_offset(image, AT(text) + 5, buffer, 4), 0);
	cr_expect_arr_eq(buffer, file.text + 5, 4);
	elf_image__free(image);
}

Test(elf_image, reads_stay_inside_of_segments)
{
	struct elf_image *image;
	uint8_t buffer[16];
	uint64_t offset;

	make_file(&file);
	image = open_file(&file);
	cr_expect_eq(elf_image__read(image, BASE - 1, buffer, 2), -EFAULT);
	cr_expect_eq(elf_image__read(image, BASE + TEXT_SIZE - 8, buffer, 8), 0);
	cr_expect_eq(elf_image__read(image, BASE + TEXT_SIZE - 8, buffer, 9), -EFAULT);
	cr_expect_eq(elf_image__read(image, BASE + TEXT_SIZE, buffer, 1), -EFAULT);
	cr_expect_eq(elf_image__read(image, DATA + 100, buffer, 1), -EFAULT,
		     ".bss is not in the file");
	cr_expect_eq(elf_image__read(image, UINT64_MAX, buffer, 16), -EFAULT);
	cr_expect_eq(elf_image__read(image, BASE, buffer, SIZE_MAX), -EFAULT);
	cr_expect_eq(elf_image__read_offset(image, sizeof(file), buffer, 1), -EFAULT);
	cr_expect_eq(elf_image__read_offset(image, UINT64_MAX, buffer, 2), -EFAULT);
	cr_expect_eq(elf_image__file_offset(image, DATA + 100, &offset), -EFAULT);
	elf_image__free(image);
}

Test(elf_image, strings_end_or_are_cut)
{
	struct elf_image *image;
	char text[16];

	make_file(&file);
	memset(file.names + 32, 'x', sizeof(file.names) - 32);
	image = open_file(&file);
	cr_expect_eq(elf_image__read_string(image, DATA + 7, text, sizeof(text)), 6);
	cr_expect_str_eq(text, ".names");
	cr_expect_eq(elf_image__read_string(image, DATA + 7, text, 4), 3);
	cr_expect_str_eq(text, ".na");
	cr_expect_eq(elf_image__read_string(image, DATA + 32, text, sizeof(text)), 15);
	/* Not terminated before the segment ends. */
	cr_expect_eq(elf_image__read_string(image, DATA + 60, text, sizeof(text)), -EFAULT);
	cr_expect_eq(elf_image__read_string(image, DATA + 4096, text, sizeof(text)), -EFAULT);
	elf_image__free(image);
}

Test(elf_image, file_that_shrinks_is_an_error_and_no_fault)
{
	struct failure failure = {0};
	struct elf_image *image = NULL;
	uint8_t buffer[64];
	int fd;

	make_file(&file);
	fd = write_file(&file, sizeof(file));
	cr_assert_eq(elf_image__open(fd, &image, &failure), 0);
	cr_assert_eq(ftruncate(fd, AT(text) + 50000), 0);
	close(fd);
	cr_expect_eq(elf_image__read(image, BASE, buffer, sizeof(buffer)), 0);
	cr_expect_eq(elf_image__read(image, BASE + 90000, buffer, sizeof(buffer)), -EIO);
	elf_image__free(image);
}

Test(elf_image, symbols_are_found_by_whole_name)
{
	static const char *const names[] = {"main.main", "no.such", "runtime.gopark",
					    "main.mainly"};
	struct elf_symbol symbols[4];
	struct elf_image *image;

	make_file(&file);
	image = open_file(&file);
	cr_expect_eq(elf_image__symbols(image, names, symbols, 4), 3);
	cr_expect_eq(symbols[0].address, BASE + 0x10);
	cr_expect_eq(symbols[0].size, 0x20);
	cr_expect_eq(symbols[1].address, 0);
	cr_expect_eq(symbols[2].address, BASE + 0x40);
	cr_expect_eq(symbols[3].address, BASE + 0x30);
	elf_image__free(image);
}

Test(elf_image, damaged_symbols_are_no_match)
{
	static const char *const names[] = {"main.main"};
	struct elf_symbol symbol;
	struct elf_image *image;

	make_file(&file);
	file.symbols[1].st_name = UINT32_MAX;
	file.symbols[2].st_name = sizeof(file.strings);
	file.symbols[3].st_name = sizeof(file.strings) - 3; /* runs off the end */
	memset(file.strings + 50, 'm', sizeof(file.strings) - 50);
	image = open_file(&file);
	cr_expect_eq(elf_image__symbols(image, names, &symbol, 1), 0);
	elf_image__free(image);

	file.sections[SECTION_SYMBOLS].sh_link = 77;
	image = open_file(&file);
	cr_expect_eq(elf_image__symbols(image, names, &symbol, 1), -ENOENT);
	elf_image__free(image);

	file.sections[SECTION_SYMBOLS].sh_size = UINT64_MAX;
	image = open_file(&file);
	cr_expect_not(elf_image__has_symbols(image));
	cr_expect_eq(elf_image__symbols(image, names, &symbol, 1), -ENOENT);
	elf_image__free(image);
}

Test(elf_image, program_without_sections_can_be_opened)
{
	struct elf_section text;
	struct elf_image *image;
	uint8_t byte;

	make_file(&file);
	file.header.e_shoff = 0;
	file.header.e_shnum = 0;
	file.header.e_shstrndx = 0;
	image = open_file(&file);
	cr_expect_eq(elf_image__section(image, ".text", &text), -ENOENT);
	cr_expect_not(elf_image__has_symbols(image));
	cr_expect_eq(elf_image__read(image, BASE, &byte, 1), 0);
	elf_image__free(image);

	/* A table of names that is not in the file leaves all sections without name. */
	make_file(&file);
	file.sections[SECTION_NAMES].sh_offset = sizeof(file) - 1;
	image = open_file(&file);
	cr_expect_eq(elf_image__section(image, ".text", &text), -ENOENT);
	elf_image__free(image);
}

Test(elf_image, what_is_not_elf_is_named)
{
	static const char script[] =
		"#!/bin/sh\nexec sleep 1000000 # long enough to be an ELF header\n";
	static const char prose[] =
		"This is a text file that is longer than an ELF header would be.\n";

	expect_refusal("", 0, "empty");
	expect_refusal(script, sizeof(script), "script");
	expect_refusal("#!", 2, "script");
	expect_refusal(prose, sizeof(prose), "not an ELF file");
	expect_refusal("\x7f"
		       "ELF\2\1",
		       6, "cut off");
	expect_refusal("MZ", 2, "Windows");
}

Test(elf_image, unsupported_kinds_are_named)
{
	make_file(&file);
	file.header.e_ident[EI_CLASS] = ELFCLASS32;
	expect_refusal(&file, sizeof(file), "32-bit");
	make_file(&file);
	file.header.e_ident[EI_DATA] = ELFDATA2MSB;
	expect_refusal(&file, sizeof(file), "big-endian");
	make_file(&file);
	file.header.e_machine = EM_RISCV;
	expect_refusal(&file, sizeof(file), "for riscv64");
	file.header.e_machine = 12345;
	expect_refusal(&file, sizeof(file), "machine 12345");
	make_file(&file);
	file.header.e_type = ET_REL;
	expect_refusal(&file, sizeof(file), "object file");
	file.header.e_type = ET_CORE;
	expect_refusal(&file, sizeof(file), "core dump");
	file.header.e_type = 77;
	expect_refusal(&file, sizeof(file), "damaged");
}

Test(elf_image, damaged_headers_are_refused)
{
	make_file(&file);
	expect_refusal(&file, AT(text) + 1000, "cut off");
	expect_refusal(&file, sizeof(Elf64_Ehdr), "program headers");
	file.segments[1].p_filesz = UINT64_MAX;
	expect_refusal(&file, sizeof(file), "cut off");
	make_file(&file);
	file.segments[1].p_offset = UINT64_MAX - 10;
	expect_refusal(&file, sizeof(file), "cut off");
	make_file(&file);
	file.segments[1].p_memsz = 1;
	expect_refusal(&file, sizeof(file), "program header is damaged");
	make_file(&file);
	file.segments[1].p_vaddr = UINT64_MAX - 1;
	expect_refusal(&file, sizeof(file), "program header is damaged");
	make_file(&file);
	file.segments[1].p_type = file.segments[2].p_type = PT_NOTE;
	expect_refusal(&file, sizeof(file), "no PT_LOAD");
	make_file(&file);
	file.header.e_phnum = 0;
	expect_refusal(&file, sizeof(file), "number of program headers");
	file.header.e_phnum = PN_XNUM;
	expect_refusal(&file, sizeof(file), "number of program headers");
	make_file(&file);
	file.header.e_shnum = 0; /* the number is in section 0: very many */
	expect_refusal(&file, sizeof(file), "number of sections");
}

Test(elf_image, directory_and_bad_descriptor_are_refused)
{
	__cleanup_close int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct failure failure = {0};
	struct elf_image *image = NULL;

	cr_expect_eq(elf_image__open(fd, &image, &failure), -ENOEXEC);
	cr_expect_not_null(strstr(failure.text, "regular file"));
	cr_expect_eq(elf_image__open(-1, &image, &failure), -EBADF);
	cr_expect_null(image);
}

Test(elf_image, symbols_of_real_programs)
{
	static const char *const names[] = {"runtime.newproc1", "main.main", "no.such"};
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		bool stripped = real_binary__is(&binaries[i], "stripped");
		struct elf_symbol symbols[3];

		cr_expect_eq(elf_image__symbols(image, names, symbols, 3), stripped ? -ENOENT : 2,
			     "%s", binaries[i].name);
		cr_expect_eq(elf_image__has_symbols(image), !stripped);
		cr_expect_eq(elf_image__is_pie(image), strstr(binaries[i].name, "pie") != NULL);
		elf_image__free(image);
	}
}
