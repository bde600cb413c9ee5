# SPDX-License-Identifier: Apache-2.0
"""First inputs of the fuzz targets that read what is not a Go binary's or its memory's: texts, files,
requests. See seeds.py."""

import os
import struct

from seed_bytes import patch_add, patch_bytes, patch_fill, varint

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDEN_PROC = os.path.join(HERE, "..", "golden", "proc")


def proc():
    for tree in sorted(os.listdir(GOLDEN_PROC)):
        folder = os.path.join(GOLDEN_PROC, tree)
        if not os.path.isdir(folder):
            continue
        folder = os.path.join(folder, os.listdir(folder)[0])
        exe = os.path.join(folder, "exe")
        parts = [os.fsencode(os.readlink(exe)) if os.path.islink(exe) else b""]
        for name in ("stat", "status", "maps"):
            with open(os.path.join(folder, name), "rb") as file:
                parts.append(file.read()[:1500])
        yield tree, b"\xff".join(parts)


def options():
    for i, line in enumerate((
        "--pid\n1234\n--interval=2s\n--min-age\n1m30s\n--duration\n1h\n-vv",
        "-p1\n--once\n--json\n--all\n--mode=lifecycle\n--color\nnever\n--ring-bytes=65536",
        "--help", "-V", "--intervall\n5", "1234", "--once\n--duration=0.5", "--", "--pid",
        "--json=1\n--col\nalways", "1d2h3m4s5ms6us7ns", "18446744073.709551615", "0.000000001s",
    )):
        yield f"line-{i}", line.encode()


def trigger():
    for i, text in enumerate(("runnable>100ms for 10s", "goroutines>50000", "heap_live > 2G", "leaking",
                              "stuck for 3s", "in_call>1h1m for 24h", "threads>", "resident>18446744073709551615")):
        yield f"text-{i}", text.encode()


def go_trace():
    """Two goroutines: one that goes on, one that waits; a collection, a region, the heap."""
    def batch(m, data, kind=b"\x01", generation=1):
        return kind + varint(generation) + varint(m) + varint(1000) + varint(len(data)) + data

    def event(kind, *numbers):
        return bytes([kind]) + b"".join(varint(n) for n in numbers)

    clock = batch(2**64 - 1, b"\x32" + event(8, 15625000) + event(51, 5, 64000, 1700000000, 7))
    texts = batch(2**64 - 1, b"\x04" + b"".join(event(5, i, len(text)) + text for i, text in (
        (1, b"main.work"), (2, b"chan receive"), (3, b"step"), (4, b"/src/main.go"))))
    stacks = batch(2**64 - 1, b"\x02" + event(3, 1, 1, 4198400, 1, 4, 17))
    one = event(25, 10, 1, 0, 2) + event(14, 3, 7, 1, 0) + event(42, 1, 0, 3, 0) + event(29, 2, 1, 0)
    one += event(26, 1, 3, 0) + event(27, 1) + event(30, 9, 2) + event(37, 1, 4096) + event(38, 1, 8192)
    one += event(43, 2, 0, 3, 0) + event(22, 2, 1, 0) + event(23, 4) + event(20, 3, 2, 0)
    other = event(16, 20, 7, 1) + event(19, 30, 3, 0) + event(16, 5, 7, 2) + event(21, 2, 1, 1, 0) + event(17, 9)
    whole = clock + texts + stacks + batch(0, one) + batch(1, other)
    for version in (25, 26):
        head = b"go 1.%d trace\0\0\0" % version
        yield f"whole-{version}", head + whole + (b"\x34" if version > 25 else b"")
        yield f"cut-{version}", head + whole[:-7]
        yield f"two-{version}", head + whole + batch(0, one, generation=2) + whole.replace(b"\x01\x01", b"\x01\x02")
    yield "old", b"go 1.22 trace\0\0\0" + whole
    yield "experiment", b"go 1.25 trace\0\0\0" + clock + batch(0, event(129, 3, 1, 1, 1)) + b"\x31\x01" + batch(0, b"x", b"")


