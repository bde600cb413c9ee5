# SPDX-License-Identifier: Apache-2.0
"""tests/run itself: whatever a case does, the run ends with a result for each of them."""

import os
import re
import signal
import subprocess
import sys

from harness import ROOT, Failed, Skip, case, cases_for, check, check_equal, until

SUMMARY = re.compile(r"(\d+) passed, (\d+) failed, (\d+) skipped")

GOOD = """
from harness import case

@case
def good(t):
    pass
"""

HANGING = """
import os, signal, subprocess, time
from harness import case

@case
def hangs(t):
    folder = t.directory()
    child = subprocess.Popen(["setsid", "sleep", "60"])
    with open(os.environ["TOLD"], "w") as file:
        file.write(f"{folder} {child.pid}")
    while True:
        time.sleep(1)

@case
def hangs_and_does_not_end(t):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    while True:
        time.sleep(1)
"""

BROKEN = """
import os, signal
from harness import case

@case
def kills_itself(t):
    os.kill(os.getpid(), signal.SIGKILL)

@case
def raises_what_nobody_expects(t):
    raise KeyboardInterrupt
"""

SLOW = """
import os, time
import harness

def take_time():
    time.sleep(2)
    return "built"

@harness.case
def builds(t):
    harness.check_equal(harness.once("building a house", take_time), "built", "what")

@harness.case
def uses_it_too(t):
    harness.check_equal(harness.once("building a house", take_time), "built", "what")
"""

MANY = """
import os, time
from harness import cases_for

@cases_for({str(i): i for i in range(7)})
def waits(t, i):
    if i >= 2:
        open(os.environ["TOLD"], "w").close()
        time.sleep(60)
"""

OTHER_VERSION = """
from harness import VERSIONS, case
from programs import Program

OLD = Program("counts", "1.19.13")

@case
def not_here(t):
    OLD.build()

@case(tier=VERSIONS)
def there(t):
    pass
"""

LONELY = """
import os, time
from harness import BUT_UNITS, case, cases_for

def told(what):
    with open(os.environ["TOLD"], "a") as file:
        file.write(what + "\\n")

def for_a_while(name):
    told("begin " + name)
    time.sleep(0.3)
    told("end " + name)

@case(alone=True)
def alone(t):
    for_a_while("alone")

@cases_for({"a": "a", "b": "b"}, alone=BUT_UNITS)
def but_units(t, which):
    for_a_while("but_units")

@cases_for({str(i): i for i in range(6)})
def others(t, i):
    for_a_while("others")

@case(is_long=True)
def long(t):
    for_a_while("long")

@cases_for({str(i): i for i in range(6)}, waits=True)
def waits(t, i):
    for_a_while("waits")
"""

UNSTEADY = """
import os
from harness import case, check

@case
def fails_once(t):
    check(os.path.exists(os.environ["TOLD"]), open(os.environ["TOLD"], "w").name)

@case
def fails(t):
    check(False, "as ever")
"""

UNITS = """
#include <criterion/criterion.h>
#include <unistd.h>

Test(first, passes) {}
Test(first, fails) { cr_assert_eq(1, 2, "one is not two"); }
Test(second, hangs)
{
	for (;;)
		pause();
}
Test(second, passes) {}
Test(third, crashes) { abort(); }
Test(third, passes) {}
"""


class Run:
    """A tests/run of the cases in this text."""

    def __init__(self, t, text="", args=(), ci=False):
        self.folder = t.directory()
        self.build = os.path.join(self.folder, "build")
        self.told = os.path.join(self.folder, "told")
        with open(os.path.join(self.folder, "cases_made.py"), "w", encoding="utf-8") as file:
            file.write(text)
        self.args, self.env = args, dict(os.environ, TOLD=self.told, CI="true" if ci else "")
        self.t = t

    def unit_program(self):
        source, path = os.path.join(self.folder, "u.c"), os.path.join(self.build, "tests/unit/made")
        os.makedirs(os.path.dirname(path))
        with open(source, "w", encoding="utf-8") as file:
            file.write(UNITS)
        built = subprocess.run(["cc", "-o", path, source, "-lcriterion"], capture_output=True,
                               text=True)
        if built.returncode:
            raise Skip(f"Criterion (package libcriterion-dev): {built.stderr[-200:]}")

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(ROOT, "tests", "run"), "--cases", self.folder, "--build",
             self.build, *self.args],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.env)
        self.t.defer(self.process.wait)
        self.t.defer(self.process.kill)
        return self

    def end(self, passed, failed, skipped):
        """Waits for it; its lines. The last one has to be the summary, with these numbers."""
        try:
            said, _ = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            raise Failed("it does not end") from None
        self.t.note(said)
        lines = said.splitlines()
        match = SUMMARY.fullmatch(lines[-1])
        check(match, f"the last line is {lines[-1]!r}")
        check_equal(tuple(map(int, match.groups())), (passed, failed, skipped), lines[-1])
        return lines

    def code(self):
        return self.process.returncode


def check_line(lines, pattern):
    check([line for line in lines if re.search(pattern, line)], f"no line like {pattern!r}")


@case
def a_case_that_hangs_has_failed_by_name(t):
    """With what it has left behind; the others are run all the same."""
    r = Run(t, GOOD + HANGING, ["--case-seconds", "1", "--grace", "1"]).start()
    lines = r.end(1, 2, 0)
    check_equal(r.code(), 1, "exit code")
    check_line(lines, r"^FAIL made\.hangs: still running after 1 s$")
    check_line(lines, r"^FAIL made\.hangs_and_does_not_end: still .* and was killed")
    with open(r.told, encoding="utf-8") as file:
        folder, pid = file.read().split()
    check(not os.path.exists(folder), "it was not cleaned up behind it")
    check(not os.path.exists(f"/proc/{pid}"), "a process that it started is still there")
    with open(os.path.join(r.build, "tests/log/made.hangs.log"), encoding="utf-8") as file:
        check("time.sleep(1)" in file.read(), "the log does not say where it hung")


