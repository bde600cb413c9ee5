# SPDX-License-Identifier: Apache-2.0
"""Overhead against the rate of events, with the governor and without.

A program that does nothing but create goroutines at a set rate is the worst case: there is no work
of its own that the probes' cost could be small beside. Each traced window lies between two
untraced ones at the same rate; what its processor time per goroutine differs by is the overhead.
Shares are of one core, and of the CPU time that the budget is a share of: the target's own, or a
tenth of a core where it uses less.
"""

import os
import shutil
import statistics
import time

import plot
from harness import ROOT, check
from programs import Program, start
from tracers import Governed, ModeWatch, Shares, gleakd_sites, undisturbed

PACEBENCH = Program("pacebench")
RATES = (100, 1_000, 5_000, 10_000, 50_000, 100_000, 200_000, 500_000)
QUICK_RATES = (1_000, 10_000, 100_000, 500_000)
BUDGET = 0.01  # the default for the host
BASE_SHARE = 0.1  # COST_BASE_SHARE of user/probe/governor.h
SECONDS = 2
REPETITIONS = 3  # each takes the governor a dozen seconds to settle
GOVERNED = "host, governed"


def window(target, seconds, tracer=None):
    """Nanoseconds of the target's processor, wall seconds, goroutines created."""
    watched = {"target": target.pid}
    if tracer:
        watched["tracer"] = tracer.process.pid
    count, shares, begin = made(target), Shares(watched), time.monotonic()
    time.sleep(seconds)
    used, others = shares.end()
    length, number = time.monotonic() - begin, made(target) - count
    check(number, "no goroutines were created")
    return dict(cpu_ns=used["target"], seconds=length, made=number, rate=number / length,
                others_share=others)


def made(target):
    return int(target.ask("count").split()[-1])


def overhead(traced, around):
    """(share of a core, share of what the budget is a share of) that tracing took."""
    # Per goroutine: a target that is slowed down makes fewer.
    plain = statistics.mean(u["cpu_ns"] / u["made"] for u in around)
    added = (traced["cpu_ns"] / traced["made"] - plain) * traced["made"] / 1e9
    core = added / traced["seconds"]
    return core, core / max(traced["cpu_ns"] / 1e9 / traced["seconds"] - core, BASE_SHARE)


def one_turn(target, attach, seconds, before):
    tracer = attach() if attach else None
    if tracer:
        tracer.settle()
    traced = window(target, seconds, tracer)
    if tracer:
        tracer.detach()
    facts = tracer.facts() if tracer else {}
    after = window(target, seconds)
    core, own = overhead(traced, [before, after])
    return dict(core=core, own=own, steady=traced, around=[before, after], facts=facts), after


def at_rate(target, rate, ways, seconds, repetitions):
    """{way: turns}, each between two untraced windows."""
    target.ask(f"rate {rate}")
    time.sleep(0.5)
    turns = {name: [] for name in ways}
    before = window(target, seconds)
    for _ in range(repetitions):
        for name, attach in ways.items():
            turn, before = one_turn(target, attach, seconds, before)
            turns[name].append(turn)
    return turns


def point(rate, turns):
    """Medians, and the span of all repetitions."""
    found = {"rate": rate, "reached": statistics.median(t["steady"]["rate"] for t in turns)}
    for share in ("core", "own"):
        values = [100 * t[share] for t in turns]
        found[share] = [statistics.median(values), min(values), max(values)]
    if turns[-1]["facts"]:
        found["modes"] = sorted({t["facts"]["mode"] for t in turns})
    return found


def tell(results, rate, name, found):
    for share, label in (("core", "% of a core"), ("own", "% of its own")):
        middle, least, most = found[share]
        goal = {}
        if name == GOVERNED and share == "own":
            goal = dict(at_most=100 * BUDGET)
        results.add(f"rates {rate:,}/s: {name}", middle, label, spread=(least, most), **goal)
    if "modes" in found:
        results.say(f"rates {rate:,}/s: {name}: {' or '.join(found['modes'])}, "
                    f"{found['reached']:,.0f}/s were reached")


def rates(case, results, options):
    # A copy has a path of its own: nobody else's is selected by it.
    path = os.path.join(case.directory(), "pacebench")
    shutil.copy2(PACEBENCH.build(), path)
    target = start(case, PACEBENCH, path=path)
    watch = ModeWatch(case, target.pid, gleakd_sites(case, target.pid))

    def fixed(mode):
        return lambda: Governed(case, target.pid, watch, "--mode", mode, "--max-overhead", "0")

    ways = {
        "control": None,
        # Two seconds in place of ten: it settles sooner, what is attached is the same.
        GOVERNED: lambda: Governed(case, target.pid, watch, "--interval", "2s", exe=path),
        "full, no governor": fixed("full"),
        "lifecycle, no governor": fixed("lifecycle"),
    }
    seconds, repetitions = (
        (1, 1) if options.quick else (SECONDS, min(options.repetitions, REPETITIONS)))
    curves = {name: [] for name in ways}
    raw = results.raw["rates"] = {}
    for rate in QUICK_RATES if options.quick else RATES:
        raw[rate] = at_rate(target, rate, ways, seconds, repetitions)
        for name, turns in raw[rate].items():
            kept = undisturbed(results, f"rates {rate:,}/s: {name}", turns)
            curves[name].append(point(rate, kept))
            tell(results, rate, name, curves[name][-1])
    results.raw["rate_points"] = curves
    drawing = os.path.join(case.build, "bench", "overhead.svg")
    os.makedirs(os.path.dirname(drawing), exist_ok=True)
    plot.overhead(drawing, curves, 100 * BUDGET)
    results.say(f"plot: {os.path.relpath(drawing, ROOT)}")
