// SPDX-License-Identifier: Apache-2.0
/*
 * The input is one byte of choices and what a writable, or read-only, segment holds: Go's build
 * information, or something that resembles it. The whole of it is also taken for a version, and for the
 * list of modules.
 */
#include "golang/buildinfo.h"
#include "golang/dependencies.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

enum choice {
	READ_ONLY = 1 << 0, /* the segment is; it is then searched since there are no sections */
	ARM64 = 1 << 1,
	IN_OLD_PLACE = 1 << 2, /* bias of addresses, for pointers of the old format */
};

struct file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t contents[16384];
};

static size_t make_file(struct file *file, uint8_t choices, const uint8_t *data, size_t size)
{
	size = min_of(size, sizeof(file->contents));
	file->header = (Elf64_Ehdr){
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = choices & ARM64 ? EM_AARCH64 : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct file, segment),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	};
	file->segment = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = choices & READ_ONLY ? PF_R : PF_R | PF_W,
		.p_offset = offsetof(struct file, contents),
		.p_vaddr = choices & IN_OLD_PLACE ? 0 : 0x400000,
		.p_filesz = size,
		.p_memsz = size,
	};
	if (size)
		memcpy(file->contents, data, size);
	return offsetof(struct file, contents) + size;
}

static bool is_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	}
	return length < size;
}

static void check(const struct go_build_info *info)
{
	fuzz__require(info->version.minor == GO_MINOR_UNKNOWN ||
		      (info->version.minor >= 18 && info->version.minor < 10000));
	fuzz__require(info->version.patch >= 0);
	fuzz__require(is_text(info->version.text, sizeof(info->version.text)));
	fuzz__require(is_text(info->main_path, sizeof(info->main_path)));
	fuzz__require(is_text(info->module_path, sizeof(info->module_path)));
	fuzz__require(is_text(info->module_version, sizeof(info->module_version)));
	fuzz__require(is_text(info->experiments, sizeof(info->experiments)));
	fuzz__require(is_text(info->vcs_revision, sizeof(info->vcs_revision)));
}

static void ask(struct go_dependencies *dependencies)
{
	static const char *const functions[] = {"", "a/b.F", "a.b/c%2ed.(*T).f", "%", "main.main"};
	static const char *const files[] = {"", "/vendor/", "/x/vendor/a/b.go",
					    "a.b/c@v1.2.3/d.go"};

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
			const struct go_dependency *found =
				go_dependencies__of(dependencies, functions[i], files[k]);

			fuzz__require(!found || (found->path && *found->version));
		}
	}
	go_dependencies__free(dependencies);
}

static void parse_dependencies(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	struct go_dependencies *dependencies;

	fuzz__require(!go_dependencies__parse(fuzz_input__text(&input, '\0'), &dependencies));
	ask(dependencies);
}

static void parse_version(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	char *text = fuzz_input__text(&input, '\0');
	struct go_version version;

	if (!go_version__parse(text, &version)) {
		fuzz__require(version.minor >= 0 && version.patch >= 0);
		fuzz__require(is_text(version.text, sizeof(version.text)));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	static struct file file;
	struct failure failure = {0};
	struct go_build_info info;
	struct go_dependencies *dependencies;
	struct elf_image *image;
	int fd, err;

	if (!size)
		return 0;
	parse_version(data + 1, size - 1);
	parse_dependencies(data + 1, size - 1);
	fd = fuzz__memfd(&file, make_file(&file, data[0], data + 1, size - 1));
	fuzz__require(!elf_image__open(fd, &image, &failure));
	close(fd);
	err = go_build_info__read(image, &info, &failure);
	fuzz__require(!err || err == -ENOEXEC || err == -EOPNOTSUPP || err == -EPROTO);
	if (err)
		fuzz__require(is_text(failure.text, sizeof(failure.text)));
	else
		check(&info);
	fuzz__require(!go_dependencies__read(image, &dependencies));
	ask(dependencies);
	elf_image__free(image);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
