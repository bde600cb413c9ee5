# SPDX-License-Identifier: Apache-2.0
"""--trigger: what was known when a figure of a process was too high is there tomorrow."""

import json
import os
import re
import signal
from datetime import datetime, timedelta, timezone

from cases_evidence import FILES, kept_in, text_of
from cases_host import host, own_copy
from faults import PATIENCE, shows, until
from harness import case, check, check_equal
from programs import Program, Target, start
from tracer import Gleakd, run

COUNTS, MEMORY, DEMO = Program("counts"), Program("memory"), Program("demo")
SCHEDULING = Program("scheduling", cgo=True)
STUCK = 7
QUICK = ("--interval", "300ms", "--min-age", "500ms")


def of(report, trigger, pid=None):
    """What the report says of the trigger."""
    for target in report["targets"]:
        for one in target["triggers"]:
            if one["trigger"] == trigger and pid in (None, target["pid"]):
                return one
    return None


def folder_of(report, trigger, pid=None):
    found = of(report, trigger, pid)
    return found["evidence_folder"] if found else None


@case
def more_goroutines_than_allowed(t):
    """The folder is about the process; findings, which no trigger names, have none."""
    target, folder = start(t, COUNTS), os.path.join(t.directory(), "evidence")
    target.ask(f"shape nilreceive {STUCK}")
    g = Gleakd(t, target.pid, *QUICK, "--evidence", folder, "--trigger", "goroutines > 503",
               "--trigger", "goroutines>100003")
    seen = len(g.reports)
    before = g.report("several", lambda r: len(g.reports) > seen + 3)
    check_equal((before["targets"][0]["triggers"], kept_in(folder)), ([], []), "before")
    target.ask("run 1009 503")
    report = g.report("where it is kept", lambda r: folder_of(r, "goroutines>503"), seconds=PATIENCE)
    path = os.path.join(folder, *kept_in(folder))
    check_equal(folder_of(report, "goroutines>503"), path, "folder in the report")
    until("the log names it", lambda: any(path in line and "goroutines>503: it is" in line for line in g.errors))
    check_equal(sorted(os.listdir(path)), FILES, "files")
    kept = json.loads(text_of(path, "report.json"))
    check_equal([one["trigger"] for one in kept["targets"][0]["triggers"]], ["goroutines>503"], "in the folder")
    dump = text_of(path, "goroutines.txt")
    check(len(re.findall(r"^goroutine \d+ \[", dump, re.M)) > 503, "goroutines in the dump")
    seen = len(g.reports)
    g.report("it is kept once", lambda r: len(g.reports) > seen + 3)
    g.interrupt(PATIENCE)
    check_equal(kept_in(folder), [os.path.basename(path)], "one folder")


@case
def only_when_it_was_so_for_long_enough(t):
    target, folder = start(t, COUNTS), t.directory()
    g = Gleakd(t, target.pid, *QUICK, "--evidence", folder, "--trigger", "threads>0 for 2s",
               "--trigger", "threads>0 for 1h")
    first = g.report("what was found", lambda r: of(r, "threads>0 for 2s"), seconds=PATIENCE)
    check(first["targets"][0]["observed_seconds"] >= 2, f"too early: {first['targets'][0]['observed_seconds']}")
    report = g.report("where it is kept", lambda r: folder_of(r, "threads>0 for 2s"), seconds=PATIENCE)
    check_equal(len(report["targets"][0]["triggers"]), 1, "the other one is not met yet")
    g.interrupt(PATIENCE)
    check_equal(len(kept_in(folder)), 1, "folders")


@case
def verdicts_that_are_asked_for(t):
    target, folder = start(t, COUNTS), t.directory()
    target.ask(f"shape nilreceive {STUCK}")
    g = Gleakd(t, target.pid, *QUICK, "--evidence", folder, "--trigger", "stuck")
    g.report("where it is kept", lambda r: any(s["evidence_folder"] for s in r["targets"][0]["sites"]),
             seconds=PATIENCE)
    g.interrupt(PATIENCE)
    check_equal(len(kept_in(folder)), 1, "folders")


@case
def a_host_of_which_the_configuration_is_read_again(t):
    """Each process has its own; what was kept within the hour is not kept again."""
    folder, config = t.directory(), os.path.join(t.directory(), "gleakd.conf")
    targets = [start(t, COUNTS, path=own_copy(t, COUNTS, name)) for name in ("first", "second")]

    def configure(*triggers):
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"evidence = {folder}\nmax-self-cpu = 0\n")
            file.writelines(f"trigger = {trigger}\n" for trigger in triggers)

    configure("resident>1023G")
    g = host(t, "--config", config)
    shows(g, "both", lambda r: len(r["targets"]) >= 2)
    configure("threads>1", "resident>1023G")
    g.process.send_signal(signal.SIGHUP)
    both = lambda r: all(folder_of(r, "threads>1", target.pid) for target in targets)
    shows(g, "both are kept", both)
    names = kept_in(folder)
    configure("threads > 1")
    g.process.send_signal(signal.SIGHUP)
    seen = len(g.reports)
    shows(g, "both are kept, by the same folders", lambda r: len(g.reports) > seen + 2 and both(r))
    g.interrupt(PATIENCE)
    check_equal(kept_in(folder), names, "folders")
    pids = {int(name.split("-")[1]) for name in names}
    check(pids >= {target.pid for target in targets}, f"processes: {names}")


