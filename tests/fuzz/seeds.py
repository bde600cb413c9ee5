# SPDX-License-Identifier: Apache-2.0
"""First inputs of every fuzz target, made anew at every run: small, valid, one for each kind of
thing that the target reads. What the fuzzer finds from there is kept in the build directory."""

import os
import struct
import zlib

from seed_bytes import END_MARK, patch_add, patch_bytes, patch_copy, patch_fill, varint
from seeds_files import (allow_list, broker, calibration, cgroup, config, go_trace, json_report, list_,
                         options, proc, recording, report, sockets, source_tree, state, tasks, textfile, trigger, utf8)

HERE = os.path.dirname(os.path.abspath(__file__))
LAYOUT = os.path.join(HERE, "..", "..", "data", "go-layout.tsv")

def elf(machine=62, kind=2, symbols=True):
    """Two segments, five sections, two symbols, in half a KiB."""
    names = b"\0.shstrtab\0.symtab\0.text\0.debug_info\0a\0runtime.main\0"
    base, headers = 0x400000, 64 + 2 * 56
    sections_at = headers + len(names) + -len(names) % 8
    symbols_at = sections_at + 5 * 64
    table = b"".join(
        struct.pack("<IBBHQQ", names.index(name + b"\0"), 0x11, 0, 3, address, 16)
        for name, address in ((b"a", base + 16), (b"runtime.main", base + 32))
    )
    size = symbols_at + len(table)
    header = struct.pack("<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, kind, machine, 1,
                         base + 16, 64, sections_at, 0, 64, 56, 2, 64, 5, 1)
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096)
    segments += struct.pack("<IIQQQQQQ", 1, 6, headers, base + 8192, 0, 64, 4096, 4096)

    def section(name, kind, address, at, length, link=0, flags=0):
        return struct.pack("<IIQQQQIIQQ", names.index(name), kind, flags, address, at, length,
                           link, 0, 1, 24 if kind == 2 else 0)

    sections = bytes(64) + section(b".shstrtab", 3, 0, headers, len(names))
    sections += section(b".symtab", 2 if symbols else 1, 0, symbols_at, len(table), link=1)
    sections += section(b".text", 1, base + 16, 16, 64, flags=6)
    sections += section(b".debug_info", 1, 0, headers, 8)
    return header + segments + names.ljust(sections_at - headers, b"\0") + sections + table


def elf_image():
    yield "amd64", elf()
    yield "pie", elf(kind=3)
    yield "arm64-stripped", elf(machine=183, symbols=False)
    yield "script", b"#!/bin/sh\n"
    yield "32-bit", b"\x7fELF\x01\x01\x01" + bytes(61)


def build_info(version, module):
    header = (b"\xff Go buildinf:" + bytes([8, 2])).ljust(32, b"\0")
    return header + varint(len(version)) + version + varint(len(module)) + module


MODULE = (
    b"0w\xaf\x0c\x92t\x08\x02A\xe1\xc1\x07\xe6\xd6\x18\xe6"
    b"path\texample.org/shop/cmd/server\nmod\texample.org/shop\tv1.2.3\th1:x=\n"
    b"dep\tgopkg.in/yaml.v3\tv3.0.1\nbuild\t-buildmode=pie\nbuild\t-race=true\n"
    b"build\t-trimpath=true\nbuild\tCGO_ENABLED=1\nbuild\tGOEXPERIMENT=\"a b\"\n"
    b"\xf92C1\x86\x18 r\x00\x82B\x10A\x16\xd8\xf2"
)


def buildinfo():
    yield "modules", b"\0" + build_info(b"go1.26.8", MODULE)
    yield "read-only", b"\1" + bytes(48) + build_info(b"go1.18.10 X:boringcrypto", MODULE)
    yield "none", b"\2" + build_info(b"devel go1.22-abc Tue", b"")
    yield "garbled", b"\0" + build_info(b"unknown", MODULE)
    old = b"\xff Go buildinf:" + bytes([8, 0]) + struct.pack("<QQ", 32, 32)
    yield "old", b"\4" + old + struct.pack("<QQ", 48, 6) + b"go1.17"
    yield "upx", b"\0" + bytes(16) + b"UPX!"
    for version in (b"go1.26.8", b"go1.21rc2", b"devel go1.27-0a1b2c", b"go1.27-devel_abc X:a,b"):
        yield version.decode().replace(" ", "-"), b"\0" + version


