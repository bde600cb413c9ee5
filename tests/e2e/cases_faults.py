# SPDX-License-Identifier: Apache-2.0
"""What goes wrong on a host: the programs are unharmed, the figures right again, the loss told.

Further faults: cases_clocks, cases_life (ends of all kinds), cases_host (storms, suspended targets),
cases_counts (overflow of the ring buffer), cases_input (files that are not what they should be).
"""

import os
import random
import shutil
import signal
import subprocess
import time

import harness
from cases_host import host, of_pid, own_copy, pids
from cases_prometheus import metrics
from faults import (PATIENCE, Disk, Freezer, Halted, alive, attached, check_unharmed, counts_are,
                    cpu_seconds, created, figures, is_flagged, kit, metrics_when, shows, start_as,
                    storm, until)
from harness import Skip, case, cases_for, check, check_equal
from image import changed
from programs import Program, Target, start
from tracer import Gleakd, binary, needs_tracing, sites, total

COUNTS = Program("counts")
DEMO = Program("demo")

# How long an orderly end may take, or twice as long as a start where that takes longer.
END_SECONDS = 2


# --- ends in the middle of an attach --------------------------------------------------------------


def after(seconds):
    """A moment of a process: this long after its start, whatever it does by then."""

    def wait(process):
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        return f"after {seconds:.2f} s"

    return wait


def after_attaching(n):
    """A moment of gleakd: it says that it has attached to so many processes."""

    def wait(process):
        attached = 0
        # Of processes of others it may say that their memory does not answer.
        while attached < n:
            line = process.stderr.readline()
            check(line, "it has ended")
            attached += line.endswith(" watched\n")
        return f"with {n} attached"

    return wait


def ended_at(t, argv, moment, number, limit):
    """Starts gleakd and ends it: exit code and words."""
    # A shell without job control has what runs in the background ignore SIGINT.
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    t.defer(process.wait)
    t.defer(process.kill)
    when = moment(process)
    process.send_signal(number)
    begin = time.monotonic()
    try:
        _, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        check(False, f"still there {PATIENCE} s after signal {number} {when}")
    took = time.monotonic() - begin
    t.note(f"{signal.Signals(number).name} {when}: exit {process.returncode}, {took:.2f} s later: "
           f"{said.strip()[-200:]}")
    check(took <= limit, f"ended {took:.1f} s after signal {number} {when}")
    return process.returncode, said


def check_end(number, code, said, files):
    """In order, or before there was anything to put in order; no file that does not belong."""
    wanted = (-number,) if number == signal.SIGKILL else (0, -number)
    check(code in wanted, f"exit code {code}: {said}")
    check("Sanitizer" not in said, said)
    allowed = {"state"}
    if number == signal.SIGKILL:
        allowed |= {"state.tmp", "gleakd.prom", "gleakd.prom.tmp"}
    check(set(files) <= allowed, f"files afterwards: {files}")


def swept(t, argv, number, length, moments, targets, files):
    limit = max(END_SECONDS, 2 * length)
    for moment in moments:
        code, said = ended_at(t, argv, moment, number, limit)
        check_end(number, code, said, os.listdir(files))
        check("starting afresh" not in said, f"the state is not whole: {said}")
        if number == signal.SIGKILL:
            taken_out_by_the_next(t, targets)
        for target in targets:
            check_unharmed(target)


def with_traps(targets):
    return [target.pid for target in targets if changed(target.pid)]


def taken_out_by_the_next(t, targets):
    """SIGKILL also ends what the kernel does for gleakd at that moment: of a probe that it is putting
    in or out the trap may stay ("failed to unregister, leaking uprobe", kernel/events/uprobes.c
    uprobe_unregister_nosync). It does nothing, and goes with the next probe at the same place."""
    try:
        harness.until("no trap is left", lambda: not with_traps(targets), seconds=3)
        return
    except harness.Failed:
        stays = with_traps(targets)
    g = host(t, "--max-overhead", "0")
    shows(g, "all of them with probes", attached(*targets))
    g.interrupt(PATIENCE)
    until("the next gleakd took them out", lambda: not with_traps(targets))
    t.note(f"traps stayed in {stays}, and were taken out")


