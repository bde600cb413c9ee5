// SPDX-License-Identifier: Apache-2.0
/*
 * What a pc stands for. A physical function's code may contain calls that were inlined; which one a
 * pc belongs to is a pc-value table of its own (PCDATA_InlTreeIndex), whose values are indices into
 * the function's inline tree (FUNCDATA_InlTree). The walk goes from the innermost call outwards:
 *
 *	Go 1.20 on	an entry names the pc of its call: look that one up in the same way
 *	Go 1.18, 1.19	an entry names the file and line of its call, and the index of its caller
 *
 * (src/runtime/symtabinl.go; src/runtime/symtab.go of Go 1.19, Frames.Next and expandFinal...)
 * All of it is data from the file: every loop has a bound of its own.
 */
#include "golang/pclntab_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/varint.h"

/* src/internal/abi/symtab.go; the same since Go 1.18. */
#define PCDATA_INLINE_INDEX  2
#define FUNCDATA_INLINE_TREE 3
#define FUNCDATA_ABSENT	     UINT32_MAX
#define FILE_ABSENT	     UINT32_MAX

#define MAX_PCDATA	 16	   /* there are five kinds */
#define MAX_INLINE_INDEX (1 << 20) /* bound of the runtime's own array type */

/*
 * Steps through pc-value tables for one question, all tables together: a file may have tables as
 * long as itself, and ask for them again for every inlined call. A line table has a step for every
 * few instructions; sp moves a few times only, and is asked for once per frame of every goroutine.
 */
#define MAX_STEPS (1U << 21)

/* The words of a _func that are used here. */
struct func_record {
	struct pclntab_func func;
	uint32_t sp_table, file_table, line_table, inline_table; /* offsets in `values`; 0: none */
	uint32_t unit;						 /* first of its files in `units` */
	uint64_t inline_tree;					 /* address; 0: none */
};

/* --- pc-value tables --------------------------------------------------------------------------- */

/* Bytes of a pc-value table, taken from the file in small pieces. */
struct reader {
	struct pclntab *tab;
	uint64_t address; /* of the byte after those in the buffer */
	uint8_t buffer[64];
	size_t used, size;
};

static int read_byte(struct reader *reader, uint8_t *ret_byte)
{
	struct pclntab *tab = reader->tab;

	if (reader->used == reader->size) {
		uint64_t left = reader->address < tab->funcs ? tab->funcs - reader->address : 0;
		int err;

		reader->used = 0;
		reader->size = (size_t)min_of(left, (uint64_t)sizeof(reader->buffer));
		if (!reader->size)
			return -EPROTO;
		err = pclntab__read(tab, reader->address, reader->buffer, reader->size, tab->values,
				    tab->funcs);
		if (err)
			return err;
		reader->address += reader->size;
	}
	*ret_byte = reader->buffer[reader->used++];
	return 0;
}

static int read_varint(struct reader *reader, uint32_t *ret_value)
{
	struct varint varint = {0};

	while (varint.shift < VARINT_BITS_32) {
		uint8_t byte;
		int err = read_byte(reader, &byte);

		if (err)
			return err;
		if (varint__add(&varint, byte)) {
			*ret_value = (uint32_t)varint.value;
			return 0;
		}
	}
	return -EPROTO;
}

static uint32_t undo_zigzag(uint32_t value)
{
	return value & 1 ? ~(value >> 1) : value >> 1;
}

/*
 * A table is pairs of deltas, of the value from -1 on and of the pc from the function's entry on; a
 * value delta of 0 ends it, except in the first pair (src/runtime/symtab.go, step()).
 */
int pclntab__value_at(struct pclntab *tab, const struct pclntab_func *func, uint32_t offset,
		      uint64_t pc, int32_t *ret_value)
{
	struct reader reader = {.tab = tab, .address = tab->values + offset};
	uint32_t value = UINT32_MAX; /* -1; unsigned, so that hostile deltas wrap */
	uint64_t at = func->entry;

	if (!offset || pc < func->entry)
		return -ENOENT;
	for (size_t i = 0; at < func->end; i++) {
		uint32_t value_delta, pc_delta;
		int err;

		if (!tab->steps_left)
			return -EPROTO;
		tab->steps_left--;
		err = read_varint(&reader, &value_delta);
		if (err)
			return err;
		if (!value_delta && i > 0)
			return -ENOENT;
		err = read_varint(&reader, &pc_delta);
		if (err)
			return err;
		value += undo_zigzag(value_delta);
		at += (uint64_t)pc_delta * tab->min_instruction;
		if (pc < at) {
			*ret_value = (int32_t)value;
			return 0;
		}
	}
	return -ENOENT;
}