def config():
    for i, text in enumerate((
        "# all of it\ninterval = 3s\nmin-age=1h1m1s5ms\nmode = census\nmax-overhead = 0.5%\n",
        "max-memory = 64M\r\nmax-targets\t=\t7\r\nmin-process-age = 0\r\nverbose = 2",
        "only = user:bob\nonly=exe:/usr/*\nexclude = a#b # c\ngroup-by = unit\njson = true\n",
        'allow = " a #b "\nstate = "\\x41\\\\ \\""#\ntextfile = x.prom\nall = false\n',
        "\xef\xbb\xbfintervall = 3\npid = 3\n[x]\nmode\nallow = \"x\nmax-self-cpu = 101%\n",
    )):
        yield f"file-{i}", text.encode("latin-1")


NAMES = (
    b"main.(*Server).handle.func1", b"gopkg.in/yaml%2ev3.(*Decoder).Decode",
    b"example.org/shop/cart.Load[...]", b"\x1b[31mred\x1b[0m\r\x07", b"\xe2\x80\xae\xf0\x9f\x98\x80",
    "世界".encode() * 30, b"\xc2\x9b2J\xed\xa0\x80\xff", b"/src/shop/cart/store.go", b"type:.eq.x",
    b"", b"a b c " * 40, b"e\xcc\x81" * 9,
)


def utf8():
    for i, name in enumerate(NAMES):
        yield f"name-{i}", bytes([8 + 6 * i]) + name


def report():
    for i in range(6):
        numbers = bytes((7 * i + 11 * k) % 256 if k % 3 else i for k in range(60))
        yield f"names-{i}", bytes([i]) + b"\n".join(NAMES[i:] + NAMES[:i])
        yield f"numbers-{i}", bytes([i]) + numbers.replace(b"\n", b".") + b"\n" + b"\n".join(NAMES)


def list_():
    for i in range(8):
        yield f"names-{i}", bytes([i]) + b"\n".join(NAMES[i:] + NAMES[:i])


def allow_list():
    names = (b"main.(*Server).run\n/src/shop/jobs/pump.go\nexample.org/shop/cart.Load[...]\n"
             b"cart/load.go\nmain.main\n/src/main.go\nmain.serve.func1\n")
    for i, (pattern, text) in enumerate((
        (b"3fa9", b"# known\n\nmain.* one per tenant (OPS-211)\npump.go:4? tests # see\n"),
        (b"*.Load[...]", b"\xef\xbb\xbf*.Load[...] bom\r\nmain.main\tcaf\xe9\r\n"),
        (b"*a*b*c*d*e*f*g*h*", b"a*b*c*d*e*f*g*h*i* stars\n"), (b"[!a-z]*", b"main.main\n"),
        (b"\\m[[:alpha:]]*", b"a\0b c\n"), (b"jobs/*:42", b"x" * 520 + b" long\n"),
    )):
        yield f"list-{i}", names + pattern + b"\xff" + text


def state():
    for choices in (0, 2):
        yield f"as-it-is-{choices}", bytes([choices])
        for at in (1, 12, 20, 60, 90, 200):
            yield f"plus-{choices}-{at}", bytes([choices]) + patch_add(0, at, 1)
            yield f"high-{choices}-{at}", bytes([choices]) + patch_bytes(0, at, b"\xff\xff\x7f")
        yield f"head-{choices}", bytes([choices]) + patch_add(1, 8, 1)
        yield f"boot-{choices}", bytes([choices]) + patch_add(1, 24, 1)
    process = bytes([1, 1]) + varint(777) + bytes(6)
    yield "nothing", bytes([1, 0])
    yield "process", bytes([1]) + process + bytes([0, 0, 0])
    yield "clock", bytes([1]) + process + bytes([2, 5, 5, 1, 1, 0, 0])
    yield "site", bytes([1]) + process + bytes([0, 0, 2]) + bytes(60) + b"\0"
    held = bytes([4]) + varint(4242) + varint(777) + varint(65534) + varint(300)
    yield "quarantined", bytes([1]) + held * 2 + process + bytes([0, 0, 0])
    yield "quarantined-late", bytes([1]) + process + bytes([0, 0]) + held + b"\0"
    yield "history", bytes([1]) + process + bytes([0, 1, 1, 9]) + bytes(6 + 3 + 21) + b"\0"


