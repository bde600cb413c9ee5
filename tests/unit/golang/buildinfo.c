// SPDX-License-Identifier: Apache-2.0
#include "golang/buildinfo.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "real_binaries.h"

/* --- versions ---------------------------------------------------------------------------------- */

struct version_case {
	const char *text;
	int minor, patch;
};

static const struct version_case version_cases[] = {
	{"go1.26.8", 26, 8},
	{"go1.20", 20, 0},
	{"go1.21rc2", 21, 0},
	{"go1.18beta1", 18, 0},
	{"go1.25.7 X:nogreenteagc", 25, 7},
	{"go1.26.4-X:jsonv2", 26, 4},
	{"go1.22.3 (Red Hat 1.22.3-1.el9)", 22, 3},
	{"devel go1.22-2f3e4d Tue Aug 1 12:00:00 2023 +0000", 22, 0},
	{"go1.27-devel_e7bccd364e", 27, 0},
	{"go1.25-20250209-RC00 cl/724970549 +ff27d270c9 X:fieldtrack,boringcrypto", 25, 0},
	{"1.26.8", 26, 8},
	{"1.22", 22, 0},
};

Test(buildinfo, versions_are_parsed)
{
	for (size_t i = 0; i < ARRAY_SIZE(version_cases); i++) {
		const struct version_case *c = &version_cases[i];
		struct go_version version;

		cr_assert_eq(go_version__parse(c->text, &version), 0, "%s", c->text);
		cr_expect_eq(version.minor, c->minor, "%s: %d", c->text, version.minor);
		cr_expect_eq(version.patch, c->patch, "%s: %d", c->text, version.patch);
		cr_expect_str_eq(version.text, c->text);
	}
}

Test(buildinfo, what_is_no_version_is_refused)
{
	static const char *const texts[] = {"",		 "unknown",    "go2.1",	  "go1",
					    "go1.",	 "go1.x",      "go1.20.", "go1.99999999",
					    "go1.20.-3", "devel +abc", "2.20",	  "devel go"};
	struct go_version version = {.minor = 77};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		cr_expect_eq(go_version__parse(texts[i], &version), -EINVAL, "%s", texts[i]);
	cr_expect_eq(version.minor, 77, "untouched on failure");
}

/* --- made files -------------------------------------------------------------------------------- */

#define ADDRESS	      0x500000ULL
#define CONTENTS_SIZE 8192U

/* One writable segment without any sections: the header has to be searched for. */
struct test_file {
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t padding[136];
	uint8_t contents[CONTENTS_SIZE];
};

static struct test_file file;

#define INLINE_STRINGS 2

static void make_file(void)
{
	file = (struct test_file){
		.header =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
					    ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_phoff = offsetof(struct test_file, segment),
				.e_ehsize = sizeof(Elf64_Ehdr),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = 1,
			},
		.segment =
			{
				.p_type = PT_LOAD,
				.p_flags = PF_R | PF_W,
				.p_offset = offsetof(struct test_file, contents),
				.p_vaddr = ADDRESS,
				.p_filesz = CONTENTS_SIZE,
				.p_memsz = CONTENTS_SIZE,
			},
	};
}

static size_t put(size_t at, const void *bytes, size_t size)
{
	cr_assert_leq(at + size, CONTENTS_SIZE);
	memcpy(file.contents + at, bytes, size);
	return at + size;
}

/* A string as binary.PutUvarint(len) and its bytes. */
static size_t put_counted(size_t at, const char *text, size_t length)
{
	uint8_t low = (uint8_t)(length & 0x7f);

	if (length > 0x7f) {
		uint8_t bytes[2] = {low | 0x80, (uint8_t)(length >> 7)};

		at = put(at, bytes, 2);
	} else {
		at = put(at, &low, 1);
	}
	return put(at, text, length);
}

static void put_header(size_t at, uint8_t flags)
{
	uint8_t header[32] = "\xff Go buildinf:";

	header[14] = 8;
	header[15] = flags;
	put(at, header, sizeof(header));
}

/* The header at @at, then @version and @modinfo between marks of 16 bytes. */
static void put_build_info(size_t at, const char *version, const char *modinfo)
{
	char framed[4096];
	int n;

	put_header(at, INLINE_STRINGS);
	n = snprintf(framed, sizeof(framed), "0123456789abcdef%sfedcba9876543210", modinfo);
	at = put_counted(at + 32, version, strlen(version));
	put_counted(at, framed, (size_t)n);
}