@cases_for({"SIGTERM": (signal.SIGTERM, 12), "SIGINT": (signal.SIGINT, 6),
            "SIGKILL": (signal.SIGKILL, 12)})
def ended_while_it_attaches(t, how):
    """At moments from before the first instruction to after the first report."""
    needs_tracing()
    target, files = start(t, COUNTS), t.directory()
    kept = ["--state", os.path.join(files, "state"), "--textfile",
            os.path.join(files, "gleakd.prom")]
    begin = time.monotonic()
    g = Gleakd(t, target.pid, *kept)
    shows(g)
    length = time.monotonic() - begin
    g.interrupt(PATIENCE)
    argv = [binary(t), "--pid", str(target.pid), "--json", "--interval", "200ms", *kept]
    moments = [after(length * 1.3 * i / (how[1] - 1)) for i in range(how[1])]
    swept(t, argv, how[0], length, moments, [target], files)
    g = Gleakd(t, target.pid, *kept)
    shows(g)
    g.interrupt(PATIENCE)
    check_equal(os.listdir(files), ["state"], "files in the end")
    check("starting afresh" not in g.said(), f"the state is not whole: {g.said()}")


@cases_for({"SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL})
def ended_while_it_attaches_many(t, number):
    path, files = own_copy(t, COUNTS, "many"), t.directory()
    targets = [start(t, COUNTS, path=path) for _ in range(11)]
    kept = ["--state", os.path.join(files, "state"), "--textfile",
            os.path.join(files, "gleakd.prom")]
    begin = time.monotonic()
    g = host(t, "--max-overhead", "0", *kept)
    shows(g, "all of them with probes", attached(*targets))
    length = time.monotonic() - begin
    g.interrupt(PATIENCE)
    # Each is announced, without probes; those come later, to all in one go.
    moments = [after(0), after(length / 4), *(after_attaching(n) for n in (1, 5, 10)),
               *(after(length * share) for share in (0.7, 0.85, 1.0))]
    swept(t, g.argv, number, length, moments, targets, files)


# --- losses ---------------------------------------------------------------------------------------


@case
def ring_overflows_while_gleakd_stands_still(t):
    """Every lost event is told, the totals include those whose whole life was lost."""
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "storming"))
    target.ask("run 503 503")
    path = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--max-overhead", "0", "--min-age", "1s", "--textfile", path)
    # Of what is lost before the first census nobody can say whether it was there already.
    r = shows(g, "probes attached, and a census",
              lambda r: attached(target)(r) and alive(r).get(target.pid) == 504)
    before = created(r)[target.pid]
    g.stand_still()
    target.ask("storm 100003")
    g.go_on()

    r = shows(g, "all who were created", counts_are(target.pid, created=before + 100003, alive=504))
    check(figures(r, target.pid, "losses")["events"] > 0, "no losses, or not told")
    target.ask("run 1009 0")
    r = shows(g, "exact again", counts_are(target.pid, created=before + 101012, alive=504))
    lost = figures(r, target.pid, "losses")["events"]
    metrics_when("the losses in the metrics", path,
                 lambda m: m['gleakd_events_dropped_total{where="kernel"}'] == lost)
    final = g.interrupt(PATIENCE)
    check_equal(alive(final), {target.pid: 504}, "alive")
    check_equal([is_flagged(r) for r in g.reports if is_flagged(r)], [], "flagged")
    check_unharmed(target)


# --- limits ---------------------------------------------------------------------------------------


FULL = "no more processes and goroutines are taken in"


def refused_at_least(pid, n):
    return lambda report: of_pid(report, pid)["losses"]["refused"] >= n


