# SPDX-License-Identifier: Apache-2.0
"""Unit test programs (Criterion): what is in them, and running it with an eye on each test."""

import glob
import itertools
import os
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import time

from harness import IN_CI, ROOT, VERSIONS, Outcome
from pool import Job

# Criterion's own --timeout does not end a test that hangs (2.4.1). Under ASan the longest takes 40 s.
TEST_SECONDS = 120
PROGRAM_SECONDS = 15 * 60
FILTER_LENGTH = 1500  # Criterion aborts when a pattern has some 3,000 characters

LISTED_SUITE = re.compile(r"^(\w+): \d+ tests?$")
LISTED_TEST = re.compile(r"^[├└]── (\w+)$")
LOGGED = re.compile(r"\[(RUN |PASS|FAIL|SKIP)\] (\w+::\w+)(?::\s*(.*))?$")
TAP = re.compile(r"^(not ok|ok)\s*\d*\s*-\s*(\S+?::\S+)\s*(.*)$")
# Tests of one version of Go, which the everyday tier does without.
OF_ONE_VERSION = re.compile(r"needs a Go 1\.\d+ program")
READS_REAL_BINARIES = re.compile(r"real_binar|GLEAKD_TEST_BINARIES|build/programs/")


def programs(build):
    found = sorted(glob.glob(os.path.join(build, "tests", "unit", "*")))
    return [p for p in found if os.access(p, os.X_OK) and not os.path.isdir(p)]


def listed(program):
    """["suite::test", ...] of a program."""
    said = subprocess.run([program, "--list"], capture_output=True, text=True, timeout=60).stdout
    tests, suite = [], None
    for line in said.splitlines():
        if match := LISTED_SUITE.match(line):
            suite = match.group(1)
        elif match := LISTED_TEST.match(line):
            tests.append(f"{suite}::{match.group(1)}")
    return tests


