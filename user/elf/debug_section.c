// SPDX-License-Identifier: Apache-2.0
/*
 * zlib is used directly instead of libelf's elf_compress(), which allocates what the header of the
 * section claims and decompresses all of it: of a large program only the beginning is wanted.
 */
#include "elf/debug_section.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"

#define INPUT_CHUNK	((size_t)64 * 1024)
#define GNU_HEADER_SIZE 12 /* "ZLIB", then the size as 64 bits, big-endian */

struct input {
	struct elf_image *image;
	uint64_t offset;
	uint64_t left;
};

static int next_chunk(struct input *input, uint8_t *chunk, z_stream *stream)
{
	size_t size = (size_t)min_of(input->left, (uint64_t)INPUT_CHUNK);
	int err = elf_image__read_offset(input->image, input->offset, chunk, size);

	if (err)
		return err;
	input->offset += size;
	input->left -= size;
	stream->next_in = chunk;
	stream->avail_in = (uInt)size;
	return 0;
}

/* Until the stream, the input or the buffer ends. */
static int inflate_all(struct input *input, uint8_t *chunk, z_stream *stream)
{
	int result = Z_OK;

	while (result == Z_OK && stream->avail_out) {
		if (!stream->avail_in) {
			int err = input->left ? next_chunk(input, chunk, stream) : -EPROTO;

			if (err)
				return err;
		}
		result = inflate(stream, Z_NO_FLUSH);
	}
	return result == Z_OK || result == Z_STREAM_END ? 0 : -EPROTO;
}

static int decompress(struct input *input, uint8_t *buffer, size_t max, size_t *ret_size)
{
	uint8_t *chunk __cleanup_free = malloc(INPUT_CHUNK);
	z_stream stream = {.next_out = buffer, .avail_out = (uInt)max};
	int err;

	if (!chunk || inflateInit(&stream) != Z_OK)
		return -ENOMEM;
	err = inflate_all(input, chunk, &stream);
	if (!err)
		*ret_size = max - stream.avail_out;
	inflateEnd(&stream);
	return err;
}

static int read_plain(struct input *input, uint8_t *buffer, size_t max, size_t *ret_size)
{
	size_t size = (size_t)min_of(input->left, (uint64_t)max);
	int err = size ? elf_image__read_offset(input->image, input->offset, buffer, size) : 0;

	if (!err)
		*ret_size = size;
	return err;
}

static int read_input(struct input *input, size_t header_size, uint8_t *buffer, size_t max,
		      size_t *ret_size)
{
	if (!header_size)
		return read_plain(input, buffer, max, ret_size);
	input->offset += header_size;
	input->left -= header_size;
	return decompress(input, buffer, max, ret_size);
}

static int read_gnu(struct input *input, uint8_t *buffer, size_t max, size_t *ret_size)
{
	char magic[4];

	if (input->left < GNU_HEADER_SIZE ||
	    elf_image__read_offset(input->image, input->offset, magic, sizeof(magic)) ||
	    memcmp(magic, "ZLIB", sizeof(magic)) != 0)
		return -EPROTO;
	return read_input(input, GNU_HEADER_SIZE, buffer, max, ret_size);
}

/*
 * A compressed section begins with an Elf64_Chdr. Uncompressed contents cannot look like one: a
 * unit of .debug_info is longer than its type of 1 or 2 would say, and the first abbreviation and
 * the first string do not begin with three zeros.
 */
static bool is_compressed(const Elf64_Chdr *header)
{
	return !header->ch_reserved && header->ch_type && header->ch_type <= 2;
}

static int read_elf(struct input *input, uint8_t *buffer, size_t max, size_t *ret_size)
{
	Elf64_Chdr header;

	if (input->left < sizeof(header))
		return read_plain(input, buffer, max, ret_size);
	if (elf_image__read_offset(input->image, input->offset, &header, sizeof(header)))
		return -EPROTO;
	if (!is_compressed(&header))
		return read_plain(input, buffer, max, ret_size);
	if (header.ch_type != ELFCOMPRESS_ZLIB) /* 2 is zstd, which no Go linker writes */
		return -EPROTO;
	return read_input(input, sizeof(header), buffer, max, ret_size);
}

static bool find(struct elf_image *image, const char *name, struct elf_section *section, bool *gnu)
{
	char full_name[64];

	*gnu = false;
	snprintf(full_name, sizeof(full_name), ".debug_%s", name);
	if (elf_image__section(image, full_name, section)) {
		snprintf(full_name, sizeof(full_name), ".zdebug_%s", name);
		*gnu = true;
		if (elf_image__section(image, full_name, section))
			return false;
	}
	return section->has_bits;
}

size_t debug_section__most(struct elf_image *image, const char *name, size_t max)
{
	struct elf_section section;
	Elf64_Chdr header;
	bool gnu;

	if (!find(image, name, &section, &gnu))
		return 0;
	if (gnu)
		return max;
	if (section.size >= sizeof(header) &&
	    (elf_image__read_offset(image, section.offset, &header, sizeof(header)) ||
	     is_compressed(&header)))
		return max;
	return (size_t)min_of(section.size, (uint64_t)max);
}

int debug_section__read(struct elf_image *image, const char *name, uint8_t *buffer, size_t max,
			size_t *ret_size)
{
	struct elf_section section;
	struct input input = {.image = image};
	bool gnu;

	if (max > UINT32_MAX)
		return -EINVAL;
	if (!find(image, name, &section, &gnu))
		return -ENOENT;
	input.offset = section.offset;
	input.left = section.size;
	return gnu ? read_gnu(&input, buffer, max, ret_size) :
		     read_elf(&input, buffer, max, ret_size);
}