@case
def memory_limit_keeps_newcomers_waiting(t):
    """Told once, counted; taken when what was in the way has gone."""
    if "asan" in t.build:
        raise Skip("a heap that gives back what is free", always=True)
    empty = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--textfile", empty)
    own = metrics_when("gleakd's own size", empty, lambda m: True)
    own = own["gleakd_process_resident_memory_bytes"]
    g.interrupt(PATIENCE)

    big = start(t, COUNTS, path=own_copy(t, COUNTS, "big"))
    big.ask("shape chanreceive 200003")
    path = os.path.join(t.directory(), "gleakd.prom")
    g = host(t, "--textfile", path, "--max-memory", str(int(own) + (8 << 20)))
    shows(g, "the big one", lambda r: pids(r) == [big.pid])
    until("the limit", lambda: any(FULL in e for e in g.errors))
    big.ask("shape chanreceive 100003")
    shows(g, "goroutines that find no room", refused_at_least(big.pid, 90000))
    late = [start(t, COUNTS, path=own_copy(t, COUNTS, f"late{i}")) for i in range(3)]
    metrics_when("they wait", path, lambda m: m['gleakd_targets{state="paused"}'] == 3)
    seen = len(g.reports)
    shows(g, "three more rounds", lambda r: len(g.reports) >= seen + 3)
    check_equal(pids(g.reports[-1]), [big.pid], "watched")
    big.process.kill()
    shows(g, "the late ones", lambda r: pids(r) == sorted(x.pid for x in late))
    g.interrupt(PATIENCE)
    told = [e for e in g.errors if FULL in e]
    check_equal(len(told), 1, f"times that it was told: {told}")
    for target in late:
        check_unharmed(target)


# --- disks ----------------------------------------------------------------------------------------


@case
def disk_is_full_for_a_while(t):
    """The old metrics stay, whole; one warning; new ones as soon as there is room."""
    disk, target = Disk(t), start(t, COUNTS)
    path = os.path.join(disk.path, "gleakd.prom")
    g = Gleakd(t, target.pid, "--interval", "200ms", "--textfile", path)
    written = metrics_when("metrics", path, lambda m: True)
    disk.fill()
    until("a warning", lambda: any("cannot write the textfile" in e for e in g.errors))
    seen = len(g.reports)
    shows(g, "ten more rounds", lambda r: len(g.reports) >= seen + 10)
    stale = metrics(path)
    key = "gleakd_last_write_timestamp_seconds"
    check(stale[key] >= written[key], "an older file came back")
    check_equal(sorted(os.listdir(disk.path)), ["filler", "gleakd.prom"], "files")
    disk.free()
    fresh = metrics_when("new metrics", path, lambda m: m[key] > stale[key])
    check(fresh["gleakd_textfile_write_errors_total"] >= 10, "the writes that failed are counted")
    shows(g, "counted", lambda r: r["self"]["losses"]["textfile_writes"] >= 10)
    g.interrupt(PATIENCE)
    check_equal(os.listdir(disk.path), [], "files in the end")
    check_equal(len([e for e in g.errors if "textfile" in e and "cannot" in e]), 1,
                f"warnings among {g.errors}")
    check_unharmed(target)


@case
def directory_goes_and_comes_again(t):
    target = start(t, COUNTS)
    own = os.path.join(t.directory(), "metrics")
    path = os.path.join(own, "gleakd.prom")
    os.mkdir(own)
    g = Gleakd(t, target.pid, "--interval", "200ms", "--textfile", path)
    metrics_when("metrics", path, lambda m: True)
    os.rename(own, own + ".gone")
    until("a warning", lambda: any("create its directory" in e for e in g.errors))
    seen = len(g.reports)
    shows(g, "ten more rounds", lambda r: len(g.reports) >= seen + 10)
    os.mkdir(own)
    metrics_when("new metrics", path, lambda m: True)
    g.interrupt(PATIENCE)
    check_equal(os.listdir(own), [], "files in the end")
    check_equal(len([e for e in g.errors if "create its directory" in e]), 1, "warnings")


