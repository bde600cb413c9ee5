// SPDX-License-Identifier: Apache-2.0
/*
 * The linker writes a 32-byte header, from Go 1.18 on followed by two strings with varint lengths:
 * the version and the module information (src/cmd/link/internal/ld/data.go, buildinfo()). It sits
 * in a section of its own; without section headers it is searched for by its magic, which is
 * 16-aligned.
 *
 * A file without it is not examined further. The rest of this file is then about telling the user
 * what the file is instead, since "not a Go program" is hard to believe for the owner of one that
 * was packed or made by another compiler.
 */
#include "golang/buildinfo.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/varint.h"

/* src/debug/buildinfo/buildinfo.go */
#define MAGIC	      "\xff Go buildinf:"
#define MAGIC_SIZE    14
#define ALIGNMENT     16
#define HEADER_SIZE   32
#define POINTER_SIZE  14 /* offset of a byte, as are the next */
#define FLAGS	      15
#define VERSION_PTR   16
#define FLAG_INLINE   0x2 /* the strings follow the header: Go 1.18 and later */
#define FLAGS_DEFINED 0x3 /* the other: big-endian, in the old format */

/* The marks around the module information (cmd/go/internal/modload/build.go, infoStart, infoEnd). */
#define SENTINEL_SIZE 16

#define MAX_MODINFO (1 << 20)		 /* the largest programs have some 100 KiB */
#define MAX_SEARCH  ((uint64_t)64 << 20) /* bytes that are searched, of all segments together */
#define OLDEST_GO   18

/* --- version ----------------------------------------------------------------------------------- */

/* A decimal number of at most four digits at *@text, which is moved past it; -1 if there is none. */
static int take_number(const char **text)
{
	const char *p = *text;
	int value = 0;

	while (isdigit((unsigned char)*p) && p - *text < 4)
		value = value * 10 + (*p++ - '0');
	if (p == *text || isdigit((unsigned char)*p))
		return -1;
	*text = p;
	return value;
}

/* Copies foreign text, cut to @size; what a terminal would act on becomes '?'. */
static void copy_text(char *out, size_t size, const char *text, size_t length)
{
	size_t n = min_of(length, size - 1);

	for (size_t i = 0; i < n; i++)
		out[i] = iscntrl((unsigned char)text[i]) ? '?' : text[i];
	out[n] = '\0';
}

int go_version__parse(const char *text, struct go_version *ret_version)
{
	static const char devel[] = "devel ";
	struct go_version version = {0};
	const char *p = text;

	if (!strncmp(p, devel, strlen(devel)))
		p += strlen(devel);
	if (!strncmp(p, "go", 2))
		p += 2;
	if (strncmp(p, "1.", 2) != 0)
		return -EINVAL;
	p += 2;
	version.minor = take_number(&p);
	if (version.minor < 0)
		return -EINVAL;
	if (*p == '.') {
		p++;
		version.patch = take_number(&p);
		if (version.patch < 0)
			return -EINVAL;
	}
	/* What follows is a pre-release ("rc2"), a vendor's mark, experiments, or "-devel_...". */
	copy_text(version.text, sizeof(version.text), text, strlen(text));
	*ret_version = version;
	return 0;
}

/* --- module information ------------------------------------------------------------------------ */

struct field {
	const char *text;
	size_t length;
};

/* Cuts the part of @line before @separator off and returns it; the whole line when it has none. */
static struct field take_field(struct field *line, char separator)
{
	const char *end = line->length ? memchr(line->text, separator, line->length) : NULL;
	struct field field = *line;

	if (!end) {
		line->text += line->length;
		line->length = 0;
		return field;
	}
	field.length = (size_t)(end - line->text);
	line->text = end + 1;
	line->length -= field.length + 1;
	return field;
}

static bool field_is(struct field field, const char *text)
{
	return field.length == strlen(text) && !memcmp(field.text, text, field.length);
}

#define copy_field(out, field) copy_text(out, sizeof(out), (field).text, (field).length)

/* "build" lines: key=value, with quotes around a value that has white space in it. */
static void parse_setting(struct field value, struct go_build_info *info)
{
	struct field key = take_field(&value, '=');

	if (value.length >= 2 && value.text[0] == '"') {
		value.text++;
		value.length -= 2;
	}
	if (field_is(key, "-race"))
		info->race = field_is(value, "true");
	else if (field_is(key, "-buildmode"))
		info->plugin = field_is(value, "plugin");
	else if (field_is(key, "GOEXPERIMENT"))
		copy_field(info->experiments, value);
	else if (field_is(key, "vcs.revision"))
		copy_field(info->vcs_revision, value);
	else if (field_is(key, "vcs.modified"))
		info->vcs_modified = field_is(value, "true");
}