BLOCKS = 67  # of 1 MiB
FIRE = {"late": "runnable>100ms for 3s", "many": "goroutines>503", "large": "heap_live>64M"}
NOT = ("runnable>1h", "goroutines>5000", "heap_live>1G", "runnable>100ms for 1h")


def when_kept(folder, name):
    """(when its report was made, when it says that it is from) of a folder."""
    report = json.loads(text_of(os.path.join(folder, name), "report.json"))
    return (datetime.fromisoformat(report["time"].replace("Z", "+00:00")),
            datetime.strptime(name.split("-")[0], "%Y%m%dT%H%M%S%z"))


@case(is_long=True)
def each_of_a_daemon(t):
    """Processes that are well have none; then something happens to each, and it is kept as it was at that moment."""
    folder = os.path.join(t.directory(), "evidence")
    late = Target(t, [own_copy(t, SCHEDULING, "late")],
                  env=dict(os.environ, GOMAXPROCS="1", GODEBUG="asyncpreemptoff=1"))
    late.answer("ready")
    many, large = (start(t, program, path=own_copy(t, program, name))
                   for program, name in ((COUNTS, "many"), (MEMORY, "large")))
    triggers = [word for trigger in (*FIRE.values(), "leaking", *NOT) for word in ("--trigger", trigger)]
    g = host(t, "--min-age", "2s", "--max-self-cpu", "0", "--evidence", folder, *triggers)
    shows(g, "all three, five times", lambda r: len(g.reports) > 5 and len(r["targets"]) == 3)
    check_equal(kept_in(folder), [], "nothing has happened yet")
    began = datetime.now(timezone.utc) - timedelta(seconds=1)
    late.send("hoard 11")
    many.ask("run 1009 503")
    large.ask(f"fill 0 {BLOCKS} 0")
    large.ask("collect")
    # They leak from the start.
    leaking = Target(t, [own_copy(t, DEMO, "leaking"), "-for", "120s"])
    targets = {"late": late, "many": many, "large": large}
    shows(g, "three folders", lambda r: all(folder_of(r, FIRE[name], target.pid)
                                            for name, target in targets.items()))
    ended = datetime.now(timezone.utc)
    kept = [f for f in kept_in(folder) if f.split("-")[1] != str(leaking.pid)]
    names = {name: next(f for f in kept if f.split("-")[1] == str(target.pid))
             for name, target in targets.items()}
    check_equal(sorted(names.values()), kept, "no others")
    for name, kept in names.items():
        for when in when_kept(folder, kept):
            check(began <= when <= ended, f"{name}: {began} {when} {ended}")
    dump = text_of(os.path.join(folder, names["many"]), "goroutines.txt")
    check(503 < len(re.findall(r"^goroutine \d+ \[", dump, re.M)) < 600, "the goroutines of that moment")
    dump = text_of(os.path.join(folder, names["late"]), "goroutines.txt")
    check_equal(len(re.findall(r"^goroutine \d+ \[runnable", dump, re.M)), 11, "who waits for a processor")
    leaks = lambda r: [s["evidence_folder"] for target in r["targets"] if target["pid"] == leaking.pid
                       for s in target["sites"] if s["verdict"] == "leaking"]
    report = shows(g, "a folder of each leak", lambda r: len(leaks(r)) == 3 and all(leaks(r)))
    wanted = sorted([*names.values(), *map(os.path.basename, leaks(report))])
    many.ask("release")
    many.ask("run 1009 503")
    seen = len(g.reports)
    shows(g, "nothing more within the hour", lambda r: len(g.reports) > seen + 3)
    g.interrupt(PATIENCE)
    check_equal(kept_in(folder), wanted, "folders")
    check(not any(of(r, trigger) for r in g.reports for trigger in NOT), "what was not so")


@case
def what_says_nothing_is_refused(t):
    for words, said in ((("--trigger", "goroutines>7"), "add --evidence DIR"),
                        (("--evidence", "x", "--trigger", "goroutine>7"), "does not begin with one of runnable"),
                        (("--evidence", "x", "--trigger", "heap_live>lots"), "a size, as 512M or 2G"),
                        (("--evidence", "x", "--trigger", "runnable>1s for"), "as in 'goroutines>50000'")):
        code, out, err = run(t, "--pid", str(os.getpid()), *words)
        check(code == 2 and not out and said in err, f"{words}: {code}, {err}")