@case
def state_on_a_full_disk_stays_as_it_was(t):
    """A failure at the end is told by the exit code, and what was saved before is of use still."""
    disk, target = Disk(t, "1M"), start(t, COUNTS)
    path = os.path.join(disk.path, "state")
    g = Gleakd(t, target.pid, "--interval", "200ms", "--state", path)
    shows(g, "probes attached", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1009 503")
    made = COUNTS.line("made:run")
    shows(g, "1009", lambda r: total(sites(r, made), "created") == 1009)
    g.interrupt(PATIENCE)
    with open(path, "rb") as file:
        saved = file.read()

    g = Gleakd(t, target.pid, "--interval", "200ms", "--state", path)
    shows(g, "1009 remembered", lambda r: total(sites(r, made), "created") == 1009)
    disk.fill()
    g.process.send_signal(signal.SIGTERM)
    check_equal(g.finish(PATIENCE), 1, "exit code of a run whose state was not saved")
    check("make room" in g.said(), g.said())
    check(g.reports[-1]["final"], "no last report")
    with open(path, "rb") as file:
        check(file.read() == saved, "the state is another one")
    check_equal(sorted(os.listdir(disk.path)), ["filler", "state"], "files")
    disk.free()

    g = Gleakd(t, target.pid, "--interval", "200ms", "--state", path)
    shows(g, "1009 remembered again", lambda r: total(sites(r, made), "created") == 1009)
    g.interrupt(PATIENCE)
    check_unharmed(target)


# --- targets that stand still, die, and become others ---------------------------------------------


@case
def frozen_target_is_read_and_counted(t):
    """Frozen before the attach, thawed, and frozen again when the probes go."""
    freezer, target = Freezer(t), start(t, COUNTS, path=own_copy(t, COUNTS, "frozen"))
    target.ask("run 1009 503")
    freezer.add(target.pid)
    freezer.freeze()
    until("it is frozen", freezer.frozen)
    g = host(t, "--max-overhead", "0")
    r = shows(g, "attached all the same", attached(target))
    check_equal(alive(r), {target.pid: 504}, "alive")
    freezer.thaw()
    target.ask("spawn 1009")
    shows(g, "exact after that", counts_are(target.pid, created=1009, exited=1009))
    freezer.freeze()
    until("it is frozen again", freezer.frozen)
    final = g.interrupt(PATIENCE)
    check_equal(alive(final), {target.pid: 504}, "alive at the end")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
    freezer.thaw()
    target.ask("spawn 1009")


@case
def targets_die_in_the_middle_of_censuses(t):
    """Some are killed, some become another program, some are new: each has its own figures."""
    numbers = random.Random(7)
    path, other = own_copy(t, COUNTS, "one"), own_copy(t, COUNTS, "other")
    targets = [start(t, COUNTS, path=path) for _ in range(20)]
    for i, target in enumerate(targets):
        target.size = 10007 + i
        target.ask(f"shape chanreceive {target.size}")
    g = host(t, "--interval", "100ms")

    shows(g, "all", lambda r: alive(r) == {x.pid: x.size + 1 for x in targets})
    for i in range(12):
        victim = targets.pop(numbers.randrange(len(targets)))
        time.sleep(numbers.random() / 5)  # any moment will do
        if i % 2:
            victim.process.kill()
        else:
            victim.send(f"exec {other}")
            victim.answer("ready")
            victim.size = 0
            victim.became = True
            targets.append(victim)
        if i % 4 == 0:
            newcomer = start(t, COUNTS, path=path)
            newcomer.size = 1009 + i
            newcomer.ask(f"shape chanreceive {newcomer.size}")
            targets.append(newcomer)
    shows(g, "those that are left", lambda r: alive(r) == {x.pid: x.size + 1 for x in targets})
    final = g.interrupt(PATIENCE)
    check_equal(alive(final), {x.pid: x.size + 1 for x in targets}, "alive at the end")
    for target in targets:
        check_equal(of_pid(final, target.pid)["exe"],
                    other if getattr(target, "became", False) else path, "executable")
        check_unharmed(target)
    wrong = [e for e in g.errors if "warning" in e or "rror" in e]
    check_equal(wrong, [], "complaints")


# --- storms of processes --------------------------------------------------------------------------


@cases_for({"forks": False, "execs": True})
def ten_thousand_processes_a_second(t, execs):
    """gleakd's own CPU time stays bounded, and the Go program that starts meanwhile is found."""
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "before"))
    g = host(t, "--max-overhead", "0")
    shows(g, "the first", lambda r: pids(r) == [target.pid])
    begin, used = time.monotonic(), cpu_seconds(g.process.pid)
    made = storm(t, 10000, 3, *([kit(), "quit"] if execs else []))
    late = start(t, COUNTS, path=own_copy(t, COUNTS, "late"))
    shows(g, "the late one", lambda r: pids(r) == sorted((target.pid, late.pid)))
    number = int(made.communicate(timeout=60)[0].split()[1])
    share = (cpu_seconds(g.process.pid) - used) / (time.monotonic() - begin)
    print(f"{number} processes in 3 s: gleakd used {share * 100:.1f} % of a core", flush=True)
    check(share < 0.1, f"gleakd used {share * 100:.0f} % of a core")
    target.ask("run 1009 503")
    shows(g, "exact", counts_are(target.pid, alive=504))
    final = g.interrupt(PATIENCE)
    check_equal(pids(final), sorted((target.pid, late.pid)), "pids")


