// SPDX-License-Identifier: Apache-2.0
#include "fake_go.h"

#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_BUILDINFO FAKE_DATA
#define FILE_SECTIONS  0x5000 /* offset in the file: section headers, symbols and strings */
#define FILE_SYMBOLS   0x5400
#define FILE_STRINGS   0x5800

/* Offsets in the pclntab: names, units, files, values, functions. */
#define TAB_NAMES  0x80
#define TAB_UNITS  0x180
#define TAB_FILES  0x190
#define TAB_VALUES 0x1a0
#define TAB_FUNCS  0x1b0

static const char *const func_names[FAKE_N_FUNCS] = {
	[FAKE_MAIN] = "runtime.main",
	[FAKE_ALLGADD] = "runtime.allgadd",
	[FAKE_PROCRESIZE] = "runtime.procresize",
	[FAKE_NEWPROC1] = "runtime.newproc1",
	[FAKE_WORKER] = "main.worker",
	[FAKE_GOPARK] = "runtime.gopark",
	[FAKE_CHANRECV] = "runtime.chanrecv",
	[FAKE_SEMACQUIRE1] = "runtime.semacquire1",
};

static uint8_t *at_file(struct fake_go *fake, uint64_t address)
{
	cr_assert(address >= FAKE_BASE && address < FAKE_BSS);
	return fake->file + (address - FAKE_BASE);
}

static uint8_t *at_memory(struct fake_go *fake, uint64_t address)
{
	if (address >= FAKE_DATA && address < FAKE_END)
		return fake->memory + (address - FAKE_DATA);
	cr_assert(address >= FAKE_HEAP && address - FAKE_HEAP < sizeof(fake->heap));
	return fake->heap + (address - FAKE_HEAP);
}

static void put32(uint8_t *at, uint64_t value)
{
	uint32_t word = (uint32_t)value;

	memcpy(at, &word, sizeof(word));
}

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

void fake_go__set(struct fake_go *fake, uint64_t address, uint64_t value)
{
	put64(at_memory(fake, address), value);
}

uint64_t fake_go__get(struct fake_go *fake, uint64_t address)
{
	uint64_t value;

	memcpy(&value, at_memory(fake, address), sizeof(value));
	return value;
}

void fake_go__set_file(struct fake_go *fake, uint64_t address, uint64_t value)
{
	put64(at_file(fake, address), value);
}

/* --- machine code ------------------------------------------------------------------------------- */

/* lea rax, [rip + x], or adrp x0 and add x0, x0. */
static uint64_t put_reference(struct fake_go *fake, uint64_t pc, uint64_t target)
{
	static const uint8_t lea[] = {0x48, 0x8d, 0x05};
	uint64_t pages;

	if (!fake->options.arm64) {
		memcpy(at_file(fake, pc), lea, sizeof(lea));
		put32(at_file(fake, pc + 3), target - (pc + 7));
		return pc + 7;
	}
	pages = (target >> 12) - (pc >> 12);
	put32(at_file(fake, pc), 0x90000000 | (pages & 3) << 29 | (pages >> 2 & 0x7ffff) << 5);
	put32(at_file(fake, pc + 4), 0x91000000 | (target & 0xfff) << 10);
	return pc + 8;
}

static void put_function(struct fake_go *fake, enum fake_func func, const uint64_t *targets,
			 size_t n)
{
	uint64_t pc = FAKE_ENTRY(func);

	memset(at_file(fake, pc), fake->options.arm64 ? 0 : 0xcc, FAKE_FUNC_SIZE);
	for (size_t i = 0; i < n; i++)
		pc = put_reference(fake, pc, targets[i]);
}

static void put_code(struct fake_go *fake)
{
	const uint64_t allgadd[] = {
		FAKE_ALLGLOCK,	   FAKE_ALLGS + 8,   FAKE_ALLGS,   FAKE_ALLGS + 16,
		FAKE_WRITEBARRIER, FAKE_PCLNTAB + 4, FAKE_ALLGPTR, FAKE_ALLGLEN,
	};
	const uint64_t procresize[] = {
		FAKE_ALLP,	FAKE_ALLP + 8,	    FAKE_ALLP + 16,	 FAKE_SCHED + 32,
		FAKE_IDLE_MASK, FAKE_IDLE_MASK + 8, FAKE_IDLE_MASK + 16,
	};
	const uint64_t newproc1[] = {
		FAKE_WRITEBARRIER,
		FAKE_SCHED + fake->layout->sched_ngsys,
		FAKE_SCHED,
		FAKE_ALLGS,
	};
	const uint64_t semacquire1[] = {FAKE_WRITEBARRIER, FAKE_ALLGS, FAKE_SEMTABLE};

	put_function(fake, FAKE_MAIN, NULL, 0);
	put_function(fake, FAKE_ALLGADD, allgadd, ARRAY_SIZE(allgadd));
	put_function(fake, FAKE_PROCRESIZE, procresize, ARRAY_SIZE(procresize));
	put_function(fake, FAKE_NEWPROC1, newproc1, ARRAY_SIZE(newproc1));
	put_function(fake, FAKE_WORKER, NULL, 0);
	put_function(fake, FAKE_GOPARK, NULL, 0);
	put_function(fake, FAKE_CHANRECV, NULL, 0);
	put_function(fake, FAKE_SEMACQUIRE1, semacquire1, ARRAY_SIZE(semacquire1));
}

