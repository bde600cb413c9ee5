// SPDX-License-Identifier: Apache-2.0
/*
 * Layout: src/runtime/symtab.go moduledata; checks after moduledataverify1 in the same file. The
 * ranges are used as bounds by everything that follows, so each must lie in a segment of the file
 * that allows what it is for.
 */
#include "golang/moduledata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"

#define MODULEDATA_MAX_SIZE 1024 /* 592 bytes in the largest version */
#define SCAN_CHUNK	    65536
#define MAX_SEGMENTS	    64

/* --- verification ------------------------------------------------------------------------------- */

/* Whether [start, end) lies in one loaded segment that allows it. */
static bool in_segment(struct live *live, uint64_t start, uint64_t end, bool executable)
{
	struct elf_segment s;

	if (end < start)
		return false;
	for (size_t i = 0; i < MAX_SEGMENTS && !elf_image__segment(live->image, i, &s); i++) {
		if (start < s.address || start - s.address > s.memory_size ||
		    end - s.address > s.memory_size)
			continue;
		if (executable ? s.executable : s.writable)
			return true;
	}
	return false;
}

static bool is_mapped(struct live *live, uint64_t address)
{
	struct elf_segment s;

	for (size_t i = 0; i < MAX_SEGMENTS && !elf_image__segment(live->image, i, &s); i++) {
		if (address >= s.address && address - s.address < s.memory_size)
			return true;
	}
	return false;
}

/* Empty ranges may lie between segments: the linker gives them the address that comes next. */
static bool is_data(struct live *live, uint64_t start, uint64_t end)
{
	return start == end || in_segment(live, start, end, false);
}

static void decode(const struct live *live, const uint8_t *data, struct go_module *module)
{
	const struct go_layout *l = live->layout;

#define ADDRESS(field) .field = bytes__u64(data, l->moduledata_##field) - live->bias
	*module = (struct go_module){
		ADDRESS(text),	    ADDRESS(etext),	 ADDRESS(minpc),    ADDRESS(maxpc),
		ADDRESS(noptrdata), ADDRESS(enoptrdata), ADDRESS(data),	    ADDRESS(edata),
		ADDRESS(bss),	    ADDRESS(ebss),	 ADDRESS(noptrbss), ADDRESS(enoptrbss),
		ADDRESS(types),	    ADDRESS(etypes),	 ADDRESS(gofunc),
	};
#undef ADDRESS
}

/* What is wrong with it; NULL when nothing is. */
static const char *defect(struct live *live, const uint8_t *data, const struct go_module *m)
{
	const struct go_layout *l = live->layout;

	if (bytes__u64(data, l->moduledata_pcHeader) != pclntab__address(live->tab) + live->bias)
		return "pcHeader is not the pclntab";
	if (bytes__u64(data, l->moduledata_funcnametab) !=
	    pclntab__funcname_address(live->tab) + live->bias)
		return "funcnametab is not in the pclntab";
	if (m->text > m->minpc || m->minpc >= m->maxpc || m->maxpc > m->etext)
		return "text, minpc, maxpc, etext are not in order";
	if (!in_segment(live, m->text, m->maxpc, true))
		return "text is not in an executable segment";
	if (!is_data(live, m->noptrdata, m->enoptrdata) || !is_data(live, m->data, m->edata) ||
	    !is_data(live, m->bss, m->ebss) || !is_data(live, m->noptrbss, m->enoptrbss))
		return "data and bss are not in writable segments";
	if (m->etypes < m->types)
		return "types ends before it begins";
	if (!is_mapped(live, m->gofunc))
		return "gofunc is in no segment";
	return NULL;
}

/*
 * A dynamically linked executable is relocated by ld.so after exec. A pointer that has not been yet
 * is zero or its link-time value: less than the bias, and so negative as a link-time address. Where
 * the layout is a guess, only words count that every version has in the same place: a number in the
 * place of a pointer must not be waited for.
 */
static bool is_unrelocated(const struct live *live, const uint8_t *data,
			   const struct go_module *module)
{
	uint64_t pointers[sizeof(*module) / sizeof(uint64_t)];

	if (!live->bias)
		return false;
	memcpy(pointers, module, sizeof(pointers));
	for (size_t i = 0; i < ARRAY_SIZE(pointers) && !live->guess; i++) {
		if (pointers[i] >> 63)
			return true;
	}
	return module->text >> 63 ||
	       bytes__u64(data, live->layout->moduledata_pcHeader) < live->bias ||
	       bytes__u64(data, live->layout->moduledata_funcnametab) < live->bias;
}

int moduledata__read(struct live *live, uint64_t address)
{
	uint8_t data[MODULEDATA_MAX_SIZE];
	struct go_module module;
	const char *wrong;
	int err;

	if (live->layout->moduledata_sizeof > sizeof(data))
		return live__refuse(live, "moduledata of %u bytes",
				    live->layout->moduledata_sizeof);
	err = live__read(live, address, data, live->layout->moduledata_sizeof,
			 "runtime.firstmoduledata");
	if (err)
		return err;
	decode(live, data, &module);
	if (is_unrelocated(live, data, &module))
		return live__not_yet(live, "the executable has not been relocated");
	wrong = defect(live, data, &module);
	if (wrong)
		return live__refuse(live, "runtime.firstmoduledata at 0x%llx: %s",
				    (unsigned long long)address + live->bias, wrong);
	live->module = module;
	live->next_module = bytes__u64(data, live->layout->moduledata_next);
	live->other_modules = live->next_module != 0;
	return 0;
}

