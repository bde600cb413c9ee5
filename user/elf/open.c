// SPDX-License-Identifier: Apache-2.0
/*
 * Opening an ELF file: libelf reads the headers and is closed again at once. What the fixed header
 * says is checked before libelf sees the file, so that its allocations are bounded too.
 */
#include "elf/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/read.h"

/* A Go binary has about 15 program headers and 40 sections; C code linked in adds a few more. */
#define MAX_SEGMENTS 128
#define MAX_SECTIONS 4096

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "386";
	case EM_ARM:
		return "arm";
	case EM_MIPS:
		return "mips";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390x";
	case EM_RISCV:
		return "riscv64";
	case EM_LOONGARCH:
		return "loong64";
	default:
		return NULL;
	}
}

static int refuse(const struct elf_image *image, struct failure *failure, const char *what)
{
	return failure__set(failure, -ENOEXEC,
			    "%s: %s; only 64-bit little-endian ELF executables for amd64 and "
			    "arm64 can be examined",
			    image->name, what);
}

/* What the first bytes say when they are not ELF. */
static int refuse_content(const struct elf_image *image, struct failure *failure,
			  const uint8_t *head, size_t size)
{
	if (!size)
		return refuse(image, failure, "the file is empty");
	if (size >= 2 && head[0] == '#' && head[1] == '!')
		return refuse(image, failure,
			      "this is a script (#!), what runs is its interpreter");
	if (size >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG))
		return refuse(image, failure, "the ELF header is cut off");
	if (size >= 2 && head[0] == 'M' && head[1] == 'Z')
		return refuse(image, failure, "this is a Windows executable");
	if (size >= 4 &&
	    (!memcmp(head, "\xcf\xfa\xed\xfe", 4) || !memcmp(head, "\xca\xfe\xba\xbe", 4)))
		return refuse(image, failure, "this is a macOS executable");
	return refuse(image, failure, "this is not an ELF file");
}

static int check_machine(struct elf_image *image, const Elf64_Ehdr *header, struct failure *failure)
{
	const char *name = machine_name(header->e_machine);
	char text[64];

	if (header->e_machine == EM_X86_64) {
		image->machine = ELF_MACHINE_AMD64;
		return 0;
	}
	if (header->e_machine == EM_AARCH64) {
		image->machine = ELF_MACHINE_ARM64;
		return 0;
	}
	if (name)
		snprintf(text, sizeof(text), "the program is for %s", name);
	else
		snprintf(text, sizeof(text), "the program is for ELF machine %u",
			 header->e_machine);
	return refuse(image, failure, text);
}

static int check_type(struct elf_image *image, const Elf64_Ehdr *header, struct failure *failure)
{
	switch (header->e_type) {
	case ET_EXEC:
		return 0;
	case ET_DYN:
		image->pie = true;
		return 0;
	case ET_REL:
		return refuse(image, failure, "this is an object file, not a program");
	case ET_CORE:
		return refuse(image, failure, "this is a core dump, not a program");
	default:
		return refuse(image, failure, "the ELF header is damaged (unknown type)");
	}
}