/* --- the record -------------------------------------------------------------------------------- */

/* The two u32 arrays that follow the fixed part: pc-value tables, then offsets from gofunc. */
static int load_variable_part(struct pclntab *tab, uint32_t n_pcdata, uint8_t n_funcdata,
			      struct func_record *record)
{
	uint64_t pcdata = record->func.record + tab->format->size;
	uint64_t funcdata = pcdata + (uint64_t)n_pcdata * 4;
	uint32_t offset;
	int err;

	if (n_pcdata > MAX_PCDATA)
		return -EPROTO;
	if (n_pcdata <= PCDATA_INLINE_INDEX || n_funcdata <= FUNCDATA_INLINE_TREE || !tab->gofunc)
		return 0;
	err = pclntab__read(tab, pcdata + PCDATA_INLINE_INDEX * 4, &record->inline_table,
			    sizeof(record->inline_table), tab->funcs, tab->end);
	if (err)
		return err;
	err = pclntab__read(tab, funcdata + FUNCDATA_INLINE_TREE * 4, &offset, sizeof(offset),
			    tab->funcs, tab->end);
	if (err)
		return err;
	if (offset != FUNCDATA_ABSENT)
		record->inline_tree = tab->gofunc + offset;
	return 0;
}

static int load_record(struct pclntab *tab, uint64_t pc, struct func_record *ret_record)
{
	struct func_record record = {0};
	uint8_t bytes[44];
	int err;

	err = pclntab__lookup(tab, pc, &record.func);
	if (err)
		return err;
	err = pclntab__read(tab, record.func.record, bytes, tab->format->size, tab->funcs,
			    tab->end);
	if (err)
		return err;
	record.sp_table = bytes__u32(bytes, 16);
	record.file_table = bytes__u32(bytes, 20);
	record.line_table = bytes__u32(bytes, 24);
	record.unit = bytes__u32(bytes, 32);
	err = load_variable_part(tab, bytes__u32(bytes, 28), bytes[tab->format->n_funcdata],
				 &record);
	if (err)
		return err;
	*ret_record = record;
	return 0;
}

int pclntab__sp_delta(struct pclntab *tab, uint64_t pc, int32_t *ret_delta)
{
	struct func_record record;
	int err;

	err = load_record(tab, pc, &record);
	if (err)
		return err;
	tab->steps_left = PCLNTAB_SP_STEPS;
	return pclntab__value_at(tab, &record.func, record.sp_table, pc, ret_delta);
}

/* --- file and line ----------------------------------------------------------------------------- */

/* Number @number among the files of the function's compilation unit; "" when there is none. */
static int load_file(struct pclntab *tab, const struct func_record *record, int32_t number,
		     char *file, size_t size)
{
	uint64_t address = tab->units + 4 * ((uint64_t)record->unit + (uint32_t)number);
	uint32_t offset;
	int n;

	file[0] = '\0';
	if (number < 0)
		return 0;
	n = pclntab__read(tab, address, &offset, sizeof(offset), tab->units, tab->files);
	if (n)
		return n;
	if (offset == FILE_ABSENT)
		return 0;
	if (offset >= tab->values - tab->files)
		return -EPROTO;
	n = elf_image__read_string(tab->image, tab->files + offset, file, size);
	return n < 0 ? n : 0;
}

static int locate(struct pclntab *tab, const struct func_record *record, uint64_t pc,
		  struct pclntab_frame *frame)
{
	int32_t number = -1, line = 0;
	int err;

	err = pclntab__value_at(tab, &record->func, record->file_table, pc, &number);
	if (err && err != -ENOENT)
		return err;
	err = pclntab__value_at(tab, &record->func, record->line_table, pc, &line);
	if (err && err != -ENOENT)
		return err;
	frame->line = line > 0 ? (uint32_t)line : 0;
	return load_file(tab, record, number, frame->file, sizeof(frame->file));
}

/* --- the walk ---------------------------------------------------------------------------------- */

