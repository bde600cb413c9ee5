# SPDX-License-Identifier: Apache-2.0
"""Executables that lie about themselves, and still run: the kernel looks at less than gleakd does."""

import random
import struct

SECTION = "<IIQQQQIIQQ"  # elf.h Elf64_Shdr
EXTREMES = (0, 1, 0xffff, 0x7fffffff, 0xffffffff, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
SHOFF, SHENTSIZE, SHNUM, SHSTRNDX = 0x28, 0x3A, 0x3C, 0x3E
PT_LOAD = 1


def extreme(rng, size):
    return rng.choice(EXTREMES + (size - 1, size, size + 1, rng.randrange(2 * size)))


def table(data):
    """(offset, entry size, entries) of the section headers."""
    return struct.unpack_from("<Q", data, SHOFF)[0], *struct.unpack_from("<HH", data, SHENTSIZE)


def section(data, name):
    """(offset, size) of a section's bytes."""
    at, size, n = table(data)
    headers = [struct.unpack_from(SECTION, data, at + i * size) for i in range(n)]
    names = headers[struct.unpack_from("<H", data, SHSTRNDX)[0]][4]
    return next((h[4], h[5]) for h in headers
                if data[names + h[0]:].startswith(name.encode() + b"\0"))


def lie_in_header(rng, data):
    for at, form in rng.sample(((SHOFF, "<Q"), (SHENTSIZE, "<H"), (SHNUM, "<H"), (SHSTRNDX, "<H")), 2):
        struct.pack_into(form, data, at, extreme(rng, len(data)) & ((1 << 8 * struct.calcsize(form)) - 1))


def lie_in_sections(rng, data):
    at, size, n = table(data)
    for _ in range(rng.randrange(1, 8)):
        header = list(struct.unpack_from(SECTION, data, at + rng.randrange(n) * size))
        i = rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 9))
        header[i] = extreme(rng, len(data)) & (0xffffffff if i in (0, 1, 6) else (1 << 64) - 1)
        struct.pack_into(SECTION, data, at + rng.randrange(n) * size, *header)


def claim_many_sections(rng, data):
    """More than fit e_shnum: how many is in the first one then (elf(5))."""
    at = table(data)[0]
    struct.pack_into("<H", data, SHNUM, 0)
    header = list(struct.unpack_from(SECTION, data, at))
    header[5] = extreme(rng, len(data))
    struct.pack_into(SECTION, data, at, *header)


def cut_off(rng, data):
    """Behind what the kernel maps."""
    at, = struct.unpack_from("<Q", data, 0x20)
    size, n = struct.unpack_from("<HH", data, 0x36)
    headers = [struct.unpack_from("<IIQQQQ", data, at + i * size) for i in range(n)]
    end = max(h[2] + h[5] for h in headers if h[0] == PT_LOAD)
    del data[rng.randrange(end, len(data) + 1):]


def garble(rng, data):
    for name in (".go.buildinfo", ".note.go.buildid", ".gopclntab"):
        at, size = section(data, name)
        for _ in range(rng.choice((0, 1, 3, 64))):
            data[at + rng.randrange(min(size, 512))] = rng.choice((0, 1, 0x7f, 0x80, 0xff))


LIES = (lie_in_header, lie_in_sections, claim_many_sections, cut_off, garble)


def liar(base, seed):
    """The bytes of another one: the same for the same seed."""
    rng = random.Random(seed)
    data = bytearray(base)
    # Those that need a table that is right come first.
    lies = rng.sample(LIES, rng.choice((1, 1, 2)))
    for lie in sorted(lies, key=(garble, lie_in_sections, cut_off, claim_many_sections,
                                 lie_in_header).index):
        try:
            lie(rng, data)
        except (struct.error, ValueError, IndexError, StopIteration):
            pass
    return bytes(data)