def sniff():
    yield from elf_image()
    yield "gopclntab", elf().replace(b".text", b".note")
    yield "32-bit-le", b"\x7fELF\x01\x01\x01".ljust(52, b"\0")
    yield "64-bit-be", b"\x7fELF\x02\x02\x01".ljust(64, b"\0")
    for name in (b".go.buildinfo", b".gopclntab", b".go_export", b".tinygo"):
        padded = elf().replace(b".debug_info\0a\0runtime.main", name.ljust(26, b"\0"))
        yield name.decode(), padded + build_info(b"go1.26.8", b"")


# DWARF: tags, attributes and forms.
UNIT, STRUCT, MEMBER, BASE, POINTER, TYPEDEF = 0x11, 0x13, 0x0D, 0x24, 0x0F, 0x16
NAME, SIZE, LANGUAGE, LOCATION, TYPE = 0x03, 0x0B, 0x13, 0x38, 0x49
STRING, UDATA, REF4, DATA1 = 0x08, 0x0F, 0x13, 0x0B


def abbreviations():
    table = ((UNIT, 1, (NAME, STRING), (LANGUAGE, DATA1)), (STRUCT, 1, (NAME, STRING), (SIZE, UDATA)),
             (MEMBER, 0, (NAME, STRING), (LOCATION, UDATA), (TYPE, REF4)), (BASE, 0, (NAME, STRING)),
             (POINTER, 0, (NAME, STRING)), (TYPEDEF, 0, (NAME, STRING), (TYPE, REF4)))
    out = b""
    for number, (tag, children, *attributes) in enumerate(table, 1):
        out += bytes([number, tag, children]) + b"".join(bytes(a) for a in attributes) + b"\0\0"
    return out + b"\0"


class Unit:
    """The unit of package runtime: structs whose members are at 8, 16, 24..."""

    def __init__(self, name=b"runtime"):
        # Length, version 4, abbreviations at 0, addresses of 8 bytes.
        self.data = bytearray(struct.pack("<IHIB", 0, 4, 0, 8))
        self.data += b"\1" + name + b"\0\x16"
        self.word = self.add(b"\4uint64\0")
        self.pointer = self.add(b"\5*T\0")

    def add(self, die):
        at = len(self.data)
        self.data += die
        return at

    def structure(self, name, fields):
        """@fields is a tree: names to trees. Nested structs come first, as they are referred to."""
        types = {}
        for field, nested in fields.items():
            types[field] = self.structure(b"anon", nested) if nested else self.word
            if field in (b"elem", b"c") and not nested:
                types[field] = self.pointer
        at = self.add(b"\2" + name + b"\0" + varint(8 * len(fields) + 512))
        for i, field in enumerate(fields):
            self.add(b"\3" + field + b"\0" + varint(8 * i) + struct.pack("<I", types[field]))
        self.add(b"\0")
        return at

    def finish(self):
        self.data += b"\0"
        self.data[0:4] = struct.pack("<I", len(self.data) - 4)
        return bytes(self.data)


STRUCTS = {"g": "g", "m": "m", "p": "p", "sched": "schedt", "sudog": "sudog", "hchan": "hchan",
           "moduledata": "moduledata"}


def runtime_unit():
    with open(LAYOUT, encoding="ascii") as table:
        columns = next(line for line in table if not line.startswith("#")).split()[2:]
    unit = Unit()
    for prefix, name in STRUCTS.items():
        fields = {}
        for column in columns:
            if column.startswith(prefix + "_") and not column.endswith("_sizeof"):
                place = fields
                for part in column[len(prefix) + 1:].split("_"):
                    place = place.setdefault(part.encode(), {})
        unit.structure(b"runtime." + name.encode(), fields)
    return unit.finish()


