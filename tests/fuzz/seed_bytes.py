# SPDX-License-Identifier: Apache-2.0
"""Parts of seeds: operations on a patched image (fuzz.h), numbers of varying length."""

import struct

# Operations of fuzz.h.
BYTES, COPY, ADD, FILL, END = 0, 1, 2, 3, 0xF


def patch_bytes(region, offset, data):
    return struct.pack("<BHB", BYTES << 4 | region, offset, len(data) - 1) + data


def patch_copy(region, offset, source, source_offset):
    return struct.pack("<BHBH", COPY << 4 | region, offset, source, source_offset)


def patch_add(region, offset, value):
    return struct.pack("<BHb", ADD << 4 | region, offset, value)


def patch_fill(region, offset, words, byte):
    return struct.pack("<BHHB", FILL << 4 | region, offset, words, byte)


END_MARK = bytes([END << 4])


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])