@case
def a_case_that_breaks_its_process_has_failed_by_name(t):
    lines = Run(t, GOOD + BROKEN).start().end(1, 2, 0)
    check_line(lines, r"^FAIL made\.kills_itself: no result")
    check_line(lines, r"^FAIL made\.raises_what_nobody_expects: no result")


@case
def a_file_of_cases_that_cannot_be_loaded_has_failed(t):
    r = Run(t, GOOD)
    with open(os.path.join(r.folder, "cases_wrong.py"), "w", encoding="utf-8") as file:
        file.write("import no_such_module\n")
    check_line(r.start().end(1, 1, 0), r"^FAIL cases_wrong: ModuleNotFoundError")


@cases_for({"in CI": True, "elsewhere": False})
def at_the_time_limit_the_rest_is_named(t, ci):
    r = Run(t, MANY, ["-j2", "--time-limit", "2", "--grace", "1"], ci=ci).start()
    lines = r.end(2, 5 if ci else 0, 0 if ci else 5)
    check_equal(r.code(), 1, "exit code")
    check_line(lines, r"^NOT RUN 5: the time limit of 2 s$")
    check_line(lines, r"made\.waits\[2\], made\.waits\[3\], .*made\.waits\[6\]")


@cases_for({"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP})
def interrupted_it_says_what_it_knows(t, number):
    r = Run(t, MANY, ["-j1"]).start()
    until("a case that waits", lambda: os.path.exists(r.told), 30)
    r.process.send_signal(number)
    lines = r.end(2, 0, 5)
    check_equal(r.code(), 128 + number, "exit code")
    check_line(lines, rf"^NOT RUN 5: interrupted by {number.name}$")


@case
def who_must_be_alone_is(t):
    """But for those that wait, which are two of four, and for unit tests beside what has to do with the whole host."""
    r = Run(t, LONELY, ["-j4", "--case-seconds", "5"])
    r.unit_program()
    r.start().end(16 + 3, 3, 0)
    with open(r.told, encoding="utf-8") as file:
        told = [line.split() for line in file]
    running, order = [], []
    for what, name in told:
        if what == "end":
            running.remove(name)
            continue
        running.append(name)
        order.append(name)
        if {"alone", "but_units"} & set(running):
            check(running.count("waits") == len(running) - 1 <= 2, f"at once: {running}")
    first = [name for name in order if name != "waits"]
    check_equal(first[:3], ["alone", "but_units", "but_units"], "who begins")
    # Four begin together, and any of them may be the first to say so.
    check("long" in first[:7], f"it comes too late: {order}")
    check_equal(order[-1], "others", "who is last")
    check("waits" in order[:3], f"nobody waited beside who was alone: {order}")


@cases_for({"in CI": True, "elsewhere": False})
def in_ci_a_few_that_failed_run_once_more(t, ci):
    """And who passes then is named all the same; many that failed are no accident."""
    r = Run(t, GOOD + UNSTEADY, ["-j1"], ci=ci).start()
    lines = r.end(2 if ci else 1, 1 if ci else 2, 0)
    check_equal(r.code(), 1, "exit code")
    check_line(lines, r"^FAIL made\.fails_once: ")
    check_equal(any(line.startswith("UNSTEADY made.fails_once: ") for line in lines), ci, "named")
    check_equal(sum(line.startswith("FAIL made.fails:") for line in lines), 2 if ci else 1, "runs")
    if ci:
        Run(t, GOOD + UNSTEADY, ["-j1", "--again", "1"], ci=True).start().end(1, 2, 0)


@case
def building_is_shown_and_costs_no_time(t):
    """Two cases of half a second need what takes two seconds; it is built once."""
    r = Run(t, SLOW, ["--case-seconds", "0.5", "--silence", "0.3"]).start()
    lines = r.end(2, 0, 0)
    check_line(lines, r"tests: 0 of 2 done; .*made\.builds: building a house 1 s")


@case
def another_version_of_go_is_no_everyday_matter(t):
    """The tier would need more than the machine's own Go; a whole name is run in any tier."""
    lines = Run(t, OTHER_VERSION).start().end(0, 1, 0)
    check_line(lines, r"^FAIL made\.not_here: a case that needs go1\.19\.13 belongs to the tier")
    Run(t, OTHER_VERSION, ["made.there"]).start().end(1, 0, 0)
    Run(t, OTHER_VERSION, ["--tier", "versions"]).start().end(1, 0, 0)
    lines = Run(t, OTHER_VERSION, ["made.th"]).start().end(0, 0, 0)
    check_line(lines, r"1 more with --tier versions: made\.there")


@case
def a_unit_test_that_hangs_has_failed_by_name(t):
    r = Run(t, args=["--case-seconds", "1"])
    r.unit_program()
    lines = r.start().end(3, 3, 0)
    check_line(lines, r"^FAIL unit\.made\.second\.hangs: still running after 1 s$")
    check_line(lines, r"^FAIL unit\.made\.third\.crashes: ")
    check_line(lines, r"^FAIL unit\.made\.first\.fails: ")


@cases_for({"name": ("unit.made.third.passes", (1, 0, 0)),
            "criterion's": ("unit.made.third::passes", (1, 0, 0)),
            "suite": ("unit.made.first", (1, 1, 0)),
            "word": ("unit.made.third.", (1, 1, 0))})
def unit_tests_are_chosen_by_name(t, value):
    pattern, numbers = value
    r = Run(t, args=[pattern])
    r.unit_program()
    r.start().end(*numbers)
