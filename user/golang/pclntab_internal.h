/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_PCLNTAB_INTERNAL_H
#define GLEAKD_GOLANG_PCLNTAB_INTERNAL_H

/*
 * What pclntab.c (the table and its functions), pclntab_find.c (functions by name) and
 * pclntab_frames.c (what a pc stands for) share.
 * The five parts of the table follow one another without overlap, which is checked at open: the end
 * of each is the start of the next, and the last ends at `end`.
 */
#include "golang/pclntab.h"

/* What differs between the two formats (src/runtime/runtime2.go _func, symtab.go inlinedCall). */
struct pclntab_format {
	uint32_t magic;
	uint8_t func_id, flag, n_funcdata; /* offsets in _func, whose size is `size` */
	uint8_t size;
	uint8_t inline_size;	 /* of an inline tree entry */
	bool inline_has_call_pc; /* entries name the pc of the call, and not file, line and parent */
};

struct pclntab {
	struct elf_image *image;
	const struct pclntab_format *format;
	uint64_t address; /* of the header */
	uint64_t names;	  /* function names, NUL-terminated */
	uint64_t units;	  /* u32 file name offsets, per compilation unit */
	uint64_t files;	  /* file names, NUL-terminated */
	uint64_t values;  /* pc-value tables */
	uint64_t funcs;	  /* ftab, then the _func records */
	uint64_t end;
	uint64_t text;
	uint64_t gofunc;
	uint32_t n_funcs;
	uint8_t min_instruction; /* bytes; unit of pc deltas */
	int wrapper_id;		 /* abi.FuncIDWrapper of this Go; WRAPPER_* until known */
	uint32_t steps_left;	 /* in pc-value tables, of the question being answered */

	uint32_t *index; /* entry offset of every INDEX_STEPth function */
	size_t n_index;
};

#define WRAPPER_UNKNOWN (-1) /* not looked for yet */
#define WRAPPER_ABSENT	(-2) /* looked for and not found */

#define INDEX_STEP 256

/* ftab: two words per function, and one more pair whose entry is where the last function ends. */
struct pclntab_ftab {
	uint32_t entry;	 /* offset from text */
	uint32_t record; /* offset from `funcs` */
};

/* pclntab__read - @size bytes at @address, which must lie in [@start, @end). */
int pclntab__read(struct pclntab *tab, uint64_t address, void *buffer, size_t size, uint64_t start,
		  uint64_t end) __must_check;

/* pclntab__read_ftab - @n entries of ftab from number @first on. */
int pclntab__read_ftab(struct pclntab *tab, uint32_t first, struct pclntab_ftab *entries,
		       size_t n) __must_check;

/* pclntab__load_func - the function at @pair[0], which ends where @pair[1] begins. */
int pclntab__load_func(struct pclntab *tab, const struct pclntab_ftab pair[2],
		       struct pclntab_func *ret_func) __must_check;

/* What tab->steps_left is set to for a question about one frame. */
#define PCLNTAB_SP_STEPS (1U << 17)

/*
 * pclntab__value_at - the value at @pc in the pc-value table at @offset (from `values`; 0: there is
 * none). Takes from tab->steps_left, which whoever asks has set.
 * Errors: -ENOENT the table does not cover @pc, -EPROTO damaged or too long.
 */
int pclntab__value_at(struct pclntab *tab, const struct pclntab_func *func, uint32_t offset,
		      uint64_t pc, int32_t *ret_value) __must_check;

/* pclntab__wrapper_id - abi.FuncIDWrapper in this binary, or WRAPPER_ABSENT. */
int pclntab__wrapper_id(struct pclntab *tab);

/* pclntab__name_at - printable name of the function with that name offset; length or -errno. */
int pclntab__name_at(struct pclntab *tab, uint32_t name_offset, char *name,
		     size_t size) __must_check;

#endif /* GLEAKD_GOLANG_PCLNTAB_INTERNAL_H */
