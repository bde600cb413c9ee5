# SPDX-License-Identifier: Apache-2.0
"""What make and the scripts behind it promise to somebody who has just cloned this."""

import os
import re
import signal
import subprocess

from harness import ROOT, Skip, case, cases_for, check, check_equal, until

TOOLS = os.path.join(ROOT, "tools")
# A minimal Debian lacks them, every other one has them; what needs them here does not start them.
HAVE_SERVICES = {"systemd", "dbus", "man-db", "util-linux"}


def environment():
    """Without the variables by which a make above this run speaks to those below."""
    return {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def run(t, *command, **options):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, **options)
    t.note(f"$ {' '.join(command)} -> {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


@cases_for({"nothing": ([], True), "a goal": (["unit"], True), "two": (["all", "unit"], True),
            "in order": (["clean", "all"], False)})
def builds_with_all_processors(t, value):
    """Except where goals are meant one after the other."""
    goals, parallel = value
    # The database of make's variables, of which nothing is carried out.
    said = run(t, "make", "-npq", *goals, env=environment()).stdout
    flags, = set(re.findall(r"^MAKEFLAGS = (.*)$", said, re.MULTILINE))
    jobs = re.findall(r"(?<!\S)-j(\d+)", flags)
    check_equal(jobs, [str(len(os.sched_getaffinity(0)))] if parallel else [], f"-j of {flags!r}")


@case
def tests_that_do_not_build_end_with_a_summary(t):
    done = run(t, os.path.join(TOOLS, "test.sh"), "build", "false",
               env=dict(environment(), DEPS="true"))
    check_equal(done.returncode, 1, "exit code")
    check_equal(done.stdout.splitlines()[-1], "0 passed, 1 failed, 0 skipped", "last line")


@cases_for({"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM})
def tests_that_are_interrupted_while_they_build_end_with_a_summary(t, number):
    """What builds takes long here, and says so; it ends as well."""
    folder = t.directory()
    path, told = os.path.join(folder, "make"), os.path.join(folder, "told")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\necho $$ >{told}.new\nmv {told}.new {told}\nexec sleep 60\n")
    os.chmod(path, 0o755)
    process = subprocess.Popen([os.path.join(TOOLS, "test.sh"), "build", path], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, env=dict(environment(), DEPS="true"))
    t.defer(process.kill)
    until("it builds", lambda: os.path.exists(told))
    process.send_signal(number)
    said, _ = process.communicate(timeout=20)
    check_equal(process.returncode, 128 + number, "exit code")
    check_equal(said.splitlines()[-1], "0 passed, 1 failed, 0 skipped", "last line")
    with open(told, encoding="utf-8") as file:
        check(not runs(file.read().strip()), "what builds is still there")


@case
def packages_for_the_tests_bring_no_service(t):
    """Servers that tests use are unpacked, not installed: else systemd would start them from then on."""
    listed = run(t, os.path.join(TOOLS, "deps.sh"), "--list", "build", "go", "test", "deb", "bench",
                 "fuzz", "vm", "vm-arm64", "lint", "fresh", "static").stdout.split()
    check(len(listed) > 30, f"packages: {listed}")
    looked_at = 0
    for package in sorted(set(listed) - HAVE_SERVICES):
        done = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
        looked_at += done.returncode == 0
        units = re.findall(r"^.*/lib/systemd/system/.*$", done.stdout, re.MULTILINE)
        check_equal(units, [], f"units of {package}")
    if not looked_at:
        raise Skip("a machine with packages of Debian's")


def runs(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read() != ""  # a zombie has none
    except FileNotFoundError:
        return False


def progress(*command):
    return [os.path.join(TOOLS, "progress.sh"), "words", *command]


@case
def long_commands_say_that_they_are_at_work(t):
    done = run(t, *progress("sh", "-c", "echo first; sleep 7; echo second"))
    check_equal(done.returncode, 0, "exit code")
    check(re.fullmatch(r"words: [5-7] s  first\n", done.stdout), f"words: {done.stdout!r}")


@case
def commands_that_fail_show_what_they_said(t):
    done = run(t, *progress("sh", "-c", "echo reason; exit 7"))
    check_equal(done.returncode, 7, "exit code")
    check_equal(done.stderr, "reason\nwords: exit code 7\n", "words")


@case
def interrupted_commands_end_with_what_they_started(t):
    path = os.path.join(t.directory(), "pid")
    process = subprocess.Popen(progress("sh", "-c", f"sleep 60 & echo $! >{path}.new; "
                                        f"mv {path}.new {path}; wait"))
    t.defer(process.wait)
    t.defer(process.kill)
    until("it has begun", lambda: os.path.exists(path))
    with open(path, encoding="utf-8") as file:
        started = file.read().strip()
    process.send_signal(signal.SIGTERM)
    check_equal(process.wait(20), 143, "exit code")
    until("what it started is gone", lambda: not runs(started))
