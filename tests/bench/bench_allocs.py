# SPDX-License-Identifier: Apache-2.0
"""What watching allocations costs: a hit, the runtime's samples read and hit, windows by their budget.

The control and each way of tracing take turns on the same process, whose rounds (tests/programs/allocators:
24 allocations or so in each) are counted by itself.
"""

import json
import os
import random
import re
import signal
import statistics
import subprocess
import threading
import time

from harness import Skip, check, until
from programs import Program, start
from tracers import Attached, bpftrace, cpu_ns, floor, with_children

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


def watch(case, target, *arguments, sites=1):
    """gleakd heap that looks at the heap once a minute, with what is attached from the start."""
    path = os.path.join(case.build, "gleakd")
    if not os.path.exists(path):
        raise Skip(path)
    return Attached(case, [path, "heap", str(target.pid), "--json", "-vv", "--duration", "8m",
                           *arguments], target.pid, sites)


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
            # A budget that no window uses up: it stays open, and most hits only count.
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


def slices_of(target, ms):
    """[(since, until, rounds, nanoseconds of CPU time)] of some 20 ms each, while it does nothing else."""
    words = target.ask(f"slices {ms}", ms / 1000 + 60).split()[2:]
    at = [tuple(map(int, word.split(","))) for word in words]
    return [(a[0], b[0], b[1] - a[1], b[2] - a[2]) for a, b in zip(at, at[1:]) if b[1] > a[1]]


def windows_of(attached):
    """[(since, until)], with what attaching takes before and detaching behind it."""
    found, since = [], None
    for when, line in zip(attached.when, attached.lines):
        if "probes attached" in line:
            since = when - ATTACH_NS
        elif "probes detached" in line and since:
            found.append((since, when))
            since = None
    return found


ATTACH_NS = 3_000_000
NEAR = 10  # slices before and after one


def lost_in(windows, slices):
    """The part of its CPU time that went into no rounds in windows: by the slices around, which are in none."""
    inside = [any(since < until_slice and until > begin for since, until in windows)
              for begin, until_slice, _, _ in slices]
    lost = 0
    for i, (_, _, rounds, ns) in enumerate(slices):
        near = [s for s, within in zip(slices[max(0, i - NEAR):i + NEAR + 1],
                                       inside[max(0, i - NEAR):i + NEAR + 1]) if not within]
        if inside[i] and near:
            lost += ns - rounds * sum(s[3] for s in near) / sum(s[2] for s in near)
    return lost / sum(s[3] for s in slices)


def freeze(pids, number):
    for pid in pids:
        os.kill(pid, number)


def beside(case, target, seconds, *arguments):
    """(what is done per CPU second while gleakd runs ÷ while it is stopped, standard error), by turns of 0.1 s."""
    attached = watch(case, target, *arguments, sites=0)
    # Its first window is soon over.
    until("probes came and went", lambda: any("probes detached" in line for line in attached.lines), 30)
    pids, turns, answer = with_children(attached.process.pid), [], []
    thread = threading.Thread(target=lambda: answer.extend(slices_of(target, seconds * 1000)))
    thread.start()
    while thread.is_alive():
        for number in (signal.SIGCONT, signal.SIGSTOP):
            freeze(pids[::-1] if number == signal.SIGSTOP else pids, number)
            begin = time.monotonic_ns()
            time.sleep(random.uniform(0.08, 0.16))
            turns.append((begin, time.monotonic_ns()))
    thread.join()
    freeze(pids, signal.SIGCONT)
    attached.detach()
    each = []
    for since, until_turn in turns:
        within = [s for s in answer if s[0] >= since and s[1] <= until_turn]
        each.append(sum(s[3] for s in within) / sum(s[2] for s in within) if within else 0)
    found = [(a + c) / 2 / b for a, b, c in zip(each[1::2], each[2::2], each[3::2]) if a and b and c]
    return statistics.mean(found), statistics.stdev(found) / len(found) ** 0.5


def cost(attached, slices):
    """What gleakd says that hits have cost, of what was used."""
    target = json.loads(attached.out[-1])["targets"][0]
    return target["allocating"]["cost_seconds"] * 1e9 / sum(s[3] for s in slices)


def throughput(case, results, options):
    """What an allocation-bound program still does: what is lost in windows, or by hits, and beside gleakd."""
    seconds = 6 if options.quick else 30
    target = start(case, ALLOCATORS)
    mix(target)
    alone, error = beside(case, target, 2 * seconds, "--max-overhead", "0.01%")
    results.add("throughput: beside gleakd, without windows", alone, "× untraced",
                spread=(alone - error, alone + error))
    # What is attached first, before anything is known of it, is to be paid back by then.
    for budget, times in (("1%", 3), ("5%", 1)):
        attached = watch(case, target, "--by", "type", "--max-overhead", budget)
        slices = slices_of(target, times * seconds * 1000)
        attached.detach()
        lost = lost_in(windows_of(attached), slices)
        name = f"throughput: windows at {budget}"
        results.add(f"{name}, CPU time lost in them", lost * 100, "%")
        results.add(f"{name}, hits as gleakd accounts them", cost(attached, slices) * 100, "%")
        results.add(name, 1 - lost, "× untraced", at_least=0.99 if budget == "1%" else None)
    target.end()
    os.environ["RATE"] = str(512 << 10)
    try:
        target = start(case, ALLOCATORS)
    finally:
        del os.environ["RATE"]
    mix(target)
    attached = watch(case, target, "--by", "goroutine")
    slices = slices_of(target, seconds * 1000)
    attached.detach()
    results.add("throughput: samples by a probe, hits", cost(attached, slices) * 100, "%")
    target.end()


def allocs(case, results, options):
    target = start(case, ALLOCATORS)
    mix(target)
    hits(case, results, options, target)
    target.end()
    samples(case, results, options)
    throughput(case, results, options)
