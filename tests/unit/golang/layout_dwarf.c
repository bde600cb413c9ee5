// SPDX-License-Identifier: Apache-2.0
#include "golang/layout_dwarf.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "golang/layout_choice.h"
#include "real_binaries.h"

static struct failure failure;

/* A file has one architecture, and what it says fills both columns of a field that depends on it. */
static bool is_by_architecture(const char *column)
{
	return !strncmp(column, "mheap_arenas", strlen("mheap_arenas")) ||
	       !strncmp(column, "cleanupQueue_all", strlen("cleanupQueue_all"));
}

static bool one_of_both(const struct go_layout *read, const struct go_layout *row)
{
	return (read->mheap_arenas == row->mheap_arenas &&
		read->cleanupQueue_all == row->cleanupQueue_all) ||
	       (read->mheap_arenas == row->mheap_arenas_arm64 &&
		read->cleanupQueue_all == row->cleanupQueue_all_arm64);
}

static size_t differences(const struct go_layout *a, const struct go_layout *b, const char *name)
{
	size_t n = !one_of_both(a, b);

#define X(field)                                                                      \
	if (a->field != b->field && !is_by_architecture(#field)) {                    \
		cr_log_info("%s: %s is %u and %u", name, #field, a->field, b->field); \
		n++;                                                                  \
	}
	GO_LAYOUT_FIELDS(X)
#undef X
	return n;
}

Test(layout_dwarf, agrees_with_the_table_on_real_programs, .timeout = 120)
{
	static struct real_binary binaries[MAX_REAL_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_REAL_BINARIES), compared = 0;

	for (size_t i = 0; i < n; i++) {
		struct elf_image *image = real_binary__open(&binaries[i]);
		struct go_layout layout = {.minor = -7};
		int err = layout_dwarf__read(image, &layout, &failure);

		if (!real_binary__is(&binaries[i], "stripped")) {
			cr_assert_eq(err, 0, "%s: %d %s", binaries[i].name, err, failure.text);
			cr_assert_eq(differences(&layout,
						 go_layout__find(real_binary__minor(&binaries[i])),
						 binaries[i].name),
				     0);
			compared++;
		} else {
			cr_assert_eq(err, -ENOENT, "%s", binaries[i].name);
		}
		cr_assert_eq(layout.minor, -7);
		elf_image__free(image);
	}
	cr_assert_gt(compared, 0);
}

/* --- debug information made by hand ------------------------------------------------------------- */

enum { ABBREV_UNIT = 1, ABBREV_STRUCT, ABBREV_MEMBER, ABBREV_POINTER, ABBREV_TYPEDEF };

/* clang-format off */
static const uint8_t abbreviations[] = {
	ABBREV_UNIT, 0x11, 1, 0x03, 0x08, 0x13, 0x0b, 0, 0, /* name, language */
	ABBREV_STRUCT, 0x13, 1, 0x03, 0x08, 0x0b, 0x06, 0, 0, /* name, size */
	ABBREV_MEMBER, 0x0d, 0, 0x03, 0x08, 0x38, 0x06, 0x49, 0x13, 0, 0, /* name, place, type */
	ABBREV_POINTER, 0x0f, 0, 0, 0,
	ABBREV_TYPEDEF, 0x16, 0, 0x49, 0x13, 0, 0,
	0,
};
/* clang-format on */

#define INFO_MAX ((size_t)1024 * 1024)

static struct {
	uint8_t info[INFO_MAX];
	size_t n;
	uint32_t pointer; /* offset of a pointer type */
	uint32_t stack, sched, write_barrier_buffer, heap_stats, sysmontick;
} made;

static void put(const void *data, size_t size)
{
	cr_assert_leq(made.n + size, sizeof(made.info));
	memcpy(made.info + made.n, data, size);
	made.n += size;
}

static void put8(uint8_t value)
{
	put(&value, 1);
}

static void put32(uint32_t value)
{
	put(&value, sizeof(value));
}

static void put_name(const char *name)
{
	put(name, strlen(name) + 1);
}

static uint32_t begin_struct(const char *name, uint32_t size)
{
	uint32_t at = (uint32_t)made.n;

	put8(ABBREV_STRUCT);
	put_name(name);
	put32(size);
	return at;
}

static void put_member(const char *name, uint32_t offset, uint32_t type)
{
	put8(ABBREV_MEMBER);
	put_name(name);
	put32(offset);
	put32(type);
}

struct recipe {
	const struct go_layout *row; /* before 1.26: pointers of sudog are plain */
	const char *unit;
	const char *left_out; /* a column */
	const char *moved;    /* a column, by... */
	uint32_t by;
};

/* The member for one column, unless it is one of the nested ones. */
static void put_column(const struct recipe *recipe, const char *prefix, const char *column,
		       uint32_t offset)
{
	const char *field = column + strlen(prefix);

	if (strncmp(column, prefix, strlen(prefix)) != 0 || !strcmp(field, "heapStats") ||
	    (strchr(field, '_') && strcmp(prefix, "mstats_") != 0) || !strcmp(field, "sizeof") ||
	    offset == GO_LAYOUT_ABSENT)
		return;
	if (recipe->left_out && !strcmp(column, recipe->left_out))
		return;
	if (recipe->moved && !strcmp(column, recipe->moved))
		offset += recipe->by;
	put_member(field, offset, made.pointer);
}

static void put_struct(const struct recipe *recipe, const char *prefix, const char *name,
		       uint32_t size)
{
	begin_struct(name, size);
	if (!strcmp(prefix, "g_")) {
		put_member("stack", recipe->row->g_stack_lo, made.stack);
		put_member("sched", recipe->row->g_sched_sp, made.sched);
		put_member("_panic", recipe->row->g_panic, made.pointer);
		put_member("_defer", recipe->row->g_defer, made.pointer);
	} else if (!strcmp(prefix, "p_")) {
		put_member("wbBuf", recipe->row->p_wbBuf_next, made.write_barrier_buffer);
		put_member("sysmontick", recipe->row->p_sysmontick_schedtick, made.sysmontick);
	} else if (!strcmp(prefix, "mstats_")) {
		put_member("heapStats", recipe->row->mstats_heapStats, made.heap_stats);
	}
#define X(field) put_column(recipe, prefix, #field, recipe->row->field);
	GO_LAYOUT_FIELDS(X)
#undef X
	put8(0);
}

static void make_info(const struct recipe *recipe)
{
	const struct go_layout *row = recipe->row;
	uint32_t gobuf;

	made.n = 0;
	put32(0); /* the unit's length, below */
	put("\x04\0\0\0\0\0\x08", 7);
	put8(ABBREV_UNIT);
	put_name(recipe->unit ? recipe->unit : "runtime");
	put8(0x16); /* DW_LANG_Go */
	made.pointer = (uint32_t)made.n;
	put8(ABBREV_POINTER);
	made.stack = begin_struct("runtime.stack", 16);
	put_member("lo", 0, made.pointer);
	put_member("hi", row->g_stack_hi - row->g_stack_lo, made.pointer);
	put8(0);
	gobuf = begin_struct("runtime.gobuf", 56);
	put_member("sp", 0, made.pointer);
	put_member("pc", row->g_sched_pc - row->g_sched_sp, made.pointer);
	put_member("bp", row->g_sched_bp - row->g_sched_sp, made.pointer);
	put_member("ctxt", row->g_sched_ctxt - row->g_sched_sp, made.pointer);
	put_member("lr", row->g_sched_lr - row->g_sched_sp, made.pointer);
	put8(0);
	made.write_barrier_buffer = begin_struct("runtime.wbBuf", 4112);
	put_member("next", 0, made.pointer);
	put_member("buf", row->p_wbBuf_buf - row->p_wbBuf_next, made.pointer);
	put8(0);
	made.sysmontick = begin_struct("runtime.sysmontick", 24);
	put_member("schedtick", 0, made.pointer);
	put_member("schedwhen", row->p_sysmontick_schedwhen - row->p_sysmontick_schedtick,
		   made.pointer);
	put8(0);
	made.heap_stats = begin_struct("runtime.consistentHeapStats", 4096);
	put_member("stats", 0, made.pointer);
	put8(0);
	made.sched = (uint32_t)made.n;
	put8(ABBREV_TYPEDEF);
	put32(gobuf);
	put_struct(recipe, "g_", "runtime.g", row->g_sizeof);
	put_struct(recipe, "m_", "runtime.m", 1800);
	put_struct(recipe, "p_", "runtime.p", 16000);
	put_struct(recipe, "sched_", "runtime.schedt", 7000);
	put_struct(recipe, "sudog_", "runtime.sudog", row->sudog_sizeof);
	put_struct(recipe, "hchan_", "runtime.hchan", row->hchan_sizeof);
	put_struct(recipe, "moduledata_", "runtime.moduledata", row->moduledata_sizeof);
	put_struct(recipe, "defer_", "runtime._defer", row->defer_sizeof);
	put_struct(recipe, "mheap_", "runtime.mheap", 100000);
	put_struct(recipe, "heapArena_", "runtime.heapArena", 2200000);
	put_struct(recipe, "mspan_", "runtime.mspan", row->mspan_sizeof);
	put_struct(recipe, "mcache_", "runtime.mcache", 1200);
	put_struct(recipe, "special_", "runtime.special", row->special_sizeof);
	put_struct(recipe, "bucket_", "runtime.bucket", row->bucket_sizeof);
	put_struct(recipe, "memRecord_", "runtime.memRecord", row->memRecord_sizeof);
	put_struct(recipe, "memRecordCycle_", "runtime.memRecordCycle", row->memRecordCycle_sizeof);
	put_struct(recipe, "mstats_", "runtime.mstats", 12000);
	put_struct(recipe, "heapStats_", "runtime.heapStatsDelta", row->heapStats_sizeof);
	put_struct(recipe, "gcController_", "runtime.gcControllerState", 400);
	put_struct(recipe, "timer_", "runtime.timer", 104);
	put_struct(recipe, "timeHistogram_", "runtime.timeHistogram", row->timeHistogram_sizeof);
	if (row->cleanupQueue_all != GO_LAYOUT_ABSENT) {
		put_struct(recipe, "cleanupQueue_", "runtime.cleanupQueue", 512);
		put_struct(recipe, "cleanupBlock_", "runtime.cleanupBlock", 512);
	}
	put8(0);
	memcpy(made.info, &(uint32_t){(uint32_t)made.n - 4}, 4);
}

/* --- as a file ---------------------------------------------------------------------------------- */

enum compression { PLAIN, COMPRESSED, GNU_COMPRESSED };

static size_t pack(enum compression compression, const uint8_t *data, size_t size, uint8_t *out,
		   size_t max)
{
	static const uint8_t gnu[12] = {'Z', 'L', 'I', 'B'};
	Elf64_Chdr header = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = UINT64_MAX, .ch_addralign = 1};
	size_t begin = compression == PLAIN ? 0 : compression == COMPRESSED ? sizeof(header) : 12;
	uLongf n = (uLongf)(max - begin);

	if (compression == PLAIN) {
		memcpy(out, data, size);
		return size;
	}
	if (compression == COMPRESSED)
		memcpy(out, &header, sizeof(header));
	else
		memcpy(out, gnu, sizeof(gnu));
	cr_assert_eq(compress(out + begin, &n, data, size), Z_OK);
	return begin + n;
}

static struct elf_image *make_image(enum compression compression, const uint8_t *abbrev,
				    size_t abbrev_size)
{
	static const char names[] =
		"\0.shstrtab\0.debug_info\0.debug_abbrev\0.zdebug_info\0.zdebug_abbrev";
	static uint8_t file[2 * INFO_MAX];
	bool gnu = compression == GNU_COMPRESSED;
	Elf64_Shdr sections[4] = {{0}};
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = ARRAY_SIZE(sections),
		.e_shstrndx = 1,
	};
	Elf64_Phdr segment = {.p_type = PT_LOAD,
			      .p_flags = PF_R,
			      .p_vaddr = 0x400000,
			      .p_filesz = 64,
			      .p_memsz = 64};
	size_t at = sizeof(header) + sizeof(segment);
	struct elf_image *image = NULL;
	int fd = memfd_create("dwarf", MFD_CLOEXEC);

	sections[1] = (Elf64_Shdr){
		.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = at, .sh_size = sizeof(names)};
	memcpy(file + at, names, sizeof(names));
	at += sizeof(names);
	sections[2] =
		(Elf64_Shdr){.sh_name = gnu ? 37 : 11, .sh_type = SHT_PROGBITS, .sh_offset = at};
	sections[2].sh_size = pack(compression, made.info, made.n, file + at, INFO_MAX + 4096);
	at += sections[2].sh_size;
	sections[3] =
		(Elf64_Shdr){.sh_name = gnu ? 50 : 23, .sh_type = SHT_PROGBITS, .sh_offset = at};
	sections[3].sh_size = pack(compression, abbrev, abbrev_size, file + at, 65536);
	at = (at + sections[3].sh_size + 7) & ~(size_t)7;
	header.e_shoff = at;
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), &segment, sizeof(segment));
	memcpy(file + at, sections, sizeof(sections));
	at += sizeof(sections);
	cr_assert_eq(write(fd, file, at), (ssize_t)at);
	cr_assert_eq(elf_image__open(fd, &image, &failure), 0, "%s", failure.text);
	close(fd);
	return image;
}

