/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_CODE_FIELDS_H
#define GLEAKD_GOLANG_CODE_FIELDS_H

/*
 * Whether a layout is the one that the program's own code was compiled for. A function that works
 * with a field has the field's offset in its instructions, with the width of the field: the store of
 * a goroutine's start function in runtime.newproc1 is one of eight bytes at g.startpc. This needs no
 * symbol and no process, and tells a field that has moved even where a process shows nothing.
 */
#include "elf/image.h"
#include "golang/arch.h"
#include "golang/layout.h"
#include "golang/pclntab.h"

/* Offsets which a function's instructions access memory at, relative to any register but sp. */
#define CODE_FIELDS_MAX_OFFSET 1024

struct code_fields {
	uint8_t widths[CODE_FIELDS_MAX_OFFSET]; /* bits: CODE_FIELD_* */
};

enum {
	CODE_FIELD_1 = 1,
	CODE_FIELD_2 = 2,
	CODE_FIELD_4 = 4,
	CODE_FIELD_8 = 8,
	CODE_FIELD_ADDRESS = 16, /* computed, for atomics and write barriers */
};

/* code_fields__scan - of @size bytes of code. */
void code_fields__scan(const struct go_arch *arch, const uint8_t *code, size_t size,
		       struct code_fields *ret_fields);

/* code_fields__add - used by the scanners: an access to @bytes, 0: only the address is computed. */
void code_fields__add(struct code_fields *fields, int64_t offset, unsigned int bytes);

/*
 * code_fields__contradicts - the first field of @layout that the program's code does not access
 * where the layout has it ("g_startpc is not at 304 in runtime.newproc1"), or 0 when all fit.
 * @tab must know where text begins.
 * Returns 1 with @text filled, 0, or -errno when a function cannot be found or read.
 */
int code_fields__contradicts(struct elf_image *image, struct pclntab *tab,
			     const struct go_layout *layout, char *text, size_t size) __must_check;

#endif /* GLEAKD_GOLANG_CODE_FIELDS_H */