static void add_local(struct field path, struct go_build_info *info)
{
	if (info->n_local_modules == BUILD_INFO_MAX_LOCAL || !path.length ||
	    path.length >= sizeof(info->local_modules[0]))
		return;
	copy_field(info->local_modules[info->n_local_modules], path);
	info->n_local_modules++;
}

/*
 * The lines of src/runtime/debug/mod.go, ParseBuildInfo(). A dependency has a version, and perhaps
 * a line "=>" with what replaces it; what is not a release has "(devel)" in its stead.
 */
static void parse_modinfo(struct field text, struct go_build_info *info)
{
	struct field dependency = {.text = "", .length = 0};

	while (text.length) {
		struct field line = take_field(&text, '\n');
		struct field kind = take_field(&line, '\t');

		if (field_is(kind, "path")) {
			copy_field(info->main_path, line);
		} else if (field_is(kind, "mod")) {
			struct field path = take_field(&line, '\t');
			struct field version = take_field(&line, '\t');

			copy_field(info->module_path, path);
			copy_field(info->module_version, version);
		} else if (field_is(kind, "dep") || field_is(kind, "=>")) {
			struct field path = take_field(&line, '\t');

			if (field_is(kind, "dep"))
				dependency = path;
			if (field_is(take_field(&line, '\t'), "(devel)"))
				add_local(dependency, info);
		} else if (field_is(kind, "build")) {
			parse_setting(line, info);
		}
	}
}

/* Without "build" lines (GOPATH, Bazel) the version still names the experiments after "X:". */
static void experiments_from_version(struct go_build_info *info)
{
	const char *mark = strstr(info->version.text, "X:");

	if (!info->experiments[0] && mark)
		copy_text(info->experiments, sizeof(info->experiments), mark + 2, strlen(mark + 2));
}

/* --- finding the header ------------------------------------------------------------------------ */

/*
 * Programs that look for the magic, gleakd among them, have it in their own data; a linker also
 * writes the size of a pointer and flags, of which two are defined.
 */
static bool is_header(const uint8_t *bytes)
{
	return !memcmp(bytes, MAGIC, MAGIC_SIZE) && bytes[POINTER_SIZE] == sizeof(uint64_t) &&
	       !(bytes[FLAGS] & ~FLAGS_DEFINED);
}