static int read_size(size_t size, struct go_build_info *ret_info, struct failure *failure)
{
	__cleanup_close int fd = memfd_create("buildinfo-test", MFD_CLOEXEC);
	struct elf_image *image = NULL;
	int err;

	cr_assert_eq(write(fd, &file, size), (ssize_t)size);
	cr_assert_eq(elf_image__open(fd, &image, failure), 0, "%s", failure->text);
	err = go_build_info__read(image, ret_info, failure);
	elf_image__free(image);
	return err;
}

static int read_file(struct go_build_info *ret_info, struct failure *failure)
{
	return read_size(sizeof(file), ret_info, failure);
}

static void expect_refusal(int err, const char *words)
{
	struct go_build_info info = {.race = true};
	struct failure failure = {0};

	cr_expect_eq(read_file(&info, &failure), err, "%s: %s", words, failure.text);
	cr_expect_not_null(strstr(failure.text, words), "\"%s\" is not in: %s", words,
			   failure.text);
	cr_expect(info.race, "untouched on failure");
}

Test(buildinfo, settings_are_read)
{
	static const char modinfo[] = "path\texample.com/shop/cmd/server\n"
				      "mod\texample.com/shop\tv2.7.6\th1:abc=\n"
				      "dep\texample.com/tools\t(devel)\t\n"
				      "dep\texample.com/lib\tv0.1.0\n=>\t../lib\t(devel)\t\n"
				      "dep\texample.com/fork\tv1.0.0\n"
				      "=>\texample.org/fork\tv1.0.1\th1:abc=\n"
				      "dep\tgithub.com/x/y\tv1.0.0\th1:def=\n"
				      "=>\t../y\t(devel)\n"
				      "build\t-buildmode=pie\n"
				      "build\t-ldflags=\"-s -w\"\n"
				      "build\t-race=true\n"
				      "build\t-trimpath=true\n"
				      "build\tCGO_ENABLED=1\n"
				      "build\tGOEXPERIMENT=rangefunc\n";
	struct failure failure = {0};
	struct go_build_info info;

	make_file();
	put_build_info(4096 + 48, "go1.22.12", modinfo);
	cr_assert_eq(read_file(&info, &failure), 0, "%s", failure.text);
	cr_expect_eq(info.version.minor, 22);
	cr_expect_str_eq(info.main_path, "example.com/shop/cmd/server");
	cr_expect_str_eq(info.module_path, "example.com/shop");
	cr_expect_str_eq(info.module_version, "v2.7.6");
	cr_expect_str_eq(info.experiments, "rangefunc");
	cr_expect(info.race && !info.plugin);
	cr_assert_eq(info.n_local_modules, 3);
	cr_expect_str_eq(info.local_modules[0], "example.com/tools");
	cr_expect_str_eq(info.local_modules[1], "example.com/lib");
	cr_expect_str_eq(info.local_modules[2], "github.com/x/y");
}

Test(buildinfo, absent_settings_are_off)
{
	struct failure failure = {0};
	struct go_build_info info;

	make_file();
	put_build_info(0, "go1.26.4-X:jsonv2", "path\tcommand-line-arguments\n");
	cr_assert_eq(read_file(&info, &failure), 0, "%s", failure.text);
	cr_expect_str_eq(info.main_path, "command-line-arguments");
	cr_expect_str_eq(info.module_path, "");
	cr_expect_str_eq(info.experiments, "jsonv2", "taken from the version");
	cr_expect_not(info.race || info.plugin);
}

Test(buildinfo, plugins_say_so)
{
	struct failure failure = {0};
	struct go_build_info info;

	make_file();
	put_build_info(0, "go1.22.12", "path\tplugin/codec\nbuild\t-buildmode=plugin\n");
	cr_assert_eq(read_file(&info, &failure), 0, "%s", failure.text);
	cr_expect(info.plugin);
}

Test(buildinfo, foreign_text_is_cut_and_cannot_steer_a_terminal)
{
	struct failure failure = {0};
	struct go_build_info info;
	char modinfo[2048];

	make_file();
	memset(modinfo, 'x', sizeof(modinfo));
	memcpy(modinfo, "path\t\033[2J", 9);
	memcpy(modinfo + 2000, "\n", 2);
	put_build_info(0, "go1.22.1", modinfo);
	cr_assert_eq(read_file(&info, &failure), 0, "%s", failure.text);
	cr_expect_eq(strlen(info.main_path), sizeof(info.main_path) - 1);
	cr_expect_eq(strncmp(info.main_path, "?[2Jxx", 6), 0);
}

Test(buildinfo, magic_counts_only_where_aligned)
{
	make_file();
	put_build_info(8, "go1.22.1", "\n");
	expect_refusal(-ENOEXEC, "not a Go program");
}

