// SPDX-License-Identifier: Apache-2.0
#include "discover/go_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "golang/go_sniff.h"

static enum file_fact fact(bool is)
{
	return is ? FACT_YES : FACT_NO;
}

static void describe_image(struct go_file *file, const struct elf_image *image)
{
	file->build.stripped = fact(!elf_image__has_symbols(image));
	file->build.pie = fact(elf_image__is_pie(image));
	file->build.statically_linked = fact(!elf_image__is_dynamic(image));
}

static void describe_build(struct go_file *file, const struct go_build_info *info)
{
	snprintf(file->go_version, sizeof(file->go_version), "%s", info->version.text);
	snprintf(file->module, sizeof(file->module), "%s", info->module_path);
	snprintf(file->main_path, sizeof(file->main_path), "%s", info->main_path);
	snprintf(file->module_version, sizeof(file->module_version), "%s", info->module_version);
	file->build.race = fact(info->race);
}

/*
 * Most programs are built with cgo enabled and have no C code in them. Those that do have
 * crosscall2, over which C calls Go (src/runtime/cgo/asm_amd64.s, asm_arm64.s): assembly with a
 * name that stays in the function table. Build settings may be missing (Bazel), so they are not
 * asked.
 */
static void look_for_cgo(struct go_file *file)
{
	static const char *const names[] = {"crosscall2"};
	struct pclntab_func func = {0};

	if (pclntab__find(go_binary__pclntab(file->binary), names, &func, 1) >= 0)
		file->build.cgo = fact(func.entry);
}

/* What can be said of a file that go_binary__open() did not take. */
static void describe_refused(struct go_file *file, int fd)
{
	struct elf_image *image;
	struct go_build_info info;

	if (elf_image__open(fd, &image, NULL))
		return;
	describe_image(file, image);
	if (!go_build_info__read(image, &info, NULL))
		describe_build(file, &info);
	elf_image__free(image);
}

static int open_binary(struct go_file *file, int fd, bool sure)
{
	int err = go_binary__open(fd, &file->binary, &file->reason);

	if (err == -ENOMEM || err == -EIO)
		return err;
	file->is_go = !err || sure || err != -ENOEXEC;
	if (err) {
		if (file->is_go)
			describe_refused(file, fd);
		return 0;
	}
	describe_image(file, go_binary__image(file->binary));
	describe_build(file, go_binary__build_info(file->binary));
	look_for_cgo(file);
	return 0;
}

static void refuse_compiler(struct go_file *file, int fd, const char *compiler)
{
	file->is_go = true;
	describe_refused(file, fd);
	failure__set(&file->reason, -ENOEXEC,
		     "it was built with %s, whose runtime differs; only programs built with the "
		     "standard Go toolchain can be examined",
		     compiler);
}

int go_file__read(int fd, struct go_file *file)
{
	struct go_sniff sniff;
	int err = go_sniff__file(fd, &sniff);

	*file = (struct go_file){0};
	if (err)
		return err;
	switch (sniff.kind) {
	case GO_SNIFF_NO:
		break;
	case GO_SNIFF_GCCGO:
		refuse_compiler(file, fd, "gccgo");
		break;
	case GO_SNIFF_TINYGO:
		refuse_compiler(file, fd, "TinyGo");
		break;
	case GO_SNIFF_GO:
	case GO_SNIFF_UNSURE:
		err = open_binary(file, fd, sniff.kind == GO_SNIFF_GO);
		break;
	}
	if (err)
		go_file__release(file);
	else if (!file->go_version[0])
		snprintf(file->go_version, sizeof(file->go_version), "%s", sniff.version);
	return err;
}

void go_file__release(struct go_file *file)
{
	symbolizer__free(file->symbolizer);
	go_binary__free(file->binary);
	*file = (struct go_file){0};
}
