# SPDX-License-Identifier: Apache-2.0
"""What is confirmed while a process runs, and what one consistent picture proves: by its numbers."""

import collections
import contextlib
import json
import os
import signal
import subprocess
import sys

from cases_heap import HELD, LOST
from harness import VERSIONS, cases_for, case, check, check_equal, until
from programs import Program, Target, start
from tracer import Gleakd, binary, check_schema, flagged, run

# Seizes a process, says so, and holds on until its stdin ends.
SEIZE = """
import ctypes, sys
ptrace = ctypes.CDLL(None, use_errno=True).ptrace
if ptrace(0x4206, int(sys.argv[1]), None, None):
    sys.exit(1)
print("seized", flush=True)
sys.stdin.read()
"""

PROGRAM = Program("unreachable", strip=True)
VERSION_PROGRAMS = {
    f"go{version}": Program("unreachable", version, strip=True)
    for version in ("1.18.10", "1.22.12", "1.27.1")
}
CALLBACKS = {
    f"go{version}": Program("callback", version, strip=True, cgo=True)
    for version in ("1.18.10", "1.22.12", "1.27.1")
}
DEMO = Program("demo", strip=True)
SLEEPERS = Program("sleepers")
BALLAST = Program("ballast")
QUICK = ("--interval", "500ms", "--min-age", "1s")


def by_function(report, level):
    """{function that a go statement began: members of which it is known}."""
    known = collections.Counter()
    for site in report["targets"][0]["sites"]:
        if site["proof"]["level"] == level:
            known[site["start_function"].removeprefix("main.")] += site["proof"]["goroutines"]
    return dict(known)


def prove(t, pid, *arguments):
    code, out, said = run(t, "prove", str(pid), "--json", *arguments)
    check_equal(code, 0, f"exit code; {said}")
    report = json.loads(out)
    check_schema(report)
    return report, said


