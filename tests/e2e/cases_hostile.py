# SPDX-License-Identifier: Apache-2.0
"""Processes that work against gleakd: they cost it no more than others, and others nothing.

What they do is in tests/programs/hostile; files and memory that are garbage are for the fuzz targets.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime

from cases_host import folder, host, of_pid, own_copy, pids
from cgroups import Group
from faults import PATIENCE, alive, compiled, figures, kit, metrics_when, shows, until
from harness import BUT_UNITS, VERSIONS, Failed, Skip, case, cases_for, check, check_equal
from liars import liar
from programs import Program, Target, go_command, go_environment
from tracer import binary, run

HOSTILE = Program("hostile", linkname=True)
# The last Go that has a Cond's waiters only in the Cond.
LISTS = Program("hostile", linkname=True, go="1.25.7")
COUNTS = Program("counts")

NOBODY, OTHER = 65534, 33


def as_user(uid, *argv):
    if not shutil.which("setpriv"):
        raise Skip("setpriv (util-linux)")
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *argv]


def started_as(t, uid, path, *args):
    """A program that says when it is ready, as that user."""
    target = Target(t, as_user(uid, path, *args))
    target.answer("ready")
    return target


def hostile(t, what, number, program=HOSTILE, name="hostile"):
    return started_as(t, NOBODY, own_copy(t, program, name), what, str(number))


def bystander(t, number=37):
    """A service of another user, with so many goroutines besides its first."""
    target = started_as(t, OTHER, own_copy(t, COUNTS, "bystander"))
    target.ask(f"shape chanreceive {number}")
    return target


def own_figure(g, name):
    """Of both processes of gleakd, from /proc/PID/status."""
    total = 0
    for pid in (g.process.pid, *g.workers()):
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith(name + ":"))
    return total


@case
def goids_that_collide(t):
    """Half a million, all of which an unkeyed hash puts into one bucket: counted like any others."""
    target, other = hostile(t, "collide", 500000), bystander(t)
    g = host(t)
    shows(g, "both", lambda r: pids(r) == sorted((target.pid, other.pid)))
    target.ask("arm")
    shows(g, "all of them", lambda r: alive(r).get(target.pid, 0) > 500000)
    other.ask("shape chanreceive 11")
    shows(g, "and the other's", lambda r: alive(r).get(other.pid) == 49)


@case
def census_that_takes_long(t):
    """Nobody waits for it: while it is under way others are looked at, and reported."""
    target, other = hostile(t, "crowd", 3000000), bystander(t)
    g = host(t, "--max-self-cpu", "0")
    shows(g, "both", lambda r: pids(r) == sorted((target.pid, other.pid)))
    target.ask("arm")
    shows(g, "a report in the middle of it",
          lambda r: (figures(r, target.pid, "census_age_seconds") or 0) >
          (figures(r, other.pid, "census_age_seconds") or 99) + 0.9)
    shows(g, "its end", lambda r: alive(r).get(target.pid, 0) > 3000000)
    check_equal(alive(g.reports[-1])[other.pid], 38, "the other's")


@case
def memory_limit_holds_within_a_census(t):
    """Goroutines at eight bytes each: what is too much is counted, and others find room."""
    target, second = (hostile(t, "many", 6000000, name=name) for name in ("one", "two"))
    limit = 128 << 20
    g = host(t, "--max-memory", str(limit))
    shows(g, "both", lambda r: pids(r) == sorted((target.pid, second.pid)))
    target.ask("arm")
    second.ask("arm")
    for x in (target, second):
        shows(g, "what finds no room is counted",
              lambda r, x=x: x.pid in pids(r)
              and figures(r, x.pid, "losses")["refused"] > 1000000)
    other = bystander(t, 1009)
    shows(g, "the other", lambda r: alive(r).get(other.pid) == 1010)
    if "asan" not in t.build:
        check(own_figure(g, "VmHWM") << 10 < limit + (16 << 20), f"{own_figure(g, 'VmHWM')} kB")


@case(tier=VERSIONS)
def lists_without_an_end(t):
    """Before Go 1.26 each word of a stack may be a Cond; here each is one, whose list leads back."""
    target, other = hostile(t, "lists", 2048, LISTS), bystander(t)
    g = host(t, "--min-age", "1s")
    shows(g, "both", lambda r: pids(r) == sorted((target.pid, other.pid)))
    target.ask("more 40")
    shows(g, "few of them", lambda r: alive(r).get(target.pid, 99) <= 40)
    for shown in range(160, 2000, 160):
        target.ask(f"more {shown}")
        shows(g, f"{shown} of them", lambda r: alive(r).get(target.pid, 0) >= shown - 20)
        if any(s["verdict"] in ("growing", "leaking")
               for s in of_pid(g.reports[-1], target.pid)["sites"]):
            break
    seen = len(g.reports)
    shows(g, "what they wait on was looked at, and all goes on", lambda r: len(g.reports) > seen + 3)
    check_equal(alive(g.reports[-1])[other.pid], 38, "the other's")


@case
def processes_that_take_all_places(t):
    """One user's processes make room for another's, and are told of as waiting for it."""
    path = own_copy(t, COUNTS, "many")
    many = [started_as(t, NOBODY, path) for _ in range(7)]
    metrics = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--max-targets", "5", "--textfile", metrics)
    shows(g, "five of them", lambda r: len(pids(r)) == 5)
    other = bystander(t)
    shows(g, "the other", lambda r: alive(r).get(other.pid) == 38)
    check_equal(len(pids(g.reports[-1])), 5, "targets")
    metrics_when("the others wait", metrics, lambda m: m['gleakd_targets{state="paused"}'] == 3)
    for target in many:
        target.ask("ping")


def told(metrics, name, condition):
    """The group's goroutines once they are as they should be."""
    series = f'gleakd_goroutines{{groupname="{name}"}}'
    return metrics_when(name, metrics, lambda m: condition(m.get(series, 0)))[series]


