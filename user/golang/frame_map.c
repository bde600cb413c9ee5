// SPDX-License-Identifier: Apache-2.0
/*
 * A _func is followed by offsets of pc-value tables and by offsets of funcdata from moduledata.gofunc
 * (src/runtime/runtime2.go _func). PCDATA_StackMapIndex says which of the bitmaps of
 * FUNCDATA_LocalsPointerMaps and FUNCDATA_ArgsPointerMaps is valid at a pc.
 */
#include "golang/frame_map.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "golang/pclntab_internal.h"

/* src/internal/abi/symtab.go (funcdata.go before); the same since Go 1.18. */
#define PCDATA_STACK_MAP_INDEX 1
#define FUNCDATA_ARGS_MAPS     0
#define FUNCDATA_LOCALS_MAPS   1
#define FUNCDATA_STACK_OBJECTS 2
#define FUNCDATA_ABSENT	       UINT32_MAX
#define ARGS_SIZE_UNKNOWN      INT32_MIN

#define WORD	   8u
#define MAX_PCDATA 16 /* there are five kinds */
#define MAX_MAPS   (1 << 20)
#define RECORD	   16u /* bytes of a stackObjectRecord */

/* src/runtime/runtime2.go _func: the first words are the same in every version from 1.18 on. */
enum { FUNC_ARGS = 8, FUNC_DEFERRETURN = 12, FUNC_PCSP = 16, FUNC_NPCDATA = 28, FUNC_SIZE = 44 };

struct reading {
	struct pclntab *tab;
	struct pclntab_func func;
	uint8_t record[FUNC_SIZE];
	uint32_t n_pcdata, n_funcdata;
	uint64_t rodata;
	struct frame_map *map;
};

static int read_word(struct reading *r, uint64_t address, uint32_t *ret_word)
{
	return pclntab__read(r->tab, address, ret_word, sizeof(*ret_word), r->tab->funcs,
			     r->tab->end);
}

static int load_record(struct reading *r, uint64_t pc)
{
	int err = pclntab__lookup(r->tab, pc, &r->func);

	if (err)
		return err;
	err = pclntab__read(r->tab, r->func.record, r->record, r->tab->format->size, r->tab->funcs,
			    r->tab->end);
	if (err)
		return err;
	r->n_pcdata = bytes__u32(r->record, FUNC_NPCDATA);
	r->n_funcdata = r->record[r->tab->format->n_funcdata];
	return r->n_pcdata > MAX_PCDATA ? -EPROTO : 0;
}

/* Offset of a pc-value table; 0: the function has none of that kind. */
static int pcdata_table(struct reading *r, uint32_t kind, uint32_t *ret_table)
{
	*ret_table = 0;
	if (kind >= r->n_pcdata)
		return 0;
	return read_word(r, r->func.record + r->tab->format->size + (uint64_t)kind * 4, ret_table);
}

/* Address of funcdata; 0: the function has none of that kind. */
static int funcdata(struct reading *r, uint32_t kind, uint64_t *ret_address)
{
	uint64_t at = r->func.record + r->tab->format->size + (uint64_t)r->n_pcdata * 4 + kind * 4;
	uint32_t offset;
	int err;

	*ret_address = 0;
	if (kind >= r->n_funcdata || !r->tab->gofunc)
		return 0;
	err = read_word(r, at, &offset);
	if (!err && offset != FUNCDATA_ABSENT)
		*ret_address = r->tab->gofunc + offset;
	return err;
}

/* --- bitmaps ------------------------------------------------------------------------------------ */

/* Bitmap number @index of the stackmap {n, nbit int32; bytes} at @address (src/runtime/symtab.go). */
static int read_bits(struct reading *r, uint64_t address, int32_t index, struct frame_bits *ret)
{
	int32_t head[2];
	uint8_t *bits;
	size_t size;

	if (elf_image__read(r->tab->image, address, head, sizeof(head)))
		return -EPROTO;
	if (head[0] <= 0 || head[0] > MAX_MAPS || head[1] < 0 ||
	    head[1] > (int32_t)FRAME_MAP_MAX_WORDS)
		return -EPROTO;
	if (!head[1])
		return 0;
	if (index < 0 || index >= head[0])
		return -EPROTO;
	size = ((size_t)head[1] + 7) / 8;
	bits = malloc(size);
	if (!bits)
		return -ENOMEM;
	if (elf_image__read(r->tab->image, address + sizeof(head) + (uint64_t)index * size, bits,
			    size)) {
		free(bits);
		return -EPROTO;
	}
	*ret = (struct frame_bits){(uint32_t)head[1], bits};
	return 0;
}

/*
 * The index is that of the call before a return address. At the entry, or where the table says
 * nothing, the function is in its prologue and the first bitmap holds.
 */
static int map_index(struct reading *r, uint64_t live_pc, int32_t *ret_index)
{
	uint32_t table;
	int err;

	*ret_index = -1;
	if (live_pc != r->func.entry) {
		err = pcdata_table(r, PCDATA_STACK_MAP_INDEX, &table);
		if (!err)
			err = pclntab__value_at(r->tab, &r->func, table, live_pc - 1, ret_index);
		if (err && err != -ENOENT)
			return err;
	}
	*ret_index = max_of(*ret_index, 0);
	return 0;
}