@case
def lost_process_events_are_made_up_for(t):
    """What starts and ends while nobody reads is found by looking through /proc, and soon."""
    path = own_copy(t, COUNTS, "service")
    first = start(t, COUNTS, path=path)
    g = host(t)
    shows(g, "the first", lambda r: pids(r) == [first.pid])
    g.stand_still()
    number = 0
    while number < 12000:  # more than the kernel keeps for a reader
        number += int(storm(t, 20000, 1).communicate(timeout=PATIENCE)[0].split()[1])
    late = start(t, COUNTS, path=path)
    first.process.kill()
    first.process.wait()
    g.go_on()
    begin = time.monotonic()
    shows(g, "the late one alone", lambda r: pids(r) == [late.pid])
    check(g.reports[-1]["self"]["losses"]["process_events"] > 0, "the loss is counted")
    t.note(f"found {time.monotonic() - begin:.1f} s after {number} processes")
    late.ask("run 1009 503")
    shows(g, "exact", counts_are(late.pid, alive=504))


@case
def program_that_has_not_begun(t):
    """Halted before its first instruction: nobody waits for it, and it is watched once it runs."""
    path = own_copy(t, COUNTS, "service")
    halted, other = Halted(t, path), start(t, COUNTS, path=path)
    g = host(t)
    shows(g, "the other", lambda r: pids(r) == [other.pid])
    until("the halted one was tried", lambda: any(f"pid {halted.pid} " in e for e in g.errors))
    begin = time.monotonic()
    seen = len(g.reports)
    shows(g, "two more rounds", lambda r: len(g.reports) >= seen + 2)
    t.note(f"two rounds took {time.monotonic() - begin:.1f} s")
    target = halted.let_go()
    target.ask("run 1009 503")
    shows(g, "both", lambda r: alive(r) == {other.pid: 1, target.pid: 504})
    g.interrupt(PATIENCE)
    check_unharmed(target)


# --- programs that are replaced -------------------------------------------------------------------


@case
def upgrade_in_place(t):
    """The old program runs on from a file without a name; the next one has the new file."""
    path, new = own_copy(t, COUNTS, "service"), own_copy(t, DEMO, "new")
    old = start(t, COUNTS, path=path)
    old.ask("run 1009 503")
    os.rename(new, path)
    check(os.readlink(f"/proc/{old.pid}/exe").endswith("(deleted)"), "not replaced")
    g = host(t)
    r = shows(g, "the old one", lambda r: pids(r) == [old.pid])
    check_equal(figures(r, old.pid, "exe"), path, "executable")
    check_equal(alive(r), {old.pid: 504}, "alive")
    old.process.kill()
    new = Target(t, [path, "-for", "60s"])
    r = shows(g, "the new one", lambda r: pids(r) == [new.pid])
    made = sites({"targets": [of_pid(r, new.pid)]}, COUNTS.line("made:run"))
    check_equal(made, [], "sites of the old one")
    g.interrupt(PATIENCE)


