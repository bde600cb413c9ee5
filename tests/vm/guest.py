# SPDX-License-Identifier: Apache-2.0
"""Runs in the virtual machine: the checks, one after the other, told as lines of JSON on stdout."""

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
    expected = os.environ.get("gleakd_expected", "probes")
    harness.CASES[:] = [f for f in harness.CASES if f.expected in (expected, "always")]
    for check in harness.CASES:
        if os.environ.get("gleakd_only", "") in check.case_name:
            report(harness.run_one(check, build))
    tell({"end": True, "seconds": round(time.monotonic() - begin, 1)})


if __name__ == "__main__":
    main()
