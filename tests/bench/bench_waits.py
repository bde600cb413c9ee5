# SPDX-License-Identifier: Apache-2.0
"""What `--mode waits` costs who waits and is woken, and what it costs to be looked at with nothing probed.

Two goroutines hand one another a word: each turn of one is a park and a wake. Parks are measured by bench_hits.py; here
the second probe, on `runtime.ready`, is told apart from those of mode `full`.
"""

import os
import statistics
import time

from bench_hits import PARK, WORK, measure, rounds
from harness import Skip, check
from programs import start
from tracers import Attached, bpftrace, cpu_ns, floor, gleakd, gleakd_sites, ratios

SECONDS = 5


def wakes(case, results, options, target):
    sites = gleakd_sites(case, target.pid, "waits")
    check("wake" in sites, f"no site for the ends of waits: {sorted(sites)}")
    address, kind, function = sites["wake"]
    results.say(f"site wake: {function} {address:#x} {kind}")
    label = "wait"
    added = rounds(case, results, options, label, target, PARK.path, {
        "gleakd full": (lambda: gleakd(case, target.pid, "full"), False),
        "gleakd waits": (lambda: gleakd(case, target.pid, "waits"), False),
        "empty program, site of wakes": (lambda: floor(case, target.pid, PARK.path, [address]), False),
        "empty programs, sites of both": (
            lambda: floor(case, target.pid, PARK.path, [sites["park"][0], address]), False),
        "bpftrace, both by name": (
            lambda: bpftrace(case, target.pid, PARK.path, ["runtime.park_m", function]), True),
    })
    wake = added["gleakd waits"] - added["gleakd full"]
    results.add("wait: a hit of the probe on wakes", wake, "ns")
    results.add("wait: that / floor", wake / added["empty program, site of wakes"], "×")
    results.add("wait: gleakd waits / floor of both",
                added["gleakd waits"] / added["empty programs, sites of both"], "×")
    results.add("wait: bpftrace / gleakd waits", added["bpftrace, both by name"] / added["gleakd waits"], "×")
    base = statistics.median(results.raw[label]["untraced"])
    for name, value in added.items():
        results.add(f"wait: throughput, {name}", base / (base + value), "× untraced")


def for_seconds(target, seconds):
    """Nanoseconds of CPU time for one turn."""
    begin, before, turns = time.monotonic(), cpu_ns(target.pid), 0
    while time.monotonic() - begin < seconds:
        measure(target, WORK)
        turns += WORK
    return (cpu_ns(target.pid) - before) / turns


def unprobed(case, target):
    """As a user runs it, five times as often as by default: who is late, in calls, keeps a processor."""
    path = os.path.join(case.build, "gleakd")
    if not os.path.exists(path):
        raise Skip(path)
    return Attached(case, [path, "--pid", str(target.pid), "--json", "--mode", "census", "--interval", "1s"],
                    target.pid, 0)


def looked_at(case, results, options, target):
    """The control is a turn in which nothing looks."""
    seconds = 1 if options.quick else SECONDS
    turns = {"census only": [], "control": []}
    before = for_seconds(target, seconds)
    for _ in range(2 if options.quick else 2 * options.repetitions):
        for name, found in turns.items():
            attached = unprobed(case, target) if name != "control" else None
            while_looked_at = for_seconds(target, seconds)
            if attached:
                attached.detach()
            after = for_seconds(target, seconds)
            found.append((while_looked_at, [before, after]))
            before = after
    results.raw["waits: looked at"] = turns
    for name, found in turns.items():
        middle, least, most = ratios(found)
        goal = {} if name == "control" else {"at_most": 1.01}
        results.add(f"wait: CPU of a turn, {name}", middle, "× alone", spread=(least, most), **goal)


def waits(case, results, options):
    target = start(case, PARK)
    measure(target, WORK)
    looked_at(case, results, options, target)
    wakes(case, results, options, target)