/* Such as gleakd's own executable, and everything else that looks for the magic. */
Test(buildinfo, magic_alone_is_no_header)
{
	make_file();
	put(64, "\xff Go buildinf:\0\0", 16);
	put(128, "\xff Go buildinf:\x08\xf2", 16);
	expect_refusal(-ENOEXEC, "not a Go program");
}

Test(buildinfo, read_only_data_is_searched_too)
{
	struct failure failure = {0};
	struct go_build_info info;

	make_file();
	put_build_info(512, "go1.27.1", "path\tmain\n");
	file.segment.p_flags = PF_R;
	cr_expect_eq(read_file(&info, &failure), 0, "%s", failure.text);
	cr_expect_eq(info.version.minor, 27);
}

Test(buildinfo, old_versions_are_named)
{
	uint64_t pointers[2] = {ADDRESS + 256, 0};
	uint64_t string[2] = {ADDRESS + 512, 9};

	make_file();
	put_header(0, 0);
	put(16, pointers, sizeof(pointers));
	put(256, string, sizeof(string));
	put(512, "go1.17.13", 9);
	expect_refusal(-EOPNOTSUPP, "built with go1.17.13");

	/* As the linker leaves it in a PIE: the pointer is not in the file. */
	pointers[0] = 0;
	put(16, pointers, sizeof(pointers));
	expect_refusal(-EOPNOTSUPP, "before 1.18");

	pointers[0] = ADDRESS + 256;
	string[1] = UINT64_MAX;
	put(16, pointers, sizeof(pointers));
	put(256, string, sizeof(string));
	expect_refusal(-EOPNOTSUPP, "before 1.18");

	make_file();
	put_build_info(0, "go1.17", "\n");
	expect_refusal(-EOPNOTSUPP, "go1.17");
}

/* Whoever builds a toolchain names it; what it is has to be found out from the rest of the file. */
Test(buildinfo, any_text_may_be_a_version)
{
	static const char *const texts[] = {"unknown", "weird", "go2.0", "go1.22.12345678", ""};
	struct go_build_info info;
	struct failure failure = {0};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		make_file();
		put_build_info(0, texts[i], "\n");
		cr_assert_eq(read_file(&info, &failure), 0, "%s", failure.text);
		cr_expect_eq(info.version.minor, GO_MINOR_UNKNOWN, "%s", texts[i]);
		cr_expect_str_eq(info.version.text, texts[i]);
	}
}

Test(buildinfo, damage_is_reported)
{
	static const uint8_t endless[10] = {0xff, 0xff, 0xff, 0xff, 0xff,
					    0xff, 0xff, 0xff, 0xff, 1};
	static const uint8_t huge[5] = {0xff, 0xff, 0xff, 0xff, 0x0f};

	make_file();
	put_header(0, INLINE_STRINGS);
	put(32, endless, sizeof(endless));
	expect_refusal(-EPROTO, "no version string");
	put(32, huge, sizeof(huge));
	expect_refusal(-EPROTO, "no version string");

	/* The version is complete, and the file ends with it. */
	make_file();
	put_header(CONTENTS_SIZE - 48, INLINE_STRINGS);
	put_counted(CONTENTS_SIZE - 16, "go1.22.1 x x xx", 15);
	expect_refusal(-EPROTO, "no module information");
}

Test(buildinfo, packed_programs_are_recognised)
{
	make_file();
	memcpy(file.padding + 4, "UPX!", 4);
	expect_refusal(-ENOEXEC, "upx -d");
}

/* --- real programs ----------------------------------------------------------------------------- */

Test(buildinfo, real_programs)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, ARRAY_SIZE(binaries));

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct failure failure = {0};
		struct go_build_info info;
		char version[64];

		cr_assert_eq(go_build_info__read(image, &info, &failure), 0, "%s: %s",
			     binaries[i].name, failure.text);
		snprintf(version, sizeof(version), "go%.*s", (int)strcspn(binaries[i].name, "-"),
			 binaries[i].name);
		cr_expect_str_eq(info.version.text, version);
		cr_expect_str_eq(info.module_path, "example.com/gleakd/frames");
		cr_expect_str_eq(info.main_path, "example.com/gleakd/frames");
		elf_image__free(image);
	}
}

Test(buildinfo, program_in_c_is_no_go_program)
{
	struct elf_image *image = NULL;
	struct failure failure = {0};
	struct go_build_info info;
	__cleanup_fclose FILE *self = fopen("/proc/self/exe", "re");

	cr_assert_not_null(self);
	cr_assert_eq(elf_image__open(fileno(self), &image, &failure), 0, "%s", failure.text);
	cr_expect_eq(go_build_info__read(image, &info, &failure), -ENOEXEC);
	cr_expect_not_null(strstr(failure.text, "not a Go program"), "%s", failure.text);
	elf_image__free(image);
}