def sites_of(r, target):
    return figures(r, target.pid, "sites") or []


@case
def places_without_number(t):
    """Each goroutine at a place of its own: the largest sites are told, the rest counted."""
    target, other = hostile(t, "many", 20000), bystander(t)
    g = host(t)
    shows(g, "both", lambda r: pids(r) == sorted((target.pid, other.pid)))
    target.ask("arm")
    r = shows(g, "the rest is one", lambda r: figures(r, target.pid, "folded_sites") and
              alive(r)[target.pid] > 20000)
    plain = [s for s in sites_of(r, target) if s["verdict"] in ("active", "idle")]
    rest = [s for s in plain if s["start_function"] == "(beyond the limit of sites)"]
    check_equal((len(plain), len(rest)), (1001, 1), "sites of which nothing is suspected")
    check_equal(sum(s["goroutines"] for s in sites_of(r, target)), alive(r)[target.pid], "their sum")
    check_equal(alive(r)[other.pid], 38, "the other's")


@case
def reader_that_does_not_read(t):
    """It holds nobody up: reports are left out, whole ones, until it reads again."""
    target, other = hostile(t, "many", 20000), bystander(t)
    metrics = os.path.join(t.directory(), "gleakd.prom")
    argv = [binary(t), "--json", "--only", f"exe:{folder(t)}/*", "--config", "/dev/null",
            "--interval", "100ms", "--min-process-age", "200ms", "--max-self-cpu", "0", "--textfile",
            metrics]
    g = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    t.defer(lambda: (g.kill(), g.wait()))
    told(metrics, "hostile", lambda n: n > 0)
    target.ask("arm")
    metrics_when("reports are left out", metrics, lambda m: m["gleakd_reports_left_out_total"] > 2)
    other.ask("shape chanreceive 11")
    told(metrics, "bystander", lambda n: n == 49)
    lines = (json.loads(line) for line in g.stdout)
    check(any(r["self"]["losses"]["reports"] > 2 and alive(r).get(other.pid) == 49 for r in lines),
          "it goes on")
    g.send_signal(signal.SIGINT)
    check([r["final"] for r in lines][-1], "the last one")
    check_equal(g.wait(PATIENCE), 0, "exit code")


