// SPDX-License-Identifier: Apache-2.0
#include "golang/build_id.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"

/* One note of each kind, as linkers write them. */
struct test_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	struct note {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[200];
	} gnu, go;
	char names[64];
	Elf64_Shdr sections[4];
};

#define AT(member) offsetof(struct test_file, member)

static struct test_file file;

static void make(const char *gnu_section, const char *go_section)
{
	uint32_t gnu_name = 11, go_name = gnu_name + (uint32_t)strlen(gnu_section) + 1;

	file = (struct test_file){
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_phoff = AT(segment),
			   .e_shoff = AT(sections),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1,
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 4,
			   .e_shstrndx = 1},
		.segment = {.p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_filesz = sizeof(file),
			    .p_memsz = sizeof(file)},
		.gnu = {.header = {4, 20, NT_GNU_BUILD_ID}, .name = "GNU"},
		.go = {.header = {4, 9, 4}, .name = "Go", .id = "abc/d_e-f"},
		.sections = {{0},
			     {.sh_type = SHT_STRTAB,
			      .sh_name = 1,
			      .sh_offset = AT(names),
			      .sh_size = sizeof(file.names)},
			     {.sh_type = SHT_NOTE,
			      .sh_name = gnu_name,
			      .sh_offset = AT(gnu),
			      .sh_size = sizeof(file.gnu)},
			     {.sh_type = SHT_NOTE,
			      .sh_name = go_name,
			      .sh_offset = AT(go),
			      .sh_size = sizeof(file.go)}},
	};
	memcpy(file.names + 1, ".shstrtab", 10);
	memcpy(file.names + gnu_name, gnu_section, strlen(gnu_section));
	memcpy(file.names + go_name, go_section, strlen(go_section));
	for (size_t i = 0; i < sizeof(file.gnu.id); i++)
		file.gnu.id[i] = (uint8_t)(0xa0 + i);
}

#define BOTH make(".note.gnu.build-id", ".note.go.buildid")

static void expect(const char *wanted)
{
	int fd __cleanup_close = memfd_create("build-id", MFD_CLOEXEC);
	struct failure failure = {""};
	char id[BUILD_ID_TEXT];
	struct elf_image *image;

	memset(id, 'x', sizeof(id));
	cr_assert_eq(write(fd, &file, sizeof(file)), (ssize_t)sizeof(file));
	cr_assert_eq(elf_image__open(fd, &image, &failure), 0, "%s", failure.text);
	build_id__read(image, id);
	cr_expect_str_eq(id, wanted);
	elf_image__free(image);
}

#define GNU "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3"

Test(build_id, gnu_before_go)
{
	BOTH;
	expect(GNU);
	make(".note.other", ".note.go.buildid");
	expect("abc/d_e-f");
	make(".note.gnu.build-id", ".note.other");
	expect(GNU);
	make(".note.other", ".note.other");
	expect("");
}

Test(build_id, only_notes_of_that_name_and_type)
{
	BOTH;
	file.gnu.header.n_type = NT_GNU_ABI_TAG;
	expect("abc/d_e-f");
	BOTH;
	memcpy(file.gnu.name, "GNX", 4);
	expect("abc/d_e-f");
	file.go.header.n_namesz = 3;
	expect("");
}

Test(build_id, of_foreign_size_and_text)
{
	make(".note.other", ".note.go.buildid");
	memcpy(file.go.id, "a\033[2J\n/\xff", 9);
	expect("a?[2J?/??");
	file.go.header.n_descsz = BUILD_ID_TEXT;
	expect("");
	file.go.header.n_descsz = UINT32_MAX;
	expect("");
	file.go.header.n_descsz = 0;
	expect("");
}

/* As long as there is room for, and one more. */
Test(build_id, longest)
{
	char wanted[BUILD_ID_TEXT] = "";

	BOTH;
	file.gnu.header.n_descsz = BUILD_ID_TEXT / 2 - 1;
	for (size_t i = 0; i < BUILD_ID_TEXT / 2 - 1; i++)
		snprintf(wanted + 2 * i, 3, "%02x", file.gnu.id[i]);
	expect(wanted);
	file.gnu.header.n_descsz++;
	expect("abc/d_e-f");
}

Test(build_id, note_beyond_the_end)
{
	BOTH;
	file.sections[2].sh_offset = sizeof(file) - 4;
	file.sections[3].sh_offset = UINT64_MAX - 8;
	expect("");
}