def suites_of_real_binaries(folder):
    """Names of suites that read programs built by real Go toolchains."""
    names = set()
    for path in glob.glob(os.path.join(ROOT, "tests", "unit", folder, "*.c")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if READS_REAL_BINARIES.search(text):
            names.update(re.findall(r"^(?:Parameterized)?Test\((?:[^,()]*,\s*)??(\w+),", text, re.M))
    return names


def jobs(build, wanted, tier, test_seconds=None):
    """One Job for each program that has tests for which wanted(name) holds."""
    found = []
    for program in programs(build):
        folder = os.path.basename(program)
        every = listed(program)
        tests = [test for test in every if wanted(full_name(folder, test))]
        if tier == VERSIONS:
            suites = suites_of_real_binaries(folder)
            tests = [test for test in tests if test.split("::")[0] in suites]
        if tests:
            found.append(Job([full_name(folder, test) for test in tests],
                             Run(program, tests, tests == every, tier,
                                 test_seconds or TEST_SECONDS), PROGRAM_SECONDS,
                             title=f"unit.{folder}", apart=True))
    return found


def reads_real_binaries(job):
    """Whether the tests of a Job, if it is one of these, read programs that have to be built."""
    if not isinstance(job.function, Run):
        return False
    suites = suites_of_real_binaries(job.function.folder)
    return any(test.split("::")[0] in suites for test in job.function.tests)


def full_name(folder, test):
    return f"unit.{folder}.{test.replace('::', '.')}"


def batch(tests):
    """As many of the tests as one --filter can name, an extended glob."""
    for n, length in enumerate(itertools.accumulate(len(test) for test in tests), 1):
        if length > FILTER_LENGTH:
            return tests[:n]
    return tests


def pattern_of(tests):
    return "@(" + "|".join(test.replace("::", "/") for test in tests) + ")"


class Once:
    """One execution of a program, and what came out of it."""

    def __init__(self, program, tests, tap, prefix=()):
        """Of these tests, of all when it is None."""
        self.begun, self.ended, self.log, self.tap = {}, [], [], []
        self.hung = self.code = None
        self.tap_path = tap
        self.command = [*prefix, program, "-j1", "--verbose", "--color=never", f"--tap={tap}"]
        if tests is not None:
            self.command += ["--filter", pattern_of(tests)]

    def run(self, seconds, doing):
        """Until its end, or until a test takes longer than that; doing(test) is called meanwhile."""
        options = "detect_leaks=1:allocator_may_return_null=1:" + os.environ.get("ASAN_OPTIONS", "")
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, env=dict(os.environ, ASAN_OPTIONS=options),
            start_new_session=True)
        try:
            if self._watch(seconds, doing):
                self.code = self.process.wait(10)
                with open(self.tap_path, encoding="utf-8", errors="replace") as file:
                    self.tap = list(file)
        except (subprocess.TimeoutExpired, FileNotFoundError):
            pass  # then the log has to do
        finally:
            self._end()

    def _watch(self, seconds, doing):
        """False when a test hangs."""
        buffer = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while True:
                if selector.select(1):
                    data = os.read(self.process.stdout.fileno(), 1 << 16)
                    if not data:
                        return True
                    *lines, buffer = (buffer + data).split(b"\n")
                    for line in lines:
                        self._take(line.decode("utf-8", "replace"))
                oldest = min(self.begun, key=self.begun.get, default=None)
                doing(oldest.split("::")[1] if oldest else "")
                if oldest and time.monotonic() - self.begun[oldest] > seconds:
                    self.hung = oldest
                    return False

    def _take(self, line):
        self.log.append(line)
        if match := LOGGED.search(line):
            what, test, words = match.groups()
            if what == "RUN ":
                self.begun.setdefault(test, time.monotonic())
            else:
                self.begun.pop(test, None)
                self.ended.append((test, what, words or ""))

    def _end(self):
        """With its session: Criterion runs each test in a process of its own."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process.stdout.close()

    def said(self):
        return "\n".join(self.log[-2000:])

    def results(self):
        """(test, how it ended, words), from the report where there is one: nothing garbles it."""
        found = []
        for line in self.tap:
            if match := TAP.match(line):
                how, test, words = match.groups()
                skipped = re.search(r"#\s*SKIP\s*(.*)", words)
                if how == "ok" and skipped:
                    found.append((test, "SKIP", skipped.group(1).strip()))
                else:
                    found.append((test, "PASS" if how == "ok" else "FAIL", words))
        return found or self.ended


class Run:
    """What the process of a Job does: all tests of a program, whatever one of them does."""

    def __init__(self, program, tests, all_of_them, tier, test_seconds):
        self.program, self.tests, self.tier = program, tests, tier
        self.all_of_them, self.test_seconds = all_of_them, test_seconds
        self.folder = os.path.basename(program)

    def __call__(self, tell):
        tap = self.program + ".tap"
        left, all_of_them = list(self.tests), self.all_of_them
        # A test that hangs ends the program; the rest is run by another one.
        while left:
            wanted = left if all_of_them else batch(left)
            once = Once(self.program, None if all_of_them else wanted, tap)
            all_of_them = False
            if os.path.exists(tap):
                os.unlink(tap)
            try:
                once.run(self.test_seconds, lambda test: tell(doing=test))
            finally:  # also of what a deadline has cut short
                outcomes = self._outcomes(once, wanted)
                again = [o for o in outcomes if "without CAP" in o.reason]
                for outcome in [o for o in outcomes if o not in again] + self._unprivileged(again):
                    tell(outcome=outcome)
            done = {o.name for o in outcomes}
            for test in wanted:
                if full_name(self.folder, test) not in done and not once.hung:
                    tell(outcome=Outcome(full_name(self.folder, test), "failed", "no result: the "
                                         f"program ended with {once.code}", once.said()))
                    done.add(full_name(self.folder, test))
            left = [test for test in left if full_name(self.folder, test) not in done]

    def _outcomes(self, once, wanted):
        outcomes = []
        for test, how, words in once.results():
            if test not in wanted:  # what the filter left out is in the report as skipped
                continue
            name = full_name(self.folder, test)
            if how == "FAIL":
                outcomes.append(Outcome(name, "failed", words or "assertion failed", once.said()))
            elif how == "PASS":
                outcomes.append(Outcome(name, "passed"))
            elif self.tier == VERSIONS or not OF_ONE_VERSION.search(words):
                verdict = "failed" if IN_CI else "skipped"
                outcomes.append(Outcome(name, verdict, words or "no reason given"))
            else:
                outcomes.append(Outcome(name, "elsewhere"))
        if once.hung:
            outcomes.append(Outcome(full_name(self.folder, once.hung), "failed",
                                    f"still running after {self.test_seconds:g} s", once.said()))
        elif once.code and not any(o.verdict == "failed" for o in outcomes):
            # A leak that ASan finds at the end belongs to no test.
            outcomes.append(Outcome(f"unit.{self.folder}", "failed",
                                    f"exit code {once.code}", once.said()))
        return outcomes

    def _unprivileged(self, outcomes):
        """Runs again, without privileges, what asked for that; root has too many."""
        if not outcomes or os.geteuid() != 0 or not shutil.which("setpriv"):
            return outcomes
        names = {o.name for o in outcomes}
        tests = [test for test in self.tests if full_name(self.folder, test) in names]
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o777)
            prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                      "--inh-caps=-all"]
            once = Once(shutil.copy(self.program, folder), tests, os.path.join(folder, "tap"),
                        prefix)
            once.run(self.test_seconds, lambda test: None)
        return self._outcomes(once, tests)
