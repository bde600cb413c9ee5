/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_BYTES_H
#define GLEAKD_BASE_BYTES_H

/*
 * Numbers from bytes that were read from a file or a process, aligned or not. gleakd and its
 * targets are little-endian (elf/open.c refuses others). The caller checks that @offset is inside.
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