/* src/runtime/symtab.go of 1.19, symtabinl.go from 1.20 on; only one half of the words is there. */
struct inlined_call {
	uint8_t func_id;
	uint32_t name;
	uint32_t call_pc;	    /* 1.20 on: offset from the function's entry */
	int32_t parent, file, line; /* before */
};

static int load_inlined(struct pclntab *tab, const struct func_record *record, int32_t index,
			struct inlined_call *ret_call)
{
	size_t size = tab->format->inline_size;
	uint8_t bytes[20];
	int16_t parent;
	int err;

	if (index >= MAX_INLINE_INDEX)
		return -EPROTO;
	err = elf_image__read(tab->image, record->inline_tree + (uint64_t)index * size, bytes,
			      size);
	if (err)
		return err == -EFAULT ? -EPROTO : err;
	if (tab->format->inline_has_call_pc) {
		*ret_call = (struct inlined_call){
			.func_id = bytes[0],
			.name = bytes__u32(bytes, 4),
			.call_pc = bytes__u32(bytes, 8),
		};
		return 0;
	}
	memcpy(&parent, bytes, sizeof(parent));
	*ret_call = (struct inlined_call){
		.func_id = bytes[2],
		.name = bytes__u32(bytes, 12),
		.parent = parent,
		.file = (int32_t)bytes__u32(bytes, 4),
		.line = (int32_t)bytes__u32(bytes, 8),
	};
	return 0;
}

/*
 * Where the walk is: `index` is the inlined call it stands in, -1 for the function itself. `next`
 * collects file and line of that call before its name is known, as they belong to its caller's
 * entry in the old format.
 */
struct walk {
	struct func_record record;
	uint64_t pc;
	int32_t index;
	struct pclntab_frame next;
};

static int index_at(struct pclntab *tab, struct walk *walk)
{
	int err;

	walk->index = -1;
	if (!walk->record.inline_tree)
		return 0;
	err = pclntab__value_at(tab, &walk->record.func, walk->record.inline_table, walk->pc,
				&walk->index);
	return err == -ENOENT ? 0 : err;
}

/* Moves on to the caller of the inlined call @call. */
static int step_outwards(struct pclntab *tab, struct walk *walk, const struct inlined_call *call)
{
	int err;

	if (!tab->format->inline_has_call_pc) {
		walk->index = call->parent;
		walk->next.line = call->line > 0 ? (uint32_t)call->line : 0;
		return load_file(tab, &walk->record, call->file, walk->next.file,
				 sizeof(walk->next.file));
	}
	walk->pc = walk->record.func.entry + call->call_pc;
	if (walk->pc >= walk->record.func.end)
		return -EPROTO;
	err = index_at(tab, walk);
	return err ? err : locate(tab, &walk->record, walk->pc, &walk->next);
}

static int emit(struct pclntab *tab, const struct walk *walk, const struct inlined_call *call,
		struct pclntab_frame *frame)
{
	uint8_t func_id = call ? call->func_id : walk->record.func.func_id;
	uint32_t name = call ? call->name : walk->record.func.name_offset;
	int n;

	*frame = walk->next;
	frame->inlined = call != NULL;
	frame->wrapper = func_id == pclntab__wrapper_id(tab);
	n = pclntab__name_at(tab, name, frame->function, sizeof(frame->function));
	return n < 0 ? n : 0;
}

int pclntab__frames(struct pclntab *tab, uint64_t pc, struct pclntab_frame *frames, size_t max)
{
	struct walk walk = {.pc = pc};
	size_t n = 0;
	int err;

	if (!max)
		return -EINVAL;
	tab->steps_left = MAX_STEPS;
	err = load_record(tab, pc, &walk.record);
	if (!err)
		err = index_at(tab, &walk);
	if (!err)
		err = locate(tab, &walk.record, pc, &walk.next);
	while (!err && walk.index >= 0 && n < PCLNTAB_MAX_INLINE) {
		struct inlined_call call;

		err = load_inlined(tab, &walk.record, walk.index, &call);
		if (!err)
			err = emit(tab, &walk, &call, &frames[n]);
		if (!err && ++n == max)
			return (int)n;
		if (!err)
			err = step_outwards(tab, &walk, &call);
	}
	if (!err)
		err = emit(tab, &walk, NULL, &frames[n]);
	if (err)
		return err;
	frames[n].offset = pc - walk.record.func.entry;
	return (int)n + 1;
}