static int read_made(enum compression compression, struct go_layout *layout)
{
	struct elf_image *image = make_image(compression, abbreviations, sizeof(abbreviations));
	int err = layout_dwarf__read(image, layout, &failure);

	elf_image__free(image);
	return err;
}

Test(layout_dwarf, every_compression)
{
	for (int minor = 18; minor <= 25; minor++) {
		make_info(&(struct recipe){.row = go_layout__find(minor)});
		for (int compression = PLAIN; compression <= GNU_COMPRESSED; compression++) {
			struct go_layout layout = {0};

			cr_assert_eq(read_made((enum compression)compression, &layout), 0, "%s",
				     failure.text);
			cr_assert_eq(differences(&layout, go_layout__find(minor), "made"), 0);
		}
	}
}

static int read_recipe(const struct recipe *recipe, struct go_layout *layout)
{
	make_info(recipe);
	return read_made(PLAIN, layout);
}

Test(layout_dwarf, what_is_measured_wins)
{
	const struct go_layout *row = go_layout__find(25);
	struct go_layout layout = {0};

	cr_assert_eq(
		read_recipe(&(struct recipe){.row = row, .moved = "g_startpc", .by = 16}, &layout),
		0);
	cr_assert_eq(layout.g_startpc, row->g_startpc + 16);
	cr_assert_eq(differences(&layout, row, "moved"), 1);
}

