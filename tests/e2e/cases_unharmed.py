# SPDX-License-Identifier: Apache-2.0
"""The target is never harmed, whatever it or others do to its system calls, traps and code."""

import json
import re
import signal

from faults import PATIENCE, Debugger, Freezer
from harness import case, cases_for, check, check_equal, until
from image import changed
from programs import Program, start
from tracer import Gleakd, run, sites, total

VERSIONS = ("1.18.10", "1.22.12", "local", "1.27.1")
TRAPS = {version: Program("traps", go=version) for version in VERSIONS}

# As tests/programs/traps tells. Some stay for the rest of its life: they come last.
WAYS = ("sud", "notsc", "breakpoint", "step", "writable", "remap", "locked", "execonly", "fork",
        "vfork", "errno", "kill", "trap")


def mapped_for_probes(pid):
    """What kernels map into a process for probes, and leave there."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return [line.split()[-1] for line in maps if "[uprobes" in line]


@cases_for(TRAPS)
def whatever_a_process_does_to_itself(t, program):
    target = start(t, program)
    # Up to Go 1.21 who makes a thread reads the counter (src/runtime/proc.go mcommoninit).
    ways = [way for way in WAYS if way != "notsc" or program.minor() >= 22]
    for way in ways:
        target.ask(f"{way} 11")  # not for gleakd to be blamed for
    g = Gleakd(t, target.pid, "--max-overhead", "0", "--interval", "300ms")
    g.report()
    for way in ways:
        target.ask(f"{way} 101")
    made, number = program.line("made:spawn"), 101 * len(ways)
    g.report("all are counted", lambda r: total(sites(r, made), "exited") == number)
    final = g.interrupt()
    check_equal(total(sites(final, made), "created"), number, "created")
    check_equal(final["targets"][0]["mode"], "full", "mode")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
    check_equal(mapped_for_probes(target.pid), [], "mappings that stay behind")
    for way in ways:
        target.ask(f"{way} 11")
    target.process.stdin.close()
    check_equal(target.process.wait(10), 0, "its exit code")


# --- debuggers ------------------------------------------------------------------------------------

COUNTS = Program("counts")
SITE = re.compile(r"site create \S+ (0x[0-9a-f]+) ")


def mode(wanted, reason=""):
    def condition(report):
        target = report["targets"][0]
        return target["mode"] == wanted and reason in (target["mode_reason"] or "")

    return condition


def creation_site(t, target):
    """Where creations are probed. The program is not position-independent."""
    _, _, said = run(t, "--pid", str(target.pid), "--max-overhead", "0", "--duration", "100ms",
                     "-vv")
    check(SITE.search(said), f"no site: {said}")
    until("probes are gone", lambda: not changed(target.pid))
    return int(SITE.search(said).group(1), 16)


def check_exact(g, target, number):
    made = COUNTS.line("made:spawn")
    target.ask(f"spawn {number}")
    g.report("all are counted", lambda r: total(sites(r, made), "exited") >= number)


@case
def debugger_that_was_there_first(t):
    """Its breakpoint stays as it is; probes come when it has let go."""
    target = start(t, COUNTS)
    address = creation_site(t, target)
    debugger = Debugger(t, target, address)
    debugger.ask("break")
    before = changed(target.pid)
    check_equal(len(before), 1, "bytes that the debugger changed")
    g = Gleakd(t, target.pid, "--interval", "200ms", "--max-overhead", "0")
    r = g.report("why nothing is attached", mode("census", "has a breakpoint on runtime.newproc"))
    check(f"(pid {debugger.pid})" in r["targets"][0]["mode_reason"], "who it is")
    check_equal(changed(target.pid), before, "bytes changed")
    debugger.ask("clear")
    g.report("it is still there", mode("census", "traces the process"))
    check_equal(changed(target.pid), [], "bytes changed without its breakpoint")
    debugger.leave()
    g.report("probes", mode("full"), PATIENCE)
    check_exact(g, target, 1009)
    g.interrupt()
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
    target.ask("spawn 1009")


@case
def debugger_that_comes_later(t):
    """Probes go before it sets a breakpoint, and what it writes back at its end is no probe."""
    target = start(t, COUNTS)
    address = creation_site(t, target)
    g = Gleakd(t, target.pid, "--interval", "200ms", "--max-overhead", "0")
    g.report("probes", mode("full"))
    check_exact(g, target, 1009)
    debugger = Debugger(t, target, address)
    g.report("probes were taken away", mode("census", "traces the process"))
    until("they are gone", lambda: not changed(target.pid))
    debugger.ask("break")
    g.interrupt()
    debugger.ask("clear")
    debugger.leave()
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
    target.ask("spawn 1009")


@case
def code_that_is_not_that_of_the_file(t):
    """A probe would overwrite whatever is there."""
    target = start(t, COUNTS)
    address = creation_site(t, target)
    with open(f"/proc/{target.pid}/mem", "r+b", 0) as memory:
        memory.seek(address)
        there = memory.read(5)
        memory.seek(address)
        memory.write(bytes(reversed(there)))  # it creates nothing meanwhile
        g = Gleakd(t, target.pid, "--interval", "200ms", "--max-overhead", "0")
        g.report("why nothing is attached", mode("census", "runs other code than its file"))
        check_equal(len(changed(target.pid)), sum(a != b for a, b in zip(there, reversed(there))),
                    "bytes changed")
        memory.seek(address)
        memory.write(there)
    g.report("probes", mode("full"))
    check_exact(g, target, 1009)
    g.interrupt()
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")


# --- targets that stand still ---------------------------------------------------------------------


def stands(state):
    return lambda report: report["targets"][0]["run_state"] == state


@case
def stopped_and_frozen_targets_are_told_as_such(t):
    target, freezer = start(t, COUNTS), Freezer(t)
    target.ask("run 1009 503")
    freezer.add(target.pid)
    g = Gleakd(t, target.pid, "--interval", "200ms", "--max-overhead", "0")
    g.report("it runs", stands("running"))
    target.process.send_signal(signal.SIGSTOP)
    r = g.report("it is stopped", stands("stopped"))
    check_equal(r["targets"][0]["goroutines"]["alive"], 504, "goroutines of a stopped process")
    target.process.send_signal(signal.SIGCONT)
    number = len(g.reports)
    g.report("it runs again", lambda r: stands("running")(r) and len(g.reports) > number)
    freezer.freeze()
    until("it is frozen", freezer.frozen)
    g.report("it is frozen", stands("frozen"))
    _, text, _ = run(t, "--pid", str(target.pid), "--once")
    check("frozen with its control group" in text, f"--once: {text}")
    _, listed, _ = run(t, "list", "--json")
    (here,) = [p for p in json.loads(listed)["processes"] if p["pid"] == target.pid]
    check_equal(here["run_state"], "frozen", "in the list")
    g.interrupt()
    freezer.thaw()
    target.ask("spawn 1009")


@case
def who_holds_a_traced_target_is_named(t):
    target = start(t, COUNTS)
    debugger = Debugger(t, target, 0)
    g = Gleakd(t, target.pid, "--interval", "200ms", "--max-overhead", "0")
    r = g.report("a tracer", lambda r: r["targets"][0]["tracer"])
    check_equal(r["targets"][0]["tracer"], {"pid": debugger.pid, "comm": "faultkit"}, "tracer")
    debugger.ask("hold")
    g.report("it is held", stands("traced"))
    _, text, _ = run(t, "--pid", str(target.pid), "--once")
    check(f"held by faultkit (pid {debugger.pid})" in text, f"--once: {text}")
    debugger.leave()
    g.report("nobody", lambda r: stands("running")(r) and not r["targets"][0]["tracer"])
    target.ask("spawn 1009")
