// SPDX-License-Identifier: Apache-2.0
/*
 * The input is one byte of choices, patches to a small valid table (made_table.h) and then pcs to
 * look up, four bytes each, relative to text.
 */
#include "golang/pclntab.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "golang/frame_map.h"
#include "made_table.h"

enum choice {
	MODERN = 1 << 0,
	NO_GOFUNC = 1 << 1,
	NO_TEXT = 1 << 2, /* the table does not say where text begins: Go 1.26 */
	ARM64 = 1 << 3,
	FEW_FRAMES = 1 << 4,
};

static struct pclntab_frame frames[PCLNTAB_MAX_INLINE + 1];

static void check_text(const char *text, size_t size, int length)
{
	fuzz__require(length >= 0 && (size_t)length < size);
	fuzz__require(strnlen(text, size) == (size_t)length);
}

static void check_frames(struct pclntab *tab, uint64_t pc, size_t max)
{
	int n = pclntab__frames(tab, pc, frames, max);

	fuzz__require(n != 0 && n <= (int)max);
	for (int i = 0; i < n; i++) {
		fuzz__require(memchr(frames[i].function, '\0', sizeof(frames[i].function)));
		fuzz__require(memchr(frames[i].file, '\0', sizeof(frames[i].file)));
		fuzz__require(frames[i].inlined || i == n - 1);
	}
}

/* The last bit of every bitmap is there: a sanitizer says when it is not. */
static void check_bits(const uint8_t *bits, size_t n)
{
	if (bits && n)
		(void)*(volatile const uint8_t *)&bits[(n - 1) / 8];
}

static void check_map(struct pclntab *tab, uint64_t pc)
{
	struct frame_map *map;
	int err = frame_map__read(tab, pc, pc + 1, MADE_GOFUNC, &map);

	fuzz__require(err == 0 || err == -ENOENT || err == -EPROTO);
	if (err)
		return;
	fuzz__require(map->maps_known || (!map->locals.n && !map->args.n && !map->n_objects));
	check_bits(map->locals.bits, map->locals.n);
	check_bits(map->args.bits, map->args.n);
	for (size_t i = 0; i < map->n_objects; i++) {
		fuzz__require(map->objects[i].pointer_size <= map->objects[i].size);
		check_bits(map->objects[i].bits, map->objects[i].pointer_size / 8);
	}
	frame_map__free(map);
}

static void look_up(struct pclntab *tab, uint64_t pc, size_t max)
{
	struct pclntab_func func;
	char name[40];
	int32_t delta;
	int n;

	if (!pclntab__lookup(tab, pc, &func)) {
		fuzz__require(func.entry <= pc && pc < func.end);
		n = pclntab__name(tab, &func, name, sizeof(name));
		if (n >= 0)
			check_text(name, sizeof(name), n);
	}
	(void)!pclntab__sp_delta(tab, pc, &delta);
	check_map(tab, pc);
	check_frames(tab, pc, max);
}

static void find(struct pclntab *tab)
{
	static const char *const names[] = {"main.outer", "runtime.systemstack", "", "main.none"};
	struct pclntab_func funcs[ARRAY_SIZE(names)];
	int n = pclntab__find(tab, names, funcs, ARRAY_SIZE(names));
	int found = 0;

	for (size_t i = 0; n >= 0 && i < ARRAY_SIZE(names); i++)
		found += funcs[i].record != 0;
	fuzz__require(n < 0 || n == found);
}

static void use(struct pclntab *tab, uint8_t choices, struct fuzz_input *input)
{
	size_t max = choices & FEW_FRAMES ? 2 : ARRAY_SIZE(frames);

	if (!pclntab__text(tab))
		pclntab__set_text(tab, MADE_TEXT);
	if (!(choices & NO_GOFUNC))
		pclntab__set_gofunc(tab, MADE_GOFUNC);
	find(tab);
	for (uint64_t pc = 0; pc < 128; pc += 10)
		look_up(tab, pclntab__text(tab) + pc, max);
	for (int i = 0; i < 32 && input->left; i++) {
		uint64_t low = fuzz_input__u16(input);

		look_up(tab, pclntab__text(tab) + (low | (uint64_t)fuzz_input__u16(input) << 16),
			max);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int descriptor = fuzz__next_descriptor();
	static struct made_table table;
	struct fuzz_input input = {data, size};
	uint8_t choices = fuzz_input__u8(&input);
	const struct fuzz_region region = {table.contents, sizeof(table.contents)};
	struct failure failure = {0};
	struct elf_image *image;
	struct pclntab *tab;
	int fd, err;

	made_table__make(&table, choices & MODERN);
	if (choices & NO_TEXT)
		memset(table.contents + 24, 0, 8);
	if (choices & ARM64) {
		table.header.e_machine = EM_AARCH64;
		table.contents[6] = 4;
	}
	fuzz__patch(&input, &region, 1);
	fd = fuzz__memfd(&table, sizeof(table));
	fuzz__require(!elf_image__open(fd, &image, &failure));
	close(fd);
	err = pclntab__open(image, &tab, &failure);
	fuzz__require(!err || err == -ENOEXEC || err == -EOPNOTSUPP || err == -EPROTO);
	if (!err) {
		use(tab, choices, &input);
		pclntab__free(tab);
	}
	elf_image__free(image);
	fuzz__require(fuzz__next_descriptor() == descriptor);
	return 0;
}
