// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"

/* The patches of one input; each takes at least three bytes of it. */
#define MAX_PATCHES 4096

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Called by libFuzzer before the first input. An input does the same in every run. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	hash__set_key((struct hash_key){{1, 2}});
	return 0;
}

void fuzz__fail(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

uint8_t fuzz_input__u8(struct fuzz_input *input)
{
	if (!input->left)
		return 0;
	input->left--;
	return *input->data++;
}

uint16_t fuzz_input__u16(struct fuzz_input *input)
{
	unsigned int low = fuzz_input__u8(input);

	return (uint16_t)(low | (unsigned int)fuzz_input__u8(input) << 8);
}

uint64_t fuzz_input__u64(struct fuzz_input *input)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 64; shift += 8)
		value |= (uint64_t)fuzz_input__u8(input) << shift;
	return value;
}

char *fuzz_input__text(struct fuzz_input *input, char separator)
{
	const uint8_t *end = input->left ? memchr(input->data, separator, input->left) : NULL;
	size_t length = end ? (size_t)(end - input->data) : input->left;
	char *text = malloc(length + 1);

	if (!text)
		abort();
	if (length)
		memcpy(text, input->data, length);
	text[length] = '\0';
	input->data += end ? length + 1 : length;
	input->left -= end ? length + 1 : length;
	return text;
}

int fuzz__memfd(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	fuzz__require(fd >= 0);
	fuzz__require(write(fd, data, size) == (ssize_t)size);
	return fd;
}

int fuzz__next_descriptor(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	fuzz__require(fd >= 0);
	close(fd);
	return fd;
}

/* --- patches ------------------------------------------------------------------------------------ */

#define WORD sizeof(uint64_t)

/* Where @take bytes, or as many as there are, begin. */
static uint8_t *place(struct fuzz_input *input, const struct fuzz_region *region, size_t *take)
{
	size_t offset = fuzz_input__u16(input);

	if (region->size > UINT16_MAX + 1U)
		offset *= WORD;
	offset %= region->size;
	*take = min_of(*take, region->size - offset);
	return region->data + offset;
}

static void patch_bytes(struct fuzz_input *input, const struct fuzz_region *region)
{
	size_t room = FUZZ_MAX_BYTES;
	uint8_t *at = place(input, region, &room);
	size_t n = min_of((size_t)fuzz_input__u8(input) % FUZZ_MAX_BYTES + 1, room);

	for (size_t i = 0; i < n; i++)
		at[i] = fuzz_input__u8(input);
}

static void patch_copy(struct fuzz_input *input, const struct fuzz_region *region,
		       const struct fuzz_region *regions, size_t n_regions)
{
	size_t room = WORD;
	uint8_t *at = place(input, region, &room);
	const struct fuzz_region *source = &regions[fuzz_input__u8(input) % n_regions];

	memmove(at, place(input, source, &room), room);
}

static void patch_add(struct fuzz_input *input, const struct fuzz_region *region)
{
	size_t room = WORD;
	uint8_t *at = place(input, region, &room);
	uint64_t word = 0;

	memcpy(&word, at, room);
	word += (uint64_t)(int64_t)(int8_t)fuzz_input__u8(input);
	memcpy(at, &word, room);
}

static void patch_fill(struct fuzz_input *input, const struct fuzz_region *region)
{
	size_t room = SIZE_MAX;
	uint8_t *at = place(input, region, &room);
	size_t n = min_of(fuzz_input__u16(input) * WORD, room);

	memset(at, fuzz_input__u8(input), n);
}

void fuzz__patch(struct fuzz_input *input, const struct fuzz_region *regions, size_t n_regions)
{
	for (size_t i = 0; i < MAX_PATCHES && input->left; i++) {
		uint8_t head = fuzz_input__u8(input);
		const struct fuzz_region *region = &regions[(head & 0xf) % n_regions];

		switch ((enum fuzz_operation)(head >> 4)) {
		case FUZZ_BYTES:
			patch_bytes(input, region);
			break;
		case FUZZ_COPY:
			patch_copy(input, region, regions, n_regions);
			break;
		case FUZZ_ADD:
			patch_add(input, region);
			break;
		case FUZZ_FILL:
			patch_fill(input, region);
			break;
		case FUZZ_END:
		default:
			return;
		}
	}
}