def address_of(path, symbol):
    said = subprocess.run([go_command(), "tool", "nm", path], capture_output=True, text=True,
                          check=True, env=go_environment("local")).stdout
    return next(line.split()[0] for line in said.splitlines() if line.endswith(" " + symbol))


@case
def memory_that_says_nothing_of_others(t):
    """A user's copy of a service, without a runtime in its memory, is no word about the service."""
    path = own_copy(t, COUNTS, "service")
    pid = poisoned(t, path)
    metrics = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--textfile", metrics)
    until("it was tried", lambda: any(f"pid {pid} " in e for e in g.errors))
    service = started_as(t, OTHER, path)
    shows(g, "the service", lambda r: pids(r) == [service.pid])


@case
def memory_that_says_nothing_of_its_owners_others(t):
    """The first process of a file that a user runs says of the runtime what is not so: a second is watched all the same."""
    path = own_copy(t, HOSTILE, "service")
    first = started_as(t, NOBODY, path, "pretend", "64")
    g = host(t)
    shows(g, "the first", lambda r: pids(r) == [first.pid])
    second = started_as(t, NOBODY, path, "crowd", "37")
    shows(g, "both", lambda r: pids(r) == sorted((first.pid, second.pid)))
    listed = {p["pid"]: p["supported"] for p in json.loads(run(t, "list", "--json")[1])["processes"]}
    check_equal(listed.get(second.pid), True, "list")
    second.ask("arm")
    r = shows(g, "the second's", lambda r: alive(r).get(second.pid, 0) > 37)
    check_equal(sum("could not be watched" in e for e in g.errors), 0, f"left out: {g.errors}")
    check(r["self"]["quarantined"] == len(r["self"]["quarantined_processes"]), "quarantine")


@case
def programs_that_become_others(t):
    """At any moment, and root's: probes that were meant for one never show in the code of another."""
    path = own_copy(t, HOSTILE, "turning")
    wary = os.path.join(os.path.dirname(path), "wary")
    shutil.copy(kit(), wary)
    os.chmod(wary, 0o4755)
    g = host(t, "--min-process-age", "0s", "--interval", "100ms", "--max-overhead", "0")
    turning = [Target(t, as_user(NOBODY, path, "turn", str(first), wary, "wary", "90"))
               for first in (0, 40, 80)]
    for _ in range(20):
        for target in turning:
            check_equal(target.answer(("clean", "hit")), f"clean as 0 for {NOBODY}",
                        "code of the other program")
    shows(g)


@case
def names_of_others(t):
    """The same path by a mount namespace, the same unit below a group of his own: another group."""
    path, own = own_copy(t, COUNTS, "service"), own_copy(t, COUNTS, "own")
    group = Group(t)
    other = started_as(t, OTHER, path)
    other.ask("shape chanreceive 37")
    spoof = spoofed(t, path, own)
    group.take(other.pid, "trusted.service")
    group.take(spoof.pid, "given/trusted.service", NOBODY)
    listed = json.loads(run(t, "list", "--json")[1])["processes"]
    check_equal({p["pid"]: p["claimed_by"] for p in listed if p["exe"] == path},
                {other.pid: {"exe": None, "exe_elsewhere": False},
                 spoof.pid: {"exe": f"user {NOBODY}", "exe_elsewhere": True}}, "list")
    for by, name in (("exe", "service"), ("unit", "trusted.service")):
        metrics = os.path.join(t.directory(), "gleakd.prom")
        g = host(t, "--textfile", metrics, "--group-by", by)
        r = shows(g, "both", lambda r: pids(r) == sorted((other.pid, spoof.pid)))
        check_equal(figures(r, spoof.pid, "claimed_by")["unit"], f"user {NOBODY}", "unit")
        check_equal(figures(r, other.pid, "claimed_by")["unit"], None, "unit")
        check_equal(told(metrics, name, lambda n: n == 38), 38, "the service's")
        check(told(metrics, f"user {NOBODY}: {name}", lambda n: n > 0) < 38, "the other's")
        g.interrupt(PATIENCE)
    g = host(t, "--only", "unit:trusted.service")
    shows(g, "the service alone", lambda r: pids(r) == [other.pid])


