# SPDX-License-Identifier: Apache-2.0
"""A process's machine code beside its file: a uprobe is a difference between the two."""

import os
import struct


def text_mappings(pid):
    """(start, end, file offset) of the executable's code in the process."""
    found = []
    exe = os.readlink(f"/proc/{pid}/exe").removesuffix(" (deleted)")
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if len(fields) < 6 or "x" not in fields[1]:
                continue
            if fields[5].strip().removesuffix(" (deleted)") == exe:
                start, end = (int(x, 16) for x in fields[0].split("-"))
                found.append((start, end, int(fields[2], 16)))
    return found


def changed(pid):
    """File offsets at which the running code differs from the file."""
    found = []
    with open(f"/proc/{pid}/exe", "rb") as file, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for start, end, offset in text_mappings(pid):
            memory.seek(start)
            running = memory.read(end - start)
            file.seek(offset)
            original = file.read(end - start).ljust(len(running), b"\0")
            if running == original:
                continue
            page = 4096
            for base in range(0, len(running), page):
                a, b = running[base:base + page], original[base:base + page]
                if a != b:
                    found += [offset + base + i for i in range(len(a)) if a[i] != b[i]]
    return found


def file_offset(path, address):
    """Offset in an ELF file of a link-time address."""
    with open(path, "rb") as file:
        head = file.read(64)
        phoff = struct.unpack_from("<Q", head, 32)[0]
        size, count = struct.unpack_from("<HH", head, 54)
        file.seek(phoff)
        table = file.read(size * count)
    for i in range(count):
        kind, _, offset, vaddr = struct.unpack_from("<IIQQ", table, i * size)
        length = struct.unpack_from("<Q", table, i * size + 32)[0]
        if kind == 1 and vaddr <= address < vaddr + length:
            return address - vaddr + offset
    raise ValueError(f"{path}: no segment holds {address:#x}")