static int read_maps(struct reading *r, uint64_t live_pc)
{
	int32_t index, args = (int32_t)bytes__u32(r->record, FUNC_ARGS);
	uint64_t address;
	int err = map_index(r, live_pc, &index);

	if (!err)
		err = funcdata(r, FUNCDATA_LOCALS_MAPS, &address);
	/* A frame without locals has no map; with some, none is an error of the runtime's too. */
	if (!err && address)
		err = read_bits(r, address, index, &r->map->locals);
	else if (!err && r->map->sp_delta > (int32_t)WORD)
		err = -EPROTO;
	if (err)
		return err;
	r->map->args_dynamic = args == ARGS_SIZE_UNKNOWN;
	if (args <= 0)
		return 0;
	err = funcdata(r, FUNCDATA_ARGS_MAPS, &address);
	if (err || !address)
		return err ? err : -EPROTO;
	return read_bits(r, address, index, &r->map->args);
}

/* --- stack objects ------------------------------------------------------------------------------ */

/* stackObjectRecord {off, size, ptrBytes int32; gcdataoff uint32}; a negative ptrBytes: GC program. */
static int decode_object(const uint8_t *record, struct frame_object *ret, bool *ret_program)
{
	int32_t size = (int32_t)bytes__u32(record, 4), pointers = (int32_t)bytes__u32(record, 8);

	*ret_program = pointers < 0;
	if (pointers < 0)
		pointers = pointers == INT32_MIN ? 0 : -pointers;
	if (size <= 0 || pointers > size)
		return -EPROTO;
	*ret = (struct frame_object){
		.offset = (int32_t)bytes__u32(record, 0),
		.size = (uint32_t)size,
		.pointer_size = (uint32_t)pointers,
	};
	return 0;
}

static size_t bits_size(const struct frame_object *object)
{
	return (object->pointer_size / WORD + 7) / 8;
}

/* The bitmaps, one after another. @programs says of which objects there is none. */
static int read_object_bits(struct reading *r, const uint8_t *records, const bool *programs)
{
	struct frame_map *map = r->map;
	size_t used = 0, size = 0;

	for (size_t i = 0; i < map->n_objects; i++)
		size += programs[i] ? 0 : bits_size(&map->objects[i]);
	if (size > FRAME_MAP_MAX_BYTES)
		return 0;
	map->object_bits = malloc(size + 1);
	if (!map->object_bits)
		return -ENOMEM;
	map->object_bits_size = size;
	for (size_t i = 0; i < map->n_objects; i++) {
		size_t n = bits_size(&map->objects[i]);

		if (programs[i])
			continue;
		if (elf_image__read(r->tab->image, r->rodata + bytes__u32(records + i * RECORD, 12),
				    map->object_bits + used, n))
			return -EPROTO;
		map->objects[i].bits = map->object_bits + used;
		used += n;
	}
	return 0;
}

static int read_objects(struct reading *r)
{
	uint8_t *records __cleanup_free = NULL;
	bool *programs __cleanup_free = NULL;
	struct frame_map *map = r->map;
	uint64_t address, n;
	int err = funcdata(r, FUNCDATA_STACK_OBJECTS, &address);

	if (err || !address)
		return err;
	if (elf_image__read(r->tab->image, address, &n, sizeof(n)) || n > FRAME_MAP_MAX_OBJECTS)
		return -EPROTO;
	records = malloc(n * RECORD + 1);
	programs = calloc(n + 1, sizeof(*programs));
	map->objects = calloc(n + 1, sizeof(map->objects[0]));
	if (!records || !programs || !map->objects)
		return -ENOMEM;
	if (elf_image__read(r->tab->image, address + sizeof(n), records, n * RECORD))
		return -EPROTO;
	for (size_t i = 0; i < n; i++) {
		err = decode_object(records + i * RECORD, &map->objects[i], &programs[i]);
		if (err)
			return err;
	}
	map->n_objects = n;
	return r->rodata ? read_object_bits(r, records, programs) : 0;
}

/* ------------------------------------------------------------------------------------------------ */

static void drop_maps(struct frame_map *map)
{
	free((void *)map->locals.bits);
	free((void *)map->args.bits);
	free(map->objects);
	free(map->object_bits);
	map->object_bits = NULL;
	map->object_bits_size = 0;
	map->locals = map->args = (struct frame_bits){0};
	map->objects = NULL;
	map->n_objects = 0;
}

void frame_map__free(struct frame_map *map)
{
	if (!map)
		return;
	drop_maps(map);
	free(map);
}

size_t frame_map__bytes(const struct frame_map *map)
{
	return sizeof(*map) + (map->locals.n + map->args.n) / 8 +
	       map->n_objects * sizeof(map->objects[0]) + map->object_bits_size;
}

int frame_map__read(struct pclntab *tab, uint64_t pc, uint64_t live_pc, uint64_t rodata,
		    struct frame_map **ret_map)
{
	struct reading r = {.tab = tab, .rodata = rodata};
	int err = load_record(&r, pc);

	if (err)
		return err;
	r.map = calloc(1, sizeof(*r.map));
	if (!r.map)
		return -ENOMEM;
	r.map->func = r.func;
	r.map->deferreturn = bytes__u32(r.record, FUNC_DEFERRETURN);
	tab->steps_left = PCLNTAB_SP_STEPS;
	err = pclntab__value_at(tab, &r.func, bytes__u32(r.record, FUNC_PCSP), pc,
				&r.map->sp_delta);
	if (err) {
		frame_map__free(r.map);
		return err;
	}
	tab->steps_left = PCLNTAB_SP_STEPS;
	err = read_maps(&r, live_pc);
	if (!err)
		err = read_objects(&r);
	if (err)
		drop_maps(r.map);
	r.map->maps_known = !err;
	if (err == -ENOMEM) {
		frame_map__free(r.map);
		return err;
	}
	*ret_map = r.map;
	return 0;
}