Test(layout_dwarf, fields_that_are_missing)
{
	const struct go_layout *row = go_layout__find(25);
	struct go_layout layout = {0};

	cr_assert_eq(read_recipe(&(struct recipe){.row = row, .left_out = "g_parentGoid"}, &layout),
		     0);
	cr_assert_eq(layout.g_parentGoid, GO_LAYOUT_ABSENT);
	cr_assert_eq(read_recipe(&(struct recipe){.row = row, .left_out = "g_goid"}, &layout),
		     -EOPNOTSUPP);
	cr_assert_not_null(strstr(failure.text, "g_goid is not there"), "%s", failure.text);
	cr_assert_eq(
		read_recipe(&(struct recipe){.row = row, .left_out = "moduledata_next"}, &layout),
		-EOPNOTSUPP);
	cr_assert_eq(layout.g_parentGoid, GO_LAYOUT_ABSENT, "changed by a failure");
}

/* What only heaps are read with, and what makes goroutines easier to understand. */
Test(layout_dwarf, fields_that_may_be_missing)
{
	static const char *const columns[] = {"sudog_next", "hchan_buf", "mspan_startAddr"};
	const struct go_layout *row = go_layout__find(25);

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		struct go_layout layout = {0};

		cr_assert_eq(
			read_recipe(&(struct recipe){.row = row, .left_out = columns[i]}, &layout),
			0, "%s: %s", columns[i], failure.text);
		cr_expect_eq(differences(&layout, row, columns[i]), 1);
	}
}