/* --- search ------------------------------------------------------------------------------------- */

/*
 * Looks at every aligned word of a chunk; -ENOENT when moduledata does not begin in it. @refused
 * becomes whether the last pointer to the pclntab has something else around it.
 */
static int scan_chunk(struct live *live, uint64_t address, const uint8_t *chunk, size_t size,
		      bool *refused, uint64_t *ret_address)
{
	uint64_t header = pclntab__address(live->tab) + live->bias;
	int err;

	for (size_t i = 0; i + sizeof(uint64_t) <= size; i += sizeof(uint64_t)) {
		if (bytes__u64(chunk, i) != header)
			continue;
		err = moduledata__read(live, address + i);
		if (err == -EOPNOTSUPP || err == -EAGAIN) {
			*refused = err == -EOPNOTSUPP;
			continue; /* some other pointer to the pclntab, or too early: see scan() */
		}
		if (!err)
			*ret_address = address + i;
		return err;
	}
	return -ENOENT;
}

/*
 * Only what the file holds is searched: moduledata is initialised data. Its size is thus bounded by
 * that of the file, however large the process's bss is.
 */
static int scan_segment(struct live *live, const struct elf_segment *segment, bool *refused,
			uint64_t *ret_address)
{
	uint64_t start = (segment->address + 7) & ~7ULL;
	uint64_t end = segment->address + min_of(segment->file_size, segment->memory_size);
	uint8_t *chunk __cleanup_free = malloc(SCAN_CHUNK);

	if (!chunk)
		return failure__set(live->failure, -ENOMEM, "out of memory");
	for (uint64_t at = start; at < end; at += SCAN_CHUNK) {
		size_t size = (size_t)min_of(end - at, (uint64_t)SCAN_CHUNK);
		int err = live__read(live, at, chunk, size, "the data segment");

		if (!err)
			err = scan_chunk(live, at, chunk, size, refused, ret_address);
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

static int scan(struct live *live, uint64_t *ret_address)
{
	struct elf_segment segment;
	bool refused = false;

	for (size_t i = 0; i < MAX_SEGMENTS; i++) {
		int err;

		if (elf_image__segment(live->image, i, &segment))
			break;
		if (!segment.writable)
			continue;
		err = scan_segment(live, &segment, &refused, ret_address);
		if (err != -ENOENT)
			return err;
	}
	/* With a layout that is a guess it may well be there and differ; why is in the failure. */
	if (refused && live->guess)
		return -EOPNOTSUPP;
	/* The pointer that is looked for may simply not have been relocated yet. */
	if (live->bias && elf_image__is_dynamic(live->image))
		return live__not_yet(live, "no moduledata refers to the pclntab");
	return live__refuse(live,
			    "no moduledata in writable memory refers to the pclntab at 0x%llx",
			    (unsigned long long)pclntab__address(live->tab) + live->bias);
}

int moduledata__find(struct live *live, uint64_t *ret_address, enum moduledata_source *ret_source)
{
	static const char *const names[] = {"runtime.firstmoduledata"};
	struct elf_symbol symbol = {0};
	struct elf_section section;
	uint64_t address = 0;
	int err;

	if (elf_image__symbols(live->image, names, &symbol, 1) == 1 && symbol.address) {
		*ret_source = MODULEDATA_SYMBOL;
		address = symbol.address;
		err = moduledata__read(live, address);
	} else if (!elf_image__section(live->image, ".go.module", &section) && section.address) {
		*ret_source = MODULEDATA_SECTION;
		address = section.address;
		err = moduledata__read(live, address);
	} else {
		*ret_source = MODULEDATA_SCAN;
		err = scan(live, &address);
	}
	if (!err)
		*ret_address = address;
	return err;
}

/* --- of any module ------------------------------------------------------------------------------ */

int moduledata__peek(const struct go_layout *layout, struct remote *remote, uint64_t address,
		     struct moduledata_head *ret_head)
{
	uint8_t data[MODULEDATA_MAX_SIZE];
	struct moduledata_head head;
	int err;

	if (layout->moduledata_sizeof > sizeof(data) || address % sizeof(uint64_t))
		return -EPROTO;
	err = remote__read(remote, address, data, layout->moduledata_sizeof);
	if (err)
		return err;
	head = (struct moduledata_head){
		.pc_header = bytes__u64(data, layout->moduledata_pcHeader),
		.text = bytes__u64(data, layout->moduledata_text),
		.etext = bytes__u64(data, layout->moduledata_etext),
		.next = bytes__u64(data, layout->moduledata_next),
	};
	if (!head.pc_header || head.text >= head.etext)
		return -EPROTO;
	*ret_head = head;
	return 0;
}
