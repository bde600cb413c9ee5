// SPDX-License-Identifier: Apache-2.0
/*
 * Only names and first bytes of sections are looked at. Each kind of Go program leaves contents that
 * no other program has by accident, so a section is believed for what it begins with and not for its
 * name: a C program may well have a section called .gopclntab.
 */
#include "golang/go_sniff.h"

#include <ctype.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read.h"

#define MAX_SECTIONS 4096
#define MAX_NAMES    (1u << 20)
#define MAX_STRINGS  (4u << 20) /* TinyGo's are small; those of large C++ programs are not */

/* src/debug/buildinfo/buildinfo.go */
#define BUILDINFO_MAGIC	      "\xff Go buildinf:"
#define BUILDINFO_MAGIC_SIZE  14
#define BUILDINFO_FLAGS	      15
#define BUILDINFO_INLINE      0x2
#define BUILDINFO_HEADER_SIZE 32

struct section {
	uint32_t name, type;
	uint64_t offset, size;
};

/* The file under the nose. */
struct nose {
	int fd;
	bool elf64, big_endian;
	uint8_t *headers; /* of sections */
	size_t n_headers, header_size;
	char *names;
	size_t names_size;
	size_t strings_left; /* of MAX_STRINGS, for all tables of a file */
};

/* --- ELF of either class and byte order ---------------------------------------------------------- */

static uint64_t number(const struct nose *nose, const void *at, size_t size)
{
	uint16_t half;
	uint32_t word;
	uint64_t xword;

	switch (size) {
	case sizeof(half):
		memcpy(&half, at, sizeof(half));
		return nose->big_endian ? be16toh(half) : le16toh(half);
	case sizeof(word):
		memcpy(&word, at, sizeof(word));
		return nose->big_endian ? be32toh(word) : le32toh(word);
	default:
		memcpy(&xword, at, sizeof(xword));
		return nose->big_endian ? be64toh(xword) : le64toh(xword);
	}
}

