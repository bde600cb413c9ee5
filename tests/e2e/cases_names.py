# SPDX-License-Identifier: Apache-2.0
"""Processes by any name that their users have for them, several at once, and commands."""

import json
import os
import re
import secrets
import shutil
import subprocess

from cases_containers import Container, Image, control_group
from harness import case, cases_for, check, check_equal, until
from programs import Program, start
from tracer import Gleakd, needs_tracing, run

COUNTS = Program("counts")
USAGE = 2


def named(t, name, path=None):
    """A running copy of the program under a name that no other process has."""
    path = path or os.path.join(t.directory(), name)
    if not os.path.exists(path):
        shutil.copy(COUNTS.build(), path)
    return start(t, COUNTS, path=path)


def unique():
    return "svc-" + secrets.token_hex(4)


def once(t, *args):
    """One look: the pids that were looked at."""
    needs_tracing()
    code, out, err = run(t, *args, "--once", "--json")
    check_equal(code, 0, f"exit code of {args} ({err})")
    return [target["pid"] for target in json.loads(out)["targets"]]


@case
def one_match_is_watched(t):
    name = unique()
    target = named(t, name)
    for args in ([name], ["--pid", name], [str(target.pid)], ["watch", name], [name[:-2] + "*"]):
        check_equal(once(t, *args), [target.pid], f"pids of {args}")


@case
def by_container(t):
    needs_tracing()
    container_id = secrets.token_hex(32)
    group = control_group(t, f"docker-{container_id}.scope")
    container = Container(t, Image(t), "one")
    with open(os.path.join(group, "cgroup.procs"), "w", encoding="utf-8") as procs:
        procs.write(str(container.pid))
    check_equal(once(t, container_id[:12]), [container.pid], "pids")
    container.process.kill()
    container.process.wait()
    until("the group is empty", lambda: not open(os.path.join(group, "cgroup.procs"),
                                                 encoding="utf-8").read())


@case
def several_matches_are_listed_with_what_to_type(t):
    name = unique()
    path = os.path.join(t.directory(), name)
    pids = sorted(named(t, name, path).pid for _ in range(3))
    code, out, err = run(t, name)
    check_equal((code, out), (USAGE, ""), f"exit code and stdout ({err})")
    check_equal([int(pid) for pid in re.findall(r"^  gleakd --pid (\d+) ", err, re.MULTILINE)], pids,
                "commands to type")
    together = re.search(r"^  gleakd ([\d ]+)  \(all of them\)$", err, re.MULTILINE)
    check(together, err)
    needs_tracing()
    check_equal(sorted(once(t, *together.group(1).split())), pids, "pids of all of them")


@case
def what_nothing_is_called_is_said(t):
    code, out, err = run(t, unique())
    check_equal((code, out), (USAGE, ""), "exit code and stdout")
    check("no Go process is called 'svc-" in err and "gleakd list" in err, err)
    code, _, err = run(t, "lsit")
    check_equal(code, USAGE, "exit code")
    check("did you mean 'gleakd list'?" in err, err)


@case
def what_is_no_go_program_is_said(t):
    name = unique()
    path = os.path.join(t.directory(), name)
    shutil.copy(shutil.which("sleep"), path)
    sleep = subprocess.Popen([path, "60"])
    t.defer(sleep.wait)
    t.defer(sleep.kill)
    needs_tracing()
    code, _, err = run(t, "--pid", name)
    check_equal(code, USAGE, "exit code")
    check(f"process {sleep.pid} is called '{name}' but runs no Go program" in err, err)


@case
def two_at_once(t):
    """Both in every report; the end of one is no end of the other."""
    needs_tracing()
    one, other = start(t, COUNTS), start(t, COUNTS)
    g = Gleakd(t, one.pid, "-p", str(other.pid), "--interval", "300ms")

    def of(report, target):
        return next(x for x in report["targets"] if x["pid"] == target.pid)

    g.report("both", lambda r: len(r["targets"]) == 2)
    one.ask("spawn 101")
    other.ask("spawn 211")
    g.report("what both did", lambda r: of(r, one)["goroutines"]["created"] >= 101 and
             of(r, other)["goroutines"]["created"] >= 211)
    one.process.kill()
    until("the end of one is told", lambda: any(f"process {one.pid} has ended" in line
                                                for line in g.errors))
    other.ask("spawn 307")
    g.report("the other goes on", lambda r: of(r, other)["goroutines"]["created"] >= 211 + 307)
    other.process.kill()
    final = g.final()
    check_equal(final["final_reason"], "target exited", "reason")


@case
def the_same_twice_is_one(t):
    target = start(t, COUNTS)
    check_equal(once(t, str(target.pid), "-p", str(target.pid)), [target.pid], "pids")


@cases_for({
    "help": (["help"], "gleakd COMMAND"),
    "of a command": (["help", "list"], "Usage: gleakd list"),
    "all options": (["help", "watch"], "--max-self-cpu"),
    "version": (["version"], "gleakd "),
})
def commands_that_print(t, given):
    args, words = given
    code, out, err = run(t, *args)
    check_equal((code, err), (0, ""), "exit code and stderr")
    check(words in out, out)


@cases_for({
    "topic": (["help", "lsit"], "did you mean 'gleakd help list'?"),
    "option": (["--onec"], "did you mean --once?"),
    "order": (["--once", "list"], "comes first: gleakd list"),
})
def did_you_mean(t, given):
    args, words = given
    code, out, err = run(t, *args)
    check_equal((code, out), (USAGE, ""), "exit code and stdout")
    check(words in err, err)


@case
def a_reader_of_the_help_may_leave(t):
    code = subprocess.run(["bash", "-c", f'"{t.build}/gleakd" help watch | true; exit ${{PIPESTATUS[0]}}'],
                          capture_output=True).returncode
    check_equal(code, 0, "exit code")
