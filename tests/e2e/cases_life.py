# SPDX-License-Identifier: Apache-2.0
"""Beginnings and ends, orderly and not: of gleakd, and of what it watches."""

import os
import shutil
import signal
import subprocess
import time

from faults import PATIENCE, attached, shows
from harness import case, cases_for, check, check_equal, until
from image import changed
from programs import Program, Target, start
from tracer import Gleakd, binary, needs_tracing, sites, total

COUNTS = Program("counts")
STRIPPED = Program("counts", strip=True)


@case
def once_is_one_object(t):
    target = start(t, COUNTS)
    target.ask("run 1009 503")
    g = Gleakd(t, target.pid, "--once")
    final = g.final()
    check_equal(len(g.reports), 1, "number of objects")
    here = sites(final, COUNTS.line("made:run"), COUNTS.line("blocked:run"))
    check_equal(total(here, "parked"), 503, "parked")
    check_equal(final["targets"][0]["goroutines"]["alive"], 504, "alive")
    check_equal(final["targets"][0]["goroutines"]["created"], 0, "created")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")


@case
def target_is_described(t):
    target = start(t, STRIPPED)
    described = Gleakd(t, target.pid, "--once").final()["targets"][0]
    check_equal(described["pid"], target.pid, "pid")
    check_equal(described["comm"], os.path.basename(STRIPPED.path)[:15], "comm")
    check_equal(described["exe"], STRIPPED.path, "exe")
    check(described["go_version"].startswith("go1."), f"go_version {described['go_version']!r}")


@case
def duration_ends_it(t):
    target = start(t, COUNTS)
    begin = time.monotonic()
    g = Gleakd(t, target.pid, "--interval", "500ms", "--duration", "2s")
    final = g.final()
    took = time.monotonic() - begin
    check(1.9 <= took <= 6, f"--duration 2s took {took:.1f} s")
    check(len(g.reports) >= 3, f"{len(g.reports)} reports in 2 s at 500 ms")
    check(final["targets"][0]["observed_seconds"] >= 1.8, "observed_seconds")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")


