// SPDX-License-Identifier: Apache-2.0
/*
 * Variables by DWARF, those on stacks and in closures among them. The input is one byte of choices, the
 * length of .debug_abbrev and of all that says where variables are (u16 each), these two, and .debug_info.
 */
#include "golang/variables.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "elf_header.h"
#include "fuzz.h"

#define MAX_CONTENTS 16384
#define TEXT	     0x1000u /* where functions may be */
#define N_PCS	     12u
#define DATA	     0x8000u
#define TYPES	     0x9000u
#define MAX_BYTES    ((size_t)1 << 20)

enum choice {
	DWARF_5 = 1 << 0, /* the same bytes are lists of DWARF 5 */
	REST = 1 << 1,
};

static const char names[] = "\0.debug_info\0.debug_abbrev\0.shstrtab\0.debug_loc\0.debug_ranges\0"
			    ".debug_loclists\0.debug_rnglists\0.debug_addr";
enum {
	NAME_INFO = 1,
	NAME_ABBREV = 13,
	NAME_NAMES = 27,
	NAME_LOC = 37,
	NAME_RANGES = 48,
	NAME_LOCLISTS = 62,
	NAME_RNGLISTS = 78,
	NAME_ADDR = 94,
};
enum { NO_SECTION, INFO, ABBREV, NAMES, FIRST_PLACES, N_SECTIONS = FIRST_PLACES + 3 };

static struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	Elf64_Shdr sections[N_SECTIONS];
	char names[sizeof(names)];
	uint8_t contents[MAX_CONTENTS];
} file;

static void put_section(int index, uint32_t name, size_t offset, size_t size)
{
	file.sections[index] = (Elf64_Shdr){
		.sh_name = name,
		.sh_type = SHT_PROGBITS,
		.sh_offset = offsetof(struct file, contents) + offset,
		.sh_size = size,
		.sh_addralign = 1,
	};
}

/* All of @input is in the file; what says where variables are is all such sections at once. */
static void make_file(const struct fuzz_input *input, uint8_t choices, size_t n_abbrev,
		      size_t n_places)
{
	static const uint32_t places[2][3] = {
		{NAME_LOC, NAME_RANGES, NAME_RANGES},
		{NAME_LOCLISTS, NAME_RNGLISTS, NAME_ADDR},
	};

	memset(&file, 0, sizeof(file));
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
	memcpy(file.contents, input->data, input->left);
	put_section(ABBREV, NAME_ABBREV, 0, n_abbrev);
	for (int i = 0; i < 3; i++)
		put_section(FIRST_PLACES + i, places[choices & DWARF_5][i], n_abbrev, n_places);
	put_section(INFO, NAME_INFO, n_abbrev + n_places, input->left - n_abbrev - n_places);
}

static void check_type(const struct go_variables *variables, uint64_t type)
{
	const struct go_described *d = go_variables__described(variables, type);

	if (!(type & GO_TYPE_DESCRIBED)) {
		fuzz__require(!type || (type >= TYPES && type < 2 * TYPES));
		return;
	}
	fuzz__require(d && d->name);
	for (size_t i = 0; i < d->n_fields; i++)
		fuzz__require(d->fields[i].name);
}

static void check_local(const struct go_variables *variables, const struct go_local *local,
			int64_t place)
{
	if (!local)
		return;
	fuzz__require(local->function_length < strlen(local->name));
	fuzz__require(local->name[local->function_length] == '.');
	fuzz__require(place >= local->place && place - local->place < (int64_t)local->length);
	fuzz__require(local->offset >= 0);
	check_type(variables, local->type);
}

static void look(struct go_variables *variables, uint8_t choices)
{
	for (uint64_t i = 0; i < N_PCS; i++) {
		uint64_t pc = TEXT + i;
		const struct go_captured *all;
		size_t n;

		for (int64_t place = -32; place <= 32; place += 8)
			check_local(variables, go_variables__local(variables, pc, place), place);
		all = go_variables__captured(variables, pc, &n);
		for (size_t k = 0; k < n; k++) {
			fuzz__require(all[k].name);
			check_type(variables, all[k].type);
		}
		if (choices & REST)
			go_variables__rest(variables);
	}
	for (size_t i = 0; i < go_variables__count(variables); i++) {
		const struct go_variable *variable = go_variables__get(variables, i);

		fuzz__require(variable->name && variable->address >= DATA &&
			      variable->address < 2 * DATA);
		check_type(variables, variable->type);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct go_module module = {
		.data = DATA, .ebss = 2 * DATA, .types = TYPES, .etypes = 2 * TYPES};
	int descriptor = fuzz__next_descriptor();
	struct fuzz_input input = {data, min_of(size, (size_t)MAX_CONTENTS)};
	uint8_t choices = fuzz_input__u8(&input);
	size_t n_abbrev = fuzz_input__u16(&input), n_places = fuzz_input__u16(&input);
	struct go_variables *variables;
	struct failure failure = {0};
	struct elf_image *image;
	int fd;

	n_abbrev = min_of(n_abbrev, input.left);
	n_places = min_of(n_places, input.left - n_abbrev);
	make_file(&input, choices, n_abbrev, n_places);
	fd = fuzz__memfd(&file, sizeof(file));
	fuzz__require(!elf_image__open(fd, &image, &failure));
	close(fd);
	if (!go_variables__of(image, &module, MAX_BYTES, &variables)) {
		look(variables, choices);
		go_variables__free(variables);
	}
	elf_image__free(image);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
