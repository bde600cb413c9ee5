// SPDX-License-Identifier: Apache-2.0
/*
 * Contents of an ELF file, through a cache of file blocks filled with pread(2). libelf would load
 * whole sections (names, symbols) into memory; here they are read block by block, which keeps the
 * cost of a 100 MB binary at the size of the cache.
 */
#include "elf/internal.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/read.h"

#define MAX_SYMBOL_NAME 256
/*
 * Most symbols that are read of one table. Go programs have some 100,000, with C++ linked in a
 * million.
 */
#define MAX_SYMBOLS ((uint64_t)1 << 22)

/* --- contents ---------------------------------------------------------------------------------- */

static struct block *oldest_block(struct elf_image *image)
{
	struct block *oldest = &image->blocks[0];

	for (size_t i = 1; i < N_BLOCKS; i++) {
		if (image->blocks[i].used < oldest->used)
			oldest = &image->blocks[i];
	}
	return oldest;
}

static int load_block(struct elf_image *image, uint64_t number, struct block **ret_block)
{
	struct block *block;
	ssize_t n;

	for (size_t i = 0; i < N_BLOCKS; i++) {
		block = &image->blocks[i];
		if (block->number == number) {
			block->used = ++image->tick;
			*ret_block = block;
			return 0;
		}
	}

	block = oldest_block(image);
	if (!block->data) {
		block->data = malloc(BLOCK_SIZE);
		if (!block->data)
			return -ENOMEM;
	}
	block->number = NO_BLOCK;
	n = read__at(image->fd, number * BLOCK_SIZE, block->data, BLOCK_SIZE);
	if (n < 0)
		return -EIO;
	block->size = (size_t)n;
	block->number = number;
	block->used = ++image->tick;
	*ret_block = block;
	return 0;
}

int elf_image__read_offset(struct elf_image *image, uint64_t offset, void *buffer, size_t size)
{
	uint8_t *out = buffer;

	if (offset > image->file_size || size > image->file_size - offset)
		return -EFAULT;
	while (size) {
		size_t start = offset % BLOCK_SIZE;
		struct block *block;
		size_t n;
		int err;

		err = load_block(image, offset / BLOCK_SIZE, &block);
		if (err)
			return err;
		if (start >= block->size)
			return -EIO; /* the file has been cut since it was opened */
		n = min_of(size, block->size - start);
		memcpy(out, block->data + start, n);
		out += n;
		offset += n;
		size -= n;
	}
	return 0;
}

/* File offset of @address, and how many bytes of the same segment follow it in the file. */
static int locate(const struct elf_image *image, uint64_t address, uint64_t *ret_offset,
		  uint64_t *ret_left)
{
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct elf_segment *segment = &image->segments[i];

		if (address < segment->address || address - segment->address >= segment->file_size)
			continue;
		*ret_offset = segment->offset + (address - segment->address);
		*ret_left = segment->file_size - (address - segment->address);
		return 0;
	}
	return -EFAULT;
}

int elf_image__file_offset(const struct elf_image *image, uint64_t address, uint64_t *ret_offset)
{
	uint64_t left;

	return locate(image, address, ret_offset, &left);
}

int elf_image__read(struct elf_image *image, uint64_t address, void *buffer, size_t size)
{
	uint64_t offset, left;
	int err;

	err = locate(image, address, &offset, &left);
	if (err)
		return err;
	if (size > left)
		return -EFAULT;
	return elf_image__read_offset(image, offset, buffer, size);
}

/* String at file @offset, of which at most @left bytes may be read; must end or fill @buffer. */
static int read_string_at(struct elf_image *image, uint64_t offset, uint64_t left, char *buffer,
			  size_t size)
{
	size_t want, length;
	int err;

	if (!size)
		return -EINVAL;
	want = (size_t)min_of(left, (uint64_t)(size - 1));
	err = elf_image__read_offset(image, offset, buffer, want);
	if (err)
		return err;
	length = strnlen(buffer, want);
	if (length == want && want < size - 1)
		return -EFAULT; /* runs off the end of its segment */
	buffer[length] = '\0';
	return (int)length;
}

int elf_image__read_string(struct elf_image *image, uint64_t address, char *buffer, size_t size)
{
	uint64_t offset, left;
	int err;

	err = locate(image, address, &offset, &left);
	if (err)
		return err;
	return read_string_at(image, offset, left, buffer, size);
}

void elf_image__drop_cache(struct elf_image *image)
{
	for (size_t i = 0; i < N_BLOCKS; i++) {
		free(image->blocks[i].data);
		image->blocks[i] = (struct block){.number = NO_BLOCK};
	}
}

/* --- sections and segments --------------------------------------------------------------------- */

/* Whether the name of @section is @name; compares in the file, without a copy of the table. */
static bool section_is(struct elf_image *image, const struct section *section, const char *name)
{
	char text[64];
	size_t size = strlen(name) + 1;

	if (size > sizeof(text) || section->name >= image->section_names.size ||
	    size > image->section_names.size - section->name)
		return false;
	if (elf_image__read_offset(image, image->section_names.offset + section->name, text, size))
		return false;
	return !memcmp(text, name, size);
}