Test(layout_dwarf, offsets_outside_of_the_struct)
{
	static const uint32_t by[] = {448, 65536, 0x7fffffff, 0xffffff00};
	const struct go_layout *row = go_layout__find(25);
	struct go_layout layout = {0};

	for (size_t i = 0; i < ARRAY_SIZE(by); i++)
		cr_assert_eq(
			read_recipe(&(struct recipe){.row = row, .moved = "g_goid", .by = by[i]},
				    &layout),
			-EOPNOTSUPP, "%zu", i);
}

Test(layout_dwarf, units_of_others)
{
	struct go_layout layout = {0};

	cr_assert_eq(read_recipe(&(struct recipe){.row = go_layout__find(25), .unit = "runtime/x"},
				 &layout),
		     -ENOENT);
}

/* --- hostile ------------------------------------------------------------------------------------ */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* An answer to whatever is in there, and no offset that leads out of its struct. */
Test(layout_dwarf, hostile_contents_do_no_harm, .timeout = 120)
{
	uint64_t state = 88172645463325252ULL;
	size_t counts[3] = {0};

	for (size_t round = 0; round < 4000; round++) {
		uint8_t abbrev[sizeof(abbreviations)];
		struct go_layout layout = {0};
		struct elf_image *image;
		int err;

		make_info(&(struct recipe){.row = go_layout__find(18 + (int)(round % 8))});
		memcpy(abbrev, abbreviations, sizeof(abbrev));
		for (size_t i = 0; i <= round % 4; i++) {
			uint8_t value = (uint8_t)next_random(&state);

			if (next_random(&state) % 4)
				made.info[next_random(&state) % made.n] = value;
			else
				abbrev[next_random(&state) % sizeof(abbrev)] = value;
		}
		if (round % 7 == 0)
			made.n = next_random(&state) % made.n;
		image = make_image(round % 2 ? PLAIN : COMPRESSED, abbrev, sizeof(abbrev));
		err = layout_dwarf__read(image, &layout, &failure);
		elf_image__free(image);
		cr_assert(err == 0 || err == -ENOENT || err == -EOPNOTSUPP, "%d", err);
		counts[err == 0 ? 0 : err == -ENOENT ? 1 : 2]++;
		if (!err) {
			cr_assert_leq(layout.g_sizeof, LAYOUT_DWARF_MAX_STRUCT);
			cr_assert_leq(layout.g_goid, layout.g_sizeof - 8);
			cr_assert_leq(layout.g_sched_bp, layout.g_sizeof - 8);
			cr_assert_leq(layout.moduledata_next, layout.moduledata_sizeof - 8);
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
		cr_assert_gt(counts[i], 20, "outcome %zu: %zu times", i, counts[i]);
}

/* Structs within structs to the end of the section, and typedefs of themselves. */
Test(layout_dwarf, depth_without_end, .timeout = 60)
{
	struct go_layout layout = {0};

	make_info(&(struct recipe){.row = go_layout__find(25), .unit = "runtime"});
	made.n = 11;
	put8(ABBREV_UNIT);
	put_name("runtime");
	put8(0x16);
	while (made.n + 7 < INFO_MAX)
		begin_struct("", 0);
	memcpy(made.info, &(uint32_t){(uint32_t)made.n - 4}, 4);
	cr_assert_eq(read_made(COMPRESSED, &layout), -ENOENT);

	make_info(&(struct recipe){.row = go_layout__find(25)});
	memcpy(made.info + made.sched + 1, &made.sched, sizeof(made.sched));
	cr_assert_eq(read_made(PLAIN, &layout), -EOPNOTSUPP);
}

/* Many MiB of nothing, compressed into few KiB: read to the maximum and given up. */
Test(layout_dwarf, bomb, .timeout = 60)
{
	struct go_layout layout = {0};
	struct elf_image *image;
	static uint8_t stream[INFO_MAX];
	z_stream z = {.next_out = stream, .avail_out = sizeof(stream)};
	static uint8_t zeros[65536];

	cr_assert_eq(deflateInit(&z, 9), Z_OK);
	for (size_t i = 0; i < 200 * 16; i++) {
		z.next_in = zeros;
		z.avail_in = sizeof(zeros);
		cr_assert_eq(deflate(&z, Z_NO_FLUSH), Z_OK);
	}
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	made.n = sizeof(Elf64_Chdr) + z.total_out;
	memset(made.info, 0, sizeof(Elf64_Chdr));
	made.info[0] = ELFCOMPRESS_ZLIB;
	memset(made.info + 8, 0xff, 8);
	memcpy(made.info + sizeof(Elf64_Chdr), stream, z.total_out);
	image = make_image(PLAIN, abbreviations, sizeof(abbreviations));
	cr_assert_eq(layout_dwarf__read(image, &layout, &failure), -ENOENT);
	elf_image__free(image);
}

/* --- which layout is chosen --------------------------------------------------------------------- */

static void expect_choice(const char *version, const char *experiments, enum layout_source source,
			  int row)
{
	struct elf_image *image = make_image(PLAIN, abbreviations, sizeof(abbreviations));
	struct go_build_info info = {0};
	struct layout_choice choice;

	cr_assert_eq(go_version__parse(version, &info.version), 0);
	snprintf(info.experiments, sizeof(info.experiments), "%s", experiments);
	cr_assert_eq(layout_choice__make(image, &info, &choice, &failure), 0, "%s", failure.text);
	elf_image__free(image);
	cr_assert_eq(choice.source, source, "%s", version);
	cr_assert_eq(choice.row, row, "%s", version);
	cr_assert_eq(choice.layout.minor, info.version.minor);
	if (source == LAYOUT_DWARF)
		cr_assert_eq(differences(&choice.layout, go_layout__find(25), version), 0);
	else
		cr_assert_eq(differences(&choice.layout, go_layout__find(row), version), 0);
}

Test(layout_choice, releases_use_the_table)
{
	make_info(&(struct recipe){.row = go_layout__find(25)});
	expect_choice("go1.26", "", LAYOUT_TABLE, 26);
	expect_choice("go1.26.8", "", LAYOUT_TABLE, 26);
	expect_choice("go1.18.10", "", LAYOUT_TABLE, 18);
	expect_choice("go1.27.999", "", LAYOUT_TABLE, 27);
}

static const char *const others[] = {
	"go1.28.0",  "go1.98", "go1.28-devel_012345", "devel go1.28-012345 Mon Jun 1 2026",
	"go1.28rc1",
};

Test(layout_choice, anything_else_by_its_dwarf)
{
	make_info(&(struct recipe){.row = go_layout__find(25)});
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		expect_choice(others[i], "", LAYOUT_DWARF, 27);
	expect_choice("go1.26rc1", "", LAYOUT_DWARF, 26);
	expect_choice("go1.27-devel_012345", "", LAYOUT_DWARF, 27);
	expect_choice("go1.24.3-vendor", "", LAYOUT_DWARF, 24);
	expect_choice("go1.24.3 X:staticlockranking", "staticlockranking", LAYOUT_DWARF, 24);
	expect_choice("go1.24.3", "staticlockranking", LAYOUT_DWARF, 24);
}

Test(layout_choice, anything_else_without_dwarf_is_a_guess)
{
	made.n = 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		expect_choice(others[i], "", LAYOUT_GUESS, 27);
	expect_choice("go1.26rc1", "", LAYOUT_GUESS, 26);
	expect_choice("go1.24.3", "staticlockranking", LAYOUT_GUESS, 24);
}

Test(layout_choice, another_runtime_is_refused)
{
	struct go_build_info info = {0};
	struct layout_choice choice;
	struct elf_image *image;

	make_info(&(struct recipe){.row = go_layout__find(25), .left_out = "g_goid"});
	image = make_image(PLAIN, abbreviations, sizeof(abbreviations));
	cr_assert_eq(go_version__parse("go1.28.0", &info.version), 0);
	cr_assert_eq(layout_choice__make(image, &info, &choice, &failure), -EOPNOTSUPP);
	cr_assert_eq(go_version__parse("go1.17.13", &info.version), 0);
	cr_assert_eq(layout_choice__make(image, &info, &choice, &failure), -EOPNOTSUPP);
	cr_assert_not_null(strstr(failure.text, "go1.17.13"));
	elf_image__free(image);
}
