# SPDX-License-Identifier: Apache-2.0
"""What a process' memory consists of, against what its own runtime counts at the same moment."""

import json
import os
import tempfile

from harness import VERSIONS, case, cases_for, check, check_equal
from programs import Program, start
from tracer import check_schema, run

EVERYDAY_PROGRAMS = {
    "local": Program("memory"),
    "local-pie-stripped": Program("memory", strip=True, pie=True),
}
VERSION_PROGRAMS = {
    f"go{version}{kind}": Program("memory", version, strip=bool(kind), pie=kind == "-pie-stripped")
    for version in ("1.18.10", "1.22.12", "1.27.1")
    for kind in ("", "-stripped", "-pie-stripped")
}
MIB = 1 << 20
NODES, BLOCKS, GOROUTINES = 100_003, 17, 1009
PARTS = ("heap_live_bytes", "heap_dead_bytes", "heap_free_bytes", "stack_bytes", "runtime_bytes",
         "other_bytes")


def look(t, pid, *arguments):
    code, out, said = run(t, "heap", str(pid), "--json", *arguments)
    check_equal(code, 0, f"exit code; {said}")
    report = json.loads(out.splitlines()[-1])
    check_schema(report)
    check(report["final"], "the last line")
    memory = report["targets"][0]["memory"]
    check_equal(sum(memory[part] for part in PARTS),
                memory["rss_bytes"] + memory["not_resident_bytes"], f"parts of {memory}")
    return memory


def counted(target):
    names = ("alloc", "objects", "in_use", "stacks", "cycles", "live", "goal", "total",
             "mallocs", "pause", "released")
    return dict(zip(names, map(int, target.ask("counted").split()[2:])))


def near(value, wanted, slack, what):
    check(abs(value - wanted) <= slack, f"{what}: {value}, not {wanted} give or take {slack}")


