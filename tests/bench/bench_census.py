# SPDX-License-Identifier: Apache-2.0
"""Censuses of 100,000 and of a million parked goroutines: time, memory, and the target's longest
stall beside its own noise."""

import re
import subprocess

from harness import Skip, check, until
from programs import Program, start
from tracer import Gleakd, binary
from tracers import CENSUS, rss_bytes

SLEEPERS = Program("sleepers")


def timings(lines):
    """The figures of each census line on stderr, as dicts."""
    found = []
    for line in lines:
        match = CENSUS.search(line)
        fields = dict(re.findall(r"(\w+)=([\d.]+)", match.group(1))) if match else {}
        if "wall_ms" in fields:
            found.append({k: float(v) for k, v in fields.items()})
    return found


def stall(target):
    target.send("stall")
    return int(target.answer("stall").split()[1]) / 1e6


def control_stall(target, seconds):
    """The longest gap without any tracer, over as long as a session takes."""
    stall(target)
    try:
        target.process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    return stall(target)


def watch(case, target, censuses):
    """A session without probes until so many censuses were taken."""
    g = Gleakd(case, target.pid, "--interval", "2s", "--mode", "census", "-vv")
    until(f"{censuses} censuses", lambda: len(timings(g.errors)) >= censuses or g.closed, 60)
    check(len(timings(g.errors)) >= censuses, f"gleakd ended: {g.said()}")
    return g, timings(g.errors)[:censuses]


def base_rss(case):
    target = start(case, SLEEPERS, "10")
    g, _ = watch(case, target, 2)
    base = rss_bytes(g.process.pid)
    g.interrupt()
    target.end()
    return base


def census(case, results, options):
    binary(case)
    base = base_rss(case)
    results.add("census: RSS with ten goroutines", base / 1e6, "MB", at_most=15)
    for number in (10_000,) if options.quick else (100_000, 1_000_000):
        one_size(case, results, number, base)


def one_size(case, results, number, base):
    with open("/proc/meminfo", encoding="utf-8") as info:
        free = int(re.search(r"MemAvailable:\s+(\d+)", info.read()).group(1)) * 1024
    if free < number * 5000:
        raise Skip(f"{number * 5000 >> 20} MiB of free memory")
    target = start(case, SLEEPERS, str(number))
    label = f"census of {number:,}"
    noise = max(control_stall(target, 6) for _ in range(2))
    stall(target)
    g, found = watch(case, target, 3)
    longest = stall(target)
    resident = rss_bytes(g.process.pid)
    final = g.interrupt()
    alive = final["targets"][0]["goroutines"]["alive"]
    check(abs(alive - number) <= 3, f"{alive} of {number} goroutines seen")
    results.raw[label] = found
    million = number == 1_000_000
    results.add(f"{label}: first, with all stacks", found[0]["wall_ms"] / 1e3, "s",
                at_most=1.5 if million else None)
    results.add(f"{label}: first, gleakd's processor time", found[0]["cpu_ms"] / 1e3, "s")
    again = min(f["wall_ms"] for f in found[1:]) / 1e3
    results.add(f"{label}: next, nothing ran", again, "s", at_most=0.3 if million else None)
    results.add(f"{label}: target's longest stall, untraced", noise, "ms")
    results.add(f"{label}: target's longest stall, traced", longest, "ms")
    results.add(f"{label}: stall traced / untraced", longest / noise, "×")
    results.add(f"{label}: RSS per goroutine beyond base", (resident - base) / number, "bytes",
                at_most=64 if million else None)
    target.end()
