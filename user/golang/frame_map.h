/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_FRAME_MAP_H
#define GLEAKD_GOLANG_FRAME_MAP_H

/*
 * Which words of a stack frame hold pointers when its function stands at a given pc: what the
 * compiler wrote down for the garbage collector (src/runtime/stkframe.go getStackMap). There are two
 * bitmaps, one of the locals and one of the arguments, and a list of variables whose address was
 * taken: those are only alive while something points to them.
 *
 * All addresses are link-time. The file is hostile: every size has a maximum.
 */
#include "base/common.h"
#include "golang/pclntab.h"

#define FRAME_MAP_MAX_WORDS   (1u << 22) /* of locals or arguments: a frame of 32 MiB */
#define FRAME_MAP_MAX_OBJECTS 65536u
#define FRAME_MAP_MAX_BYTES   (4u << 20) /* of the bitmaps of one frame's objects together */

/* src/internal/abi/symtab.go FuncFlag; the same from Go 1.17 on. */
enum {
	FUNC_FLAG_TOP_FRAME = 1, /* the outermost frame of a stack */
	FUNC_FLAG_SP_WRITE = 2,	 /* writes to sp in a way that pcsp does not tell */
};

/* One bit per word, the lowest address in bit 0 of the first byte. */
struct frame_bits {
	uint32_t n;
	const uint8_t *bits;
};

/* src/runtime/stack.go stackObjectRecord */
struct frame_object {
	int32_t offset;	       /* negative: from the top of the locals; else from the arguments */
	uint32_t size;	       /* bytes */
	uint32_t pointer_size; /* bytes from its start that may hold pointers */
	const uint8_t *bits;   /* of the words of those; NULL: each may be one (a GC program) */
};

struct frame_map {
	struct pclntab_func func;
	int32_t sp_delta;     /* bytes from sp to the frame's end (pcsp) */
	uint32_t deferreturn; /* offset of where a recovered panic returns to; 0: nowhere */
	bool maps_known;      /* false: locals, args and objects say nothing */
	bool args_dynamic;    /* what its arguments are only its caller knows (reflect) */
	struct frame_bits locals, args;
	size_t n_objects;
	struct frame_object *objects; /* by rising address within locals, then arguments */
	uint8_t *object_bits;	      /* what their bits point into */
	size_t object_bits_size;
};

/*
 * frame_map__read - of the function at @pc as it stands at @live_pc, which is @pc but for frames
 * that a panic cut short. Both are return addresses, or the entry of the function. @rodata is
 * moduledata.rodata, link-time: without it (0) objects have no bits. A frame whose maps cannot be
 * read is still good for walking on: maps_known is false. Errors: -ENOENT no function there or pcsp
 * does not cover @pc, -EPROTO damaged, -ENOMEM.
 */
int frame_map__read(struct pclntab *tab, uint64_t pc, uint64_t live_pc, uint64_t rodata,
		    struct frame_map **ret_map) __must_check;
void frame_map__free(struct frame_map *map);

/* frame_map__bytes - memory that it takes. */
size_t frame_map__bytes(const struct frame_map *map);

static inline bool frame_bits__at(const struct frame_bits *bits, uint32_t i)
{
	return bits->bits[i / 8] >> (i % 8) & 1;
}

#endif /* GLEAKD_GOLANG_FRAME_MAP_H */
