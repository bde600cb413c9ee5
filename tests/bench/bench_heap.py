# SPDX-License-Identifier: Apache-2.0
"""Looking at a heap: what racing scans and a picture take per gigabyte that may hold pointers, what
the target notices, and the runtime's own goroutineleak profile of the same process beside it.

The heap is one of random order, in which nearly each pointer leads to memory that is in no cache.
Scans follow each other without a pause, which gleakd never does: what the target notices of one.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import time

from harness import Skip, check
from programs import Program, Target
from tracer import binary
from tracers import Shares, ratios, undisturbed

BALLAST = Program("ballast", "1.27.1")  # the first that has the profile without an experiment
SIZES = (100, 1000, 4000)  # megabytes
GOROUTINES, LEAKED = 110_000, 10_000
BYTES_PER_MEGABYTE = 2.6e6  # of memory, with what the collector lets a heap grow by
STACKS_BYTES = 400e6
SECONDS = 6
WATCH_SECONDS = 60  # the first minute, in which gleakd reads the program, and there is a scan or two
ALONE_SECONDS = 20  # at most, before and after each
TURNS = 4
# Goals, per gigabyte (1e9 bytes) of spans that may hold pointers.
CPU_GOAL, STOP_GOAL_MS, STOP_SOFT_DIRTY_MS = 1.0, 250, 10
MEMORY_BASE, MEMORY_SHARE = 64e6, 0.03


def heapscan(case):
    path = os.path.join(case.build, "tests", "heapscan")
    if not os.path.exists(path):
        raise Skip("build/tests/heapscan (make tested)")
    return path


def fields(text, word):
    """The numbers of each line that begins with that word."""
    return [{name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+)", line)}
            for line in text.splitlines() if line.startswith(word + " ")]


def answer(target, command, seconds=120):
    target.send(command)
    return target.answer("", seconds)


def window(target, seconds, scanner=None):
    watched = {"target": target.pid}
    if scanner:
        watched["scanner"] = scanner.pid
    answer(target, "window")
    shares = Shares(watched)
    time.sleep(seconds)
    _, others = shares.end()
    found = json.loads(answer(target, "window"))
    check(found["ops"], "the target did nothing")
    return dict(rate=found["ops"] / found["seconds"], p99=found["p99_us"],
                longest=found["longest_us"], others_share=others)


def while_scanned(case, target, seconds):
    scanner = subprocess.Popen([heapscan(case), str(target.pid), "1000"],
                               stdout=subprocess.DEVNULL)
    case.defer(scanner.kill)
    try:
        return window(target, seconds, scanner)
    finally:
        scanner.kill()
        scanner.wait()


def while_watched(case, target, seconds):
    """With gleakd's defaults: probes as far as they are worth it, censuses, scans within its budget."""
    watcher = subprocess.Popen([binary(case), "--pid", str(target.pid), "--json"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    case.defer(watcher.kill)
    try:
        return window(target, seconds, watcher)
    finally:
        watcher.terminate()
        watcher.wait()


def noticed(case, results, options, label, target, what, beside, seconds):
    """What the target's own work loses while `beside` runs."""
    seconds, turns = (1, 1) if options.quick else (seconds, TURNS)
    window(target, 1)
    alone = min(seconds, ALONE_SECONDS)
    found, before = [], window(target, alone)
    for _ in range(turns):
        steady = beside(case, target, seconds)
        after = window(target, alone)
        found.append(dict(around=[before, after], steady=steady))
        before = after
    kept = undisturbed(results, label, found)
    for field, name, goal in (("rate", "operations/s", dict(at_least=0.98)),
                              ("p99", "p99", dict(at_most=1.1))):
        middle, least, most = ratios([(t["steady"][field], [u[field] for u in t["around"]])
                                      for t in kept])
        results.add(f"{label}: while {what}: {name}", middle, "× alone", spread=(least, most),
                    **goal)
    return found


def racing(case, results, label, target):
    """Scans while the target runs; (their lines, gigabytes that may hold pointers)."""
    said = subprocess.run([heapscan(case), str(target.pid), "3"], capture_output=True, text=True,
                          timeout=900)
    check(said.returncode == 0, said.stderr)
    scans, spans = fields(said.stdout, "scan"), fields(said.stdout, "spans")
    size = statistics.median(s["scannable"] for s in spans) / 1e9
    results.add(f"{label}: may hold pointers", size, "GB")
    results.add(f"{label}: racing scan: CPU", statistics.median(s["cpu_ms"] for s in scans)
                / 1000 / size, "s/GB", at_most=CPU_GOAL)
    results.add(f"{label}: racing scan: wall", statistics.median(s["ms"] for s in scans) / 1000
                / size, "s/GB")
    memory = max(s["rss_kb"] for s in scans) * 1024
    results.add(f"{label}: racing scan: memory of ours", memory / 1e6, "MB",
                at_most=(MEMORY_BASE + MEMORY_SHARE * size * 1e9) / 1e6)
    # All but the few that run in one of its moments.
    check(all(s["unreachable"] >= 0.999 * LEAKED for s in scans), f"the leaked are found: {scans}")
    return scans, size


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def longest_ms(target):
    return int(answer(target, "stall")) / 1e6


def prove(case, results, label, target, size):
    """`gleakd prove` as a user runs it; the target has a thread that notices being held up."""
    longest_ms(target)
    before, begin = children_cpu(), time.monotonic()
    said = subprocess.run([binary(case), "prove", "--pid", str(target.pid), "--max-stop", "1m",
                           "--max-memory", "16G", "--json"], capture_output=True, text=True,
                          timeout=900)
    wall, used = time.monotonic() - begin, children_cpu() - before
    check(said.returncode == 0, said.stderr)
    stopped = float(re.search(r"was stopped for ([\d.]+)", said.stderr).group(1))
    soft_dirty = "once more" in said.stderr
    report = json.loads(said.stdout.splitlines()[-1])
    proven = sum(site["proof"]["goroutines"] for site in report["targets"][0]["sites"]
                 if site["proof"]["level"] == "proven")
    check(proven >= 0.999 * LEAKED, f"{proven} are proven")
    results.add(f"{label}: prove: CPU", used / size, "s/GB")
    results.add(f"{label}: prove: wall", wall / size, "s/GB")
    results.add(f"{label}: prove: stopped", stopped / size, "ms/GB",
                at_most=STOP_SOFT_DIRTY_MS if soft_dirty else STOP_GOAL_MS)
    results.add(f"{label}: prove: longest stall in the target", longest_ms(target), "ms")
    return dict(wall=wall, cpu=used, stopped_ms=stopped, proven=proven, soft_dirty=soft_dirty)


def own_profile(results, label, target):
    longest_ms(target)
    found = json.loads(answer(target, "profile", 300))
    stall = longest_ms(target)
    results.add(f"{label}: the runtime's own profile: wall", found["seconds"], "s")
    results.add(f"{label}: the runtime's own profile: longest stall", stall, "ms")
    return dict(found, stall_ms=stall)


def one_size(case, results, options, megabytes):
    label = f"heap of {megabytes:,} MB"
    with open("/proc/meminfo", encoding="utf-8") as info:
        free = int(re.search(r"MemAvailable:\s+(\d+)", info.read()).group(1)) * 1024
    # The target's heap, and the copy of a picture.
    wanted = 2 * (megabytes * BYTES_PER_MEGABYTE + STACKS_BYTES)
    if free < wanted:
        raise Skip(f"{wanted / 1e9:.0f} GB of free memory for a {label}")
    target = Target(case, [BALLAST.build(), str(megabytes), str(GOROUTINES), str(LEAKED)])
    target.answer("ready", 300)
    scans, size = racing(case, results, label, target)
    turns = [noticed(case, results, options, label, target, *how)
             for how in (("scanned", while_scanned, SECONDS),
                         ("watched", while_watched, WATCH_SECONDS))]
    answer(target, "meter")
    proof = prove(case, results, label, target, size)
    profile = own_profile(results, label, target)
    results.raw.setdefault("heap", {})[megabytes] = dict(scans=scans, turns=turns, prove=proof,
                                                         profile=profile)
    target.end()


def heap(case, results, options):
    for megabytes in SIZES[:1] if options.quick else SIZES:
        one_size(case, results, options, megabytes)
