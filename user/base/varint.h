/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_VARINT_H
#define GLEAKD_BASE_VARINT_H

/*
 * Unsigned LEB128, as encoding/binary.Uvarint and Go's tables have it: seven bits a byte, the lowest first, and
 * the top bit says that more follow. Whoever reads the bytes asks before each whether .shift allows another.
 */
#include "base/common.h"

#define VARINT_BITS_32 35 /* .shift stays below that in a number of at most 32 bits ... */
#define VARINT_BITS_64 64 /* ... and below that in any */

struct varint {
	uint64_t value;
	unsigned int shift; /* of the bits of the next byte */
};

/* varint__add - take the next byte; true when it is the last. */
static inline bool varint__add(struct varint *varint, uint8_t byte)
{
	varint->value |= (uint64_t)(byte & 0x7f) << varint->shift;
	varint->shift += 7;
	return !(byte & 0x80);
}

#endif /* GLEAKD_BASE_VARINT_H */
