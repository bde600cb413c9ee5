# SPDX-License-Identifier: Apache-2.0
"""Execution traces of Go on the same clock as a recording: whose they are, and how far the two are apart."""

import os
import re
import statistics
import subprocess

from cases_record import SCHEDULING, Recording, packets
from faults import in_time_namespace
from harness import VERSIONS, Skip, case, cases_for, check, check_equal
from programs import Program, Target, go_command
from tracer import run

TRACED_IN = {f"go{version}": Program("scheduling", version) for version in ("1.25.7", "1.27.1")}
REGIONS = 2  # each collects garbage, and traces of that are long
BRIEF = 101


def go_tool_trace(path):
    """What Go itself reads in an execution trace: a line for each event."""
    made = subprocess.run([go_command(), "tool", "trace", "-d=parsed", path], capture_output=True, text=True,
                          check=False)
    check_equal(made.returncode, 0, made.stderr)
    return made.stdout.splitlines()


def trace_itself(t, target):
    """The path of an execution trace that a program has made of its work."""
    traced = os.path.join(t.directory(), "trace.out")
    for command in (f"trace {traced}", f"regions {REGIONS}", f"brief {BRIEF}", "untrace"):
        target.ask(command)
    return traced


def transitions(lines, states, ahead):
    """{goid: [when]} of goroutines that change from one state to another, by a trace."""
    found = {}
    for line in lines:
        seen = states in line and re.search(rf" Time=(\d+) GoID=(\d+) {states} ", line)
        if seen:
            found.setdefault(int(seen[2]), []).append(int(seen[1]) - ahead)
    return found


def apart(recording, lines, ahead):
    """How many ns later than by the trace gleakd saw that goroutines began, and that they parked."""
    began = transitions(lines, "NotExist->Runnable", ahead)
    parked = transitions(lines, "Running->Waiting", ahead)
    births = [begin - began[goid][0] for goid, begin in
              recording.ask("SELECT goid, begin_ns FROM goroutines WHERE created") if goid in began]
    parks = [min((begin - when for when in parked[goid]), key=abs) for goid, begin in
             recording.ask("SELECT goid, begin_ns FROM parks") if goid in parked]
    return births, parks


def laid_over(t, program, prefix=(), ahead=0):
    """`ahead`: ns that the program's clock is before the host's."""
    target = Target(t, [*prefix, program.build()])
    target.answer("ready")
    recording = Recording(t, target, "--min-park", "1ms")
    recording.until("the first report", "SELECT count(*) FROM report")
    traced = trace_itself(t, target)
    code, said = recording.finish()
    check_equal(code, 0, said)
    path = recording.path + ".pftrace"
    code, _, err = run(t, "report", recording.path, "-f", "perfetto", "--with-trace", traced, "-o", path)
    check_equal((code, err), (0, ""), "report")
    with open(path, "rb") as file:
        found = list(packets(file.read()))
    lines = go_tool_trace(traced)
    begins = [line for line in lines if "RegionBegin" in line and '"step"' in line]
    check_equal(len(begins), REGIONS, "regions by Go")
    check_equal(sum(b"\x04step" in p for p in found), REGIONS, "regions")
    starts = sum(bool(re.search(r" GoID=\d+ \w+->Running ", line)) for line in lines)
    shown = sum(b"\x07running" in p for p in found)
    # Those that lasted less than the clock tells are not drawn.
    check(0.9 * starts <= shown <= starts, f"{shown} of {starts} times that a goroutine ran")
    collections = sum("RangeBegin" in line and "GC concurrent mark phase" in line for line in lines)
    check_equal(sum(b"\x02GC" in p for p in found) >= collections >= REGIONS, True, "collections")
    # Both saw the goroutine begin, each with its own eyes.
    goid = re.search(r" G=(\d+) ", begins[0]).group(1)
    check(any(f"goroutine {goid} main.obey".encode() in p for p in found), f"goroutine {goid}")
    births, parks = apart(recording, lines, ahead)
    check(len(births) >= BRIEF and len(parks) >= BRIEF, f"in both: {len(births)} births, {len(parks)} parks")
    for name, late in (("births", births), ("parks", parks)):
        middle = statistics.median(late)
        t.note(f"{len(late)} {name}: in the middle {middle / 1e3:.1f} µs after the trace, "
               f"{min(late) / 1e3:.1f} to {max(late) / 1e3:.1f}")
        check(abs(middle) < 1e6, f"{name}: {late}")


@case
def an_execution_trace_of_go_on_the_same_clock(t):
    if SCHEDULING.minor() < 25:
        raise Skip("Go 1.25")
    laid_over(t, SCHEDULING)


@cases_for(TRACED_IN, tier=VERSIONS)
def an_execution_trace_on_the_same_clock_of(t, program):
    laid_over(t, program)


@case
def an_execution_trace_with_a_clock_of_its_own(t):
    if SCHEDULING.minor() < 25:
        raise Skip("Go 1.25")
    laid_over(t, SCHEDULING, in_time_namespace("--monotonic", "50021"), ahead=50021 * 10**9)


@case
def an_execution_trace_of_another_process(t):
    """Both run the same code at the same time: its goroutines have the same numbers."""
    if SCHEDULING.minor() < 25:
        raise Skip("Go 1.25")
    recorded_one, other = (Target(t, [SCHEDULING.build()]) for _ in range(2))
    for target in (recorded_one, other):
        target.answer("ready")
    recording = Recording(t, recorded_one)
    recording.until("the first report", "SELECT count(*) FROM report")
    traced = [trace_itself(t, target) for target in (recorded_one, other)]
    code, said = recording.finish()
    check_equal(code, 0, said)
    path = recording.path + ".pftrace"
    code, _, err = run(t, "report", recording.path, "-f", "perfetto", "--with-trace", traced[1], "-o", path)
    check_equal((code, os.path.exists(path)), (1, False), err)
    check("another process" in err, err)
    code, _, err = run(t, "report", recording.path, "-f", "perfetto", "--with-trace", traced[0], "-o", path)
    check_equal((code, err), (0, ""), "its own")