def spoofed(t, path, own):
    """A user's program which to itself, and to /proc, is at the path of another one."""
    target = Target(t, as_user(NOBODY, "unshare", "-Urm", "--", "sh", "-c",
                               f"mount --bind {own} {path} && exec {path}"))
    try:
        target.answer("ready")
    except Failed as failure:
        raise Skip(f"user namespaces ({failure})", always=True) from None
    return target


def poisoned(t, path):
    """A user's copy of a service, without a runtime in its memory."""
    target = Target(t, as_user(NOBODY, kit(), "poisoned", path,
                               address_of(path, "runtime.firstmoduledata")))
    return int(target.answer("poisoned").split()[1])


def deaf(t, what, path, *args):
    """A program with a file system whose server has stopped answering."""
    if not os.path.exists("/dev/fuse"):
        raise Skip("/dev/fuse", always=True)
    argv = [compiled("deaf.c", "deaf", "-static"), what, path, *args]
    target = Target(t, argv if what == "memory" else as_user(NOBODY, *argv))
    try:
        target.answer("ready")
    except Failed as failure:
        raise Skip(f"FUSE in a user namespace ({failure})", always=True) from None
    if what in ("overlay", "pages"):
        with open(f"/proc/{target.pid}/task/{target.pid}/children", encoding="ascii") as file:
            server, = map(int, file.read().split())
        os.kill(server, signal.SIGUSR1)
        with open(f"/proc/{server}/comm", encoding="ascii") as comm:
            until("it has become deaf", lambda: os.pread(comm.fileno(), 64, 0) == b"is deaf\n")
    return target


# These are alone: gleakd opens what every process of the host runs, and after three that do not answer it leaves a
# user's other processes alone, too.


@case(alone=BUT_UNITS)
def memory_whose_server_does_not_answer(t):
    """Reading it ends in a helper that is left behind; the process is in quarantine, all goes on."""
    metrics = os.path.join(t.directory(), "gleakd.prom")
    target = deaf(t, "memory", own_copy(t, HOSTILE, "mapped"), "mapped", "1")
    other = bystander(t)
    state = os.path.join(t.directory(), "state")
    g = host(t, "--textfile", metrics, "--state", state)
    shows(g, "both", lambda r: pids(r) == sorted((target.pid, other.pid)))
    target.ask("arm")
    r = shows(g, "it is in quarantine", lambda r: r["self"]["quarantined"] >= 1)
    # gleakd looks at all executables of the host, and other cases have such ones, too.
    check(r["self"]["missed_deadlines"] >= 1, "deadlines")
    check(any(f"pid {target.pid}: its memory or a file" in e for e in g.errors), "it is not named")
    check(target.pid in [p["pid"] for p in r["self"]["quarantined_processes"]], "nor in the report")
    other.ask("shape chanreceive 11")
    shows(g, "the other alone", lambda r: alive(r) == {other.pid: 49})
    metrics_when("the metrics tell", metrics, lambda m: m["gleakd_quarantined_processes"] >= 1)
    g.interrupt(PATIENCE)
    g = host(t, "--state", state)
    r = shows(g, "the next one remembers", lambda r: alive(r) == {other.pid: 49} and
              r["self"]["quarantined"] >= 1)
    check_equal(r["self"]["missed_deadlines"], 0, "deadlines of the next one")
    g.interrupt(PATIENCE)


