/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_ELF_IMAGE_H
#define GLEAKD_ELF_IMAGE_H

/*
 * A bounds-checked, read-only view of an ELF file. Contents are copied out through a small block
 * cache over pread(2): nothing is mapped, so a file that shrinks gives an error and not a SIGBUS,
 * and a 100 MB binary costs 1 MiB. Addresses are link-time virtual addresses unless said
 * otherwise. The file is hostile: every count and offset is checked against the file's size.
 */
#include "base/common.h"
#include "base/failure.h"

struct elf_image;

enum elf_machine {
	ELF_MACHINE_AMD64,
	ELF_MACHINE_ARM64,
};

struct elf_section {
	uint64_t address; /* 0: not loaded */
	uint64_t offset;
	uint64_t size;
	bool has_bits; /* false for SHT_NOBITS */
};

struct elf_segment {
	uint64_t address;
	uint64_t memory_size;
	uint64_t offset;
	uint64_t file_size;
	bool writable;
	bool executable;
};

struct elf_symbol {
	uint64_t address;
	uint64_t size;
};

/*
 * elf_image__open - view of the file behind @fd. The descriptor is duplicated; the caller keeps
 * its own. Only little-endian 64-bit amd64 and arm64 executables and shared objects.
 * Errors: -ENOEXEC not such a file (the failure says what it is), -EIO unreadable, -ENOMEM.
 */
int elf_image__open(int fd, struct elf_image **ret_image, struct failure *failure) __must_check;
void elf_image__free(struct elf_image *image);

enum elf_machine elf_image__machine(const struct elf_image *image);
bool elf_image__is_pie(const struct elf_image *image);	     /* ET_DYN */
bool elf_image__is_dynamic(const struct elf_image *image);   /* has PT_INTERP */
bool elf_image__has_sections(const struct elf_image *image); /* false: only segments are known */
bool elf_image__has_symbols(const struct elf_image *image);  /* has a .symtab */
uint64_t elf_image__file_size(const struct elf_image *image);
const char *elf_image__name(const struct elf_image *image); /* its path, for messages only */

/* elf_image__section - by name; -ENOENT when absent. */
int elf_image__section(struct elf_image *image, const char *name,
		       struct elf_section *ret_section) __must_check;

/* elf_image__segment - PT_LOAD number @index in file order; -ENOENT past the last. */
int elf_image__segment(const struct elf_image *image, size_t index,
		       struct elf_segment *ret_segment) __must_check;

/* elf_image__read - @size bytes of file contents at @address; -EFAULT when not all in the file. */
int elf_image__read(struct elf_image *image, uint64_t address, void *buffer,
		    size_t size) __must_check;

/* elf_image__read_offset - the same by file offset. */
int elf_image__read_offset(struct elf_image *image, uint64_t offset, void *buffer,
			   size_t size) __must_check;

/*
 * elf_image__read_string - NUL-terminated string at @address into @buffer. A string longer than
 * @size - 1 is cut. Returns its length in the buffer, or -EFAULT.
 */
int elf_image__read_string(struct elf_image *image, uint64_t address, char *buffer,
			   size_t size) __must_check;

/* elf_image__file_offset - file offset of @address, as uprobes want it; -EFAULT when not in file. */
int elf_image__file_offset(const struct elf_image *image, uint64_t address,
			   uint64_t *ret_offset) __must_check;

/*
 * elf_image__symbols - look up @n names in .symtab in one pass. @symbols[i].address stays 0 for a
 * name that is not there. Returns how many were found, or -ENOENT without a .symtab.
 */
int elf_image__symbols(struct elf_image *image, const char *const *names,
		       struct elf_symbol *symbols, size_t n) __must_check;

/* What is called for symbols; anything but 0 ends it. */
typedef int (*elf_symbol_fn)(void *ctx, const char *name, const struct elf_symbol *symbol);

/*
 * elf_image__visit_symbols - calls @fn for each variable in .symtab that has a name of less than 256
 * bytes. Returns what it returned, or -ENOENT without a .symtab, or as elf_image__read().
 */
int elf_image__visit_symbols(struct elf_image *image, elf_symbol_fn fn, void *ctx) __must_check;

/* elf_image__drop_cache - give back the block cache's memory; it is refilled on demand. */
void elf_image__drop_cache(struct elf_image *image);

#endif /* GLEAKD_ELF_IMAGE_H */
