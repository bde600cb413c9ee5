/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_ELF_DEBUG_SECTION_H
#define GLEAKD_ELF_DEBUG_SECTION_H

/*
 * The beginning of a section of debug information, decompressed. Go compresses these sections: up
 * to 1.18 as .zdebug_NAME, later as ELF defines it. The sizes in a header are not trusted:
 * decompression goes on as long as there is data and room.
 */
#include "elf/image.h"

/*
 * debug_section__read - at most @max bytes of .debug_@name into @buffer. *@ret_size is less only
 * where the section ends.
 * Errors: -ENOENT there is none, -EPROTO damaged or of an unknown compression, -EIO, -ENOMEM.
 */
int debug_section__read(struct elf_image *image, const char *name, uint8_t *buffer, size_t max,
			size_t *ret_size) __must_check;

/*
 * debug_section__most - how much of @max bytes debug_section__read() can take at most: 0 when there is none,
 * and all of it for what is compressed.
 */
size_t debug_section__most(struct elf_image *image, const char *name, size_t max);

#endif /* GLEAKD_ELF_DEBUG_SECTION_H */
