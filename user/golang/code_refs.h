/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_CODE_REFS_H
#define GLEAKD_GOLANG_CODE_REFS_H

/*
 * Static addresses which a function's machine code refers to: the way to the runtime's globals in
 * a stripped binary. They are candidates only. Whoever asks must tell from the contents which is
 * which, so an address too many does no harm and one too few is noticed.
 */
#include "base/common.h"
#include "elf/image.h"
#include "golang/arch.h"
#include "golang/pclntab.h"

#define CODE_REFS_MAX	    256
#define CODE_REFS_MAX_BYTES 32768 /* of a function; runtime.procresize has less than 3 KiB */

struct code_refs {
	uint64_t addresses[CODE_REFS_MAX]; /* link-time, rising, each once */
	size_t n;
	size_t refused; /* beyond the maximum */
};

/* code_refs__read - of one function of the file. Errors: as elf_image__read(), -E2BIG, -ENOMEM. */
int code_refs__read(struct elf_image *image, const struct pclntab_func *func,
		    struct code_refs *ret_refs) __must_check;

/* code_refs__scan - of @size bytes of code at @address. */
void code_refs__scan(const struct go_arch *arch, uint64_t address, const uint8_t *code, size_t size,
		     struct code_refs *ret_refs);

/* code_refs__add - used by the scanners: adding one again, or beyond the maximum, is fine. */
void code_refs__add(struct code_refs *refs, uint64_t address);

bool code_refs__has(const struct code_refs *refs, uint64_t address);

#endif /* GLEAKD_GOLANG_CODE_REFS_H */