/* A field of an ELF struct, which is at @base in the file's own class and byte order. */
#define FIELD(nose, base, type, field)                                                      \
	((nose)->elf64 ? number(nose, (const char *)(base) + offsetof(Elf64_##type, field), \
				sizeof(((Elf64_##type *)0)->field)) :                       \
			 number(nose, (const char *)(base) + offsetof(Elf32_##type, field), \
				sizeof(((Elf32_##type *)0)->field)))

static struct section section_at(const struct nose *nose, size_t index)
{
	const uint8_t *header = nose->headers + index * nose->header_size;

	return (struct section){
		.name = (uint32_t)FIELD(nose, header, Shdr, sh_name),
		.type = (uint32_t)FIELD(nose, header, Shdr, sh_type),
		.offset = FIELD(nose, header, Shdr, sh_offset),
		.size = FIELD(nose, header, Shdr, sh_size),
	};
}

static const char *section_name(const struct nose *nose, const struct section *section)
{
	/* `names` ends with a NUL of our own. */
	return section->name < nose->names_size ? nose->names + section->name : "";
}

/* Up to @max bytes at @offset into a new buffer with a NUL after them. */
static int load(int fd, uint64_t offset, uint64_t size, size_t max, void *ret_buffer,
		size_t *ret_size)
{
	size_t n = (size_t)min_of(size, (uint64_t)max);
	char *buffer = malloc(n + 1);
	int got = buffer ? read__at(fd, offset, buffer, n) : -ENOMEM;

	if (got < 0) {
		free(buffer);
		return got;
	}
	buffer[got] = '\0';
	*(void **)ret_buffer = buffer;
	*ret_size = (size_t)got;
	return 0;
}

static void nose_free(struct nose *nose)
{
	free(nose->headers);
	free(nose->names);
}

/* The section headers and their names. -ENOENT: there are none, or none to be believed. */
static int load_sections(struct nose *nose, const uint8_t *head)
{
	uint64_t table = FIELD(nose, head, Ehdr, e_shoff);
	size_t n = FIELD(nose, head, Ehdr, e_shnum);
	size_t names = FIELD(nose, head, Ehdr, e_shstrndx);
	struct section strings;
	size_t got;
	int err;

	nose->header_size = nose->elf64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (!table || !n || n > MAX_SECTIONS || names >= n ||
	    FIELD(nose, head, Ehdr, e_shentsize) != nose->header_size)
		return -ENOENT;
	err = load(nose->fd, table, n * nose->header_size, MAX_SECTIONS * sizeof(Elf64_Shdr),
		   &nose->headers, &got);
	if (err)
		return err;
	if (got < n * nose->header_size)
		return -ENOENT;
	nose->n_headers = n;
	strings = section_at(nose, names);
	if (strings.type != SHT_STRTAB)
		return -ENOENT;
	return load(nose->fd, strings.offset, strings.size, MAX_NAMES, &nose->names,
		    &nose->names_size);
}

/* --- what sections begin with -------------------------------------------------------------------- */

/* The version after the header: its length, which is below 128 for all that fits, and its text. */
static void copy_version(const uint8_t *info, size_t size, struct go_sniff *sniff)
{
	size_t length = size > BUILDINFO_HEADER_SIZE ? info[BUILDINFO_HEADER_SIZE] : 0;
	const uint8_t *text = info + BUILDINFO_HEADER_SIZE + 1;

	if (!(info[BUILDINFO_FLAGS] & BUILDINFO_INLINE) || length >= sizeof(sniff->version) ||
	    length > size - BUILDINFO_HEADER_SIZE - 1)
		return;
	for (size_t i = 0; i < length; i++)
		sniff->version[i] = iscntrl(text[i]) ? '?' : (char)text[i];
	sniff->version[length] = '\0';
}

static bool is_build_info(const struct nose *nose, const uint8_t *bytes, size_t size,
			  struct go_sniff *sniff)
{
	(void)nose;
	if (size < BUILDINFO_HEADER_SIZE ||
	    memcmp(bytes, BUILDINFO_MAGIC, BUILDINFO_MAGIC_SIZE) != 0)
		return false;
	copy_version(bytes, size, sniff);
	return true;
}

/* A note of "Go", type 4: src/cmd/internal/buildid/note.go, elfGoNote. */
static bool is_build_id(const struct nose *nose, const uint8_t *bytes, size_t size,
			struct go_sniff *sniff)
{
	(void)sniff;
	return size >= 16 && number(nose, bytes, 4) == 4 && number(nose, bytes + 8, 4) == 4 &&
	       !memcmp(bytes + 12, "Go\0", 4);
}

/* src/debug/gosym/pclntab.go: magics of 1.2, 1.16, 1.18 and 1.20, then 0, 0, quantum, word size. */
static bool is_pclntab(const struct nose *nose, const uint8_t *bytes, size_t size,
		       struct go_sniff *sniff)
{
	uint64_t magic = size >= 8 ? number(nose, bytes, 4) : 0;

	(void)sniff;
	if (magic != 0xfffffffb && magic != 0xfffffffa && magic != 0xfffffff0 &&
	    magic != 0xfffffff1)
		return false;
	return !bytes[4] && !bytes[5] && (bytes[6] == 1 || bytes[6] == 2 || bytes[6] == 4) &&
	       bytes[7] == (nose->elf64 ? 8 : 4);
}

static const struct {
	const char *section;
	bool (*recognise)(const struct nose *nose, const uint8_t *bytes, size_t size,
			  struct go_sniff *sniff);
} go_sections[] = {
	{".go.buildinfo", is_build_info},
	{".note.go.buildid", is_build_id},
	{".gopclntab", is_pclntab},
	{".data.rel.ro.gopclntab", is_pclntab}, /* PIE */
};

/* Looks at @section if it has one of those names. */
static int sniff_section(struct nose *nose, const struct section *section, struct go_sniff *sniff)
{
	const char *name = section_name(nose, section);
	uint8_t head[160];
	int n;

	for (size_t i = 0; i < ARRAY_SIZE(go_sections); i++) {
		if (strcmp(name, go_sections[i].section) != 0 || section->type == SHT_NOBITS)
			continue;
		n = read__at(nose->fd, section->offset, head,
			     (size_t)min_of(section->size, (uint64_t)sizeof(head)));
		if (n < 0)
			return n;
		if (go_sections[i].recognise(nose, head, (size_t)n, sniff))
			sniff->kind = GO_SNIFF_GO;
	}
	return 0;
}

/* --- other compilers of Go ----------------------------------------------------------------------- */

/* Whether one of the strings in @table begins with @text; with @whole is all of it. */
static bool has_string(const char *table, size_t size, const char *text, bool whole)
{
	size_t length = strlen(text) + whole;
	const char *found = table;

	/* The string before ends with a NUL; the table's first byte is one (ELF, string table). */
	while ((found = memmem(found, (size_t)(table + size - found), text, length)) != NULL) {
		if (found > table && found[-1] == '\0')
			return true;
		found++;
	}
	return false;
}

/* libgo/runtime/go-main.c of GCC; src/internal/task, src/runtime of TinyGo. */
static enum go_sniff_kind other_compiler(const char *table, size_t size)
{
	static const char *const tinygo[] = {"tinygo_startTask", "tinygo_swapTask",
					     "tinygo_scanCurrentStack", "tinygo_longjmp"};

	if (has_string(table, size, "libgo.so.", false) ||
	    has_string(table, size, "__go_init_main", true))
		return GO_SNIFF_GCCGO;
	for (size_t i = 0; i < ARRAY_SIZE(tinygo); i++) {
		if (has_string(table, size, tinygo[i], true))
			return GO_SNIFF_TINYGO;
	}
	return GO_SNIFF_NO;
}

/* The libraries a program needs are named in .dynstr; its functions, unless stripped, in .strtab. */
static int sniff_strings(struct nose *nose, const struct section *section, struct go_sniff *sniff)
{
	const char *name = section_name(nose, section);
	__cleanup_free char *table = NULL;
	size_t size;
	int err;

	if (sniff->kind != GO_SNIFF_NO || section->type != SHT_STRTAB ||
	    section->size > nose->strings_left ||
	    (strcmp(name, ".dynstr") != 0 && strcmp(name, ".strtab") != 0))
		return 0;
	nose->strings_left -= section->size;
	err = load(nose->fd, section->offset, section->size, MAX_STRINGS, &table, &size);
	if (!err)
		sniff->kind = other_compiler(table, size);
	return err;
}

/* --- the interface ------------------------------------------------------------------------------- */

static int sniff_sections(struct nose *nose,
			  int (*sniff_one)(struct nose *nose, const struct section *section,
					   struct go_sniff *sniff),
			  struct go_sniff *sniff)
{
	int err = 0;

	for (size_t i = 0; i < nose->n_headers && !err; i++) {
		struct section section = section_at(nose, i);

		err = sniff_one(nose, &section, sniff);
	}
	return err;
}

static int sniff_file(int fd, bool library, struct go_sniff *ret_sniff)
{
	struct nose nose = {.fd = fd, .strings_left = library ? 0 : MAX_STRINGS};
	struct go_sniff sniff = {0};
	uint8_t head[sizeof(Elf64_Ehdr)] = {0};
	int err = 0, n = read__at(fd, 0, head, sizeof(head));

	if (n < 0)
		return n;
	if (n < (int)sizeof(head) || memcmp(head, ELFMAG, SELFMAG) != 0) {
		*ret_sniff = sniff;
		return 0;
	}
	nose.elf64 = head[EI_CLASS] == ELFCLASS64;
	nose.big_endian = head[EI_DATA] == ELFDATA2MSB;
	err = load_sections(&nose, head);
	if (err == -ENOENT) {
		sniff.kind = library ? GO_SNIFF_NO : GO_SNIFF_UNSURE;
		err = 0;
	} else if (!err) {
		err = sniff_sections(&nose, sniff_section, &sniff);
		if (!err && sniff.kind == GO_SNIFF_NO && !library)
			err = sniff_sections(&nose, sniff_strings, &sniff);
	}
	nose_free(&nose);
	if (!err)
		*ret_sniff = sniff;
	return err;
}

int go_sniff__file(int fd, struct go_sniff *ret_sniff)
{
	return sniff_file(fd, false, ret_sniff);
}

int go_sniff__library(int fd, struct go_sniff *ret_sniff)
{
	return sniff_file(fd, true, ret_sniff);
}
