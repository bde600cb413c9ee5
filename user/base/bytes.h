/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_BYTES_H
#define GLEAKD_BASE_BYTES_H

/*
 * Numbers out of bytes that were read from a file or a process, aligned or not. Targets and gleakd
 * are little-endian both (elf/open.c refuses others). Whether @offset is inside is for the caller.
 */
#include <string.h>

#include "base/common.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are taken as they stand");

static inline uint64_t bytes__u64(const void *data, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)data + offset, sizeof(value));
	return value;
}

static inline uint32_t bytes__u32(const void *data, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)data + offset, sizeof(value));
	return value;
}

static inline uint16_t bytes__u16(const void *data, size_t offset)
{
	uint16_t value;

	memcpy(&value, (const char *)data + offset, sizeof(value));
	return value;
}

#endif /* GLEAKD_BASE_BYTES_H */
