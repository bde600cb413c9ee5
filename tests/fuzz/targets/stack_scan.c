// SPDX-License-Identifier: Apache-2.0
/*
 * One stack, walked with a function table and stack maps that may be anything (made_table.h). The input
 * is two bytes of choices, patches to the table (region 0) and to the stack (region 1), whose words all
 * point to objects at first, and then registers: two bytes each, relative to where they ought to be, or
 * whole words.
 */
#include "heap/roots/stack_scan.h"

#include <errno.h>
#include <unistd.h>

#include "fake_heap.h"
#include "fuzz.h"
#include "made_table.h"

#define STACK 0x7f1000000000ULL
#define WORDS 512
#define WORD  8

enum choice {
	MODERN = 1 << 0,
	ARM64 = 1 << 1,
	ANYWHERE = 1 << 2, /* registers are whole words of the input */
	NO_TABLE = 1 << 3,
};

struct subject {
	struct made_table table;
	struct elf_image *image;
	struct pclntab *tab;
	struct fake_heap *heap;
	struct heap_runtime runtime;
	struct heap_spans *spans;
	struct heap_types *types;
	struct heap_mark *mark;
	struct heap_frames *frames;
	struct heap_stack_scanner *scanner;
	uint64_t stack[WORDS];
};

static bool open_table(struct subject *s, uint8_t choices)
{
	struct failure failure = {0};
	int fd = fuzz__memfd(&s->table, sizeof(s->table));

	fuzz__require(!elf_image__open(fd, &s->image, &failure));
	close(fd);
	if (pclntab__open(s->image, &s->tab, &failure)) {
		elf_image__free(s->image);
		return false;
	}
	if (!pclntab__text(s->tab))
		pclntab__set_text(s->tab, MADE_TEXT);
	pclntab__set_gofunc(s->tab, MADE_GOFUNC);
	s->runtime = s->heap->runtime;
	s->runtime.tab = choices & NO_TABLE ? NULL : s->tab;
	s->runtime.arch = go_arch__of(s->image);
	return true;
}

static void open_scanner(struct subject *s)
{
	fuzz__require(!heap_spans__new(&s->runtime, NULL, &s->spans));
	fuzz__require(!heap_spans__start(s->spans) && !heap_spans__step(s->spans, 0));
	fuzz__require(!heap_types__new(&s->runtime, &s->types));
	fuzz__require(!heap_mark__new(s->spans, s->types, &s->mark));
	fuzz__require(!heap_frames__new(&s->runtime, MADE_GOFUNC, &s->frames));
	fuzz__require(!heap_stack_scanner__new(&s->runtime, s->frames, s->mark, &s->scanner));
}

static uint64_t place(struct fuzz_input *input, uint8_t choices, uint64_t base)
{
	return choices & ANYWHERE ? fuzz_input__u64(input) : base + fuzz_input__u16(input);
}

/* As the caller of the scanner has it: the pointer into the stack is a word's, and in its bounds. */
static void scan(struct subject *s, uint8_t choices, struct fuzz_input *input)
{
	struct heap_stack stack = {
		.lo = STACK,
		.hi = STACK + sizeof(s->stack),
		.copy = (const uint8_t *)s->stack,
		.from = STACK,
		.pc = place(input, choices, MADE_TEXT),
		.lr = place(input, choices, MADE_TEXT),
		.ctxt = place(input, choices, STACK),
		.panic = place(input, choices, STACK),
		.defer = place(input, choices, STACK),
	};

	stack.sp = STACK + WORD + fuzz_input__u16(input) % (WORDS - 1) * WORD;
	fuzz__require(!heap_stack_scanner__scan(s->scanner, &stack));
	fuzz__require(!heap_mark__drain(s->mark, 0));
}

static void check(const struct subject *s, size_t scans)
{
	const struct heap_stack_totals *totals = heap_stack_scanner__totals(s->scanner);

	fuzz__require(totals->stacks == scans);
	/* Frames have a word at least, their return address, but for a few on arm64. */
	fuzz__require(totals->frames <= scans * (WORDS + 16));
	fuzz__require(heap_mark__totals(s->mark)->objects <= s->spans->totals.objects);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct subject s;
	struct fuzz_input input = {data, size};
	uint8_t choices = fuzz_input__u8(&input), minor = fuzz_input__u8(&input);
	const struct fuzz_region regions[] = {
		{s.table.contents, sizeof(s.table.contents)},
		{(uint8_t *)s.stack, sizeof(s.stack)},
	};
	size_t span;

	s = (struct subject){.heap = fake_heap__new(18 + minor % 10)};
	made_table__make(&s.table, choices & MODERN);
	if (choices & ARM64) {
		s.table.header.e_machine = EM_AARCH64;
		s.table.contents[6] = 4;
	}
	span = fake_heap__span(s.heap, 16, 1, true);
	for (size_t i = 0; i < WORDS; i++)
		s.stack[i] = i % 2 ? MADE_TEXT + i % 64 : fake_heap__alloc(s.heap, span);
	fuzz__patch(&input, regions, ARRAY_SIZE(regions));
	if (open_table(&s, choices)) {
		open_scanner(&s);
		for (size_t i = 0; i < 3; i++)
			scan(&s, choices, &input);
		check(&s, 3);
		heap_stack_scanner__free(s.scanner);
		heap_frames__free(s.frames);
		heap_mark__free(s.mark);
		heap_types__free(s.types);
		heap_spans__free(s.spans);
		pclntab__free(s.tab);
		elf_image__free(s.image);
	}
	fake_heap__free(s.heap);
	return 0;
}