/* Everything the fixed header decides, before libelf allocates anything for its counts. */
static int check_header(struct elf_image *image, struct failure *failure)
{
	Elf64_Ehdr header;
	ssize_t n = read__at(image->fd, 0, &header, sizeof(header));
	size_t size = (size_t)n;
	int err;

	if (n < 0)
		return failure__set(failure, -EIO, "%s: cannot be read", image->name);
	/* The header of a 32-bit file is shorter, but such a file has contents after it. */
	if (size < sizeof(header) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
		return refuse_content(image, failure, (const uint8_t *)&header, size);
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		return refuse(image, failure, "the program is 32-bit");
	if (header.e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(image, failure, "the program is big-endian");
	err = check_machine(image, &header, failure);
	if (!err)
		err = check_type(image, &header, failure);
	if (err)
		return err;
	if (!header.e_phnum || header.e_phnum > MAX_SEGMENTS)
		return refuse(image, failure, "the number of program headers is not plausible");
	/* 0 with a table present means that the count is in section 0: more than 65,279 of them. */
	if (header.e_shnum > MAX_SECTIONS || (!header.e_shnum && header.e_shoff))
		return refuse(image, failure, "the number of sections is not plausible");
	return 0;
}

static bool fits(uint64_t offset, uint64_t size, uint64_t limit)
{
	return offset <= limit && size <= limit - offset;
}

static int add_segment(struct elf_image *image, const GElf_Phdr *phdr, struct failure *failure)
{
	if (phdr->p_type == PT_INTERP)
		image->dynamic = true;
	if (phdr->p_type != PT_LOAD)
		return 0;
	if (!fits(phdr->p_offset, phdr->p_filesz, image->file_size))
		return refuse(image, failure, "the file is cut off: a segment lies past its end");
	if (phdr->p_filesz > phdr->p_memsz || !fits(phdr->p_vaddr, phdr->p_memsz, UINT64_MAX))
		return refuse(image, failure, "a program header is damaged");
	image->segments[image->n_segments++] = (struct elf_segment){
		.address = phdr->p_vaddr,
		.memory_size = phdr->p_memsz,
		.offset = phdr->p_offset,
		.file_size = phdr->p_filesz,
		.writable = phdr->p_flags & PF_W,
		.executable = phdr->p_flags & PF_X,
	};
	return 0;
}

static int load_segments(struct elf_image *image, Elf *elf, struct failure *failure)
{
	size_t n;
	int err;

	if (elf_getphdrnum(elf, &n) || !n || n > MAX_SEGMENTS)
		return refuse(image, failure, "the program headers are damaged or cut off");
	image->segments = calloc(n, sizeof(*image->segments));
	if (!image->segments)
		return failure__set(failure, -ENOMEM, "%s: out of memory", image->name);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr phdr;

		if (!gelf_getphdr(elf, (int)i, &phdr))
			return refuse(image, failure, "the program headers are damaged or cut off");
		err = add_segment(image, &phdr, failure);
		if (err)
			return err;
	}
	if (!image->n_segments)
		return refuse(image, failure, "nothing in the file is loaded (no PT_LOAD)");
	return 0;
}

static void add_section(struct elf_image *image, size_t index, const GElf_Shdr *shdr)
{
	bool has_bits = shdr->sh_type != SHT_NOBITS && shdr->sh_type != SHT_NULL;

	image->sections[index] = (struct section){
		.view =
			{
				.address = shdr->sh_addr,
				.offset = shdr->sh_offset,
				.size = shdr->sh_size,
				.has_bits = has_bits,
			},
		.name = shdr->sh_name,
		.type = shdr->sh_type,
		.link = shdr->sh_link,
		.usable = shdr->sh_type != SHT_NULL &&
			  fits(shdr->sh_addr, shdr->sh_size, UINT64_MAX) &&
			  (!has_bits || fits(shdr->sh_offset, shdr->sh_size, image->file_size)),
	};
}

/*
 * A program runs without sections, and everything that looks for one has another way. So a damaged
 * section table is treated like none.
 */
static int load_sections(struct elf_image *image, Elf *elf, struct failure *failure)
{
	size_t n, names;

	if (elf_getshdrnum(elf, &n) || !n || n > MAX_SECTIONS || elf_getshdrstrndx(elf, &names) ||
	    names >= n)
		return 0;
	image->sections = calloc(n, sizeof(*image->sections));
	if (!image->sections)
		return failure__set(failure, -ENOMEM, "%s: out of memory", image->name);
	for (size_t i = 0; i < n; i++) {
		GElf_Shdr shdr;

		if (!gelf_getshdr(elf_getscn(elf, i), &shdr))
			return 0;
		add_section(image, i, &shdr);
	}
	if (image->sections[names].usable && image->sections[names].view.has_bits) {
		image->section_names = image->sections[names].view;
		image->n_sections = n;
	}
	return 0;
}

static int load_headers(struct elf_image *image, struct failure *failure)
{
	Elf *elf;
	int err;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return failure__set(failure, -ENOEXEC, "libelf is of an incompatible version");
	/* ELF_C_READ, as opposed to ELF_C_READ_MMAP, reads the headers with pread(2). */
	elf = elf_begin(image->fd, ELF_C_READ, NULL);
	if (!elf || elf_kind(elf) != ELF_K_ELF)
		err = refuse(image, failure, "the ELF headers are damaged");
	else
		err = load_segments(image, elf, failure);
	if (!err)
		err = load_sections(image, elf, failure);
	elf_end(elf);
	return err;
}

/* The path behind the descriptor, for messages only: it may be deleted or of another namespace. */
static void name_image(struct elf_image *image)
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", image->fd);
	n = readlink(link, image->name, sizeof(image->name) - 1);
	if (n <= 0)
		snprintf(image->name, sizeof(image->name), "executable");
	else
		image->name[n] = '\0';
}

int elf_image__open(int fd, struct elf_image **ret_image, struct failure *failure)
{
	struct elf_image *image;
	struct stat st;
	int err;

	image = calloc(1, sizeof(*image));
	if (!image)
		return failure__set(failure, -ENOMEM, "out of memory");
	elf_image__drop_cache(image);
	image->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (image->fd < 0) {
		err = failure__set(failure, -errno, "cannot duplicate the descriptor: %s",
				   strerror(errno));
		goto err_free;
	}
	name_image(image);
	err = fstat(image->fd, &st) || !S_ISREG(st.st_mode) ? -ENOEXEC : 0;
	if (err) {
		err = refuse(image, failure, "this is not a regular file");
		goto err_free;
	}
	image->file_size = (uint64_t)st.st_size;
	err = check_header(image, failure);
	if (!err)
		err = load_headers(image, failure);
	if (err)
		goto err_free;
	*ret_image = image;
	return 0;

err_free:
	elf_image__free(image);
	return err;
}

void elf_image__free(struct elf_image *image)
{
	if (!image)
		return;
	elf_image__drop_cache(image);
	if (image->fd >= 0)
		close(image->fd);
	free(image->segments);
	free(image->sections);
	free(image);
}