int elf_image__section(struct elf_image *image, const char *name, struct elf_section *ret_section)
{
	for (size_t i = 0; i < image->n_sections; i++) {
		const struct section *section = &image->sections[i];

		if (section->usable && section_is(image, section, name)) {
			*ret_section = section->view;
			return 0;
		}
	}
	return -ENOENT;
}

int elf_image__segment(const struct elf_image *image, size_t index, struct elf_segment *ret_segment)
{
	if (index >= image->n_segments)
		return -ENOENT;
	*ret_segment = image->segments[index];
	return 0;
}

enum elf_machine elf_image__machine(const struct elf_image *image)
{
	return image->machine;
}

bool elf_image__is_pie(const struct elf_image *image)
{
	return image->pie;
}

bool elf_image__is_dynamic(const struct elf_image *image)
{
	return image->dynamic;
}

uint64_t elf_image__file_size(const struct elf_image *image)
{
	return image->file_size;
}

const char *elf_image__name(const struct elf_image *image)
{
	return image->name;
}

static const struct section *symbol_table(const struct elf_image *image)
{
	for (size_t i = 0; i < image->n_sections; i++) {
		const struct section *section = &image->sections[i];

		if (section->type == SHT_SYMTAB && section->usable)
			return section;
	}
	return NULL;
}

bool elf_image__has_sections(const struct elf_image *image)
{
	return image->n_sections > 0;
}

bool elf_image__has_symbols(const struct elf_image *image)
{
	return symbol_table(image) != NULL;
}

/* --- symbols ----------------------------------------------------------------------------------- */

struct symbol_search {
	const char *const *names;
	struct elf_symbol *symbols;
	size_t n;
	size_t found;
	size_t longest; /* of the names, with the NUL */
};

/* 1: all have been found. */
static int match_symbol(void *ctx, const char *name, const Elf64_Sym *symbol)
{
	struct symbol_search *search = ctx;

	for (size_t i = 0; i < search->n; i++) {
		if (search->symbols[i].address || strcmp(search->names[i], name) != 0)
			continue;
		search->symbols[i].address = symbol->st_value;
		search->symbols[i].size = symbol->st_size;
		search->found++;
	}
	return search->found == search->n;
}

/* Calls @fn for each defined symbol that has a name of at most @longest bytes, until it is not 0. */
static int visit_symbol(struct elf_image *image, const struct elf_section *strings,
			const Elf64_Sym *symbol, size_t longest,
			int (*fn)(void *ctx, const char *name, const Elf64_Sym *symbol), void *ctx)
{
	char name[MAX_SYMBOL_NAME];
	size_t size;
	int err;

	if (symbol->st_shndx == SHN_UNDEF || !symbol->st_value || symbol->st_name >= strings->size)
		return 0;
	size = (size_t)min_of((uint64_t)longest, strings->size - symbol->st_name);
	err = elf_image__read_offset(image, strings->offset + symbol->st_name, name, size);
	/* A name outside the string table is none. */
	if (err || !memchr(name, '\0', size))
		return err;
	return fn(ctx, name, symbol);
}

static int scan_symbols(struct elf_image *image, size_t longest,
			int (*fn)(void *ctx, const char *name, const Elf64_Sym *symbol), void *ctx)
{
	const struct section *table = symbol_table(image);
	const struct elf_section *strings;
	Elf64_Sym chunk[64];
	uint64_t total, done = 0;

	if (!table || table->link >= image->n_sections || !image->sections[table->link].usable)
		return -ENOENT;
	strings = &image->sections[table->link].view;
	total = min_of(table->view.size / sizeof(chunk[0]), MAX_SYMBOLS);

	while (done < total) {
		size_t n = (size_t)min_of(total - done, (uint64_t)ARRAY_SIZE(chunk));
		int err;

		err = elf_image__read_offset(image, table->view.offset + done * sizeof(chunk[0]),
					     chunk, n * sizeof(chunk[0]));
		for (size_t i = 0; !err && i < n; i++)
			err = visit_symbol(image, strings, &chunk[i], longest, fn, ctx);
		if (err)
			return err;
		done += n;
	}
	return 0;
}

int elf_image__symbols(struct elf_image *image, const char *const *names,
		       struct elf_symbol *symbols, size_t n)
{
	struct symbol_search search = {.names = names, .symbols = symbols, .n = n};
	int err;

	for (size_t i = 0; i < n; i++) {
		size_t size = strlen(names[i]) + 1;

		if (size > MAX_SYMBOL_NAME)
			return -EINVAL;
		search.longest = max_of(search.longest, size);
	}
	memset(symbols, 0, n * sizeof(*symbols));
	err = scan_symbols(image, search.longest, match_symbol, &search);
	return err < 0 ? err : (int)search.found;
}

struct symbol_visit {
	elf_symbol_fn fn;
	void *ctx;
};

static int visit_variable(void *ctx, const char *name, const Elf64_Sym *symbol)
{
	const struct elf_symbol found = {symbol->st_value, symbol->st_size};
	struct symbol_visit *visit = ctx;

	return ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT ? visit->fn(visit->ctx, name, &found) :
							      0;
}

int elf_image__visit_symbols(struct elf_image *image, elf_symbol_fn fn, void *ctx)
{
	struct symbol_visit visit = {fn, ctx};

	return scan_symbols(image, MAX_SYMBOL_NAME, visit_variable, &visit);
}
