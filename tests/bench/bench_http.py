# SPDX-License-Identifier: Apache-2.0
"""What a web server that starts two goroutines per request notices of being watched.

Load that does not wait for answers, at a low and a medium rate, and one that saturates the
machine. At each, every way of tracing takes its turn between two untraced windows, and is compared
with the mean of these: what drifts on a shared machine cancels out. The ways include none at all
(`control`): what it shows is noise.
"""

import json
import os
import shutil
import statistics
import time

from bench_hits import function_end
from harness import Failed, Skip, check
from programs import Program, Target, start
from tracer import binary
from tracers import (Attached, Governed, ModeWatch, Shares, bpftrace, cpu_ns, ratios,
                     undisturbed)

HTTPSRV = Program("httpsrv")
LOADGEN = Program("loadgen")

CONNECTIONS = 16
LEVELS = {"low": 200, "medium": 5000, "saturating": 0}  # requests a second; 0: all it can
# Of 200 requests a second it takes many seconds until a 99th percentile means something.
WINDOW = {"low": 10, "medium": 5, "saturating": 5}
FIRST_SECONDS = 3

GOVERNED = ("--pid, governed", "host, governed")
# Goroutines, delays of scheduling, calls of threads, what is open and the heap, all without a probe.
UNPROBED = "--pid, census only"
NO_LIMIT = ["--mode", "full", "--max-overhead", "0"]
# A peer that probes the same two events: https://github.com/keisku/gmon
PEER = "gmon"


class Load:
    def __init__(self, case, server):
        address = server.ready.split()[2]
        self.server = server
        self.generator = Target(case, [LOADGEN.build(), address, "/a?b=c", str(CONNECTIONS)])
        self.generator.answer("ready")

    def set_rate(self, rate):
        self.generator.send(f"rate {rate}")

    def window(self, seconds, tracer=None):
        """What the generator, the server and the tracer say of that time."""
        self.generator.send("window")
        self.generator.answer("{")
        watched = {"server": self.server.pid, "load": self.generator.pid}
        if tracer:
            watched["tracer"] = tracer.process.pid
        shares = Shares(watched)
        time.sleep(seconds)
        used, others = shares.end()
        self.generator.send("window")
        found = json.loads(self.generator.answer("{"))
        check(found["count"], f"not one answer in {seconds} s")
        found["cpu_us"] = used["server"] / found["count"] / 1000
        found["tracer_share"] = used.get("tracer", 0) / 1e9 / found["seconds"]
        found["others_share"] = others
        return found


class Nothing:
    """The control: nothing is attached."""

    process = None

    def detach(self):
        pass


def peer(case, server, path):
    program = shutil.which(PEER, path=os.environ["PATH"] + ":/root/go/bin")
    if not program:
        raise Skip(f"{PEER} (go install github.com/keisku/gmon@latest, which must be on offer)")
    return Attached(case, [program, "-path", path, "-pid", str(server.pid)], server.pid, 2)


def ways_of_tracing(case, results, server, path, wanted):
    """{name: function that attaches} of those that are wanted, without those that do not work here."""
    sites, functions = function_end(case, server.pid)
    watch = ModeWatch(case, server.pid, sites)

    ways = {
        "control": Nothing,
        # As a user runs it. Of the host the server alone is selected; all else is as it comes.
        GOVERNED[0]: lambda: Governed(case, server.pid, watch),
        GOVERNED[1]: lambda: Governed(case, server.pid, watch, exe=path),
        UNPROBED: lambda: Attached(case, [binary(case), "--pid", str(server.pid), "--json", "--mode",
                                          "census"], server.pid, 0),
        "--pid, full, no governor": lambda: Governed(case, server.pid, watch, *NO_LIMIT),
    }
    others = {"bpftrace": lambda: bpftrace(case, server.pid, path, functions),
              PEER: lambda: peer(case, server, path)}
    ways = {name: attach for name, attach in ways.items() if wanted in name or name == "control"}
    for name, attach in others.items():
        if wanted not in name:
            continue
        try:
            attach().detach()
            ways[name] = attach
        except Skip as skip:
            results.say(f"http: without {name}: needs {skip}")
        except Failed as failure:
            results.say(f"http: without {name}, which does not attach here: {failure}")
    return ways


