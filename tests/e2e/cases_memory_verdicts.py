# SPDX-License-Identifier: Apache-2.0
"""Places that allocate memory, judged by watches of one process and of all."""

import os
import signal
import subprocess

from harness import VERSIONS, case, check, check_equal
from programs import Program, start
from tracer import Gleakd, binary

ALLOCATIONS = Program("allocations")
# Whose executable is another: who watches all of the one does not see these.
OTHER = Program("allocations", pie=True)
FAST = ("--interval", "1s", "--min-age", "1s", "--mode", "census")


def begin(t, rate, *words, program=ALLOCATIONS):
    os.environ["RATE"] = str(rate)
    try:
        target = start(t, program)
    finally:
        del os.environ["RATE"]
    for word in words:
        target.ask(word)
    return target


def growing(report):
    """The places of all targets that grow."""
    return [site for target in report["targets"] for site in target.get("alloc_sites", [])
            if site["verdict"] == "growing"]


def functions(found):
    return {site["allocated_at"]["function"] for site in found}


def a_watch(t, target, *arguments):
    """One into a pipe, until it is told to end; what it says, and its exit code."""
    process = subprocess.Popen(
        [binary(t), "--pid", str(target.pid), *FAST, *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    t.defer(process.kill)
    return process


@case(seconds=180, is_long=True)
def a_leak_is_told_and_a_restart_goes_on(t):
    """Beside 100 MB a second that come and go, and a cache that is full."""
    target = begin(t, 4096, "churn", "leak")
    state = os.path.join(t.directory(), "state")
    watch = a_watch(t, target, "--error-exitcode", "17", "--fail-on", "memory")
    host = ("--only", f"exe:{os.path.realpath(f'/proc/{target.pid}/exe')}", "--state", state,
            "--config", "/dev/null", "--min-process-age", "0s")
    first = Gleakd(t, None, *FAST, *host)
    found = growing(first.report("a place that grows", growing, seconds=90))
    check_equal(functions(found), {"main.newNode"}, "what grows")
    check("in each of 6 periods" in found[0]["why"][0], f"why: {found[0]}")
    report = first.report("who holds it", lambda r: growing(r) and growing(r)[0]["held_by"],
                          seconds=30)
    check_equal((growing(report)[0]["type"], growing(report)[0]["held_by"][0]),
                ("main.node", "main.leaked[…]"), "what is held by whom")
    mine = [site for t_ in report["targets"] for site in t_.get("alloc_sites", [])]
    check_equal(functions([mine[0]]), {"main.newNode"}, "what grows comes first")
    check({"main.fillHeaders", "main.cache"} <= functions(mine), f"the others: {functions(mine)}")
    first.interrupt()
    # Without what the first one knew it would take a window of twelve seconds, and one second more.
    second = Gleakd(t, None, *FAST, *host)
    report = second.report("the same after a restart", growing, seconds=60)
    check(report["targets"][0]["observed_seconds"] < 12, f"anew: {report['targets'][0]}")
    second.interrupt()
    watch.send_signal(signal.SIGINT)
    out, said = watch.communicate(timeout=20)
    check_equal(watch.returncode, 17, f"exit code; {said}")
    check(out.count("memory grows at 1 place, by") in (1, 2), f"when it is new, not again and again: {out}")
    for words in ("GROWING  what survives collections", "; memory grows at 1 place"):
        check(words in out, f"{words!r} in {out}")


@case(waits=True)
def a_watch_without_the_heap_reads_no_samples(t):
    target = begin(t, 4096, "leak")
    g = Gleakd(t, target.pid, *FAST, "--no-heap", "--duration", "9s", "--error-exitcode", "17",
               "--fail-on", "memory")
    check_equal(g.finish(30), 5, "exit code: nothing was judged")
    check("--no-heap" in g.said(), f"why: {g.said()}")
    check_equal([r for r in g.reports if "alloc_sites" in r["targets"][0]], [], "samples")


@case(waits=True)
def a_program_without_samples_says_so(t):
    target = start(t, Program("memory"))
    g = Gleakd(t, target.pid, *FAST, "--duration", "9s", "--error-exitcode", "17", "--fail-on",
               "memory")
    check_equal(g.finish(30), 5, "exit code")
    check("linked without memory profiling" in g.said(), f"why: {g.said()}")


@case(seconds=180, is_long=True)
def a_leak_without_samples_is_told_by_probes(t):
    """The same of a program that does not sample itself; and whoever knows it does not hear of it."""
    target = begin(t, 0, "churn", "leak", program=OTHER)
    allowed = os.path.join(t.directory(), "allowed")
    with open(allowed, "w", encoding="utf-8") as file:
        file.write("main.newNode  a table that fills up\n")
    fast = ("--interval", "1s", "--min-age", "1s", "--max-overhead", "20%")
    g = Gleakd(t, target.pid, *fast, "--error-exitcode", "17", "--fail-on", "memory")
    report = g.report("a place that grows, and who holds it",
                      lambda r: growing(r) and growing(r)[0]["held_by"], seconds=120)
    found = growing(report)
    check_equal(functions(found), {"main.newNode"}, "what grows")
    check_equal((report["targets"][0]["memory"]["source"], found[0]["type"], found[0]["silenced"]),
                ("allocation_windows", "main.node", None), "what is told of it")
    # Its array may have been made anew while the heap was read.
    check(found[0]["held_by"][0] in ("main.leaked[…]", "allocated during the scan[…]"), f"{found[0]}")
    check("of the whole heap" in found[0]["why"][2], f"why: {found[0]['why']}")
    rate = found[0]["alloc_bytes_per_second"]
    check(rate is not None and rate < 4 * 7 * 64 * 200, f"a second: {found[0]}")
    g.process.send_signal(signal.SIGINT)
    check_equal(g.finish(20), 17, f"exit code; {g.said()}")
    known = Gleakd(t, target.pid, *fast, "--error-exitcode", "17", "--fail-on", "memory",
                   "--allow", allowed)
    report = known.report("one that is known", growing, seconds=120)
    check_equal({site["silenced"] for site in growing(report)}, {"a table that fills up"}, "why")
    known.interrupt()


@case(waits=True)
def without_probes_nothing_is_attached_to_allocations(t):
    """--mode census, and a process that is too young."""
    target = begin(t, 0, "leak", program=OTHER)
    g = Gleakd(t, target.pid, *FAST, "-vv", "--duration", "9s")
    young = Gleakd(t, target.pid, "--interval", "1s", "-vv", "--duration", "9s")
    check_equal((g.finish(30), young.finish(30)), (0, 0), "exit codes")
    check_equal([line for line in g.errors + young.errors if "allocation site" in line], [], "probes")


@case(seconds=200, tier=VERSIONS)
def of_many_those_are_watched_whose_heap_grows(t):
    """Nothing is attached to one that only churns."""
    steady = begin(t, 0, "churn", program=OTHER)
    leaking = begin(t, 0, "churn", "leak", program=OTHER)
    g = Gleakd(t, None, "--interval", "1s", "--min-age", "1s", "--max-overhead", "20%", "-vv",
               "--only", f"exe:{os.path.realpath(f'/proc/{leaking.pid}/exe')}", "--config",
               "/dev/null", "--min-process-age", "0s", "--max-self-cpu", "50%")
    report = g.report("a place that grows", growing, seconds=150)
    found = {target["pid"]: growing({"targets": [target]}) for target in report["targets"]}
    check_equal(functions(found[leaking.pid]), {"main.newNode"}, "what grows")
    check_equal(found[steady.pid], [], "what does not")
    watched = {line.split("process ")[1].split(":")[0] for line in g.errors
               if "probes attached, for the 1. time" in line}
    check_equal(watched, {str(leaking.pid)}, "who is watched")
    g.interrupt()
