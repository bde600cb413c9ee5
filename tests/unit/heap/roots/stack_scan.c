// SPDX-License-Identifier: Apache-2.0
/*
 * Stacks laid out by hand for functions of real programs, of both architectures: every word points to
 * an object of its own, and those that get marked are those that the frames' maps name. Where a frame
 * keeps what is from src/runtime/traceback.go and stkframe.go.
 */
#include "heap/roots/stack_scan.h"

#include <criterion/criterion.h>
#include <glob.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_heap.h"

#define WORD	  8
#define STACK	  0x7f1000000000ULL
#define WORDS	  1024
#define MAX_CHAIN 8

struct subject {
	struct elf_image *image;
	struct pclntab *tab;
	struct fake_heap *heap;
	struct heap_runtime runtime;
	struct heap_spans *spans;
	struct heap_types *types;
	struct heap_mark *mark;
	struct heap_frames *frames;
	struct heap_stack_scanner *scanner;
	bool lr;
	uint64_t rodata;
	uint64_t objects[WORDS]; /* what word i of the stack points to */
	uint64_t stack[WORDS];
	bool expected[WORDS];
};

static bool open_program(struct subject *s, const char *path)
{
	static const char *const names[] = {"runtime.text", "runtime.rodata", "go:func.*",
					    "go.func.*"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};
	struct failure failure = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*s = (struct subject){0};
	if (fd < 0)
		return false;
	cr_assert_eq(elf_image__open(fd, &s->image, &failure), 0, "%s", failure.text);
	close(fd);
	if (elf_image__symbols(s->image, names, symbols, ARRAY_SIZE(names)) < 3) {
		elf_image__free(s->image);
		return false;
	}
	cr_assert_eq(pclntab__open(s->image, &s->tab, &failure), 0, "%s", failure.text);
	pclntab__set_text(s->tab, symbols[0].address);
	pclntab__set_gofunc(s->tab, max_of(symbols[2].address, symbols[3].address));
	s->rodata = symbols[1].address;
	return true;
}

static void set_up(struct subject *s)
{
	size_t spans[2];

	s->heap = fake_heap__new(26);
	for (size_t i = 0; i < 2; i++)
		spans[i] = fake_heap__span(s->heap, 16, 1, true);
	for (size_t i = 0; i < WORDS; i++)
		s->objects[i] = fake_heap__alloc(s->heap, spans[i / (WORDS / 2)]);
	s->runtime = s->heap->runtime;
	s->runtime.tab = s->tab;
	s->runtime.arch = go_arch__of(s->image);
	s->lr = s->runtime.arch->uses_lr;
	cr_assert_eq(heap_spans__new(&s->runtime, NULL, &s->spans), 0);
	cr_assert_eq(heap_spans__start(s->spans), 0);
	cr_assert_eq(heap_spans__step(s->spans, 0), 0);
	cr_assert_eq(heap_types__new(&s->runtime, &s->types), 0);
	cr_assert_eq(heap_mark__new(s->spans, s->types, &s->mark), 0);
	cr_assert_eq(heap_frames__new(&s->runtime, s->rodata, &s->frames), 0);
	cr_assert_eq(heap_stack_scanner__new(&s->runtime, s->frames, s->mark, &s->scanner), 0);
}

static void tear_down(struct subject *s)
{
	heap_stack_scanner__free(s->scanner);
	heap_frames__free(s->frames);
	heap_mark__free(s->mark);
	heap_types__free(s->types);
	heap_spans__free(s->spans);
	fake_heap__free(s->heap);
	pclntab__free(s->tab);
	elf_image__free(s->image);
}

static size_t word_of(uint64_t address)
{
	cr_assert(address >= STACK && address < STACK + WORDS * WORD);
	return (size_t)(address - STACK) / WORD;
}

static void expect(struct subject *s, uint64_t from, const struct frame_bits *bits)
{
	for (uint32_t i = 0; i < bits->n; i++) {
		if (frame_bits__at(bits, i))
			s->expected[word_of(from + i * WORD)] = true;
	}
}

/* A return address in the middle of @func where its frame is at its largest. */
static uint64_t some_pc(struct subject *s, const struct pclntab_func *func)
{
	uint64_t best = func->entry;
	int32_t most = -1, delta;

	for (uint64_t pc = func->entry + 4; pc < func->end; pc += 4) {
		if (!pclntab__sp_delta(s->tab, pc, &delta) && delta >= most) {
			most = delta;
			best = pc;
		}
		if (pc > func->entry + (func->end - func->entry) / 2 && most > 0)
			break;
	}
	return best;
}

/* One frame at @sp; returns where its caller's begins. */
static uint64_t lay_out(struct subject *s, uint64_t sp, uint64_t pc, uint64_t return_pc)
{
	const struct frame_map *map = heap_frames__get(s->frames, pc, false);
	uint64_t end, top;

	cr_assert_not_null(map);
	cr_assert(map->maps_known);
	end = sp + (uint32_t)map->sp_delta + (s->lr ? 0 : WORD);
	/* amd64: below the return address is the saved frame pointer; arm64: that of the callee. */
	top = end - (s->lr ? 0 : WORD);
	if (top > sp)
		top -= WORD;
	s->stack[word_of(s->lr ? sp : end - WORD)] = return_pc;
	expect(s, top - (uint64_t)map->locals.n * WORD, &map->locals);
	expect(s, end + (s->lr ? WORD : 0), &map->args);
	/* Return addresses are no pointers, whatever a map would say. */
	s->expected[word_of(s->lr ? sp : end - WORD)] = false;
	return end;
}