/* --- the file ----------------------------------------------------------------------------------- */

static void put_headers(struct fake_go *fake)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = fake->options.bias ? ET_DYN : ET_EXEC,
		.e_machine = fake->options.arm64 ? EM_AARCH64 : EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = FAKE_TEXT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = fake->options.bias ? 3 : 2,
		.e_shoff = FILE_SECTIONS,
		.e_shentsize = sizeof(Elf64_Shdr),
	};
	const Elf64_Phdr segments[] = {
		{.p_type = PT_LOAD,
		 .p_flags = PF_R | PF_X,
		 .p_vaddr = FAKE_BASE,
		 .p_filesz = FAKE_DATA - FAKE_BASE,
		 .p_memsz = FAKE_DATA - FAKE_BASE},
		{.p_type = PT_LOAD,
		 .p_flags = PF_R | PF_W,
		 .p_offset = FAKE_DATA - FAKE_BASE,
		 .p_vaddr = FAKE_DATA,
		 .p_filesz = FAKE_BSS - FAKE_DATA,
		 .p_memsz = FAKE_END - FAKE_DATA},
		{.p_type = PT_INTERP, .p_flags = PF_R, .p_vaddr = FAKE_BASE, .p_filesz = 8},
	};

	header.e_shnum = 5;
	header.e_shstrndx = 1;
	memcpy(fake->file, &header, sizeof(header));
	memcpy(fake->file + sizeof(header), segments, sizeof(segments));
}

/* Sections: none, .shstrtab, .symtab (or an unnamed one), .strtab, .go.module (or unnamed). */
static void put_sections(struct fake_go *fake)
{
	static const struct {
		const char *name;
		uint64_t address;
	} symbols[] = {
		{"runtime.firstmoduledata", FAKE_MODULEDATA},
		{"runtime.allgptr", FAKE_ALLGPTR},
		{"runtime.allglen", FAKE_ALLGLEN},
		{"runtime.allgs", FAKE_ALLGS},
		{"runtime.sched", FAKE_SCHED},
		{"runtime.allp", FAKE_ALLP},
		{"runtime.semtable", FAKE_SEMTABLE},
	};
	static const char names[] = "\0.shstrtab\0.symtab\0.strtab\0.go.module";
	Elf64_Sym table[ARRAY_SIZE(symbols) + 1] = {0};
	char *strings = (char *)fake->file + FILE_STRINGS;
	size_t used = sizeof(names);
	Elf64_Shdr sections[5] = {0};

	memcpy(strings, names, sizeof(names));
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		table[i + 1].st_name = (uint32_t)used;
		table[i + 1].st_value = symbols[i].address;
		table[i + 1].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
		table[i + 1].st_shndx = 4;
		memcpy(strings + used, symbols[i].name, strlen(symbols[i].name) + 1);
		used += strlen(symbols[i].name) + 1;
	}
	memcpy(fake->file + FILE_SYMBOLS, table, sizeof(table));
	sections[1] = (Elf64_Shdr){
		.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = FILE_STRINGS, .sh_size = used};
	if (fake->options.symbols)
		sections[2] = (Elf64_Shdr){.sh_name = 11,
					   .sh_type = SHT_SYMTAB,
					   .sh_link = 3,
					   .sh_offset = FILE_SYMBOLS,
					   .sh_size = sizeof(table),
					   .sh_entsize = sizeof(Elf64_Sym)};
	sections[3] = (Elf64_Shdr){
		.sh_name = 19, .sh_type = SHT_STRTAB, .sh_offset = FILE_STRINGS, .sh_size = used};
	if (fake->options.module_section)
		sections[4] = (Elf64_Shdr){.sh_name = 27,
					   .sh_type = SHT_PROGBITS,
					   .sh_flags = SHF_ALLOC | SHF_WRITE,
					   .sh_addr = FAKE_MODULEDATA,
					   .sh_offset = FAKE_MODULEDATA - FAKE_BASE,
					   .sh_size = 0x280};
	memcpy(fake->file + FILE_SECTIONS, sections, sizeof(sections));
}

