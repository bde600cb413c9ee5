# SPDX-License-Identifier: Apache-2.0
"""Cases, their clean-up, and what is fetched or built for them.

A case is a function that takes a Case. It starts programs through it, waits for conditions (never
for time to pass) and raises Failed. Whatever it started is ended with it, however it ends. It has a
process of its own (tests/runner) and a deadline, which waits while something is fetched or built.
"""

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import threading
import time
import traceback

# How many times longer all may take: in an emulated machine (tests/vm).
SLOW = float(os.environ.get("gleakd_slow", "1"))
IN_CI = os.environ.get("CI", "") not in ("", "0", "false")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# The everyday tier makes do with the machine's own Go; what needs other versions is a tier apart, and so is
# what needs the static program, which is built for it, or Kubernetes' API server, which takes minutes to build.
EVERYDAY, VERSIONS, STATIC, CLUSTER = "everyday", "versions", "static", "cluster"
BUT_UNITS = "but units"  # see case()
CASE_SECONDS = 120

CASES = []
TO_PREPARE = {}  # what many cases ask for: {what: (tier, function)}


class Failed(Exception):
    """What was expected and what came instead."""


class Skip(Exception):
    """Names what is missing. `always` marks what no machine is bound to have, CI included."""

    def __init__(self, missing, always=False):
        super().__init__(missing)
        self.always = always


class Deadline(BaseException):
    """A case is to end at once; no Exception, so that no case mistakes it for an outcome."""


def case(function=None, *, alone=False, is_long=False, waits=False, tier=EVERYDAY,
         seconds=CASE_SECONDS):
    """Registers a case.

    alone     its figures would suffer from another case running beside it; BUT_UNITS: it or other
              cases would, since both have to do with the whole host, but unit tests have not
    is_long   it takes half a minute or more
    waits     nearly all of its time passes while nothing happens, and it looks by --pid at a program
              that does hardly anything: it may run beside those that must be alone
    """

    def register(f):
        f.alone, f.tier, f.seconds, f.is_long, f.waits = alone, tier, seconds, is_long, waits
        f.case_name = f.__module__.replace("cases_", "") + "." + f.__name__
        CASES.append(f)
        return f

    return register(function) if function else register


def tier_of(value):
    """The tier of a case about this Program, or these."""
    things = value if isinstance(value, (tuple, list)) else (value,)
    return EVERYDAY if all(getattr(x, "go", "local") == "local" for x in things) else VERSIONS


def cases_for(values, **options):
    """Registers one case per value of a dict: {suffix: argument}."""

    def register(f):
        for suffix, value in values.items():

            def bound(t, value=value):
                return f(t, value)

            bound.__module__, bound.__name__ = f.__module__, f"{f.__name__}[{suffix}]"
            case(**{"tier": tier_of(value), **options})(bound)
        return f

    return register


# --- fetching and building ------------------------------------------------------------------------

_tell = None
_run = {"tier": None, "folder": None}
_busy, _busy_with, _busy_seconds = threading.RLock(), [], [0.0]


def set_channel(tell):
    """Where the process of a case tells what it is busy with (tests/runner/pool.py)."""
    global _tell
    _tell = tell


def running_tier():
    """The tier of the case that runs; None outside of cases."""
    return _run["tier"]


@contextlib.contextmanager
def untimed(what):
    """No part of a case's time: a download or a build."""
    with _busy:
        _busy_with.append(what)
        begin = time.monotonic()
        if _tell:
            _tell(busy=what)
        try:
            yield
        finally:
            _busy_with.pop()
            if not _busy_with:
                _busy_seconds[0] += time.monotonic() - begin
            if _tell:
                _tell(busy=_busy_with[-1] if _busy_with else None)


def run_folder():
    """A folder of this run, for all of its processes."""
    if not _run["folder"]:
        _run["folder"] = tempfile.mkdtemp(prefix="gleakd-test-run-")
        atexit.register(shutil.rmtree, _run["folder"], True)
    return _run["folder"]


def to_prepare(what, function, tier=EVERYDAY):
    """A run of all cases begins with this; they ask for it again through once()."""
    TO_PREPARE[what] = (tier, function)


def once(what, function, *args):
    """function(*args), which may raise Failed or Skip: once in a run, whichever case asks first.

    What it returns must fit into JSON.
    """
    path = os.path.join(run_folder(), what.encode().hex())
    with untimed(what), open(path + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(path):
            # Kept even when the case is to end: the next one is not to wait as long again.
            result = {"failed": f"{what}: was not done in time"}
            try:
                result = _tried(function, args)
            finally:
                with open(path + ".new", "w", encoding="utf-8") as file:
                    json.dump(result, file)
                os.rename(path + ".new", path)
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
    if "skip" in result:
        raise Skip(result["skip"], result["always"])
    if "failed" in result:
        raise Failed(result["failed"])
    return result["value"]


def _tried(function, args):
    try:
        return {"value": function(*args)}
    except Skip as skip:
        return {"skip": str(skip), "always": skip.always}
    except Failed as failure:
        return {"failed": str(failure)}


# --- running --------------------------------------------------------------------------------------


def check(condition, message):
    if not condition:
        raise Failed(message)


def check_equal(got, wanted, what):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


def until(what, condition, seconds=10):
    """Polls until condition() is true and returns its value."""
    end = time.monotonic() + seconds * SLOW
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
    """The Outcome of a case. A Deadline passes through, with what the case noted."""
    t = Case(function.case_name, build)
    begin, _busy_seconds[0] = time.monotonic(), 0.0
    verdict, reason, details = "passed", "", ""
    _run["tier"] = function.tier
    try:
        with t.stack:
            function(t)
    except Skip as skip:
        must_run = IN_CI and not skip.always
        verdict = "failed" if must_run else "skipped"
        reason = ("may not be skipped in CI: " if must_run else "") + f"needs {skip}"
    except Failed as failure:
        verdict, reason, details = "failed", str(failure), traceback.format_exc()
    except Deadline as deadline:
        raise Deadline("\n".join([traceback.format_exc(), *t.notes])) from deadline
    except Exception as error:  # a defect of the test is a failure too
        verdict, reason = "failed", f"{type(error).__name__}: {error}"
        details = traceback.format_exc()
    finally:
        _run["tier"] = None
    details += "\n".join(t.notes)
    return Outcome(t.name, verdict, reason, details, time.monotonic() - begin - _busy_seconds[0])
