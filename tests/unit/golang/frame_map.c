// SPDX-License-Identifier: Apache-2.0
/*
 * Pointer maps of programs built by real toolchains. What is known of all frames: the collector needs
 * a map wherever a compiled function can stand, and no map is of more than its frame.
 */
#include "golang/frame_map.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "real_binaries.h"

#define FUNC_FLAG_ASM 4 /* src/internal/abi/symtab.go FuncFlagAsm */
#define WORD	      8
#define MAX_BINARIES  32

struct subject {
	struct elf_image *image;
	struct pclntab *tab;
	uint64_t rodata, text, etext;
	const char *name;
};

struct counts {
	size_t frames, with_locals, with_args, objects, object_bits;
};

static bool open_subject(const struct real_binary *binary, struct subject *s)
{
	static const char *const names[] = {"runtime.text", "runtime.etext", "runtime.rodata",
					    "go:func.*", "go.func.*"};
	struct elf_symbol symbols[ARRAY_SIZE(names)] = {0};
	struct failure failure = {0};

	s->name = binary->name;
	s->image = real_binary__open(binary);
	if (elf_image__symbols(s->image, names, symbols, ARRAY_SIZE(names)) < 4) {
		elf_image__free(s->image); /* stripped */
		return false;
	}
	cr_assert_eq(pclntab__open(s->image, &s->tab, &failure), 0, "%s", failure.text);
	s->text = symbols[0].address;
	s->etext = symbols[1].address;
	s->rodata = symbols[2].address;
	pclntab__set_text(s->tab, s->text);
	pclntab__set_gofunc(s->tab, max_of(symbols[3].address, symbols[4].address));
	return true;
}

static void check_objects(const struct subject *s, const struct frame_map *map, uint64_t pc,
			  struct counts *counts)
{
	for (size_t i = 0; i < map->n_objects; i++) {
		const struct frame_object *object = &map->objects[i];

		cr_assert_leq(object->pointer_size, object->size, "%s at %#lx", s->name, pc);
		/* Locals lie below the top of the frame and in it. */
		if (object->offset < 0)
			cr_assert_leq((uint32_t)-object->offset, (uint32_t)map->sp_delta);
		counts->objects++;
		counts->object_bits += object->bits != NULL;
	}
}

/* Past the prologue a frame has its whole size; before, maps are of what will be there. */
static void check_frame(const struct subject *s, const struct pclntab_func *func, uint64_t pc,
			struct counts *counts)
{
	struct frame_map *map;
	char name[128] = "";
	int err = frame_map__read(s->tab, pc, pc, s->rodata, &map);

	cr_assert(err == 0 || err == -ENOENT, "%s at %#lx: %d", s->name, pc, err);
	if (err)
		return;
	if (!(func->flag & FUNC_FLAG_ASM) && !map->maps_known) {
		(void)!pclntab__name(s->tab, func, name, sizeof(name));
		cr_assert_fail("%s: no maps of %s at +%lu", s->name, name, pc - func->entry);
	}
	cr_assert_geq(map->sp_delta, 0);
	counts->frames++;
	counts->with_locals += map->locals.n != 0;
	counts->with_args += map->args.n != 0;
	if (map->maps_known && map->sp_delta > 4 * WORD && pc > func->entry) {
		cr_assert_leq(map->locals.n * WORD, (uint32_t)map->sp_delta, "%s at %#lx", s->name,
			      pc);
		check_objects(s, map, pc, counts);
	}
	frame_map__free(map);
}

static void check_subject(const struct subject *s)
{
	struct counts counts = {0};
	struct pclntab_func func;

	for (uint64_t at = s->text; at < s->etext; at = func.end) {
		uint64_t half;

		if (pclntab__lookup(s->tab, at, &func))
			break;
		half = func.entry + (func.end - func.entry) / 2;
		check_frame(s, &func, func.entry, &counts);
		check_frame(s, &func, half & ~3ULL, &counts);
	}
	cr_log_info("%s: %zu frames, %zu with locals, %zu with arguments, %zu objects", s->name,
		    counts.frames, counts.with_locals, counts.with_args, counts.objects);
	cr_assert_gt(counts.frames, 1000, "%s", s->name);
	cr_assert_gt(counts.with_locals, 300, "%s", s->name);
	cr_assert_gt(counts.with_args, 100, "%s", s->name);
	cr_assert_gt(counts.objects, 50, "%s", s->name);
	cr_assert_gt(counts.object_bits * 10, counts.objects * 9, "%s: too few have bits", s->name);
}

Test(frame_map, every_function_of_real_programs, .timeout = 120)
{
	static struct real_binary binaries[MAX_BINARIES];
	size_t n = real_binaries__list(binaries, MAX_BINARIES), checked = 0;

	for (size_t i = 0; i < n; i++) {
		struct subject s;

		if (!open_subject(&binaries[i], &s))
			continue;
		check_subject(&s);
		pclntab__free(s.tab);
		elf_image__free(s.image);
		checked++;
	}
	cr_assert_gt(checked, 0);
}
