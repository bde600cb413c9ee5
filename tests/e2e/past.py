# SPDX-License-Identifier: Apache-2.0
"""A past for goroutines that have just begun to wait.

The runtime's GC notes in g.waitsince when the collection before the one that found a goroutine waiting
ended (src/runtime/mgcmark.go), and in memstats when the last ones did. Here both are written from outside,
into goroutines that wait and will go on waiting, so that what a process looks like after half an hour can
be looked at after a second. Where each field is stands in data/go-layout.tsv.
"""

import csv
import os
import re
import struct
import subprocess
import time

from faults import in_time_namespace
from harness import ROOT, Skip, check
from programs import Target, go_command, go_version, start

WAITING = 4  # src/runtime/runtime2.go _Gwaiting
LONGEST = 2 * 3600
BETWEEN = 2  # seconds between two collections
KEPT = 200  # collections; src/runtime/mstats.go has room for 256


def start_with_a_past(case, program):
    """A target whose clock has run for longer than any past; the host may just have been started."""
    if time.monotonic() > LONGEST:
        return start(case, program)
    prefix = in_time_namespace("--monotonic", str(LONGEST))
    target = Target(case, [*prefix, program.build()])
    target.answer("ready")
    return target


def _monotonic_ns(pid):
    """What the clock of a process shows."""
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    with open(f"/proc/{pid}/timens_offsets", encoding="ascii") as file:
        for name, seconds, ns in map(str.split, file):
            if name == "monotonic":
                return now + int(seconds) * 10**9 + int(ns)
    raise Skip("time namespaces")


def _layout(minor):
    with open(os.path.join(ROOT, "data", "go-layout.tsv"), encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["minor"] == str(minor):
                return row
    raise Skip(f"a layout of Go 1.{minor}")


def _variables(path, *names):
    said = subprocess.run([go_command(), "tool", "nm", path], capture_output=True, text=True)
    found = {name: int(address, 16) for address, name in
             re.findall(r"^ *([0-9a-f]+) \w (runtime\.\w+)$", said.stdout, re.M)}
    missing = [name for name in names if name not in found]
    check(not missing, f"no {missing} in {path}: {said.stderr.strip()}")
    return [found[name] for name in names]


class Past:
    """The goroutines of one target; the program has to be built without strip and without pie."""

    def __init__(self, case, program, target):
        if os.geteuid() != 0:
            raise Skip("root")
        self.target = target
        self.layout = _layout(go_version(program.go).split(".")[1])
        self.allgs, self.memstats = _variables(program.path, "runtime.allgs", "runtime.memstats")
        self.memory = open(f"/proc/{target.pid}/mem", "r+b", 0)
        case.defer(self.memory.close)
        self.ends, self.kept = set(), False  # of collections, seconds ago; whether there were so many

    def _read(self, address, form):
        self.memory.seek(address)
        return struct.unpack(form, self.memory.read(struct.calcsize(form)))

    def _field(self, g, name, form="<Q"):
        return self._read(g + int(self.layout["g_" + name]), form)[0]

    def _goroutines(self):
        """{goid: address of its g} of those that exist."""
        first, number = self._read(self.allgs, "<QQ")
        every = self._read(first, f"<{number}Q")
        return {self._field(g, "goid"): g for g in every
                if self._field(g, "atomicstatus", "<I") not in (0, 6)}

    def spawn(self, kind, number, each=1):
        """@number more of a kind, @each goroutines of which wait in the end; oldest first."""
        before = set(self._goroutines())
        self.target.ask(f"{kind} {number}")
        end = time.monotonic() + 20
        while True:
            now = self._goroutines()
            new = sorted((goid, g) for goid, g in now.items() if goid not in before)
            waiting = [g for _, g in new if self._field(g, "atomicstatus", "<I") == WAITING]
            if len(new) == len(waiting) == number * each:
                return waiting
            check(time.monotonic() < end, f"{len(waiting)} of {len(new)} wait, not {number * each}")

    def _write(self, address, form, value):
        self.memory.seek(address)
        self.memory.write(struct.pack(form, value))

    def waited(self, goroutines, seconds):
        """So many seconds ago the collection ended that came before they waited; the next one found them."""
        if not self.kept:
            self.target.ask(f"collect {KEPT}")
        self.kept = True
        now = _monotonic_ns(self.target.pid)
        for g, ago in zip(goroutines, seconds):
            self._write(g + int(self.layout["g_waitsince"]), "<q", now - int(ago * 1e9))
        self.ends |= {*seconds, *(ago - BETWEEN for ago in seconds)}
        self._collected(now)

    def _stat(self, name):
        return self.memstats + int(self.layout["mstats_" + name])

    def _collected(self, now):
        """The runtime remembers a number of collections: some of those there were, and the last."""
        last_ns, = self._read(self._stat("last_gc_nanotime"), "<q")
        last_unix, = self._read(self._stat("last_gc_unix"), "<q")
        cycles, = self._read(self._stat("numgc"), "<I")
        ends = sorted(ago for ago in self.ends if now - int(ago * 1e9) < last_ns)
        ends = [ends[i * len(ends) // (KEPT - 1)] for i in range(KEPT - 1)]  # the latest first
        for i, ago in enumerate(ends):
            at = self._stat("pause_end") + (cycles - 2 - i) % 256 * 8
            self._write(at, "<q", last_unix - last_ns + now - int(ago * 1e9))

    def one_by_one(self, goroutines, first, last=0):
        """They came at even distances, the first so many seconds ago, and the last."""
        step = (first - last) / len(goroutines)
        self.waited(goroutines, [first - i * step for i in range(len(goroutines))])