static uint64_t lay_out_chain(struct subject *s, uint64_t sp, uint64_t *ret_pc)
{
	static const char *const names[MAX_CHAIN] = {
		"runtime.gopark", "runtime.chanrecv", "runtime.selectgo", "runtime.mallocgc",
		"fmt.Fprintf",	  "runtime.newproc1", "runtime.main",	  "runtime.goexit",
	};
	struct pclntab_func funcs[MAX_CHAIN] = {0};
	uint64_t pcs[MAX_CHAIN];
	size_t n = 0;

	cr_assert_gt(pclntab__find(s->tab, names, funcs, MAX_CHAIN), 5);
	for (size_t i = 0; i < MAX_CHAIN; i++) {
		if (funcs[i].entry)
			pcs[n++] = some_pc(s, &funcs[i]);
	}
	cr_assert_neq(funcs[MAX_CHAIN - 1].entry, 0);
	*ret_pc = pcs[0];
	for (size_t i = 0; i + 1 < n; i++)
		sp = lay_out(s, sp, pcs[i], pcs[i + 1]);
	return sp;
}

static void check_program(struct subject *s, const char *path)
{
	uint64_t sp = STACK + 16 * WORD, pc, top;
	struct heap_stack stack = {.lo = STACK, .copy = (uint8_t *)s->stack, .from = STACK};
	size_t n = 0;

	for (size_t i = 0; i < WORDS; i++)
		s->stack[i] = s->objects[i];
	top = lay_out_chain(s, sp, &pc);
	stack.pc = pc;
	stack.sp = sp;
	stack.hi = top + 8 * WORD;
	cr_assert_eq(heap_stack_scanner__scan(s->scanner, &stack), 0);
	cr_assert_eq(heap_stack_scanner__totals(s->scanner)->guessed_stacks, 0, "%s", path);
	cr_assert_eq(heap_stack_scanner__totals(s->scanner)->guessed_frames, 0, "%s", path);
	for (size_t i = 0; i < WORDS; i++) {
		bool marked = heap_mark__is_marked(s->mark, s->objects[i]);

		cr_assert_eq(marked, s->expected[i], "%s: word %zu of the stack", path, i);
		n += marked;
	}
	cr_assert_gt(n, 3, "%s: the frames have next to no pointers", path);
}

Test(stack_scan, frames_of_real_programs, .timeout = 60)
{
	const char *folder = getenv("GLEAKD_TEST_BINARIES");
	char pattern[4096];
	size_t checked = 0;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*/prog",
		 folder && *folder ? folder : "build/tests/binaries");
	if (glob(pattern, 0, NULL, &found))
		cr_skip("no programs built");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct subject *s = malloc(sizeof(*s));

		if (open_program(s, found.gl_pathv[i])) {
			set_up(s);
			check_program(s, found.gl_pathv[i]);
			tear_down(s);
			checked++;
		}
		free(s);
	}
	globfree(&found);
	cr_assert_gt(checked, 0);
}

/* Code that is in no table: everything on the stack counts. */
Test(stack_scan, unknown_code_hides_nothing)
{
	struct fake_heap *heap = fake_heap__new(26);
	struct subject s = {.heap = heap};
	uint64_t words[64] = {0};
	struct heap_stack stack = {
		.lo = STACK,
		.hi = STACK + sizeof(words),
		.pc = 0x12345,
		.sp = STACK + 8 * WORD,
		.copy = (uint8_t *)words,
		.from = STACK,
	};
	size_t span = fake_heap__span(heap, 16, 1, true);
	uint64_t below = fake_heap__alloc(heap, span), above = fake_heap__alloc(heap, span);

	words[3] = below;
	words[60] = above;
	s.runtime = heap->runtime;
	cr_assert_eq(heap_spans__new(&s.runtime, NULL, &s.spans), 0);
	cr_assert_eq(heap_spans__start(s.spans), 0);
	cr_assert_eq(heap_spans__step(s.spans, 0), 0);
	cr_assert_eq(heap_types__new(&s.runtime, &s.types), 0);
	cr_assert_eq(heap_mark__new(s.spans, s.types, &s.mark), 0);
	cr_assert_eq(heap_frames__new(&s.runtime, 0, &s.frames), 0);
	cr_assert_eq(heap_stack_scanner__new(&s.runtime, s.frames, s.mark, &s.scanner), 0);
	cr_assert_eq(heap_stack_scanner__scan(s.scanner, &stack), 0);
	cr_assert(heap_mark__is_marked(s.mark, above));
	cr_assert_not(heap_mark__is_marked(s.mark, below)); /* below sp nothing is alive */
	cr_assert_eq(heap_stack_scanner__totals(s.scanner)->guessed_stacks, 1);
	tear_down(&s);
}
