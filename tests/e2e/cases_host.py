# SPDX-License-Identifier: Apache-2.0
"""gleakd without --pid: processes that come, go, become others, and how many they are."""

import os
import shutil
import signal
import subprocess
import time

from harness import case, check, check_equal, until
from image import changed
from programs import Program, Target, start
from tracer import Gleakd, sites, total

COUNTS = Program("counts")
DEMO = Program("demo")


def folder(t):
    """The case's own: what runs from there is told from all other processes by its path."""
    if not hasattr(t, "own_folder"):
        t.own_folder = t.directory()
    return t.own_folder


def own_copy(t, program, name):
    path = os.path.join(folder(t), name)
    shutil.copy(program.build(), path)
    return path


def host(t, *args, prefix=()):
    """All Go programs below the case's folder."""
    return Gleakd(t, None, "--only", f"exe:{folder(t)}/*", "--config", "/dev/null", "--interval", "1s",
                  "--min-process-age", "200ms", *args, prefix=prefix)


def pids(report):
    return sorted(target["pid"] for target in report["targets"] if target["pid"])


def of_pid(report, pid):
    return next(target for target in report["targets"] if target["pid"] == pid)


@case
def processes_that_are_there_come_and_go(t):
    first = start(t, COUNTS, path=own_copy(t, COUNTS, "first"))
    g = host(t)
    g.report("the first", lambda r: pids(r) == [first.pid])
    second = start(t, COUNTS, path=own_copy(t, COUNTS, "second"))
    third = start(t, COUNTS, path=os.path.join(folder(t), "second"))
    everybody = sorted((first.pid, second.pid, third.pid))
    g.report("all three", lambda r: pids(r) == everybody)
    first.process.kill()
    left = sorted((second.pid, third.pid))
    g.report("the first gone", lambda r: pids(r) == left)
    final = g.interrupt()
    check_equal(pids(final), left, "pids at the end")
    check_equal(changed(second.pid), [], "bytes of code changed afterwards")


@case
def each_has_its_own_verdicts(t):
    leaking = Target(t, [own_copy(t, DEMO, "leaking"), "-for", "120s"])
    healthy = start(t, COUNTS, path=own_copy(t, COUNTS, "healthy"))
    healthy.ask("shape chanreceive 7")
    g = host(t, "--min-age", "2s")
    g.report("three leaks", lambda r: len(r["targets"]) == 2 and sum(
        s["verdict"] == "leaking" for s in of_pid(r, leaking.process.pid)["sites"]) == 3,
        seconds=60)
    final = g.interrupt()
    wrong = [s for s in of_pid(final, healthy.pid)["sites"] if s["verdict"] in ("leaking", "stuck")]
    check_equal(wrong, [], "flagged in the healthy one")


@case
def counts_are_exact_once_probes_are_attached(t):
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "counts"))
    g = host(t, "--max-overhead", "50%")
    g.report("probes attached", lambda r: r["targets"] and r["targets"][0]["mode"] == "full")
    before = g.reports[-1]["targets"][0]["goroutines"]["created"]
    target.ask("run 1009 503")
    g.report("all counted", lambda r: target.pid in pids(r)
             and of_pid(r, target.pid)["goroutines"]["created"] == before + 1009
             and of_pid(r, target.pid)["goroutines"]["exited"] >= 506)


@case
def exec_of_another_program(t):
    """The same pid, the same start time, another program: not the old one's goroutines."""
    path, other = own_copy(t, COUNTS, "before"), own_copy(t, COUNTS, "after")
    shell = subprocess.Popen(["sh", "-c", f"{path} < /dev/zero & exec {other}"],
                             stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    t.defer(shell.wait)
    t.defer(shell.kill)
    g = host(t)
    g.report("the one it became", lambda r: shell.pid in pids(r) and
             of_pid(r, shell.pid)["exe"] == other)


@case
def programs_that_are_not_go_are_left_alone(t):
    sleep = os.path.join(folder(t), "sleep")
    shutil.copy(shutil.which("sleep"), sleep)
    process = subprocess.Popen([sleep, "600"])
    t.defer(process.wait)
    t.defer(process.kill)
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "go"))
    g = host(t)
    g.report("the Go one alone", lambda r: pids(r) == [target.pid])


@case
def exclude_leaves_out(t):
    wanted = start(t, COUNTS, path=own_copy(t, COUNTS, "wanted"))
    start(t, COUNTS, path=own_copy(t, COUNTS, "unwanted"))
    g = host(t, "--exclude", "unwant?d")
    g.report("the wanted one", lambda r: pids(r) == [wanted.pid])
    seen = len(g.reports)
    g.report("two more rounds", lambda r: len(g.reports) >= seen + 2)
    check(all(pids(r) in ([], [wanted.pid]) for r in g.reports), "the excluded one was watched")


