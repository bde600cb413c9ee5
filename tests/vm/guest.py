# SPDX-License-Identifier: Apache-2.0
"""Runs in the virtual machine: the checks, one after the other, told as lines of JSON on stdout."""

import importlib
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]

import checks  # noqa: E402
import harness  # noqa: E402
import programs  # noqa: E402


def tell(thing):
    # One write, so that a line is whole when the machine ends.
    os.write(1, (json.dumps(thing) + "\n").encode())


def built(program):
    """They were built outside, where a go command is."""
    if not os.path.exists(program.path):
        raise harness.Skip(f"toolchain go{program.go}")
    return program.path


def go_version(version):
    """As it was where they were built."""
    return os.environ.get("gleakd_go", version) if version == "local" else version


def wanted():
    """Checks for such a kernel, and cases of tests/e2e that the machine was told the beginnings of."""
    beginnings = tuple(filter(None, os.environ.get("gleakd_cases", "").split(",")))
    expected = os.environ.get("gleakd_expected", "probes")
    for module in {name.partition(".")[0] for name in beginnings}:
        importlib.import_module("cases_" + module)
    for function in harness.CASES:
        if getattr(function, "expected", None) in (expected, "always") or (
                function.case_name.startswith(beginnings)):
            yield function


def main():
    begin = time.monotonic()
    tell({"kernel": os.uname().release, "booted_seconds": time.clock_gettime(time.CLOCK_BOOTTIME)})

    def report(outcome):
        tell({"check": outcome.name.removeprefix("checks."), "verdict": outcome.verdict,
              "reason": outcome.reason, "details": outcome.details[-8000:],
              "seconds": round(outcome.seconds, 1)})

    checks.tell = tell
    programs.Program.build = built
    build = os.path.join(harness.ROOT, "build")
    programs.go_version = go_version
    only = os.environ.get("gleakd_only", "").split(",")
    for check in sorted(wanted(), key=lambda check: getattr(check, "last", 0)):
        if any(text in check.case_name for text in only):
            report(harness.run_one(check, build))
    tell({"end": True, "seconds": round(time.monotonic() - begin, 1)})


if __name__ == "__main__":
    main()
