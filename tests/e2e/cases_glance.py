# SPDX-License-Identifier: Apache-2.0
"""A host at a glance: a line for each process on a terminal, the worst on top, nothing else in it."""

import os
import re
import shutil
import time

from harness import case, check, check_equal
from programs import Program, start
from terminal import Terminal, plain_environment
from tracer import needs_tracing, run

COUNTS = Program("counts")


def copy_of(folder, name):
    path = os.path.join(folder, name)
    shutil.copy(COUNTS.build(), path)
    return path


def host(t, healthy):
    """A folder with programs that run, one of which leaks; and that one."""
    folder = t.directory()
    for i in range(healthy):
        start(t, COUNTS, path=copy_of(folder, f"healthy{i}")).ask(f"run {101 + i} 97")
    leaking = start(t, COUNTS, path=copy_of(folder, "leaking"))
    leaking.feed("run 7 5", every=0.2)
    return folder, leaking


def arguments(folder):
    return ("--only", f"exe:{folder}/*", "--config", "/dev/null", "--min-process-age", "100ms")


@case
def the_worst_process_on_top_of_a_table_that_fits(t):
    folder, leaking = host(t, healthy=29)
    terminal = Terminal(t, *arguments(folder), "--interval", "500ms", "--min-age", "1s")
    first = terminal.until("a first frame", lambda frames: frames and frames[0])
    check(time.monotonic() - terminal.began <= 3, "no frame in the first seconds")
    check("Go process" in first[0][0], f"{first}")

    def found(frames):
        lines = frames[-1][0]
        titles = next((i for i, line in enumerate(lines) if line.startswith("VERDICT")), None)
        return lines if titles and lines[titles + 1].startswith("leaking") else None

    lines = terminal.until("the leaking one on top", found, 40)
    check(len(lines) <= 23, f"{len(lines)} lines on 24 rows")
    check(any(f"(pid {leaking.pid})" in line and re.search(r" [0-9a-f]{8}  main\.worker", line)
              for line in lines), f"where it leaks is not in {lines}")
    check(any(re.fullmatch(r"and \d+ more without a finding", line) for line in lines), f"{lines}")
    last = terminal.end()
    check("Found 1 leaking site" in last, f"no summary in {last[-600:]!r}")


@case
def messages_stay_out_of_the_frame(t):
    """What gleakd has to say while it draws is below the frame, and above the last report."""
    folder, _ = host(t, healthy=2)
    terminal = Terminal(t, *arguments(folder), "--interval", "300ms")
    terminal.until("a table", lambda frames: any("VERDICT" in line for line in frames[-1][0])
                   if frames else False)
    late = start(t, COUNTS, path=copy_of(folder, "late"))
    message = f"gleakd: pid {late.pid} late watched"
    terminal.until("a message below", lambda frames: any(message in below for _, below in frames))
    last = terminal.end()
    for lines, below in terminal.frames()[:-1]:
        check(not any("gleakd: " in line for line in lines), f"in the frame: {lines}")
        check("\n" not in below, f"the frame scrolls: {below!r}")
    check(message in last, f"{message} is not in {last[:900]!r}")
    # A last frame may come before it.
    check(last.rindex(message) < last.rindex("VERDICT"), f"it is not above the last report: {last!r}")


@case
def once_and_in_a_pipe_the_worst_is_first_as_well(t):
    needs_tracing()
    folder, leaking = host(t, healthy=3)
    code, out, err = run(t, *arguments(folder), "--interval", "500ms", "--min-age", "1s",
                         "--duration", "12s", env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    table = out[out.rindex("VERDICT"):].splitlines()
    check(table[1].startswith("leaking") and f"(pid {leaking.pid})" in table[1], f"{table[:5]}")
    check_equal([line.split()[0] for line in table[2:5]], ["no"] * 3, f"{table[:5]}")
    check(re.search(rf"^leaking \(pid {leaking.pid}\)\nLEAKING ", out[out.rindex("VERDICT"):], re.M),
          "what leaks is not told of at the end")
    code, out, err = run(t, *arguments(folder), "--once", env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    check_equal(len(re.findall(r"\(pid \d+\)", out[:out.index("\n\n")])), 4, out)
