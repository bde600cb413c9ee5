# SPDX-License-Identifier: Apache-2.0
"""A past for goroutines that have just begun to wait.

The runtime's GC notes in g.waitsince since when a goroutine waits (src/runtime/mgcmark.go). Here it
is written from outside, into goroutines that wait and will go on waiting, so that what a process
looks like after half an hour can be looked at after a second. Where each field is stands in
data/go-layout.tsv.
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


def _allgs(path):
    said = subprocess.run([go_command(), "tool", "nm", path], capture_output=True, text=True)
    found = re.search(r"^ *([0-9a-f]+) \w runtime\.allgs$", said.stdout, re.M)
    check(found, f"no runtime.allgs in {path}: {said.stderr.strip()}")
    return int(found.group(1), 16)


class Past:
    """The goroutines of one target; the program has to be built without strip and without pie."""

    def __init__(self, case, program, target):
        if os.geteuid() != 0:
            raise Skip("root")
        self.target = target
        self.layout = _layout(go_version(program.go).split(".")[1])
        self.allgs = _allgs(program.path)
        self.memory = open(f"/proc/{target.pid}/mem", "r+b", 0)
        case.defer(self.memory.close)

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

    def waited(self, goroutines, seconds):
        """They have waited for so many seconds each."""
        now = _monotonic_ns(self.target.pid)
        for g, ago in zip(goroutines, seconds):
            self.memory.seek(g + int(self.layout["g_waitsince"]))
            self.memory.write(struct.pack("<q", now - int(ago * 1e9)))

    def one_by_one(self, goroutines, first, last=0):
        """They came at even distances, the first so many seconds ago, and the last."""
        step = (first - last) / len(goroutines)
        self.waited(goroutines, [first - i * step for i in range(len(goroutines))])