/* First aligned header in @size bytes at @address, at most *@left of them; 0: there is none. */
static uint64_t search_range(struct elf_image *image, uint64_t address, uint64_t size,
			     uint64_t *left)
{
	uint64_t end = address + min_of(size, *left);
	uint8_t chunk[256 * ALIGNMENT];

	*left -= end - address;
	address = (address + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
	while (address < end && end - address >= HEADER_SIZE) {
		size_t n = (size_t)min_of(end - address, (uint64_t)sizeof(chunk));

		if (elf_image__read(image, address, chunk, n))
			return 0;
		for (size_t i = 0; i + ALIGNMENT <= n; i += ALIGNMENT) {
			if (is_header(chunk + i))
				return address + i;
		}
		address += n;
	}
	return 0;
}

static uint64_t search_segments(struct elf_image *image, bool writable, uint64_t *left)
{
	struct elf_segment segment;

	for (size_t i = 0; !elf_image__segment(image, i, &segment); i++) {
		uint64_t address;

		if (segment.executable || segment.writable != writable)
			continue;
		address = search_range(image, segment.address, segment.file_size, left);
		if (address)
			return address;
	}
	return 0;
}

/*
 * Every linker keeps the section; one that has been renamed is in the data, which is not much. Only
 * for a file whose section headers are gone is read-only data worth a search: this is also asked
 * about every program of the host that is not written in Go, some of which are huge.
 */
static uint64_t find_header(struct elf_image *image)
{
	struct elf_section section;
	uint64_t left = MAX_SEARCH;
	uint64_t address;

	if (!elf_image__section(image, ".go.buildinfo", &section) && section.has_bits) {
		address = search_range(image, section.address, section.size, &left);
		if (address)
			return address;
	}
	address = search_segments(image, true, &left);
	if (!address && !elf_image__has_sections(image))
		address = search_segments(image, false, &left);
	return address;
}

/* --- what it is instead ------------------------------------------------------------------------ */

static bool has_any_symbol(struct elf_image *image, const char *const *names, size_t n)
{
	struct elf_symbol symbols[8];

	return n <= ARRAY_SIZE(symbols) && elf_image__symbols(image, names, symbols, n) > 0;
}

/* Whether @text is somewhere in the first @limit bytes of [offset, offset + size) of the file. */
static bool file_contains(struct elf_image *image, uint64_t offset, uint64_t size, size_t limit,
			  const char *text)
{
	size_t n = (size_t)min_of(size, (uint64_t)limit);
	__cleanup_free char *buffer = malloc(n);

	if (!buffer || elf_image__read_offset(image, offset, buffer, n))
		return false;
	return memmem(buffer, n, text, strlen(text)) != NULL;
}

/* UPX puts its l_info, which begins with a checksum and "UPX!", right after the program headers. */
static bool is_upx(struct elf_image *image)
{
	return file_contains(image, 0, elf_image__file_size(image), 1024, "UPX!");
}

/* libgo/runtime/go-main.c of GCC; dynamic programs also name their library. */
static bool is_gccgo(struct elf_image *image)
{
	static const char *const names[] = {"__go_init_main", "__go_go", "__go_runtime_error"};
	struct elf_section strings;

	if (!elf_image__section(image, ".dynstr", &strings) && strings.has_bits &&
	    file_contains(image, strings.offset, strings.size, 1 << 20, "libgo.so"))
		return true;
	return has_any_symbol(image, names, ARRAY_SIZE(names));
}

/* src/internal/task and src/runtime of TinyGo export these names to their assembly. */
static bool is_tinygo(struct elf_image *image)
{
	static const char *const names[] = {
		"tinygo_startTask", "tinygo_swapTask",	  "tinygo_scanCurrentStack",
		"tinygo_longjmp",   "tinygo_task_exited", "tinygo_register_fatal_signals"};

	return has_any_symbol(image, names, ARRAY_SIZE(names));
}

static int explain_absence(struct elf_image *image, struct failure *failure)
{
	const char *name = elf_image__name(image);
	struct elf_section section;

	if (is_upx(image))
		return failure__set(failure, -ENOEXEC,
				    "%s is packed with UPX, which hides what it contains; run the "
				    "program unpacked (upx -d)",
				    name);
	if (is_gccgo(image))
		return failure__set(failure, -ENOEXEC,
				    "%s was built with gccgo, whose runtime differs; only programs "
				    "built with the standard Go toolchain can be examined",
				    name);
	if (is_tinygo(image))
		return failure__set(failure, -ENOEXEC,
				    "%s was built with TinyGo, whose runtime differs; only "
				    "programs built with the standard Go toolchain can be examined",
				    name);
	if (!elf_image__section(image, ".gopclntab", &section))
		return failure__set(failure, -ENOEXEC,
				    "%s is a Go program without build information: built with a Go "
				    "before 1.13, or it has been removed; Go 1.%d or later is "
				    "needed",
				    name, OLDEST_GO);
	return failure__set(failure, -ENOEXEC,
			    "%s is not a Go program: it has no Go build information "
			    "(`go version FILE` would say the same)",
			    name);
}

/* --- reading ----------------------------------------------------------------------------------- */

static int damaged(struct elf_image *image, struct failure *failure, const char *what)
{
	return failure__set(failure, -EPROTO, "%s: the Go build information is damaged: %s",
			    elf_image__name(image), what);
}

/* *@address is moved past it. */
static int read_varint(struct elf_image *image, uint64_t *address, uint64_t *ret_value)
{
	struct varint varint = {0};

	while (varint.shift < VARINT_BITS_32) {
		uint8_t byte;
		int err = elf_image__read(image, (*address)++, &byte, 1);

		if (err)
			return err;
		if (varint__add(&varint, byte)) {
			*ret_value = varint.value;
			return 0;
		}
	}
	return -EPROTO;
}

/* Length-prefixed string at *@address, which is moved past it. The caller frees *@ret_text. */
static int read_counted(struct elf_image *image, uint64_t *address, char **ret_text,
			size_t *ret_length)
{
	uint64_t length = 0;
	char *text;
	int err;

	err = read_varint(image, address, &length);
	if (err)
		return err;
	if (length > MAX_MODINFO)
		return -EPROTO;
	text = malloc((size_t)length + 1);
	if (!text)
		return -ENOMEM;
	err = elf_image__read(image, *address, text, (size_t)length);
	if (err && length) {
		free(text);
		return err;
	}
	text[length] = '\0';
	*address += length;
	*ret_text = text;
	*ret_length = (size_t)length;
	return 0;
}

/* Before 1.18 the header points at two Go strings; PIE leaves 0 there for the dynamic linker. */
static int refuse_old(struct elf_image *image, const uint8_t *header, struct failure *failure)
{
	struct go_version version;
	uint64_t string[2], pointer; /* a Go string: data, length */
	char text[sizeof(version.text)] = "";

	memcpy(&pointer, header + VERSION_PTR, sizeof(pointer));
	if (!elf_image__read(image, pointer, string, sizeof(string)) && string[1] < sizeof(text) &&
	    !elf_image__read(image, string[0], text, (size_t)string[1]))
		text[string[1]] = '\0';
	else
		text[0] = '\0';
	if (go_version__parse(text, &version))
		return failure__set(failure, -EOPNOTSUPP,
				    "%s was built with a Go before 1.18; 1.%d or later is needed",
				    elf_image__name(image), OLDEST_GO);
	return failure__set(failure, -EOPNOTSUPP,
			    "%s was built with %s; Go 1.%d or later is needed",
			    elf_image__name(image), version.text, OLDEST_GO);
}

static int check_version(struct elf_image *image, const char *text, struct go_version *ret_version,
			 struct failure *failure)
{
	if (go_version__parse(text, ret_version)) {
		*ret_version = (struct go_version){.minor = GO_MINOR_UNKNOWN};
		copy_text(ret_version->text, sizeof(ret_version->text), text, strlen(text));
	} else if (ret_version->minor < OLDEST_GO) {
		return failure__set(failure, -EOPNOTSUPP,
				    "%s was built with %s; Go 1.%d or later is needed",
				    elf_image__name(image), ret_version->text, OLDEST_GO);
	}
	return 0;
}

/* As buildinfo.go decides: framed text ends with a newline before its end mark. */
static struct field unframed(const char *modinfo, size_t length)
{
	if (length <= 2 * SENTINEL_SIZE || modinfo[length - SENTINEL_SIZE - 1] != '\n')
		return (struct field){modinfo, 0};
	return (struct field){modinfo + SENTINEL_SIZE, length - 2 * SENTINEL_SIZE};
}

int go_build_info__modules(struct elf_image *image, char **ret_text)
{
	__cleanup_free char *version = NULL, *modinfo = NULL;
	uint64_t address = find_header(image);
	uint8_t header[HEADER_SIZE];
	struct field text;
	size_t length;
	char *copy;

	if (!address || elf_image__read(image, address, header, sizeof(header)) ||
	    !(header[FLAGS] & FLAG_INLINE))
		return -ENOENT;
	address += HEADER_SIZE;
	if (read_counted(image, &address, &version, &length) ||
	    read_counted(image, &address, &modinfo, &length))
		return -ENOENT;
	text = unframed(modinfo, length);
	if (!text.length)
		return -ENOENT;
	copy = malloc(text.length + 1);
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < text.length; i++)
		copy[i] = iscntrl((unsigned char)text.text[i]) && text.text[i] != '\n' &&
					  text.text[i] != '\t' ?
				  '?' :
				  text.text[i];
	copy[text.length] = '\0';
	*ret_text = copy;
	return 0;
}

int go_build_info__read(struct elf_image *image, struct go_build_info *ret_info,
			struct failure *failure)
{
	__cleanup_free char *version = NULL, *modinfo = NULL;
	struct go_build_info info = {0};
	uint8_t header[HEADER_SIZE];
	size_t length;
	uint64_t address;
	int err;

	address = find_header(image);
	if (!address)
		return explain_absence(image, failure);
	if (elf_image__read(image, address, header, sizeof(header)))
		return damaged(image, failure, "the header cannot be read");
	if (!(header[FLAGS] & FLAG_INLINE))
		return refuse_old(image, header, failure);

	address += HEADER_SIZE;
	if (read_counted(image, &address, &version, &length))
		return damaged(image, failure, "no version string");
	err = check_version(image, version, &info.version, failure);
	if (err)
		return err;
	if (read_counted(image, &address, &modinfo, &length))
		return damaged(image, failure, "no module information");
	parse_modinfo(unframed(modinfo, length), &info);
	experiments_from_version(&info);
	*ret_info = info;
	return 0;
}