def judge(t, program):
    target = start(t, program)
    target.ask(f"start {GOROUTINES}")
    target.ask(f"fill {NODES} {BLOCKS} {31 * MIB}")
    target.ask("collect")
    memory, own = look(t, target.pid), counted(target)
    # To say its figures it allocates some itself.
    near(memory["heap_live_bytes"], own["alloc"], MIB // 8, "live")
    near(memory["objects"], own["objects"], 1500, "objects")
    check(memory["objects"] > NODES + BLOCKS, f"objects: {memory}")
    near(memory["stack_bytes"], own["stacks"], MIB // 8, "stacks")
    check(memory["stack_bytes"] >= 2048 * GOROUTINES, f"stacks: {memory}")
    check_equal(memory["gc_cycles"], own["cycles"], "collections")
    near(memory["heap_dead_bytes"], 0, MIB // 8, "dead, right after a collection")
    check_equal(memory["heap_goal_bytes"], own["goal"], "goal of the next collection")
    near(memory["heap_in_use_bytes"], own["in_use"], MIB // 4, "in use")
    # The allocator's processors have some that they have not added yet.
    near(memory["allocated_bytes_total"], own["total"], MIB // 2, "allocated in all")
    near(memory["allocated_objects_total"], own["mallocs"], 5000, "objects allocated in all")
    near(memory["gc_pause_seconds_total"], own["pause"] / 1e9, 0.001, "pauses")
    near(memory["heap_released_bytes"], own["released"], MIB, "given back to the system")
    check(0 <= memory["gc_assist_seconds_last"] < 10, f"assists: {memory}")
    # But for what a host without much memory has swapped out.
    check(memory["not_resident_bytes"] < 4 * MIB, f"all is resident: {memory}")

    target.ask(f"fill 0 0 {37 * MIB}")
    memory = look(t, target.pid)
    if counted(target)["cycles"] == memory["gc_cycles"] == own["cycles"]:
        near(memory["heap_dead_bytes"], 37 * MIB, MIB // 4, "garbage")


@cases_for(EVERYDAY_PROGRAMS)
def parts_are_what_the_runtime_counts(t, program):
    judge(t, program)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def parts_are_what_the_runtime_counts_in(t, program):
    judge(t, program)


@case
def what_was_never_written_to_is_not_resident(t):
    target = start(t, Program("memory"))
    target.ask(f"reserve {211 * MIB}")
    memory = look(t, target.pid)
    near(memory["not_resident_bytes"], 211 * MIB, 4 * MIB, "not resident")
    check(memory["rss_bytes"] < 64 * MIB, f"RSS: {memory}")


@cases_for(EVERYDAY_PROGRAMS)
def after_a_peak_most_spans_are_not_in_use(t, program):
    target = start(t, program)
    target.ask("peak 60013")
    target.ask("collect")
    memory = look(t, target.pid)
    check(memory["heap_live_bytes"] < 4 * MIB, f"live: {memory}")
    check(memory["allocated_objects_total"] > 60013, f"allocated: {memory}")


@case
def the_rss_is_the_kernels(t):
    target = start(t, Program("memory"))
    target.ask(f"fill {NODES} {BLOCKS} 0")
    target.ask("collect")
    memory = look(t, target.pid)
    with open(f"/proc/{target.pid}/smaps_rollup", encoding="ascii") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("Rss:")) * 1024
    near(memory["rss_bytes"], rss, 4 * MIB, "RSS")


@case
def a_line_for_people(t):
    target = start(t, Program("memory"))
    code, out, said = run(t, "heap", "--pid", str(target.pid), "-p", str(target.pid))
    check_equal(code, 0, f"exit code; {said}")
    for word in ("RSS", "live", "dead", "free", "stacks", "runtime", "not Go's", "live objects"):
        check(word in out, f"{word!r} in {out!r}")


@case
def several_looks_within_a_time(t):
    target = start(t, Program("memory"))
    code, out, said = run(t, "heap", str(target.pid), "--json", "--duration", "5s")
    check_equal(code, 0, f"exit code; {said}")
    reports = [json.loads(line) for line in out.splitlines()]
    check(len(reports) >= 3, f"{len(reports)} reports")
    for report in reports:
        check(report["targets"][0]["memory"]["objects"] > 0, "each has looked")
    check_equal([r["final"] for r in reports], [False] * (len(reports) - 1) + [True], "final")


@case
def a_heap_beyond_our_memory_is_not_read(t):
    target = start(t, Program("memory"))
    target.ask(f"reserve {307 * MIB}")
    code, _, said = run(t, "heap", str(target.pid), "--max-memory", "16M")
    check_equal(code, 1, f"exit code; {said}")
    check("--max-memory" in said, f"advice: {said}")


@case
def ones_own_process_needs_no_privilege(t):
    """As far as the kernel allows: where Yama restricts ptrace(2), only descendants may be read."""
    if os.geteuid() != 0:
        return
    target = start(t, Program("memory"))
    code, _, said = run(t, "heap", str(target.pid), prefix=("setpriv", "--reuid=65534", "--"))
    check_equal(code, 4, f"exit code for somebody else's; {said}")


@case
def whose_heap_has_to_be_said(t):
    code, _, said = run(t, "heap")
    check_equal(code, 2, "exit code")
    check("gleakd heap" in said, f"advice: {said}")


@case
def series_are_what_the_runtime_counts(t):
    target = start(t, Program("memory", strip=True, pie=True))
    target.ask(f"start {GOROUTINES}")
    target.ask(f"fill {NODES} {BLOCKS} 0")
    target.ask("collect")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "gleakd.prom")
        code, _, said = run(t, "--pid", str(target.pid), "--once", "--textfile", path)
        check_equal(code, 0, f"exit code; {said}")
        with open(path, encoding="utf-8") as file:
            series = dict(line.split("{")[0:1] + [line.rsplit(" ", 1)[1]]
                          for line in file if line.startswith("gleakd_") and "{" in line)
    own = counted(target)
    near(int(series["gleakd_heap_live_bytes"]), own["live"], MIB // 8, "live")
    near(int(series["gleakd_stack_bytes"]), own["stacks"], MIB // 8, "stacks")
    check_equal(int(series["gleakd_gc_cycles_total"]), own["cycles"], "collections")
    check("gleakd_confirmed_goroutines" not in series, "nothing was scanned")