def cgroup():
    i, u = "3f4ab8c0d1e2f304" * 4, "6c6c9d3e_0b1a_4f55_8c1d_1f2e3d4c5b6a"
    for n, path in enumerate((
        f"/system.slice/docker-{i}.scope", f"/kubepods/pod{u.replace('_', '-')}/{i}",
        f"/kubepods.slice/kubepods-pod{u}.slice/cri-containerd-{i}.scope",
        f"/system.slice/containerd.service/kubepods-pod{u}.slice:cri-containerd:{i}",
        "/user.slice/user@1000.service/_cpu.service (deleted)", "/lxc.payload.w/payload/a.service",
    )):
        yield f"line-{n}", f"1:name=systemd:/\n0::{path}\n".encode()


def calibration():
    head = ("gleakd calibration 1\nbuild 0.1.0 0123456789ab\n"
            "boot 6c6c9d3e-0b1a-4f55-8c1d-1f2e3d4c5b6a\nkernel 6.18.44-amd64 #1 SMP\n")
    kinds = "call 503\njump 461\nbranch 467\npush 0\nsingle-step 17389\n"
    for n, text in enumerate((f"made 7\n{kinds}cold 210\n", "made 0\ncall 1\n",
                              f"made 9999999999999\n{kinds}cold 0\n")):
        yield f"text-{n}", (head + text).encode()


def textfile():
    for i in range(8):
        numbers = bytes((i * 37 + k * 61) % 256 for k in range(400)).replace(b"\n", b".")
        yield f"names-{i}", numbers[:50 * i] + b"\n" + b"\n".join(NAMES[i:] + NAMES[:i])


def sockets():
    def row(local, remote, state, inode):
        return f"   0: {local} {remote} {state} 0:0 00:0 0  1000 0 {inode} 1 0 20 4 30 10 -1\n"

    here, there, nobody = "0100007F", "0500000A", "00000000:0000"
    mapped = "0000000000000000FFFF0000"
    tcp = "titles\n" + row(f"{here}:1F90", nobody, "0A", 11) + row(
        f"{here}:1F90", f"{there}:C001", "01", 12) + row(f"{here}:9001", f"{there}:0016", "08", 13)
    tcp6 = "titles\n" + row(f"{mapped}{here}:1F90", f"{mapped}{here}:9001", "01", 12)
    udp = "titles\n" + row(f"{here}:9001", f"{there}:0035", "01", 11)
    unix = "titles\n0: 3 0 10000 0001 01 12 /run/app.sock\n0: 3 0 0 0001 03 13 @app\n"
    for n, tables in enumerate(((tcp, tcp6, udp, udp, unix), (tcp,), ("", tcp6, "", "", unix))):
        yield f"tables-{n}", b"\xff".join(table.encode() for table in tables)


