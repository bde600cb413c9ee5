# SPDX-License-Identifier: Apache-2.0
"""--trigger: what was known when a figure of a process was too high is there tomorrow."""

import json
import os
import re
import signal

from cases_evidence import FILES, kept_in, text_of
from cases_host import host, own_copy
from faults import PATIENCE, shows, until
from harness import case, check, check_equal
from programs import Program, start
from tracer import Gleakd, run

COUNTS = Program("counts")
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


@case
def what_says_nothing_is_refused(t):
    for words, said in ((("--trigger", "goroutines>7"), "add --evidence DIR"),
                        (("--evidence", "x", "--trigger", "goroutine>7"), "does not begin with one of runnable"),
                        (("--evidence", "x", "--trigger", "heap_live>lots"), "a size, as 512M or 2G"),
                        (("--evidence", "x", "--trigger", "runnable>1s for"), "as in 'goroutines>50000'")):
        code, out, err = run(t, "--pid", str(os.getpid()), *words)
        check(code == 2 and not out and said in err, f"{words}: {code}, {err}")
