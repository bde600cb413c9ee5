/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_FUZZ_FUZZ_H
#define GLEAKD_FUZZ_FUZZ_H

/*
 * What the targets share. A target is one file in targets/: libFuzzer calls its
 * LLVMFuzzerTestOneInput() with bytes that reach new code. Whatever the input, a target must neither
 * crash nor leak, be done at once, and leave nothing behind that the next input could notice.
 *
 * Formats with checks all over (a Go program and the memory of its process) are not made of the
 * input from scratch, which would hardly ever get past the first check. There the input is a list of
 * patches to something valid, so that a seed is a few bytes, and a fault found says what was wrong.
 */
#include "base/common.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* fuzz__require - what must hold whatever the input is. */
#define fuzz__require(condition) \
	((condition) ? (void)0 : fuzz__fail(#condition, __FILE__, __LINE__))
void fuzz__fail(const char *condition, const char *file, int line) __attribute__((noreturn));

/* The input, taken piece by piece from its start; zeros when it is used up. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

uint8_t fuzz_input__u8(struct fuzz_input *input);
uint16_t fuzz_input__u16(struct fuzz_input *input);
uint64_t fuzz_input__u64(struct fuzz_input *input);

/* fuzz_input__text - up to the next @separator or the end, as a string to free(). */
char *fuzz_input__text(struct fuzz_input *input, char separator);

/* fuzz__memfd - a file with these contents; the caller closes it. */
int fuzz__memfd(const void *data, size_t size);

/* fuzz__next_descriptor - the lowest that is free: the same before and after an input. */
int fuzz__next_descriptor(void);

/* Memory that patches may change. */
struct fuzz_region {
	uint8_t *data;
	size_t size;
};

/*
 * fuzz__patch - apply patches until an end mark or the end of the input. A patch is
 *
 *	operation << 4 | region	  u8
 *	offset			  u16, in bytes; in words for a region of more than 64 KiB
 *	FUZZ_BYTES  n, bytes	  n is a u8, of which 1 to 32 count
 *	FUZZ_COPY   region, offset  the word that is there
 *	FUZZ_ADD    i8		  to the word that is at offset
 *	FUZZ_FILL   n, byte	  n is a u16, in words
 *
 * FUZZ_END (any other operation) takes one byte: what follows is for whoever asks next.
 */
enum fuzz_operation {
	FUZZ_BYTES,
	FUZZ_COPY,
	FUZZ_ADD,
	FUZZ_FILL,
	FUZZ_END = 0xf,
};

#define FUZZ_MAX_BYTES 32

void fuzz__patch(struct fuzz_input *input, const struct fuzz_region *regions, size_t n_regions);

#endif /* GLEAKD_FUZZ_FUZZ_H */
