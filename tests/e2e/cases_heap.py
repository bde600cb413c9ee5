# SPDX-License-Identifier: Apache-2.0
"""The heap, seen from outside: which goroutines wait for what nothing leads to any more."""

import collections
import os
import subprocess

from harness import VERSIONS, cases_for, check, check_equal
from programs import Program, start

EVERYDAY_PROGRAMS = {
    "local": Program("unreachable"),
    "local-pie-stripped": Program("unreachable", strip=True, pie=True),
}
VERSION_PROGRAMS = {
    f"go{version}{kind}": Program("unreachable", version, strip=bool(kind), pie=kind == "-pie")
    for version in ("1.18.10", "1.20.14", "1.21.13", "1.22.12", "1.24.13", "1.25.14", "1.27.1")
    for kind in ("", "-stripped")
}
# By the function that begins what waits: all of them primes that the program chose.
LOST = {
    "lostReceive.func1": 2, "lostSend.func1": 3, "lostSelect.func1": 5, "lostNil.func1": 7,
    "lostNever.func1": 11, "lostGroup.func1": 13, "lostLock.func1": 17, "lostRead.func1": 19,
    "lostCond.func1": 23, "lostPair.func1": 29, "lostPair.func2": 29, "lostArray.func1": 31,
    "lostContext.func1": 37,
}
HELD = 41  # of each kind that something leads to


def scan(t, pid, *arguments):
    """(fields of "scan", {kind of root: number}, {function: unreachable}) of tests/heap/heapscan."""
    tool = os.path.join(t.build, "tests", "heapscan")
    got = subprocess.run([tool, *arguments, str(pid)], capture_output=True, text=True, timeout=60)
    check_equal(got.returncode, 0, f"heapscan: {got.stderr}")
    fields, roots, lost = {}, {}, collections.Counter()
    for line in got.stdout.splitlines():
        first, _, rest = line.partition(" ")
        if first == "scan":
            fields = dict(item.split("=") for item in rest.split())
        elif first == "root":
            kind, _, number = rest.rpartition(" ")
            roots[kind] = int(number)
        elif first == "unreachable":
            lost[rest.split(" ", 4)[4].removeprefix("main.")] += 1
    return fields, roots, lost


def judge(t, program, *arguments):
    target = start(t, program)
    fields, roots, lost = scan(t, target.pid, *arguments)
    check_equal(fields["doubt"], "0", "doubt")
    check_equal(dict(lost), LOST, "unreachable goroutines by function")
    # Finalizers' objects are garbage: no variable leads to them, nor does a stack.
    check_equal(roots["finalizer"], HELD, "reached by a finalizer only")
    check_equal(roots["waiting goroutine"], HELD, "reached by one that waits itself only")
    check(roots["runtime"] >= 3 * HELD, f"reached by timers only: {roots['runtime']}")
    check_equal(roots["goroutine"], 2 * HELD, "reached by a stack only")
    check_equal(roots["moved"], 0, "moved")


@cases_for(EVERYDAY_PROGRAMS)
def who_waits_for_what_nobody_has(t, program):
    judge(t, program)


@cases_for(EVERYDAY_PROGRAMS)
def and_with_all_threads_stopped(t, program):
    judge(t, program, "--exact")


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def who_waits_for_what_nobody_has_in(t, program):
    judge(t, program)