@case(alone=BUT_UNITS)
def files_that_do_not_answer_hold_up_their_user_alone(t):
    """A user has three such processes; others' are looked at when the first of them was given up."""
    for i in range(3):
        deaf(t, "overlay", own_copy(t, COUNTS, f"overlaid{i}"))
    other = bystander(t)
    g = host(t, "--only", "exe:/mnt/over/*", "--min-process-age", "1s")
    shows(g, "the other", lambda r: pids(r) == [other.pid])
    check(sum("could not be read within" in e for e in g.errors) < 3, f"it came last: {g.errors}")


@case(alone=BUT_UNITS)
def executable_whose_server_does_not_answer(t):
    """On an overlay above it, which does not say so."""
    target = deaf(t, "overlay", own_copy(t, COUNTS, "overlaid"))
    other = bystander(t)
    g = host(t, "--only", "exe:/mnt/over/*")
    shows(g, "the other", lambda r: pids(r) == [other.pid])
    shows(g, "it is in quarantine", lambda r: r["self"]["quarantined"] >= 1)
    check(any(f"pid {target.pid}" in e for e in g.errors), "it is not named")
    other.ask("shape chanreceive 11")
    shows(g, "the other alone", lambda r: alive(r) == {other.pid: 49})
    target.ask("ping")
    g.interrupt(PATIENCE)


@case(alone=BUT_UNITS)
def executable_of_which_no_page_comes_any_more(t):
    """It was opened in time. A worker that waits for it is replaced, and the next does not look at it."""
    target = deaf(t, "pages", own_copy(t, COUNTS, "paged"))
    other = bystander(t)
    g = host(t, "--only", "exe:/mnt/pages/*")
    shows(g, "the other", lambda r: pids(r) == [other.pid])
    until("the worker was given up", lambda: any("has waited for" in e for e in g.errors))
    check(any(f"looking at pid {target.pid}," in e for e in g.errors), "it is not named")
    seen = len(g.reports)
    shows(g, "the other, from a new worker, and who is in quarantine", lambda r:
          len(g.reports) > seen + 1 and alive(r) == {other.pid: 38} and r["self"]["quarantined"] >= 1)
    other.ask("shape chanreceive 11")
    shows(g, "the other alone", lambda r: alive(r) == {other.pid: 49})
    g.interrupt(PATIENCE)