def tasks():
    def process(pid, parent, state, numbers, threads=1):
        return (f"{pid} (a) Z 1 (b) {state} {parent} 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 {threads} 0 100 0 0 0\n",
                f"Name:\ta\\nNSpid:\t1\nState:\t{state} (x)\nTracerPid:\t79\nNSpid:\t{numbers}\n"
                f"Threads:\t{threads}\nvoluntary_ctxt_switches:\t13\nnonvoluntary_ctxt_switches:\t7\n")

    stat, status = process(77, 1, "t", "77\t7", 4)
    child_stat, child_status = process(80, 77, "Z", "80\t30")
    _, thread = process(79, 1, "S", "79\t7")
    mounts = ("22 1 0:21 / /proc rw - proc proc rw\n24 22 0:45 / /home/joe/far\\040away rw,nosuid shared:5 - "
              "fuse.sshfs joe@there: rw\n")
    cpu = "cpu  1 2 3 4 5 6 7 1009 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
    rest = ("0::/shop\n5:freezer:/shop\n", "populated 1\nfrozen 1\n", "FROZEN\n", mounts, cpu)
    for name, call in (("in-a-call", "7 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffe 0x4711\n"), ("runs", "running\n"),
                       ("blocked", "-1 0x7ffe 0x4711\n")):
        parts = (status, child_stat, child_status, stat, call, thread, "13 1009 3\n", "gdb\n", *rest)
        yield name, b"\xff".join(part.encode() for part in parts)


def source_tree():
    text = b"package shop\n\nfunc (s *shop) quote() {\n\tch <- 1\r\n}\n"
    for name, line, function, path in (
            ("line", 4, b"example.com/x/shop.(*shop).quote.func1", b"/home/ci/work/shop/quote.go"),
            ("last", 5, b"shop.init.0", b"shop/quote.go"), ("other", 1, b"main.serve", b"shop/link.go"),
            ("out", 1, b"main.init", b"shop/../other.txt")):
        yield name, struct.pack("<H", line) + function + b"\0" + path + b"\0" + text


def recording():
    yield "as-it-is", b""
    # Header of the file, then pages of 1 KiB: schema, tables.
    for at in (16, 18, 24, 28, 44, 56, 60, 68, 92, 100, 103, 105, 108):
        yield f"head-{at}", patch_add(0, at, 1)
    for page in range(1, 40):
        yield f"page-{page}", patch_add(0, page * 1024, 1)
        yield f"cells-{page}", patch_bytes(0, page * 1024 + 3, b"\xff\xff")
        yield f"end-{page}", patch_fill(0, page * 1024 + 960, 8, 0xFF)


def json_report():
    for name in ("leaks", "hostile"):
        with open(os.path.join(GOLDEN_PROC, "..", "output", f"{name}.json"), "rb") as file:
            yield name, file.read()
    yield "heap", (
        b'{"schema_version": 1, "time": "2026-01-02T03:04:05.678Z", "targets": [{"pid": 7, "memory":'
        b' {"rss_bytes": 5, "source_missing": null}, "types": [{"type": "a", "known": true}],'
        b' "holders": [{"path": "a", "depth": 0}, {"path": "a.b", "depth": 1}], "growing": [{"path":'
        b' "a"}], "alloc_sites": [{"id": "0123", "why": ["x"], "held_by": ["y"], "stack": [{}]}],'
        b' "asked": {}, "paths": [{"root": {"kind": "global"}, "steps": [{"address": "0x7"}],'
        b' "contexts": [{"children": 3}]}], "goroutine_list": [{"goid": 3, "labels": {"a": "b"},'
        b' "stack": [{"function": "f"}]}]}]}\n')


def broker():
    """Requests (user/broker/protocol.h): numbers first, the text's size and the text at the end."""
    def request(op, pid, text=b"", size=0):
        head = struct.pack("<IIiIQQ", op, 0, pid, 0, size, 0)
        return head.ljust(72, b"\0") + struct.pack("<I", len(text)) + text

    for op, path in enumerate((b"/proc/17/exe", b"/proc/17/root\0/srv/app", b"/proc/17/stat",
                               b"/proc/17/fd/3", b"/proc/17/exe", b"/proc/17/task", b"/allow",
                               b"/state")):
        yield f"file-{op}", request(op, 0, path + b"\0")
    for op in range(8, 32):
        yield f"process-{op}", request(op, 17, size=4096)
    yield "text", request(29, 0, b"STATUS=watching\0")
    yield "ranges", struct.pack("<QQQQ", 0xC000000000, 4096, 0xC000002000, 1 << 20)