def dwarf():
    abbrev, info = abbreviations(), runtime_unit()
    for choices in (0, 1, 2, 4, 9, 10):
        yield f"runtime-{choices}", struct.pack("<BH", choices, len(abbrev)) + abbrev + info
    other = Unit(b"main").finish()
    yield "two-units", struct.pack("<BH", 0, len(abbrev)) + abbrev + other + info
    yield "no-types", struct.pack("<BH", 1, len(abbrev)) + abbrev + other
    packed = struct.pack("<IIQQ", 1, 0, len(info), 1) + zlib.compress(info)
    yield "packed", struct.pack("<BH", 4, len(abbrev)) + abbrev + packed
    packed = b"ZLIB" + struct.pack(">Q", len(info)) + zlib.compress(info)
    yield "packed-gnu", struct.pack("<BH", 6, len(abbrev)) + abbrev + packed


# Attributes of DWARF that Go has of its own (src/cmd/internal/dwarf/dwarf.go).
GO_KIND, GO_ELEM, RUNTIME_TYPE, CLOSURE_OFFSET = 0x2900, 0x2902, 0x2904, 0x2907


def variables():
    """A pointer's type, an array of them, a variable of a package, and a function with others: in the frame,
    in parts, by a list of places, in a block, inlined, captured."""
    addr, data2, sec_offset, block, ref4 = 0x01, 0x05, 0x17, 0x18, 0x13
    low_pc, high_pc, frame_base, location, kind, origin = 0x11, 0x12, 0x40, 0x02, 0x49, 0x31
    name = (0x03, STRING)
    table = (
        (0x11, 1, name, (LANGUAGE, DATA1), (low_pc, addr)),
        (0x0F, 0, name, (kind, ref4), (GO_KIND, DATA1), (RUNTIME_TYPE, addr)),
        (0x01, 0, name, (kind, ref4), (GO_KIND, DATA1), (SIZE, DATA1)),
        (0x34, 0, name, (location, block), (kind, ref4)),
        (0x2E, 1, name, (low_pc, addr), (high_pc, data2), (frame_base, block)),
        (0x05, 0, name, (location, sec_offset), (kind, ref4)),
        (0x0B, 1, (low_pc, addr), (high_pc, data2)),
        (0x1D, 1, (origin, ref4), (low_pc, addr), (high_pc, data2)),
        (0x34, 0, (origin, ref4), (location, block)),
        (0x34, 0, name, (CLOSURE_OFFSET, UDATA), (location, block), (kind, ref4)),
        (0x2E, 1, name),
        (0x34, 0, name, (kind, ref4)),
        (0x13, 1, name, (GO_KIND, DATA1), (SIZE, DATA1)),
        (0x0D, 0, name, (0x38, UDATA), (kind, ref4)),
    )
    abbrev = b"".join(varint(number) + varint(tag) + bytes([children])
                      + b"".join(varint(a) + varint(f) for a, f in attributes) + b"\0\0"
                      for number, (tag, children, *attributes) in enumerate(table, 1)) + b"\0"

    def expression(data):
        return varint(len(data)) + data

    fbreg = b"\x91\x78"  # 8 bytes below the end of the frame
    parts = fbreg + b"\x93\x08" + b"\x93\x08" + b"\x91\x60\x93\x08"
    for version in (4, 5):
        head = struct.pack("<HIB", 4, 0, 8) if version == 4 else struct.pack("<HBBI", 5, 1, 8, 0)
        info = bytearray(4) + head

        def add(die):
            at = len(info)
            info.extend(die)
            return struct.pack("<I", at)

        add(b"\1main\0\x16" + struct.pack("<Q", 0x1000))
        pointer = add(b"\2*main.T\0" + struct.pack("<I", 0) + b"\x16" + struct.pack("<Q", 0x40))
        array = add(b"\3[3]*main.T\0" + pointer + b"\x11\x18")
        made = add(b"\x0dmain.local\0\x19\x18")
        add(b"\x0ep\0\0" + pointer + b"\x0eq\0\x08" + array + b"\0")
        add(b"\4main.v\0" + expression(b"\3" + struct.pack("<Q", 0x8010)) + made)
        inlined = add(b"\x0bmain.inlined\0")
        argument = add(b"\x0cargument\0" + pointer)
        add(b"\0\5main.f\0" + struct.pack("<QH", 0x1000, 16) + expression(b"\x9c"))
        add(b"\4&moved\0" + expression(b"\x9c") + pointer)
        add(b"\4parts\0" + expression(parts) + array)
        add(b"\6listed\0" + struct.pack("<I", 0 if version == 4 else 12) + array)
        add(b"\7" + struct.pack("<QH", 0x1004, 8))
        add(b"\4inner\0" + expression(fbreg) + pointer + b"\0")
        add(b"\x08" + inlined + struct.pack("<QH", 0x1002, 9))
        add(b"\x09" + argument + expression(b"\x91\x10") + b"\0")
        add(b"\x0acaptured\0\x08" + expression(b"") + pointer + b"\0\0")
        info[0:4] = struct.pack("<I", len(info) - 4)
        if version == 4:
            places = struct.pack("<QQH", 0, 12, 2) + fbreg + bytes(16)
        else:
            places = struct.pack("<IHBBI", 17, 5, 8, 0, 0) + b"\x04\0\x0c\x02" + fbreg + b"\0"
        for choices in (version - 4, version - 4 | 2):
            yield f"dwarf{version}-{choices}", (
                struct.pack("<BHH", choices, len(abbrev), len(places)) + abbrev + places + info)


