# SPDX-License-Identifier: Apache-2.0
"""Green means that something could have been found: a run that could judge nothing says so and has an
exit code of its own."""

import os
import re
import shutil

from harness import case, cases_for, check, check_equal, until
from programs import Program, start
from tracer import Gleakd, needs_tracing, run

COUNTS = Program("counts")
NOT_JUDGED, FOUND = 5, 42
FINDINGS = ("--error-exitcode", str(FOUND))
NOBODY = ("--config", "/dev/null", "--only", "exe:/nonexistent/*")


@cases_for({"once": ("--once",), "duration": ("--duration", "2s", "--min-age", "500ms")})
def nothing_matches(t, how):
    needs_tracing()
    for findings, wanted in ((FINDINGS, NOT_JUDGED), ((), 0)):
        code, _, err = run(t, *NOBODY, *how, *findings, "--json")
        check_equal(code, wanted, f"exit code ({err})")
        check("nothing could be judged: no Go process matches --only exe:/nonexistent/*" in err, err)


@case
def nothing_to_watch_yet_is_said_at_once(t):
    g = Gleakd(t, None, *NOBODY, "--interval", "300ms")
    until("a word about it", lambda: any("waiting for one" in line for line in g.errors))
    seen = len(g.reports)
    g.report("three more rounds", lambda r: len(g.reports) >= seen + 3)
    check_equal(sum("waiting for one" in line for line in g.errors), 1, "times it is said")
    g.interrupt()


@case
def a_process_that_ends_is_not_green(t):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "300ms", "--duration", "5m", *FINDINGS)
    g.report()
    target.process.kill()
    check_equal(g.finish(), NOT_JUDGED, "exit code")
    until("why", lambda: any(f"process {target.pid} ended after" in line and
                             "before --duration 5m was over" in line for line in g.errors))


@case
def one_of_two_that_ends_is_not_green(t):
    one, other = start(t, COUNTS), start(t, COUNTS)
    g = Gleakd(t, one.pid, "-p", str(other.pid), "--interval", "300ms", "--min-age", "500ms",
               "--duration", "4s", *FINDINGS)
    g.report("both", lambda r: len(r["targets"]) == 2)
    one.process.kill()
    check_equal(g.finish(15), NOT_JUDGED, "exit code")
    until("why", lambda: any(f"process {one.pid} ended after" in line for line in g.errors))


@case
def until_its_end_is_long_enough(t):
    """Without a duration it is watched for as long as it lives."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "300ms", "--min-age", "500ms", *FINDINGS)
    g.report("long enough", lambda r: r["targets"][0]["observed_seconds"] > 3)
    target.process.kill()
    check_equal(g.finish(), 0, f"exit code ({g.said()})")


@case(waits=True)
def a_watch_that_is_too_short_is_not_green(t):
    target = start(t, COUNTS)
    watch = ("--pid", str(target.pid), "--duration", "2s", "--json")
    for findings, wanted in ((FINDINGS, NOT_JUDGED), ((), 0)):
        code, _, err = run(t, *watch, *findings)
        check_equal(code, wanted, f"exit code ({err})")
        check("--duration 2s: no leak can be found in that time; with --min-age 10s it takes 26s or more"
              in err, err)
        check(re.search(r"nothing could be judged: [\d.]+s is too short, a leak takes 26s", err), err)
    code, _, err = run(t, "--pid", str(target.pid), "--duration", "2s", "--json", "--min-age", "900ms",
                       *FINDINGS)
    check_equal(code, NOT_JUDGED, f"exit code ({err})")
    check("--duration 2s: nothing slower than 300/s can be found in that time" in err, err)
    code, _, err = run(t, "--pid", str(target.pid), "--duration", "3s", "--json", "--min-age", "1s",
                       *FINDINGS)
    check_equal(code, 0, f"exit code ({err})")
    check("--duration 3s: no leak slower than 4/s can be found in that time" in err, err)


@case
def an_interrupted_watch_is_not_green(t):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, *FINDINGS)
    g.report()
    g.process.send_signal(2)
    check_equal(g.finish(), NOT_JUDGED, "exit code")


@case
def what_is_found_counts_however_short(t):
    target = start(t, COUNTS)
    target.ask("shape nilreceive 3")
    code, _, err = run(t, "--pid", str(target.pid), "--min-age", "1s", "--interval", "500ms",
                       "--duration", "2s", "--json", *FINDINGS)
    check_equal(code, FOUND, f"exit code ({err})")


@case
def what_is_stuck_needs_no_growth(t):
    target = start(t, COUNTS)
    code, _, err = run(t, "--pid", str(target.pid), "--min-age", "1s", "--interval", "500ms",
                       "--duration", "2s", "--json", *FINDINGS, "--fail-on", "stuck")
    check_equal(code, 0, f"exit code ({err})")


@case
def one_look_judges(t):
    target = start(t, COUNTS)
    code, _, err = run(t, "--pid", str(target.pid), "--once", "--json", *FINDINGS)
    check_equal((code, err), (0, ""), "exit code and stderr")


# --- metrics of one look --------------------------------------------------------------------------


@cases_for({"one": True, "host": False})
def one_look_leaves_its_metrics(t, one):
    needs_tracing()
    folder = t.directory()
    service = os.path.join(folder, "service")
    shutil.copy(COUNTS.build(), service)
    target = start(t, COUNTS, path=service)
    path = os.path.join(folder, "gleakd.prom")
    which = ("--pid", str(target.pid)) if one else ("--config", "/dev/null", "--only", f"exe:{service}")
    code, _, err = run(t, *which, "--once", "--json", "--textfile", path)
    check_equal(code, 0, f"exit code ({err})")
    with open(path, encoding="utf-8") as file:
        check("gleakd_goroutines{" in file.read(), "metrics of the process")


@case
def one_look_that_cannot_leave_them_fails(t):
    target = start(t, COUNTS)
    path = os.path.join(t.directory(), "missing", "gleakd.prom")
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json", "--textfile", path)
    check_equal(code, 1, f"exit code ({err})")
    check(path in err, err)
    check(out, "the report is there all the same")
