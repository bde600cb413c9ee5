# SPDX-License-Identifier: Apache-2.0
"""What watching allocations costs: a hit, the runtime's samples read and hit, windows by their budget.

The control and each way of tracing take turns on the same process, whose rounds (tests/programs/allocators:
24 allocations or so in each) are counted by itself.
"""

import os
import re
import statistics
import subprocess

from harness import Skip, check, until
from programs import Program, start
from tracers import Attached, bpftrace, cpu_ns, floor

ALLOCATORS = Program("allocators")
ALLOCATIONS = Program("allocations")
SITE = re.compile(r"allocation site (\S+?)\+0x[0-9a-f]+ 0x([0-9a-f]+) (\S+)")
ROUND = 23.21  # allocations of a round: ten nodes, ten tiny ones, three others, and now and then more
MS = 1500


def mix(target, ms=MS):
    """Rounds, and nanoseconds of the process's CPU time that each took."""
    before = cpu_ns(target.pid)
    rounds = int(target.ask(f"mix {ms}").split()[2])
    return rounds, (cpu_ns(target.pid) - before) / rounds


def watch(case, target, *arguments):
    """gleakd heap that looks at the heap once a minute, with what is attached from the start."""
    path = os.path.join(case.build, "gleakd")
    if not os.path.exists(path):
        raise Skip(path)
    return Attached(case, [path, "heap", str(target.pid), "--json", "-vv", "--duration", "8m",
                           *arguments], target.pid, 1)


def site_of(case, target):
    g = watch(case, target, "--exact")
    until("the site on stderr", lambda: any(SITE.search(line) for line in g.lines))
    g.detach()
    found = next(SITE.search(line) for line in g.lines if SITE.search(line))
    return int(found[2], 16)


def hits(case, results, options, target):
    address = site_of(case, target)
    ways = {"floor, an empty program on the same instruction":
                lambda: floor(case, target.pid, ALLOCATORS.path, [address]),
            # A budget that a window does not use up: it stays open, and most hits only count.
            "gleakd heap, an open window":
                lambda: watch(case, target, "--max-overhead", "100%"),
            "gleakd heap --exact": lambda: watch(case, target, "--exact"),
            "bpftrace, mallocgc by name":
                lambda: bpftrace(case, target.pid, ALLOCATORS.path, ["runtime.mallocgc"])}
    figures = {"untraced": [], **{name: [] for name in ways}}
    for _ in range(2 if options.quick else options.repetitions):
        figures["untraced"].append(mix(target)[1] / ROUND)
        for name, attach in ways.items():
            attached = attach()
            mix(target)  # and the window after the first one is open
            figures[name].append(mix(target)[1] / ROUND)
            attached.detach()
    base = statistics.median(figures.pop("untraced"))
    results.add("allocation: untraced", base, "ns")
    added = {name: statistics.median(values) - base for name, values in figures.items()}
    for name, value in added.items():
        results.add(f"allocation: added by {name}", value, "ns")
    names = list(added)
    results.add("allocation: an open window ÷ floor", added[names[1]] / added[names[0]], "×",
                at_most=1.3)
    results.add("allocation: --exact ÷ floor", added[names[2]] / added[names[0]], "×")
    results.add("allocation: bpftrace ÷ an open window", added[names[3]] / added[names[1]], "×")


NODES = 100_003


def look_ns(case, target):
    """Processor time of one look at the heap."""
    before = os.times()
    done = subprocess.run([os.path.join(case.build, "gleakd"), "heap", str(target.pid), "--json"],
                          capture_output=True, text=True, timeout=60, check=False)
    after = os.times()
    check(done.returncode == 0, done.stderr)
    return (after.children_user + after.children_system -
            before.children_user - before.children_system) * 1e9


def samples(case, results, options):
    """One look at a heap of so many objects, each of them a sample, and at the same heap without samples."""
    targets = []
    for rate in ("1", "0"):
        os.environ["RATE"] = rate
        try:
            targets.append(start(case, ALLOCATIONS))
        finally:
            del os.environ["RATE"]
        targets[-1].ask(f"fill nodes {NODES}")
    pairs, spent = [], cpu_ns(targets[0].pid)
    for _ in range(2 if options.quick else 2 * options.repetitions):
        pairs.append(tuple(look_ns(case, target) for target in targets))
    spent = cpu_ns(targets[0].pid) - spent
    more = statistics.median(with_them - without for with_them, without in pairs)
    results.add("samples: a look at 10,000 live ones more", more / 1e6 / (NODES / 10_000), "ms")
    results.add("samples: what a look takes of the target", spent / 1e6 / len(pairs), "ms")
    for target in targets:
        target.end()


def compare(case, results, options, label, rate, *arguments):
    """Rounds done with and without, in turns."""
    if rate:
        os.environ["RATE"] = str(rate)
    try:
        target = start(case, ALLOCATORS)
    finally:
        os.environ.pop("RATE", None)
    ratios = []
    mix(target)
    for _ in range(2 if options.quick else options.repetitions):
        before = mix(target, 2 * MS)[1]
        attached = watch(case, target, *arguments)
        with_it = mix(target, 2 * MS)[1]
        attached.detach()
        after = mix(target, 2 * MS)[1]
        ratios.append((before + after) / 2 / with_it)
    results.add(label, statistics.median(ratios), "× untraced", at_least=0.99,
                spread=(min(ratios), max(ratios)))


def allocs(case, results, options):
    target = start(case, ALLOCATORS)
    mix(target)
    hits(case, results, options, target)
    target.end()
    samples(case, results, options)
    compare(case, results, options, "allocations per CPU second, samples by a probe", 512 << 10,
            "--by", "goroutine")
    compare(case, results, options, "allocations per CPU second, windows at 1 %", None)
    compare(case, results, options, "allocations per CPU second, windows at 5 %", None,
            "--max-overhead", "5%")