static void put_build_info(struct fake_go *fake)
{
	static const char magic[] = "\xff Go buildinf:\x08\x02";
	size_t length = strlen(fake->options.version);
	uint8_t *at = at_file(fake, FILE_BUILDINFO);

	memcpy(at, magic, sizeof(magic) - 1);
	at[32] = (uint8_t)length;
	memcpy(at + 33, fake->options.version, length);
}

static void put_pclntab(struct fake_go *fake)
{
	bool old = fake->layout->minor < 20;
	const uint64_t parts[] = {TAB_NAMES, TAB_UNITS, TAB_FILES, TAB_VALUES, TAB_FUNCS};
	uint8_t *tab = at_file(fake, FAKE_PCLNTAB);
	uint32_t name = 1, record = 0x60;

	put32(tab, old ? 0xfffffff0 : 0xfffffff1);
	tab[6] = fake->options.arm64 ? 4 : 1;
	tab[7] = 8;
	put64(tab + 8, FAKE_N_FUNCS);
	/* Through 1.25 the header names text; in a PIE the file may hold 0 for ld.so to fill in. */
	put64(tab + 24, fake->layout->minor < 26 && !fake->options.bias ? FAKE_TEXT : 0);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		put64(tab + 32 + 8 * i, parts[i]);
	for (size_t i = 0; i < FAKE_N_FUNCS; i++) {
		put32(tab + TAB_FUNCS + 8 * i, i * FAKE_FUNC_SIZE);
		put32(tab + TAB_FUNCS + 8 * i + 4, record);
		put32(tab + TAB_FUNCS + record, i * FAKE_FUNC_SIZE);
		put32(tab + TAB_FUNCS + record + 4, name);
		memcpy(tab + TAB_NAMES + name, func_names[i], strlen(func_names[i]) + 1);
		name += (uint32_t)strlen(func_names[i]) + 1;
		record += 0x40;
	}
	put32(tab + TAB_FUNCS + 8 * FAKE_N_FUNCS, FAKE_N_FUNCS * FAKE_FUNC_SIZE);
}

/* --- the process -------------------------------------------------------------------------------- */

