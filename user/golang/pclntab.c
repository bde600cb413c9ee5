// SPDX-License-Identifier: Apache-2.0
/*
 * The table and its functions. Layout of both formats (src/runtime/symtab.go, pcHeader):
 *
 *	header | function names | file offsets per unit | file names | pc-value tables | ftab, _funcs
 *
 * The header holds no sizes, so each part is taken to reach to the next one. All reads go through
 * pclntab__read(), which keeps them inside their part.
 *
 * Only every INDEX_STEPth entry of ftab is kept in memory: a lookup is a search in that array and
 * one read of INDEX_STEP entries, whatever the size of the binary.
 */
#include "golang/pclntab_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "golang/arch.h"

#define HEADER_SIZE 72

/* Over 30 times what the largest known programs have (Kubernetes: some 110,000). */
#define MAX_FUNCS (1U << 22)
#define MAX_FILES (1U << 22)

/*
 * Limits of a search without a section, over all segments together, which may overlap: bytes looked
 * at, and headers that turn out to be none. Verifying one is work in proportion to the file, so that
 * a file full of nearly good ones would take the square of its size.
 */
#define MAX_SEARCH ((uint64_t)1 << 32)
#define MAX_TRIES  64

/* Offsets in the header. */
enum {
	HEADER_N_FUNCS = 8,
	HEADER_N_FILES = 16,
	HEADER_TEXT = 24, /* 0 from Go 1.26 on, and where a loader must relocate it */
	HEADER_PARTS = 32,
};

enum part { PART_NAMES, PART_UNITS, PART_FILES, PART_VALUES, PART_FUNCS, N_PARTS };

/* src/internal/abi/symtab.go and src/debug/gosym/pclntab.go */
#define MAGIC_GO_1_2  0xfffffffbU
#define MAGIC_GO_1_16 0xfffffffaU

static const struct pclntab_format formats[] = {
	{
		.magic = 0xfffffff0U, /* Go 1.18 and 1.19 */
		.func_id = 36,
		.flag = 37,
		.n_funcdata = 39,
		.size = 40,
		.inline_size = 20,
		.inline_has_call_pc = false,
	},
	{
		.magic = 0xfffffff1U, /* Go 1.20 on: _func has startLine */
		.func_id = 40,
		.flag = 41,
		.n_funcdata = 43,
		.size = 44,
		.inline_size = 16,
		.inline_has_call_pc = true,
	},
};

int pclntab__read(struct pclntab *tab, uint64_t address, void *buffer, size_t size, uint64_t start,
		  uint64_t end)
{
	int err;

	if (address < start || address > end || size > end - address)
		return -EPROTO;
	err = elf_image__read(tab->image, address, buffer, size);
	return err == -EFAULT ? -EPROTO : err;
}

/* --- opening ----------------------------------------------------------------------------------- */

/* The first eight bytes of a table of this format on this machine, as one little-endian word. */
static uint64_t header_start(const struct pclntab_format *format, const struct elf_image *image)
{
	uint64_t min_instruction = go_arch__of(image)->pc_quantum;
	uint64_t pointer_size = 8;

	return format->magic | min_instruction << 48 | pointer_size << 56;
}

static const struct pclntab_format *format_of(const struct elf_image *image, uint64_t start)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (header_start(&formats[i], image) == start)
			return &formats[i];
	}
	return NULL;
}

/* The parts must be in order, not overlap the header and lie before @end. */
static bool place_parts(struct pclntab *tab, const uint8_t *header)
{
	uint64_t *const parts[N_PARTS] = {
		[PART_NAMES] = &tab->names, [PART_UNITS] = &tab->units,
		[PART_FILES] = &tab->files, [PART_VALUES] = &tab->values,
		[PART_FUNCS] = &tab->funcs,
	};
	uint64_t size = tab->end - tab->address;
	uint64_t previous = HEADER_SIZE;

	for (size_t i = 0; i < N_PARTS; i++) {
		uint64_t offset = bytes__u64(header, HEADER_PARTS + 8 * i);

		if (offset < previous || offset > size)
			return false;
		*parts[i] = tab->address + offset;
		previous = offset;
	}
	return true;
}

int pclntab__read_ftab(struct pclntab *tab, uint32_t first, struct pclntab_ftab *entries, size_t n)
{
	return pclntab__read(tab, tab->funcs + (uint64_t)first * sizeof(*entries), entries,
			     n * sizeof(*entries), tab->funcs, tab->end);
}

/* Also the last part of the verification: entries must ascend, and records lie behind ftab. */
static int load_index(struct pclntab *tab)
{
	uint64_t ftab_size = (uint64_t)tab->n_funcs * sizeof(struct pclntab_ftab) + 4;
	uint32_t previous = 0;

	tab->n_index = tab->n_funcs / INDEX_STEP + 1;
	tab->index = calloc(tab->n_index, sizeof(*tab->index));
	if (!tab->index)
		return -ENOMEM;
	for (size_t i = 0; i < tab->n_index; i++) {
		struct pclntab_ftab entry;
		int err;

		err = pclntab__read_ftab(tab, (uint32_t)(i * INDEX_STEP), &entry, 1);
		if (err)
			return err;
		if (entry.entry < previous)
			return -EPROTO;
		/* In place of the last record there is whatever follows ftab. */
		if (i * INDEX_STEP < tab->n_funcs && entry.record < ftab_size)
			return -EPROTO;
		previous = entry.entry;
		tab->index[i] = entry.entry;
	}
	return 0;
}

