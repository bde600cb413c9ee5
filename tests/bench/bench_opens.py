# SPDX-License-Identifier: Apache-2.0
"""What it costs to see what is open, who opens it, and who called the library that started a goroutine.

Hits are measured as those of allocations are (bench_allocs.py): the control, gleakd and the floor take turns on one
process, which opens and closes contexts in a loop. The stack of who creates a goroutine is measured by the kernel's own
count of what a BPF program takes.
"""

import json
import os
import re
import statistics
import subprocess
import time

from harness import Skip, until
from programs import Program, start
from tracers import Attached, bpftrace, cpu_ns, floor, gleakd, ratios, with_children

RESOURCES = Program("resources")
PACEBENCH = Program("pacebench")
SITE = re.compile(r"opening site (context\.\S*propagateCancel)\+0x[0-9a-f]+ 0x([0-9a-f]+) (\S+)")
OPEN = 10_000
WORK = 300_000
SLOW_WORK = 15_000  # for what costs tens of µs
SECONDS = 10
STATS = "/proc/sys/kernel/bpf_stats_enabled"
RARE, OFTEN = 40, 100_000  # creations a second: each has a stack, and next to none
MOST_STACKS = 960  # a second, of one process


def look(case, target):
    """(processor time of one look, of ours and of the target), ns."""
    before, own = os.times(), cpu_ns(target.pid)
    subprocess.run([os.path.join(case.build, "gleakd"), "resources", str(target.pid), "--json"],
                   stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = os.times()
    return ((after.children_user + after.children_system - before.children_user -
             before.children_system) * 1e9, cpu_ns(target.pid) - own)


def looks(case, results, options):
    """Of a program that has 10,000 contexts and 1,000 timers open, and of the same one before it has."""
    target = start(case, RESOURCES)
    times = 3 if options.quick else 2 * options.repetitions
    least = statistics.median(look(case, target)[0] for _ in range(times))
    target.ask(f"open context {OPEN}")
    target.ask(f"open timer {OPEN // 10}")
    found = [look(case, target) for _ in range(times)]
    results.add("opens: a look at a program that has nothing open", least / 1e6, "ms")
    results.add("opens: 10,000 contexts and 1,000 timers more",
                statistics.median(ours for ours, _ in found) / 1e6 - least / 1e6, "ms")
    results.add("opens: what a look takes of the target",
                statistics.median(of for _, of in found) / 1e6, "ms")
    target.end()


def churn(target, work):
    """Nanoseconds of the process's CPU time for one context that is opened and closed."""
    before = cpu_ns(target.pid)
    target.ask(f"churn context {work}", 120)
    return (cpu_ns(target.pid) - before) / work


def watch(case, target, *arguments):
    """gleakd resources that looks once a minute, with what is attached from the start."""
    return Attached(case, [os.path.join(case.build, "gleakd"), "resources", str(target.pid), "--json",
                           "-vv", "--duration", "8m", "--probe-opens", "always", *arguments],
                    target.pid, 1)


def hits(case, results, options, target):
    attached = watch(case, target, "--max-overhead", "0")
    until("the site on stderr", lambda: any(SITE.search(line) for line in attached.lines))
    attached.detach()
    site = next(SITE.search(line) for line in attached.lines if SITE.search(line))
    ways = {"floor, an empty program on the same instruction":
                (lambda: floor(case, target.pid, RESOURCES.path, [int(site[2], 16)]), WORK),
            "gleakd resources": (lambda: watch(case, target, "--max-overhead", "0"), WORK),
            "bpftrace by name": (lambda: bpftrace(case, target.pid, RESOURCES.path, [f'"{site[1]}"']),
                                 SLOW_WORK)}
    figures = {"untraced": [], **{name: [] for name in ways}}
    for _ in range(2 if options.quick else options.repetitions):
        figures["untraced"].append(churn(target, WORK))
        for name, (attach, work) in ways.items():
            try:
                attached = attach()
            except Skip as skip:
                results.say(f"opens: without {name}: needs {skip}")
                continue
            churn(target, work // 10)
            figures[name].append(churn(target, work))
            attached.detach()
    base = statistics.median(figures.pop("untraced"))
    results.add("opening: untraced", base, "ns")
    added = {name: statistics.median(values) - base for name, values in figures.items() if values}
    for name, value in added.items():
        results.add(f"opening: added by {name}", value, "ns")
    least = added.get("floor, an empty program on the same instruction")
    if least:
        results.add("opening: gleakd resources ÷ floor", added["gleakd resources"] / least, "×")


def for_seconds(target, seconds):
    """Nanoseconds of CPU time for one context, by turns until so long is over."""
    begin, before, n = time.monotonic(), cpu_ns(target.pid), 0
    while time.monotonic() - begin < seconds:
        target.ask(f"churn context {WORK // 10}", 120)
        n += WORK // 10
    return (cpu_ns(target.pid) - before) / n


def windows(case, results, options, target):
    """A program that does nothing but open and close, watched all the time within the budget."""
    seconds = 2 if options.quick else SECONDS
    turns, shares, before = [], [], for_seconds(target, seconds)
    for _ in range(2 if options.quick else options.repetitions):
        attached = watch(case, target)
        for_seconds(target, seconds)  # what was attached before anything was known is paid back
        spent = cpu_ns(target.pid)
        watched = for_seconds(target, seconds)
        spent = cpu_ns(target.pid) - spent
        attached.detach()
        openings = json.loads(attached.out[-1])["targets"][0]["resource_looks"]["openings"]
        shares.append(openings["cost_seconds"] * 1e9 / (2 * spent))
        after = for_seconds(target, seconds)
        turns.append((watched, [before, after]))
        before = after
    middle, least, most = ratios(turns)
    results.add("opens: windows at 1%: CPU time for each", middle, "× untraced", at_most=1.01,
                spread=(least, most))
    results.add("opens: windows at 1%: hits as gleakd accounts them",
                100 * statistics.median(shares), "%")


def program_times(pids):
    """{name: (runs, ns)} of the BPF programs that these processes have."""
    shown = json.loads(subprocess.run(["bpftool", "prog", "show", "-j"], capture_output=True,
                                      text=True, check=True).stdout)
    names, found = {str(p["id"]): p.get("name") for p in shown}, {}
    for pid in pids:
        for fd in os.listdir(f"/proc/{pid}/fdinfo"):
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii") as info:
                fields = dict(re.findall(r"^(\w+):\s+(\S+)", info.read(), re.M))
            if "run_cnt" in fields:  # which links have not
                found[names[fields["prog_id"]]] = (int(fields["run_cnt"]), int(fields["run_time_ns"]))
    return found


def per_hit(target, pids, rate, seconds):
    """{program: ns of one hit} at so many creations a second."""
    target.ask(f"rate {rate}")
    time.sleep(1)
    before = program_times(pids)
    time.sleep(seconds)
    after = program_times(pids)
    return {name: (ns - before[name][1]) / (runs - before[name][0])
            for name, (runs, ns) in after.items()
            if name in before and runs > before[name][0]}


def created_by(case, results, options):
    """What the stack of who creates a goroutine costs, which thirty a second of each `go` statement have."""
    if not os.path.exists(STATS):
        raise Skip(STATS)
    target = start(case, PACEBENCH)
    attached = gleakd(case, target.pid, "lifecycle")
    pids = with_children(attached.process.pid)
    with open(STATS, encoding="ascii") as file:
        setting = file.read()
    seconds = 3 if options.quick else SECONDS
    try:
        with open(STATS, "w", encoding="ascii") as file:
            file.write("1")
        rare = per_hit(target, pids, RARE, seconds)
        often = per_hit(target, pids, OFTEN, seconds)
    finally:
        with open(STATS, "w", encoding="ascii") as file:
            file.write(setting)
    attached.detach()
    target.end()
    for name in sorted(rare.keys() & often.keys()):
        results.add(f"creations: {name}: a hit at {RARE} a second", rare[name], "ns")
        results.add(f"creations: {name}: a hit at {OFTEN:,} a second", often[name], "ns")
    # Where hits are rare they find cold caches, with a stack or without.
    stack = rare["gl_create"] - rare["gl_exit"] - (often["gl_create"] - often["gl_exit"])
    results.add("creations: a stack", stack, "ns")
    results.add("creations: stacks, most of one process", stack * MOST_STACKS / 1e7,
                "% of a core", at_most=0.5)


def opens(case, results, options):
    looks(case, results, options)
    target = start(case, RESOURCES)
    churn(target, WORK // 10)
    hits(case, results, options, target)
    windows(case, results, options, target)
    target.end()
    created_by(case, results, options)