@case
def once_looks_at_all(t):
    started = [start(t, COUNTS, path=own_copy(t, COUNTS, f"n{i}")) for i in range(3)]
    g = host(t, "--once")
    final = g.final()
    check_equal(len(g.reports), 1, "number of objects")
    check_equal(pids(final), sorted(target.pid for target in started), "pids")


@case
def a_storm_of_processes_is_no_trouble(t):
    """Thousands that live for milliseconds; the one that stays is found, and nobody else looked at."""
    storm = subprocess.Popen(["sh", "-c", "while :; do /bin/true; done"])
    t.defer(storm.wait)
    t.defer(storm.kill)
    g = host(t)
    g.report()
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "stays"))
    g.report("the one that stays", lambda r: pids(r) == [target.pid], seconds=30)
    storm.kill()
    final = g.interrupt()
    check_equal(pids(final), [target.pid], "pids")


@case
def textfile_and_state_of_a_host(t):
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "service"))
    metrics, state = os.path.join(folder(t), "gleakd.prom"), os.path.join(folder(t), "state")
    g = host(t, "--textfile", metrics, "--state", state)
    g.report("the service", lambda r: pids(r) == [target.pid])
    until("metrics of the service", lambda: os.path.exists(metrics) and
          'gleakd_goroutines{groupname="service"}' in open(metrics, encoding="utf-8").read())
    g.interrupt()
    check(not os.path.exists(metrics), "the metrics are still there after a clean stop")
    check(os.path.exists(state), "no state was saved")
    again = host(t, "--state", state)
    before = of_pid(g.reports[-1], target.pid)["observed_seconds"]
    again.report("the service again", lambda r: pids(r) == [target.pid])
    check(before > 0, "observed_seconds")


@case
def killed_it_leaves_nothing_behind(t):
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "survivor"))
    g = host(t, "--max-overhead", "50%")
    g.report("probes attached", lambda r: r["targets"] and r["targets"][0]["mode"] == "full")
    g.process.send_signal(signal.SIGKILL)
    g.process.wait(10)
    until("no byte of code changed", lambda: changed(target.pid) == [])
    check_equal(target.ask("run 101 7"), target.ask("run 101 7"), "the program still answers")


@case
def a_suspended_target_is_read_all_the_same(t):
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "stopped"))
    target.ask("shape select 13")
    os.kill(target.pid, signal.SIGSTOP)
    t.defer(lambda: os.kill(target.pid, signal.SIGCONT))
    g = host(t)
    g.report("its goroutines", lambda r: pids(r) == [target.pid] and any(
        s["goroutines"] == 13 for s in sites(dict(r, targets=[of_pid(r, target.pid)]),
                                             COUNTS.line("made:select"),
                                             COUNTS.line("blocked:select"))))


@case
def a_process_that_rests_is_not_read_anew(t):
    """What it does then is seen all the same, and nothing is counted twice."""
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "resting"))
    target.ask("run 17 13")
    g = host(t, "-vv")
    rests = f"pid {target.pid}: it has not run since the last census"

    def rested():
        return sum(rests in line for line in list(g.errors))

    def stay(n):
        return lambda r: pids(r) == [target.pid] and total(
            sites(dict(r, targets=[of_pid(r, target.pid)]), COUNTS.line("made:run"),
                  COUNTS.line("blocked:run")), "goroutines") == n

    g.report("those that stay", stay(13))
    until("censuses without reading", lambda: rested() >= 2, 30)
    target.ask("run 11 7")
    g.report("those that came", stay(20))
    before = rested()
    until("censuses without reading", lambda: rested() >= before + 2, 30)
    target.ask("release")
    g.report("those that were released gone", stay(0))
    final = of_pid(g.interrupt(), target.pid)
    check_equal(final["goroutines"]["alive"], 1, "alive: main")
    check_equal(final["losses"]["events"], 0, "lost events")


@case
def many_targets_in_one_round(t):
    path = own_copy(t, COUNTS, "many")
    started = [start(t, COUNTS, path=path) for _ in range(31)]
    begin = time.monotonic()
    g = host(t)
    g.report("all of them", lambda r: len(pids(r)) == 31, seconds=30)
    check(time.monotonic() - begin < 30, "took too long")
    for target in started[:17]:
        target.process.kill()
    g.report("those that are left", lambda r: len(pids(r)) == 14, seconds=30)


