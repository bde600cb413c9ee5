# SPDX-License-Identifier: Apache-2.0
"""Cases, their clean-up and their runner.

A case is a function that takes a Case. It starts programs through it, waits for conditions (never
for time to pass) and raises Failed. Whatever it started is ended with it, however it ends.
"""

import concurrent.futures
import contextlib
import os
import shutil
import tempfile
import threading
import time
import traceback

IN_CI = os.environ.get("CI", "") not in ("", "0", "false")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CASES = []


class Failed(Exception):
    """What was expected and what came instead."""


class Skip(Exception):
    """Names what is missing. `always` marks what no machine is bound to have, CI included."""

    def __init__(self, missing, always=False):
        super().__init__(missing)
        self.always = always


def case(function=None, *, alone=False):
    """Registers a case. `alone`: its figures would suffer from another case running beside it."""

    def register(f):
        f.alone = alone
        f.case_name = f.__module__.replace("cases_", "") + "." + f.__name__
        CASES.append(f)
        return f

    return register(function) if function else register


def cases_for(values):
    """Registers one case per value of a dict: {suffix: argument}."""

    def register(f):
        for suffix, value in values.items():

            def bound(t, value=value):
                return f(t, value)

            bound.__module__, bound.__name__ = f.__module__, f"{f.__name__}[{suffix}]"
            case(bound)
        return f

    return register


def check(condition, message):
    if not condition:
        raise Failed(message)


def check_equal(got, wanted, what):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


def until(what, condition, seconds=10):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Case:
    """What one running case owns."""

    def __init__(self, name, build):
        self.name = name
        self.build = build
        self.stack = contextlib.ExitStack()
        self.notes = []

    def note(self, text):
        self.notes.append(str(text))

    def defer(self, function, *args):
        self.stack.callback(function, *args)

    def directory(self):
        path = tempfile.mkdtemp(prefix="gleakd-test-")
        os.chmod(path, 0o755)
        self.defer(shutil.rmtree, path, True)
        return path


class Outcome:
    def __init__(self, name, verdict, reason="", details="", seconds=0.0):
        self.name, self.verdict, self.reason = name, verdict, reason
        self.details, self.seconds = details, seconds


def run_one(function, build):
    t = Case(function.case_name, build)
    begin = time.monotonic()
    verdict, reason, details = "passed", "", ""
    try:
        with t.stack:
            function(t)
    except Skip as skip:
        must_run = IN_CI and not skip.always
        verdict = "failed" if must_run else "skipped"
        reason = ("may not be skipped in CI: " if must_run else "") + f"needs {skip}"
    except Failed as failure:
        verdict, reason, details = "failed", str(failure), traceback.format_exc()
    except Exception as error:  # a defect of the test is a failure too
        verdict, reason = "failed", f"{type(error).__name__}: {error}"
        details = traceback.format_exc()
    details += "\n".join(t.notes)
    return Outcome(t.name, verdict, reason, details, time.monotonic() - begin)


def run_cases(build, pattern, jobs, report):
    """Runs the matching cases, those that must be alone last, and reports each Outcome."""
    chosen = [f for f in CASES if pattern in f.case_name]
    lock = threading.Lock()

    def run_and_report(f):
        outcome = run_one(f, build)
        with lock:
            report(outcome)

    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        list(pool.map(run_and_report, [f for f in chosen if not f.alone]))
    for f in chosen:
        if f.alone:
            run_and_report(f)