@case
def file_is_overwritten_while_nobody_runs_it(t):
    """The same inode has other contents: what was known of it is worth nothing."""
    path = own_copy(t, COUNTS, "service")
    first = start(t, COUNTS, path=path)
    first.ask("run 1009 503")
    g = host(t, "--max-overhead", "0")
    shows(g, "the first", lambda r: pids(r) == [first.pid])
    inode = os.stat(path).st_ino

    def run_instead(file, *args):
        with open(file, "rb") as source, open(path, "r+b") as there:
            there.truncate(0)
            shutil.copyfileobj(source, there)
        check_equal(os.stat(path).st_ino, inode, "inode")
        return Target(t, [path, *args])

    first.process.kill()
    first.process.wait()
    sleep = run_instead(shutil.which("sleep"), "60")
    shows(g, "nobody", lambda r: not pids(r))
    sleep.end()
    stripped = run_instead(Program("counts", strip=True).build())
    stripped.answer("ready")
    shows(g, "another build", attached(stripped))
    stripped.ask("run 1009 503")
    shows(g, "exact", counts_are(stripped.pid, created=1009, alive=504))
    final = g.interrupt(PATIENCE)
    (stuck,) = sites({"targets": [of_pid(final, stripped.pid)]}, COUNTS.line("made:run"),
                     COUNTS.line("blocked:run"))
    check_equal(stuck["goroutines"], 503, "at the marked line")
    check_unharmed(stripped)


@case
def pid_is_used_again(t):
    """At once, by the same file: another process with figures of its own."""
    path = own_copy(t, COUNTS, "service")
    first = start(t, COUNTS, path=path)
    first.ask("run 1009 503")
    state = os.path.join(t.directory(), "state")
    g = host(t, "--max-overhead", "0", "--state", state)
    shows(g, "the first", attached(first))
    first.process.kill()
    first.process.wait()
    second = start_as(t, first.pid, path)
    check_equal(second.pid, first.pid, "pid")
    second.ask("shape select 37")
    shows(g, "the second", lambda r: attached(second)(r) and alive(r) == {second.pid: 38})
    second.ask("spawn 211")
    shows(g, "exact", counts_are(second.pid, created=211, exited=211, alive=38))
    final = g.interrupt(PATIENCE)
    left = sites({"targets": [of_pid(final, second.pid)]}, COUNTS.line("made:run"))
    check_equal(left, [], "sites of the first")
    check_unharmed(second)
    second.process.stdin.close()
    until("it ended", lambda: second.process.poll() is not None)
    third = start_as(t, first.pid, path)
    again = host(t, "--state", state)
    r = shows(again, "the third", lambda r: pids(r) == [third.pid])
    check_equal(created(r), {third.pid: 0}, "history of the second")
    check_equal(alive(r), {third.pid: 1}, "goroutines")


# --- gleakd itself --------------------------------------------------------------------------------


@case
def killed_it_goes_on_with_the_history_of_all(t):
    targets = [start(t, COUNTS, path=own_copy(t, COUNTS, f"service{i}")) for i in range(3)]
    state = os.path.join(t.directory(), "state")
    sizes = {target.pid: 1009 + 2 * i for i, target in enumerate(targets)}

    g = host(t, "--max-overhead", "0", "--state", state)
    shows(g, "probes attached", attached(*targets))
    for target in targets:
        target.ask(f"spawn {sizes[target.pid]}")
    shows(g, "all counted", lambda r: created(r) == sizes)
    g.interrupt(PATIENCE)
    g = host(t, "--max-overhead", "0", "--state", state)
    shows(g, "remembered", lambda r: attached(*targets)(r) and created(r) == sizes)
    g.process.kill()
    g.process.wait()
    for target in targets:
        check_unharmed(target)
    again = host(t, "--max-overhead", "0", "--state", state)
    shows(again, "remembered again", lambda r: created(r) == sizes)
    again.interrupt(PATIENCE)
    check_equal(sorted(os.listdir(os.path.dirname(state))), ["state"], "files")