@contextlib.contextmanager
def tracing(pid):
    """Another process traces it meanwhile: its number."""
    tracer = subprocess.Popen([sys.executable, "-c", SEIZE, str(pid)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        check_equal(tracer.stdout.readline(), "seized\n", "the tracer says")
        yield tracer.pid
    finally:
        tracer.stdin.close()
        tracer.wait(10)


def check_proven(t, program):
    target = start(t, program)
    report, said = prove(t, target.pid)
    check_equal(by_function(report, "proven"), LOST, "proven goroutines by function")
    check("memory to copy" in said and "stopped for about" in said, f"what is said before: {said}")
    check(f"nothing can wake {sum(LOST.values())} of its" in said, f"what is said after: {said}")
    check_equal(report["final_reason"], "proof", "why it ended")
    for site in flagged(report):
        proof = site["proof"]
        check_equal(proof["level"], "proven", f"level of a flagged site: {site['why']}")
        check_equal(proof["goroutines"], site["goroutines"], "all of its members")
        check(proof["retained_stack_bytes"] >= 2048 * proof["goroutines"], f"stacks: {proof}")
    check(target.process.poll() is None, "the program goes on")


@case
def lost_goroutines_are_proven(t):
    check_proven(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def lost_goroutines_are_proven_in(t, program):
    check_proven(t, program)


def check_callback(t, program):
    report, _ = prove(t, start(t, program).pid)
    check_equal(by_function(report, "proven"), {"lose.func1": 7}, "proven goroutines by function")
    ways = [site["proof"]["reachable_by"] for site in report["targets"][0]["sites"]
            if site["start_function"] == "main.hold.func1"]
    check(len(ways) == 1 and "main.hold " in ways[0], f"what leads to the others: {ways}")


@case
def what_is_known_below_a_callback_from_c_is_not_lost(t):
    check_callback(t, Program("callback", strip=True, cgo=True))


@cases_for(CALLBACKS, tier=VERSIONS)
def what_is_known_below_a_callback_from_c_is_not_lost_in(t, program):
    check_callback(t, program)


@case
def a_watch_confirms_them(t):
    """Without probe or stop: lost goroutines are flagged after some scans, whatever their number."""
    target = start(t, PROGRAM)
    g = Gleakd(t, target.pid, *QUICK, "--mode", "census")
    g.report("all of them", lambda r: by_function(r, "confirmed") == LOST, seconds=30)
    final = g.interrupt()
    for r in g.reports:
        for site in flagged(r):
            name = site["start_function"].removeprefix("main.")
            check(name in LOST, f"one that something leads to is flagged: {site}")
    check(len(flagged(final)) >= len(LOST), "a site for each")


@case
def who_holds_the_others_is_told(t):
    """By the whole way: in a stripped program variables go by their addresses, and types are sizes."""
    target = start(t, PROGRAM)
    report, _ = prove(t, target.pid)
    held = collections.Counter()
    for site in report["targets"][0]["sites"]:
        if not site["proof"]["goroutines"]:
            held[(site["proof"]["reachable_by"] or "").split(" →")[0].split(" 0x")[0].split(" (")[0]] \
                += site["goroutines"]
    for holder, least in (("variable at", 5 * HELD),
                          ("a variable of the program", HELD),
                          ("something that has a finalizer or a cleanup", HELD),
                          ("the runtime, such as a timer", 3 * HELD),
                          ("the stack of main.heldByStack.func2", HELD),
                          ("the stack of main.heldByDefer.func2", HELD),
                          ("the stack of main.heldByWaiting.func2", HELD)):
        check(held[holder] >= least, f"{holder}: {held[holder]}, not {least} or more, of {held}")


def reachable_by(report):
    return {site["start_function"].removeprefix("main."): site["proof"]["reachable_by"]
            for site in report["targets"][0]["sites"]}


@case
def the_line_to_look_at_has_the_names_of_the_program(t):
    target = start(t, Program("unreachable"))
    report, _ = prove(t, target.pid)
    ways = reachable_by(report)
    check_equal(ways["heldByMap.func1"], "main.inMap[…] (chan int)", "by a map")
    check_equal(ways["heldBySlice.func1"], "main.inSlice[…] (main.state)", "by a slice")
    check_equal(ways["heldByBuffer.func1"], "main.queue[…] (chan int)", "by a channel's buffer")
    check_equal(ways["lostReceive.func1"], None, "by nothing")


@case
def a_watch_tells_the_way_too(t):
    target = start(t, Program("unreachable"))
    g = Gleakd(t, target.pid, *QUICK, "--mode", "census")
    g.report("the way", lambda r: reachable_by(r).get("heldByMap.func1")
             == "main.inMap[…] (chan int)", seconds=30)
    g.report("another", lambda r: reachable_by(r).get("heldBySlice.func1")
             == "main.inSlice[…] (main.state)", seconds=30)
    g.interrupt()


@case
def no_heap_is_read_when_it_is_not_wanted(t):
    target = start(t, PROGRAM)
    g = Gleakd(t, target.pid, *QUICK, "--mode", "census", "--no-heap", "--duration", "5s")
    g.final()
    for r in g.reports:
        check_equal(by_function(r, "confirmed"), {}, "confirmed")


@case
def a_busy_service_has_no_false_ones(t):
    """All that is confirmed or proven, while a thousand goroutines a second come and go, does leak."""
    target = Target(t, [DEMO.build(), "-healthy", "-for", "90s"])
    target.answer("ready")
    g = Gleakd(t, target.pid, *QUICK, "--duration", "12s")
    g.final(seconds=25)
    for r in g.reports:
        check_equal(by_function(r, "confirmed"), {}, "confirmed")
    for _ in range(7):
        report, _ = prove(t, target.pid, "--max-stop", "2s")
        check_equal(by_function(report, "proven"), {}, "proven")


@case
def a_stop_that_would_be_too_long_is_not_made(t):
    """50,000 stacks cannot be copied in a millisecond."""
    target = start(t, SLEEPERS, "50000")
    code, _, said = run(t, "prove", str(target.pid), "--max-stop", "1ms")
    check_equal(code, 1, f"exit code; {said}")
    check("--max-stop" in said, f"advice: {said}")
    check(target.process.poll() is None, "the program goes on")


@case
def a_finding_changes_the_exit_status(t):
    target = start(t, PROGRAM)
    code, _, said = run(t, "prove", str(target.pid), "--error-exitcode", "17")
    check_equal(code, 17, f"exit code; {said}")


def thread_states(pid):
    states = []
    for tid in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{tid}/stat", encoding="ascii", errors="replace") as file:
                states.append(file.read().rpartition(")")[2].split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended since
    return states


@case
def killed_in_the_middle_it_lets_go(t):
    """kill -9 at any moment of a proof, the stop among them: the target goes on, untraced."""
    target = Target(t, [DEMO.build(), "-healthy", "-for", "90s"])
    target.answer("ready")
    for i in range(31):
        prover = subprocess.Popen([binary(t), "prove", str(target.process.pid), "--max-stop", "2s"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            prover.wait(timeout=0.005 * i)
        except subprocess.TimeoutExpired:
            prover.send_signal(signal.SIGKILL)
            prover.wait()
        until("no thread is stopped", lambda: "t" not in thread_states(target.process.pid))
        with open(f"/proc/{target.process.pid}/status", encoding="ascii") as file:
            check("TracerPid:\t0\n" in file.read(), "it is still traced")
    check(target.process.poll() is None, "the target ended")


def check_seven(t, target):
    """Seven goroutines of it are proven, and it goes on."""
    report, _ = prove(t, target.pid, "--max-stop", "5s")
    check_equal(by_function(report, "proven"), {"park.func2": 7}, "proven goroutines")
    check("t" not in thread_states(target.pid), "a thread is still stopped")
    target.send("window")
    target.answer("{")


@case
def two_thousand_threads_are_stopped_and_go_on(t):
    target = start(t, BALLAST, "1", "1009", "7")
    target.ask("threads 2003")
    check(len(thread_states(target.pid)) > 2003, "its threads")
    check_seven(t, target)
    check_equal(set(thread_states(target.pid)) - set("RSD"), set(), "states of threads")


@case
def threads_that_come_and_go_are_stopped_all_the_same(t):
    target = start(t, BALLAST, "1", "1009", "7")
    target.ask("churn")
    for _ in range(5):
        check_seven(t, target)


@case
def nothing_is_proven_of_a_program_that_is_not_there_any_more(t):
    """exec at any moment of a proof: of the program before, of the next one, or it says so."""
    target = start(t, BALLAST, "3", "5003", "7")
    for i in range(9):
        prover = subprocess.Popen([binary(t), "prove", str(target.pid), "--max-stop", "5s"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            prover.wait(timeout=0.02 * i)
        except subprocess.TimeoutExpired:
            pass
        target.send("exec")
        out, said = prover.communicate(timeout=30)
        check(prover.returncode in (0, 1, 3), f"exit code {prover.returncode}; {said}")
        check(prover.returncode == 0 or said.strip(), "a failure without a word")
        # One that has only begun has not lost all of them yet.
        check(prover.returncode != 0 or "looked at" in out, out)
        target.answer("ready")
        check("t" not in thread_states(target.pid), "a thread is still stopped")


@case
def who_traces_it_already_is_said(t):
    """As a debugger would; it may go on then."""
    target = start(t, BALLAST, "1", "1009", "7")
    with tracing(target.pid) as tracer:
        code, _, said = run(t, "prove", str(target.pid))
        check_equal(code, 4, f"exit code; {said}")
        check(f"process {tracer} traces it" in said, f"advice: {said}")
    check_seven(t, target)


@case
def without_a_leak_it_does_not_speak_of_other_ways(t):
    """What one census cannot see is no matter of a proof."""
    target = Target(t, [DEMO.build(), "-healthy", "-for", "60s"])
    target.answer("ready")
    code, out, said = run(t, "prove", str(target.pid), "--max-stop", "2s")
    check_equal(code, 0, f"exit code; {said}")
    check("No leak found" in out, f"the verdict: {out}")
    check("--once" not in out and "ended:" not in out, f"the end: {out}")


@case
def which_process_has_to_be_said(t):
    code, _, said = run(t, "prove")
    check_equal(code, 2, "exit code")
    check("gleakd prove" in said, f"advice: {said}")