def one_turn(load, level, name, attach, seconds):
    """(the first seconds, the time after, facts) of one way of tracing."""
    begin = time.monotonic()
    load.generator.send("window")
    load.generator.answer("{")
    server_before = cpu_ns(load.server.pid)
    tracer = attach()
    # From the moment it was started: attaching is part of it.
    time.sleep(max(0, FIRST_SECONDS - (time.monotonic() - begin)))
    load.generator.send("window")
    first = json.loads(load.generator.answer("{"))
    check(first["count"], f"{name} at {level} load: not one answer")
    first["cpu_us"] = (cpu_ns(load.server.pid) - server_before) / first["count"] / 1000
    if isinstance(tracer, Governed):
        tracer.settle()
    changes = tracer.watch.history[:] if isinstance(tracer, Governed) else []
    steady = load.window(seconds, tracer if tracer.process else None)
    tracer.detach()
    facts = {}
    if isinstance(tracer, Governed):
        facts = dict(tracer.facts(), settled=changes[-1][0],
                     flaps=len(tracer.modes) - len(changes))
    return first, steady, facts


def compare(case, results, options, load, level, ways):
    """Turns of every way, an untraced window before, between and after."""
    seconds = max(1, WINDOW[level] // (5 if options.quick else 1))
    load.set_rate(LEVELS[level])
    load.window(1)
    turns = {name: [] for name in ways}
    before = load.window(seconds)
    names = list(ways)
    for repetition in range(1 if options.quick else options.repetitions):
        # Nobody is always the one after bpftrace.
        for name in names[repetition % len(names):] + names[:repetition % len(names)]:
            first, steady, facts = one_turn(load, level, name, ways[name], seconds)
            after = load.window(seconds)
            turns[name].append(dict(around=[before, after], first=first, steady=steady,
                                    facts=facts))
            before = after
    load.set_rate(1)
    return turns


def pairs(turns, phase, field):
    return [(t[phase][field], [u[field] for u in t["around"]]) for t in turns]


def tell(results, level, name, turns):
    """The figures of one way of tracing at one level; goals are for what a user gets unasked."""
    governed = name in GOVERNED
    goals = governed or name == UNPROBED
    turns = undisturbed(results, f"http {level}: {name}", turns)
    for phase, label in (("steady", ""), ("first", f", first {FIRST_SECONDS} s")):
        for field, what, goal in (("rate", "requests/s", dict(at_least=0.99)),
                                  ("p99_us", "p99", dict(at_most=1.05)),
                                  ("cpu_us", "CPU per request", {})):
            if phase == "first" and field == "cpu_us":
                continue
            middle, least, most = ratios(pairs(turns, phase, field))
            results.add(f"http {level}: {name}{label}: {what}", middle, "× untraced",
                        spread=(least, most), **(goal if goals and phase == "steady" else {}))
    if name != "control":
        results.add(f"http {level}: {name}: its own CPU",
                    100 * statistics.median(t["steady"]["tracer_share"] for t in turns),
                    "% of a core")
    if governed:
        tell_mode(results, level, name, [t["facts"] for t in turns])


def tell_mode(results, level, name, facts):
    modes = sorted({f["mode"] for f in facts})
    flaps = sum(f["flaps"] for f in facts)
    results.add(f"http {level}: {name}: last change of mode after",
                statistics.median(f["settled"] for f in facts), "s")
    results.say(f"http {level}: {name}: settled in {' or '.join(modes)}, {flaps} changes of mode "
                f"while it was measured; {facts[-1]['reason'] or 'everything fits'}")


def http(case, results, options):
    # A copy has a path of its own: nobody else's is selected by it.
    path = os.path.join(case.directory(), "httpsrv")
    shutil.copy2(HTTPSRV.build(), path)
    server = start(case, HTTPSRV, path=path)
    load = Load(case, server)
    ways = ways_of_tracing(case, results, server, path, options.ways)
    results.raw["http"] = {}
    for level in LEVELS:
        turns = compare(case, results, options, load, level, ways)
        results.raw["http"][level] = turns
        untraced = [u for t in turns["control"] for u in t["around"]]
        for field, what, unit in (("rate", "requests", "/s"), ("p99_us", "p99", "µs"),
                                  ("cpu_us", "CPU per request", "µs")):
            results.add(f"http {level}: untraced: {what}",
                        statistics.median(u[field] for u in untraced), unit)
        for name in ways:
            tell(results, level, name, turns[name])
