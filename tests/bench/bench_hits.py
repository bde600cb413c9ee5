# SPDX-License-Identifier: Apache-2.0
"""Added cost per goroutine created and exited, and per park.

The control, gleakd in its modes, the floor (an empty program on gleakd's own sites) and bpftrace
(function entries by name) take turns on the same two processes.
"""

import statistics

from programs import Program, start
from tracers import bpftrace, floor, gleakd, gleakd_sites

SPAWN = Program("spawnbench")
PARK = Program("parkbench")
WORK = 300_000
SLOW_WORK = 15_000  # for tracers that cost tens of µs


def measure(target, work):
    """Nanoseconds of the target's processor time per unit of work."""
    target.send(str(work))
    number, cpu, _ = (int(x) for x in target.lines.get(timeout=120).split())
    return cpu / number


def rounds(case, results, options, label, target, path, attachers):
    """Medians of every way of tracing, interleaved, the control first in every repetition."""
    work = WORK // 10 if options.quick else WORK
    figures = {"untraced": [], **{name: [] for name in attachers}}
    measure(target, work)  # warm
    for _ in range(2 if options.quick else options.repetitions):
        figures["untraced"].append(measure(target, work))
        for name, (attach, slow) in attachers.items():
            attached = attach()
            amount = min(work, SLOW_WORK) if slow else work
            measure(target, amount // 10)  # the first hits patch the code
            figures[name].append(measure(target, amount))
            attached.detach()
    results.raw[label] = figures
    medians = {name: statistics.median(values) for name, values in figures.items()}
    base = medians.pop("untraced")
    results.add(f"{label}: untraced", base, "ns")
    added = {name: value - base for name, value in medians.items()}
    for name, value in added.items():
        results.add(f"{label}: added by {name}", value, "ns")
    return added


def function_end(case, pid):
    """The exit function of this Go version and the rest, by name, for bpftrace."""
    sites = gleakd_sites(case, pid)
    return sites, ["runtime.newproc1", sites["exit"][2], "runtime.park_m"]


def hits(case, results, options):
    spawn, park = start(case, SPAWN), start(case, PARK)
    sites, names = function_end(case, spawn.pid)
    for event, (address, kind, function) in sites.items():
        results.say(f"site {event}: {function} {address:#x} {kind}")
    life = [sites["create"][0], sites["exit"][0]]

    added = rounds(case, results, options, "create+exit", spawn, SPAWN.path, {
        "gleakd lifecycle": (lambda: gleakd(case, spawn.pid, "lifecycle"), False),
        "gleakd full": (lambda: gleakd(case, spawn.pid, "full"), False),
        "empty program, same sites": (lambda: floor(case, spawn.pid, SPAWN.path, life), False),
        "bpftrace by name": (lambda: bpftrace(case, spawn.pid, SPAWN.path, names[:2]), True),
    })
    ours, least = added["gleakd lifecycle"], added["empty program, same sites"]
    results.add("create+exit: gleakd lifecycle / floor", ours / least, "×", at_most=1.3)
    results.add("create+exit: gleakd full / floor", added["gleakd full"] / least, "×")
    results.add("create+exit: bpftrace / gleakd lifecycle", added["bpftrace by name"] / ours, "×",
                at_least=20)

    sites = gleakd_sites(case, park.pid)
    added = rounds(case, results, options, "park", park, PARK.path, {
        "gleakd full": (lambda: gleakd(case, park.pid, "full"), False),
        "empty program, same site": (
            lambda: floor(case, park.pid, PARK.path, [sites["park"][0]]), False),
        "bpftrace by name": (lambda: bpftrace(case, park.pid, PARK.path, names[2:]), True),
    })
    ours = added["gleakd full"]
    results.add("park: gleakd full / floor", ours / added["empty program, same site"], "×",
                at_most=1.2)
    results.add("park: bpftrace / gleakd full", added["bpftrace by name"] / ours, "×", at_least=20)