/* Whether @tab->address, up to @tab->end, is a table; fills the rest of @tab if so. */
static int verify(struct pclntab *tab)
{
	uint8_t header[HEADER_SIZE];
	struct pclntab_ftab last;
	uint64_t n_funcs;
	int err;

	err = pclntab__read(tab, tab->address, header, sizeof(header), tab->address, tab->end);
	if (err)
		return err;
	tab->format = format_of(tab->image, bytes__u64(header, 0));
	n_funcs = bytes__u64(header, HEADER_N_FUNCS);
	if (!tab->format || !n_funcs || n_funcs > MAX_FUNCS ||
	    bytes__u64(header, HEADER_N_FILES) > MAX_FILES || !place_parts(tab, header))
		return -EPROTO;
	tab->n_funcs = (uint32_t)n_funcs;
	tab->text = bytes__u64(header, HEADER_TEXT);
	tab->min_instruction = header[6];
	err = pclntab__read_ftab(tab, tab->n_funcs, &last, 1);
	if (err)
		return err;
	err = load_index(tab);
	if (!err && last.entry < tab->index[tab->n_index - 1])
		err = -EPROTO;
	if (err) {
		free(tab->index);
		tab->index = NULL;
	}
	return err;
}

static int try_at(struct pclntab *tab, uint64_t address, uint64_t end)
{
	tab->address = address;
	tab->end = end;
	return verify(tab);
}

/* A section that carries the name but holds another format is an old Go; anything else damage. */
static int open_section(struct pclntab *tab, const char *name, struct failure *failure)
{
	struct elf_section section;
	uint32_t magic;
	int err;

	err = elf_image__section(tab->image, name, &section);
	if (err || !section.has_bits || !section.address)
		return -ENOENT;
	if (elf_image__read(tab->image, section.address, &magic, sizeof(magic)))
		return -ENOENT;
	if (magic == MAGIC_GO_1_2 || magic == MAGIC_GO_1_16)
		return failure__set(
			failure, -EOPNOTSUPP,
			"%s: its function table (%s) is of a Go before 1.18; Go 1.18 or "
			"later is needed",
			elf_image__name(tab->image), name);
	return try_at(tab, section.address, section.address + section.size);
}

struct search {
	uint64_t bytes_left;
	unsigned int tries_left;
};

/* Verifies what looks like the start of a header; -EPROTO when it is none. */
static int try_found(struct pclntab *tab, uint64_t address, uint64_t end, struct search *search)
{
	if (!search->tries_left)
		return -ENOENT;
	search->tries_left--;
	return try_at(tab, address, end);
}

/* Looks for the first eight bytes at every aligned address of one segment. */
static int search_segment(struct pclntab *tab, const struct elf_segment *segment,
			  struct search *search)
{
	uint64_t end = segment->address + min_of(segment->file_size, search->bytes_left);
	uint64_t address = (segment->address + 7) & ~(uint64_t)7;
	uint64_t chunk[1024];

	search->bytes_left -= end - segment->address;
	if (address < segment->address)
		return -ENOENT; /* it ends where addresses do */
	while (address < end && end - address >= HEADER_SIZE) {
		size_t n = (size_t)min_of((end - address) / 8, (uint64_t)ARRAY_SIZE(chunk));
		int err;

		err = elf_image__read(tab->image, address, chunk, n * 8);
		if (err)
			return err;
		for (size_t i = 0; i < n; i++) {
			if (!format_of(tab->image, chunk[i]))
				continue;
			err = try_found(tab, address + i * 8, segment->address + segment->file_size,
					search);
			if (err != -EPROTO)
				return err;
		}
		address += n * 8;
	}
	return -ENOENT;
}

/* External linkers merge the table into .data.rel.ro, and sstrip removes all section headers. */
static int search_image(struct pclntab *tab)
{
	struct search search = {.bytes_left = MAX_SEARCH, .tries_left = MAX_TRIES};
	struct elf_segment segment;
	int err = -ENOENT;

	for (size_t i = 0; err == -ENOENT && !elf_image__segment(tab->image, i, &segment); i++)
		err = search_segment(tab, &segment, &search);
	return err;
}

static int find_table(struct pclntab *tab, struct failure *failure)
{
	static const char *const sections[] = {".gopclntab", ".data.rel.ro.gopclntab"};
	const char *name = elf_image__name(tab->image);
	bool damaged = false;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		err = open_section(tab, sections[i], failure);
		if (!err || err == -EOPNOTSUPP)
			return err;
		damaged |= err == -EPROTO;
	}
	err = search_image(tab);
	if (err == -ENOENT && damaged)
		return failure__set(failure, -EPROTO, "%s: the Go function table is damaged", name);
	if (err == -ENOENT)
		return failure__set(failure, -ENOEXEC, "%s: no Go function table (pclntab) in it",
				    name);
	if (err)
		return failure__set(failure, err, "%s: cannot read the Go function table: %s", name,
				    strerror(-err));
	return 0;
}