@cases_for({"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM})
def signals_end_it_orderly(t, number):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid)
    g.report()
    check(changed(target.pid), "probes are visible while it runs")
    g.process.send_signal(number)
    g.final()
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
    target.ask("spawn 1009")


@case
def first_report_within_two_seconds(t):
    target = start(t, COUNTS)
    begin = time.monotonic()
    Gleakd(t, target.pid).report()
    took = time.monotonic() - begin
    t.note(f"first report after {took:.2f} s")
    check(took <= 2, f"first report after {took:.2f} s")


@case
def killed_gleakd_leaves_no_probe(t):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("run 1009 503")
    check(changed(target.pid), "probes are visible while it runs")
    g.process.kill()
    g.process.wait()
    until("the code is as in the file again", lambda: not changed(target.pid))
    target.ask("storm 20000")
    check(target.alive(), "the target runs on")
    again = Gleakd(t, target.pid, "--interval", "300ms")
    again.report()
    target.ask("spawn 1009")
    made = COUNTS.line("made:spawn")
    again.report("1009 seen by the next one", lambda r: total(sites(r, made), "exited") == 1009)
    final = again.interrupt()
    check_equal(total(sites(final, made), "created"), 1009, "created")


@case
def killed_while_goroutines_storm(t):
    """The moment of death is anywhere in the middle of hits."""
    target = start(t, COUNTS)
    for _ in range(5):
        g = Gleakd(t, target.pid)
        g.report()
        target.send("storm 200000")
        g.process.kill()
        g.process.wait()
        target.answer("ok storm")
        until("the code is as in the file again", lambda: not changed(target.pid))
    target.ask("spawn 1009")


@case
def two_at_once_do_not_disturb_each_other(t):
    target = start(t, COUNTS)
    # Whatever two of them cost it on a busy machine: exact numbers take probes.
    first, second = (Gleakd(t, target.pid, "--interval", "300ms", "--max-overhead", "0") for _ in range(2))
    for g in (first, second):
        shows(g, "probes attached", attached(target))
    target.ask("spawn 1009")
    made = COUNTS.line("made:spawn")
    for g in (first, second):
        shows(g, "1009 seen", lambda r: total(sites(r, made), "exited") == 1009)
    first.interrupt(PATIENCE)
    target.ask("spawn 503")
    shows(second, "503 more", lambda r: total(sites(r, made), "exited") == 1512)
    second.interrupt(PATIENCE)
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")


@cases_for({"exits": "quit", "killed": signal.SIGKILL})
def target_ends(t, how):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("spawn 1009")
    if how == "quit":
        target.send("quit")
    else:
        target.process.send_signal(how)
    target.process.wait(10)
    final = g.final(seconds=5)
    made = sites(final, COUNTS.line("made:spawn"))
    check_equal(total(made, "created"), 1009, "created, also in the last report")


@case
def target_executes_another_program(t):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("spawn 1009")
    target.send("exec /bin/sleep 60")
    final = g.final(seconds=8)
    check_equal(total(sites(final, COUNTS.line("made:spawn")), "created"), 1009, "created")
    check(target.alive(), "what came after it runs on")
    check_equal(changed(target.pid), [], "bytes of code changed")


@case
def target_executes_itself(t):
    """Same file, other process image: the old addresses must not be believed."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("run 1009 503")
    target.send(f"exec {COUNTS.path}")
    target.answer("ready")
    target.ask("spawn 101")
    g.final(seconds=8)
    target.ask("spawn 1009")
    check_equal(changed(target.pid), [], "bytes of code changed")


@case
def attach_while_the_target_dies(t):
    """Killed at growing distances from the start of gleakd: an end with words, never a hang."""
    for delay in (0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3):
        target = start(t, COUNTS)
        g = Gleakd(t, target.pid)
        time.sleep(delay)  # the moment is what varies here
        target.process.kill()
        target.process.wait()
        code = g.finish(8)
        check(code in (0, 1), f"killed after {delay} s: exit code {code}: {g.said()}")
        check(code == 0 or g.said(), f"killed after {delay} s: exit code {code} without a word")


@case
def deleted_executable(t):
    """As after an upgrade: the file is gone, the process runs on."""
    path = os.path.join(t.directory(), "counts")
    shutil.copy(COUNTS.build(), path)
    target = Target(t, [path])
    target.answer("ready")
    os.unlink(path)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("run 1009 503")
    made, blocked = COUNTS.line("made:run"), COUNTS.line("blocked:run")
    g.report("503", lambda r: total(sites(r, made, blocked), "parked") == 503)
    final = g.interrupt()
    check_equal(total(sites(final, made), "created"), 1009, "created")


@case
def replaced_executable(t):
    """As after a deploy: another program has taken the place of the file."""
    path = os.path.join(t.directory(), "counts")
    shutil.copy(COUNTS.build(), path)
    target = Target(t, [path])
    target.answer("ready")
    os.unlink(path)
    shutil.copy("/bin/true", path)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("spawn 1009")
    made = COUNTS.line("made:spawn")
    g.report("1009", lambda r: total(sites(r, made), "exited") == 1009)
    g.interrupt()


@case
def reader_goes_away(t):
    """gleakd | head: no endless run and no probe left behind."""
    needs_tracing()
    target = start(t, COUNTS)
    read, write = os.pipe()
    piped = subprocess.Popen(
        [binary(t), "--pid", str(target.pid), "--json", "--interval", "200ms"],
        stdout=write,
        stderr=subprocess.DEVNULL,
    )
    t.defer(piped.wait)
    t.defer(piped.kill)
    os.close(write)
    os.read(read, 10)
    os.close(read)
    until("it ends when nobody reads", lambda: piped.poll() is not None)
    until("the code is as in the file again", lambda: not changed(target.pid))