@case
def a_start_is_paid_from_what_gleakd_may_use(t):
    """Of half a thousandth of a processor a minute is used up before anything is watched."""
    one = start(t, COUNTS, path=own_copy(t, COUNTS, "one"))
    g = host(t, "--max-self-cpu", "0.05%")
    until("it is said", lambda: any("has used what it may of a processor for a start" in line and
                                    "--max-self-cpu 0.05%" in line for line in g.errors), 30)
    g.report("one without it", lambda r: r["targets"] == [])
    g.interrupt()
    other = host(t, "--max-self-cpu", "0")
    other.report("the program", lambda r: pids(r) == [one.pid])
    other.interrupt()


@case
def reload_changes_who_is_followed(t):
    """Those that stay keep what is known of them; a bad file changes nothing."""
    one = start(t, COUNTS, path=own_copy(t, COUNTS, "one"))
    two = start(t, COUNTS, path=own_copy(t, COUNTS, "two"))
    config = os.path.join(t.directory(), "gleakd.conf")

    def write(text):
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"only = exe:{folder(t)}/*\nmin-process-age = 200ms\ninterval = 1s\n{text}")

    write("")
    g = Gleakd(t, None, "--config", config)
    both = g.report("both", lambda r: pids(r) == sorted((one.pid, two.pid)) and
                    of_pid(r, one.pid)["observed_seconds"] > 0.5)
    write("exclude = two\n")
    g.process.send_signal(signal.SIGHUP)
    g.report("one alone", lambda r: pids(r) == [one.pid])
    alone = g.reports[-1]
    # That report may be made of the same census.
    check(of_pid(alone, one.pid)["observed_seconds"] >= of_pid(both, one.pid)["observed_seconds"],
          "the one that stayed was forgotten")
    write("no-such-option = 1\n")
    g.process.send_signal(signal.SIGHUP)
    until("the refusal", lambda: any("no-such-option" in line for line in g.errors))
    write("")
    g.process.send_signal(signal.SIGHUP)
    seen = len(g.reports)
    g.report("both again", lambda r: len(g.reports) > seen and
             pids(g.reports[-1]) == sorted((one.pid, two.pid)))


@case
def reload_lets_go_while_others_come_and_go(t):
    """
    A host that starts processes all the time: at no moment has every one of them been looked at, and at each
    there is one to look at now.
    """
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "service"))
    for storm in ("/bin/true", "sleep 1 & sleep 0.03"):
        storm = subprocess.Popen(["sh", "-c", f"while :; do {storm}; done"])
        t.defer(storm.wait)
        t.defer(storm.kill)
    config = os.path.join(t.directory(), "gleakd.conf")

    def write(text):
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"interval = 1s\nmin-process-age = 200ms\n{text}")

    write(f"only = exe:{folder(t)}/*\n")
    g = Gleakd(t, None, "--config", config)
    g.report("it", lambda r: pids(r) == [target.pid])
    write("only = exe:/nonexistent/*\n")
    g.process.send_signal(signal.SIGHUP)
    seen = len(g.reports)
    g.report("nobody", lambda r: len(g.reports) > seen and pids(g.reports[-1]) == [])


@case
def reload_moves_the_metrics(t):
    """Again and again: each time the file before is removed, and no other."""
    start(t, COUNTS, path=own_copy(t, COUNTS, "service"))
    config, metrics = os.path.join(t.directory(), "gleakd.conf"), t.directory()

    def write(name):
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"only = exe:{folder(t)}/*\ninterval = 1s\ntextfile = {metrics}/{name}\n")

    write("a.prom")
    # mallopt(3): what was freed holds other bytes.
    g = Gleakd(t, None, "--config", config, env=dict(os.environ, MALLOC_PERTURB_="165"))
    for name in ("b.prom", "c.prom", "d.prom"):
        before = os.path.basename(name).replace(name[0], chr(ord(name[0]) - 1))
        until(f"{before} alone", lambda before=before: os.listdir(metrics) == [before])
        write(name)
        g.process.send_signal(signal.SIGHUP)
    until("d.prom alone", lambda: os.listdir(metrics) == ["d.prom"])
    g.interrupt()
    check_equal(os.listdir(metrics), [], "files that are left")


@case
def a_run_that_fails_leaves_the_metrics_of_another(t):
    """Two with one file by mistake: the second, which cannot even start, takes nothing away."""
    metrics = os.path.join(t.directory(), "gleakd.prom")
    with open(metrics, "w", encoding="utf-8") as file:
        file.write("# of another gleakd\n")
    gone = subprocess.Popen(["true"])
    gone.wait()
    g = Gleakd(t, gone.pid, "--textfile", metrics)
    check(g.process.wait(20) != 0, "it watched a process that is gone")
    check(os.path.exists(metrics), "the file is gone")