int pclntab__open(struct elf_image *image, struct pclntab **ret_tab, struct failure *failure)
{
	struct pclntab *tab;
	int err;

	tab = calloc(1, sizeof(*tab));
	if (!tab)
		return failure__set(failure, -ENOMEM, "out of memory");
	tab->image = image;
	tab->wrapper_id = WRAPPER_UNKNOWN;
	err = find_table(tab, failure);
	if (err) {
		pclntab__free(tab);
		return err;
	}
	*ret_tab = tab;
	return 0;
}

void pclntab__free(struct pclntab *tab)
{
	if (!tab)
		return;
	free(tab->index);
	free(tab);
}

uint64_t pclntab__address(const struct pclntab *tab)
{
	return tab->address;
}

uint64_t pclntab__funcname_address(const struct pclntab *tab)
{
	return tab->names;
}

uint64_t pclntab__text(const struct pclntab *tab)
{
	return tab->text;
}

void pclntab__set_text(struct pclntab *tab, uint64_t text)
{
	tab->text = text;
}

void pclntab__set_gofunc(struct pclntab *tab, uint64_t gofunc)
{
	tab->gofunc = gofunc;
}

/* --- names ------------------------------------------------------------------------------------- */

#define DOTS	 "[...]"
#define MAX_NAME 4096 /* read of a name; type arguments make some far longer than what is printed */

/*
 * Type arguments are printed as "[...]" (src/runtime/symtab.go, funcNameForPrint). The linker wrote
 * that itself in the older format, and such a name stays as it is. @name has room for DOTS more.
 */
static size_t elide_type_arguments(char *name, size_t length)
{
	char *open = memchr(name, '[', length);
	char *close = memrchr(name, ']', length);
	size_t rest;

	if (!open || !close || close < open)
		return length;
	rest = (size_t)(name + length - (close + 1));
	memmove(open + strlen(DOTS), close + 1, rest);
	memcpy(open, DOTS, strlen(DOTS));
	return (size_t)(open - name) + strlen(DOTS) + rest;
}

int pclntab__name_at(struct pclntab *tab, uint32_t name_offset, char *name, size_t size)
{
	uint64_t address = tab->names + name_offset;
	char full[MAX_NAME + sizeof(DOTS)];
	size_t length;
	int n;

	if (address >= tab->units || !size)
		return -EPROTO;
	n = elf_image__read_string(tab->image, address, full, MAX_NAME);
	if (n < 0)
		return n == -EFAULT ? -EPROTO : n;
	length = (size_t)n;
	if (tab->format->inline_has_call_pc)
		length = elide_type_arguments(full, length);
	length = min_of(length, size - 1);
	memcpy(name, full, length);
	name[length] = '\0';
	return (int)length;
}

int pclntab__name(struct pclntab *tab, const struct pclntab_func *func, char *name, size_t size)
{
	return pclntab__name_at(tab, func->name_offset, name, size);
}

/* --- functions --------------------------------------------------------------------------------- */

int pclntab__load_func(struct pclntab *tab, const struct pclntab_ftab pair[2],
		       struct pclntab_func *ret_func)
{
	uint64_t record = tab->funcs + pair[0].record;
	uint8_t header[44];
	uint32_t name_offset;
	int err;

	err = pclntab__read(tab, record, header, tab->format->size, tab->funcs, tab->end);
	if (err)
		return err;
	if (pair[1].entry < pair[0].entry || pair[1].entry > UINT64_MAX - tab->text)
		return -EPROTO;
	memcpy(&name_offset, header + 4, sizeof(name_offset));
	*ret_func = (struct pclntab_func){
		.entry = tab->text + pair[0].entry,
		.end = tab->text + pair[1].entry,
		.record = record,
		.func_id = header[tab->format->func_id],
		.flag = header[tab->format->flag],
		.name_offset = name_offset,
	};
	return 0;
}

/* Last index entry that is not above @offset. */
static size_t search_index(const struct pclntab *tab, uint32_t offset)
{
	size_t low = 0, high = tab->n_index;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (tab->index[middle] <= offset)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int pclntab__lookup(struct pclntab *tab, uint64_t pc, struct pclntab_func *ret_func)
{
	struct pclntab_ftab entries[INDEX_STEP + 1];
	uint32_t first, offset;
	size_t n;
	int err;

	if (pc < tab->text || pc - tab->text > UINT32_MAX)
		return -ENOENT;
	offset = (uint32_t)(pc - tab->text);
	first = (uint32_t)(search_index(tab, offset) * INDEX_STEP);
	n = min_of((size_t)INDEX_STEP + 1, (size_t)tab->n_funcs + 1 - first);
	err = pclntab__read_ftab(tab, first, entries, n);
	if (err)
		return err;
	for (size_t i = 0; i + 1 < n; i++) {
		if (entries[i].entry <= offset && offset < entries[i + 1].entry)
			return pclntab__load_func(tab, &entries[i], ret_func);
	}
	return -ENOENT;
}