static void put_moduledata(struct fake_go *fake)
{
	const struct go_layout *l = fake->layout;
	const struct {
		uint32_t offset;
		uint64_t address;
	} words[] = {
		{l->moduledata_pcHeader, FAKE_PCLNTAB},
		{l->moduledata_funcnametab, FAKE_PCLNTAB + TAB_NAMES},
		{l->moduledata_text, FAKE_TEXT},
		{l->moduledata_etext, FAKE_ENTRY(FAKE_N_FUNCS)},
		{l->moduledata_minpc, FAKE_TEXT},
		{l->moduledata_maxpc, FAKE_ENTRY(FAKE_N_FUNCS)},
		{l->moduledata_noptrdata, FAKE_DATA},
		{l->moduledata_enoptrdata, FAKE_DATA + 0x800},
		{l->moduledata_data, FAKE_DATA + 0x800},
		{l->moduledata_edata, FAKE_BSS},
		{l->moduledata_bss, FAKE_BSS},
		{l->moduledata_ebss, FAKE_NOPTRBSS},
		{l->moduledata_noptrbss, FAKE_NOPTRBSS},
		{l->moduledata_enoptrbss, FAKE_END},
		{l->moduledata_types, FAKE_PCLNTAB},
		{l->moduledata_etypes, FAKE_DATA},
		{l->moduledata_gofunc, FAKE_PCLNTAB + 0x800},
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		fake_go__set(fake, FAKE_MODULEDATA + words[i].offset,
			     words[i].address + fake->options.bias);
	/* Some other pointer to the pclntab, before it. */
	fake_go__set(fake, FAKE_MODULEDATA - 0x40, FAKE_PCLNTAB + fake->options.bias);
}

static void put_goroutine(struct fake_go *fake, uint64_t i)
{
	const struct go_layout *l = fake->layout;
	uint64_t start = i ? FAKE_ENTRY(FAKE_WORKER) : FAKE_ENTRY(FAKE_MAIN);

	fake_go__set(fake, FAKE_ALLGS_ARRAY + 8 * i, FAKE_G(i));
	fake_go__set(fake, FAKE_G(i) + l->g_stack_lo, FAKE_STACK(i));
	fake_go__set(fake, FAKE_G(i) + l->g_stack_hi, FAKE_STACK(i + 1));
	fake_go__set(fake, FAKE_G(i) + l->g_sched_sp, FAKE_STACK(i) + 0x700);
	fake_go__set(fake, FAKE_G(i) + l->g_sched_pc, start + 0x42 + fake->options.bias);
	fake_go__set(fake, FAKE_G(i) + l->g_atomicstatus, GO_STATUS_WAITING);
	fake_go__set(fake, FAKE_G(i) + l->g_goid, i + 1);
	fake_go__set(fake, FAKE_G(i) + l->g_startpc, start + fake->options.bias);
}

static void put_scheduler(struct fake_go *fake)
{
	const struct go_layout *l = fake->layout;

	fake_go__set(fake, FAKE_ALLP, FAKE_ALLP_ARRAY);
	fake_go__set(fake, FAKE_ALLP + 8, FAKE_N_P);
	fake_go__set(fake, FAKE_ALLP + 16, FAKE_N_P);
	for (uint64_t i = 0; i < FAKE_N_P; i++) {
		fake_go__set(fake, FAKE_ALLP_ARRAY + 8 * i, FAKE_P(i));
		fake_go__set(fake, FAKE_P(i) + l->p_id, i | 1ULL << 32);
		fake_go__set(fake, FAKE_P(i) + l->p_goidcache, 16 * i + 8);
		fake_go__set(fake, FAKE_P(i) + l->p_goidcacheend, 16 * i + 17);
	}
	fake_go__set(fake, FAKE_SCHED + l->sched_goidgen, 16 * FAKE_N_P);
	fake_go__set(fake, FAKE_IDLE_MASK, FAKE_HEAP);
	fake_go__set(fake, FAKE_IDLE_MASK + 8, 1);
	fake_go__set(fake, FAKE_IDLE_MASK + 16, 1);
}

void fake_go__make(struct fake_go *fake, const struct fake_options *options)
{
	struct go_version version;

	memset(fake, 0, sizeof(*fake));
	fake->options = *options;
	if (!go_version__parse(options->version, &version))
		fake->layout = go_layout__find(version.minor);
	if (!fake->layout) /* a test of versions that are not supported */
		fake->layout = go_layout__newest();
	put_headers(fake);
	put_sections(fake);
	put_build_info(fake);
	put_code(fake);
	put_pclntab(fake);
	put_moduledata(fake);
	for (uint64_t i = 0; i < FAKE_N_G; i++)
		put_goroutine(fake, i);
	fake_go__set(fake, FAKE_ALLGS, FAKE_ALLGS_ARRAY);
	fake_go__set(fake, FAKE_ALLGS + 8, FAKE_N_G);
	fake_go__set(fake, FAKE_ALLGS + 16, 16);
	fake_go__set(fake, FAKE_ALLGPTR, FAKE_ALLGS_ARRAY);
	fake_go__set(fake, FAKE_ALLGLEN, FAKE_N_G);
	put_scheduler(fake);
}

void fake_go__release(struct fake_go *fake)
{
	go_binary__free(fake->binary);
	fake->binary = NULL;
}

/* A descriptor of its file. */
static int write_file(const struct fake_go *fake)
{
	int fd = memfd_create("fake-go", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, fake->file, sizeof(fake->file)), (ssize_t)sizeof(fake->file));
	return fd;
}

int fake_go__open(struct fake_go *fake)
{
	int fd = write_file(fake);
	int err = go_binary__open(fd, &fake->binary, &fake->failure);

	close(fd);
	return err;
}

int fake_go__open_plugin(struct fake_go *fake, const struct fake_go *runtime)
{
	int fd = write_file(fake);
	int err = go_binary__open_module(fd, runtime->binary, &fake->binary, &fake->failure);

	close(fd);
	return err;
}

int fake_go__bind(struct fake_go *fake)
{
	struct remote *remote;
	int err;

	if (!fake->binary)
		cr_assert_eq(fake_go__open(fake), 0, "%s", fake->failure.text);
	fake->ranges[0] = (struct remote_range){FAKE_DATA + fake->options.bias, fake->memory,
						sizeof(fake->memory)};
	fake->ranges[1] = (struct remote_range){FAKE_HEAP, fake->heap, sizeof(fake->heap)};
	cr_assert_eq(remote__open_image(fake->ranges, ARRAY_SIZE(fake->ranges), &remote), 0);
	err = go_binary__bind(fake->binary, remote, fake->options.bias, &fake->failure);
	remote__free(remote);
	return err;
}