def looked_at_by(t, *args):
    """A command that looks at all processes of the host to the end of what it writes: exit code, stdout, stderr."""
    process = subprocess.Popen([binary(t), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    t.defer(lambda: (process.kill(), process.wait()))
    # Who is left behind in the kernel holds neither open.
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def commands_come_back(t, what):
    """list and doctor, which names who did not answer, or that somebody did not."""
    program = [own_copy(t, HOSTILE, "mapped"), "mapped", "1"] if what == "memory" else \
        [own_copy(t, COUNTS, what)]
    target = deaf(t, what, *program)
    if what == "memory":
        target.ask("arm")
    else:
        # What the kernel has read ahead of it would be answered.
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("1")
    # The first who reads it waits beyond the reach of signals: a worker that is left behind.
    code, _, err = looked_at_by(t, "list", "--json")
    check_equal(code, int(what == "pages"), f"exit code of list: {err}")
    check(str(target.pid) in err, f"it is not named: {err}")
    code, out, err = looked_at_by(t, "doctor", "--json")
    check_equal(code, 0, f"exit code of doctor: {err}")
    checks = {c["name"]: c for c in json.loads(out)["checks"]}
    if what == "pages":
        check("not known" in checks["go_processes"]["found"], checks["go_processes"])
    else:
        check(str(target.pid) in checks["unanswered"]["found"], checks["unanswered"])


def helper_of(g):
    """The pid of the broker's helper that there is now; None: there is none."""
    with open(f"/proc/{g.process.pid}/task/{g.process.pid}/children", encoding="ascii") as file:
        children = file.read().split()
    for child in children:
        try:
            with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                if comm.read() == "gleakd-helper\n":
                    return int(child)
        except OSError:
            pass
    return None


@case(alone=BUT_UNITS)
def commands_that_look_at_all_processes_come_back(t):
    commands_come_back(t, "memory")


@cases_for({"overlay": "overlay", "pages": "pages"}, alone=BUT_UNITS, tier=VERSIONS)
def commands_that_look_at_all_files_come_back(t, what):
    """The same again, each of which takes half a minute."""
    commands_come_back(t, what)


def everybody_hostile(t, services):
    """All of them, of one user; those that are to be armed once they are watched."""
    armed = [hostile(t, what, number, name=what) for what, number in (
        ("collide", 200000), ("many", 20000), ("crowd", 1000000), ("scramble", 5000))]
    armed.append(deaf(t, "memory", own_copy(t, HOSTILE, "mapped"), "mapped", "1"))
    turning = own_copy(t, HOSTILE, "turning")
    for first in (0, 40):
        Target(t, as_user(NOBODY, turning, "turn", str(first), kit(), "wary", "150"))
    deaf(t, "overlay", own_copy(t, COUNTS, "overlaid"))
    deaf(t, "mounts", own_copy(t, COUNTS, "mounts"))
    spoofed(t, services[0], own_copy(t, COUNTS, "own"))
    poisoned(t, services[1])
    idle = own_copy(t, COUNTS, "idle")
    for _ in range(12):
        started_as(t, NOBODY, idle)
    storm = subprocess.Popen(as_user(NOBODY, kit(), "storm", "300", "600", kit(), "quit"),
                             stdout=subprocess.DEVNULL)
    t.defer(storm.wait)
    t.defer(storm.kill)
    return armed


def lateness(reports):
    """The longest time from one to the next, in seconds."""
    times = [datetime.fromisoformat(r["time"].replace("Z", "+00:00")) for r in reports]
    return max((b - a).total_seconds() for a, b in zip(times, times[1:]))


@case(seconds=240, alone=BUT_UNITS)
def all_of_them_together(t):
    """Three healthy services and a leaking one beside them are watched as if they were alone."""
    names = ("healthy-a", "healthy-b", "healthy-c")
    paths = [own_copy(t, COUNTS, name) for name in names]
    healthy = [started_as(t, OTHER, path) for path in paths]
    for target, number in zip(healthy, (37, 41, 43)):
        target.ask(f"shape chanreceive {number}")
    leaking = started_as(t, OTHER, own_copy(t, COUNTS, "leaking"))
    armed = everybody_hostile(t, paths)
    metrics = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--only", "exe:/mnt/over/*", "--interval", "2s", "--min-age", "4s", "--max-targets",
             "16", "--textfile", metrics)
    services = sorted(x.pid for x in (*healthy, leaking))
    shows(g, "the services", lambda r: set(services) <= set(pids(r)))
    for target in armed:
        target.ask("arm")
    leaking.feed("shape chansend 2", every=0.25)
    shows(g, "the leak", lambda r: any(
        s["verdict"] == "leaking" for s in figures(r, leaking.pid, "sites")))
    for target in healthy:
        target.ask("shape chanreceive 11")
    now = shows(g, "what they are", lambda r: [alive(r).get(x.pid) for x in healthy] == [49, 53, 55])
    for name, number in zip(names, (49, 53, 55)):
        told(metrics, name, lambda n, number=number: n == number)
    seen = len(g.reports)
    shows(g, "it goes on", lambda r: len(g.reports) > seen + 3)
    for r in g.reports[g.reports.index(now):]:
        check_equal([alive(r).get(x.pid) for x in healthy], [49, 53, 55], "the healthy services")
    wrong = [s["id"] for r in g.reports for x in healthy for s in figures(r, x.pid, "sites")
             if s["verdict"] in ("leaking", "stuck")]
    check_equal(wrong, [], "flagged in healthy services")
    print(f"a report every {lateness(g.reports):.2f} s at worst, at intervals of 2 s", flush=True)
    tell_slowed(g)
    # Timing is for a quiet machine: make hostile.
    if os.environ.get("GLEAKD_HOSTILE_STRICT"):
        check(lateness(g.reports) < 4, f"a report came {lateness(g.reports)} s after the one before")


def tell_slowed(g):
    """Whom gleakd looks at less often, as it uses what it may."""
    stretch = max(r["self"]["interval_stretch"] for r in g.reports)
    held, by = max((r["self"]["longest_hold_seconds"], r["self"]["longest_hold_in"]) for r in g.reports)
    print(f"the loop was held up for {held:.2f} s at most ({by}), rounds at {stretch} times the interval", *(e for e in g.errors if "of a core" in e),
          sep="\n  ", flush=True)
    return stretch


BATCH = 100


@case(seconds=3600 if os.environ.get("GLEAKD_HOSTILE_FILES") else 120)
def executables_that_lie(t):
    """Section tables, notes and tables of functions that make no sense: none holds gleakd up or ends it."""
    number = int(os.environ.get("GLEAKD_HOSTILE_FILES", 2 * BATCH))
    bases = []
    for path in (compiled("fake_go.c", "fake_go"), COUNTS.build()):
        with open(path, "rb") as file:
            bases.append(file.read())
    other = bystander(t)
    metrics = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--textfile", metrics, "--min-process-age", "100ms")
    shows(g, "the other", lambda r: pids(r) == [other.pid])
    before = metrics_when("at first", metrics, lambda m: True)
    for first in range(0, number, BATCH):
        paths = []
        for seed in range(first, first + BATCH):
            paths.append(os.path.join(folder(t), f"liar-{seed}"))
            with open(paths[-1], "wb") as file:
                # A real Go program is a thousand times as large.
                file.write(liar(bases[seed % 20 == 0], seed))
            os.chmod(paths[-1], 0o755)
        run_at_once(t, paths, g)
        for path in paths:
            os.unlink(path)
    other.ask("shape chanreceive 11")
    shows(g, "the other's", lambda r: alive(r).get(other.pid) == 49)
    after = metrics_when("at the end", metrics,
                         lambda m: m['gleakd_goroutines{groupname="bystander"}'] == 49)
    print(f"{number} files: {after['gleakd_process_cpu_seconds_total']:.1f} s of CPU time, "
          f"{after['gleakd_process_resident_memory_bytes'] / 2**20:.0f} MiB, a report every "
          f"{lateness(g.reports):.2f} s at worst", flush=True)
    check_equal(tell_slowed(g), 1, "intervals are as long as they were")
    # Executables that other cases have on file systems which do not answer are no affair of this one.
    crashed = [line for line in g.errors if "ended by signal" in line and "signal 9 " not in line]
    check_equal(crashed, [], "ends of the worker")
    check(max(r["self"]["processes"]["unsupported"] for r in g.reports) > 10, "they were looked at")
    check(after["gleakd_process_open_fds"] <= before["gleakd_process_open_fds"] + 8, "descriptors")


def run_at_once(t, paths, g):
    """Those programs, of one user, until gleakd has told of two rounds more."""
    # The shell outlives SIGTERM to see to the ends of all of them.
    script = 'trap : TERM; for path; do "$path" <&0 >/dev/null 2>&1 & done; echo started; wait; wait'
    reader, writer = os.pipe()
    group = subprocess.Popen(as_user(NOBODY, "sh", "-c", script, "sh", *paths), stdin=reader,
                             stdout=subprocess.PIPE, start_new_session=True)
    t.defer(lambda: group.poll() is None and os.killpg(group.pid, signal.SIGKILL))
    group.stdout.readline()
    seen = len(g.reports)
    shows(g, "two rounds more", lambda r: len(g.reports) > seen + 1)
    os.killpg(group.pid, signal.SIGTERM)
    group.wait(PATIENCE)
    os.close(reader)
    os.close(writer)