def pclntab():
    for choices in (0, 1, 2, 3, 5, 9, 16, 17):
        yield f"kind-{choices}", bytes([choices])
    for modern in (0, 1):
        # Deltas of the line table, the number of pc-value tables, an entry of ftab.
        yield f"lines-{modern}", bytes([modern]) + patch_bytes(0, 264, b"\2\1\3\1\x80\1\1\0")
        yield f"tables-{modern}", bytes([modern]) + patch_bytes(0, 564, b"\1\0\0\0")
        yield f"entry-{modern}", bytes([modern]) + patch_add(0, 520, 1)
        yield f"tree-{modern}", bytes([modern]) + patch_copy(0, 4096, 0, 4104)
        yield f"pcs-{modern}", bytes([modern]) + END_MARK + struct.pack("<3I", 20, 63, 1 << 31)


def binary():
    for version in range(10):
        yield f"stripped-{version}", bytes([version, 0])
        yield f"symbols-{version}", bytes([version, 2])
        yield f"arm64-{version}", bytes([version, 1])
        yield f"pie-{version}", bytes([version, 4 | 8])
    # The heap is addressed in words: g structs from 0x4000 on, stacks from 0x10000.
    second = END_MARK + patch_add(1, (0x4000 + 2 * 0x200 + 144) // 8, 1)
    yield "changes", bytes([0, 2]) + second
    frame = (0x10000 + 2 * 0x800 + 0x700) // 8
    park = patch_copy(1, frame + 1, 1, 0x4000 // 8 + 8) + patch_copy(1, (0x4400 + 96) // 8, 1, 0x4407)
    yield "frames", bytes([0, 2]) + END_MARK + park


def census():
    for version in (0, 1):
        for n in (0, 5, 23):
            head = bytes([version, n])
            yield f"unchanged-{version}-{n}", head + b"\0" + END_MARK
            yield f"slices-{version}-{n}", head + b"\1" + END_MARK
            yield f"unmapped-{version}-{n}", head + b"\6" + END_MARK + b"\x08" + END_MARK
            # Words of the heap: sched.sp, atomicstatus, goid of the second g.
            size = 480 if version == 0 else 416
            yield f"sp-{version}-{n}", head + b"\0" + patch_add(0, size + 56, -8)
            yield f"status-{version}-{n}", head + b"\0" + patch_bytes(0, size + 144, b"\3")
            yield f"goid-{version}-{n}", head + b"\0" + patch_bytes(0, size + 152, b"\x63")
            yield f"length-{version}-{n}", head + b"\0" + patch_add(2, 8, 1) + patch_add(3, 0, 8)


def heap():
    for minor in range(10):
        yield f"version-{minor}", bytes([minor, 0]) + END_MARK + END_MARK
        yield f"all-{minor}", bytes([minor, 0xF]) + END_MARK + END_MARK
        yield f"holders-{minor}", bytes([minor, 0x1C]) + END_MARK + END_MARK
    yield "changed", bytes([8, 1]) + END_MARK + patch_add(1, 4 * 256 + 98, 2) + END_MARK
    yield "list", bytes([2, 0]) + patch_fill(7, 8, 2, 0x41) + END_MARK
    yield "special", bytes([9, 2]) + patch_copy(4, 0, 4, 8) + END_MARK
    yield "while read", bytes([8, 1]) + END_MARK * 4 + patch_copy(1, 4 * 256 + 8, 1, 8) + END_MARK * 9 + \
        patch_fill(2, 64, 32, 0xC0) + END_MARK
    yield "pages", bytes([4, 12]) + patch_fill(0, 512, 64, 0xC0) + END_MARK


def stack_scan():
    registers = struct.pack("<6H", 10, 20, 0, 0, 0, 100) * 3
    for choices in range(16):
        yield f"choices-{choices}", bytes([choices, choices]) + END_MARK + registers
    yield "sizes", bytes([1, 8]) + patch_fill(0, 256 + 96, 2, 0x41) + END_MARK + registers
    yield "maps", bytes([1, 8]) + patch_fill(0, 4096, 16, 0xFF) + END_MARK + registers


def types():
    for minor in range(10):
        yield f"version-{minor}", bytes([minor]) + END_MARK
        yield f"circle-{minor}", bytes([minor]) + patch_copy(0, 304, 0, 248) + END_MARK
    yield "fields", bytes([8]) + patch_fill(0, 1024, 64, 0x41) + END_MARK


def samples():
    for minor in range(10):
        yield f"version-{minor}", bytes([minor, 0]) + END_MARK + END_MARK
        yield f"unswept-{minor}", bytes([minor, 7]) + END_MARK + END_MARK
    yield "stack", bytes([8, 1]) + patch_fill(0, 40, 1, 0x04) + END_MARK
    yield "cycle", bytes([9, 0]) + patch_copy(0, 8, 5, 40) + END_MARK
    yield "bucket", bytes([8, 2]) + patch_copy(1, 24, 1, 88) + patch_add(1, 152, 8) + END_MARK
    yield "swept", bytes([6, 2]) + END_MARK + patch_fill(9, 0, 1, 0x66) + END_MARK


def tracker():
    created, exited, parked, seen, unchanged, turn, lost, mode = range(8)

    def op(operation, goroutine, *rest):
        return bytes([operation << 5 | goroutine, *rest])

    begin, end = op(turn, 0, 1), op(turn, 0, 2)
    lives = b"".join(op(created, g, g, 3) + op(parked, g, 14, 1) for g in range(6))
    sights = b"".join(op(seen, g, 2 | g << 3, g << 4, 1) for g in range(4))
    for choices in range(8):
        head = bytes([choices])
        yield f"events-{choices}", head + lives + op(exited, 2, 1) + op(exited, 40 % 32, 1)
        yield f"censuses-{choices}", head + begin + sights + end + begin + op(unchanged, 1, 1) + end
        yield f"both-{choices}", head + lives + begin + sights + op(exited, 1, 0) + end
        yield f"losses-{choices}", head + lives + op(lost, 3, 5) + begin + sights + end + lives
        yield f"modes-{choices}", head + op(mode, 0, 1) + lives + op(mode, 1, 1) + begin + end


def unwind():
    regs = struct.pack("<HHHH", 16, 256, 272, 32)
    deltas = struct.pack("<4h", 24, 0, 8, 200)
    chain = struct.pack("<4Q", 0, 0, 0xC000100000 + 304, 0x401100) + struct.pack("<2Q", 0, 0x401200)
    for choices in (0, 1, 2, 3, 5):
        head = bytes([choices, 50]) + regs + b"\0" + deltas + struct.pack("<H", 4096)
        yield f"chain-{choices}", head + chain
    whole = struct.pack("<4Q", 0x401010, 0xC000100000, 0xC000100010, 0)
    yield "anywhere", bytes([9, 50]) + whole + b"\0" + deltas + struct.pack(
        "<2Q", 0xC000100000, 0xC000101000) + chain


def events():
    for kind in (1, 2, 3, 4):
        head = struct.pack("<BBHIQQ", kind, 14, 0, 1234, 10**12, 77)
        yield f"head-{kind}", head
        yield f"create-{kind}", head + struct.pack("<3Q", 1, 0x401234, 0x401500)
    for kind, n_pcs in ((0, 1), (1, 48), (2, 3), (3, 3), (1, 49)):
        yield f"alloc-{kind}-{n_pcs}", struct.pack("<HBBIQQ", 5, kind, n_pcs, 1234, 10**12, 77) + (
            struct.pack("<6Q", 0x401234, 0x401500, 0xC000, 0xC000100000, 64, 0x480000)
            + struct.pack("<48Q", 0x401300, 0x401300, *range(0x401302, 0x401330)))


def code():
    # cmp rsp,[r14+16]; jbe; push rbp; mov rbp,rsp; sub rsp,32; mov [rsp+8],rax; call; mov; ret
    amd64 = bytes.fromhex("493b6610 762a 55 4889e5 4883ec20 4889442408 e810000000 488b5c2408"
                          "488d0544332211 4883c420 5d c3 0f1f440000 ebd0".replace(" ", ""))
    # ldr x16,[x28,16]; cmp sp,x16; b.ls; str x30,[sp,-32]!; adrp x0; add x0; ldr x1,[x0]; bl; ret
    arm64 = struct.pack("<9I", 0xF9400B90, 0xEB3063FF, 0x54000109, 0xF81E0FFE, 0x90000000,
                        0x91002000, 0xF9400401, 0x94000004, 0xD65F03C0)
    for choices in (0, 2, 4, 8):
        yield f"amd64-{choices}", bytes([choices]) + amd64
        yield f"arm64-{choices}", bytes([choices | 1]) + arm64
    yield "nops", b"\0" + b"\x90" * 40


def lock_code():
    head = bytes([4, 8, 16, *range(1, 5)])
    calls = b"".join(b"\xe8" + struct.pack("<i", to - at - 5) for at, to in ((0, 16), (5, 32), (10, 64)))
    branches = struct.pack("<3I", 0x94000004, 0x94000007, 0x9400000E)
    yield "amd64", b"\0" + head + calls + b"\x90" * 9
    yield "arm64", b"\1" + head + branches + b"\x90" * 9
    yield "cut", b"\0" + head + calls[:-1]


def wait_objects():
    for version in range(5):
        for which in range(6):
            head = bytes([version, which, 13, version & 1])
            yield f"whole-{version}-{which}", head
            # From 0x4ed0 on: two channels, a variable, and then g structs, stacks and sudogs.
            yield f"channel-{version}-{which}", head + patch_add(0, 0x4ED0, 1)
            later = END_MARK + patch_bytes(0, 0x5200, b"\xff" * 8)
            yield f"later-{version}-{which}", head + later
            yield f"link-{version}-{which}", head + patch_copy(0, 0x5000, 0, 0x5008)


TARGETS = {f.__name__.rstrip("_"): f for f in (
    elf_image, sniff, buildinfo, dwarf, variables, pclntab, binary, census, heap, stack_scan, types,
    samples, wait_objects, unwind, tracker, events, code, lock_code, proc, options, config, utf8,
    report, list_, allow_list, state, cgroup, textfile, calibration, sockets, recording, json_report, tasks, source_tree,
    broker, trigger, go_trace,
)}


def write(target, folder):
    """Puts the seeds of @target into @folder, which is made."""
    os.makedirs(folder, exist_ok=True)
    for name, data in TARGETS[target]():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)
