# SPDX-License-Identifier: Apache-2.0
"""What people see: lines in a pipe, a screen on a terminal."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time

from harness import case, cases_for, check, check_equal, until
from programs import Program, start
from tracer import binary, needs_tracing, run

COUNTS = Program("counts", strip=True)
ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>78cM])")


def plain_environment(**more):
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "LINES")}
    return dict(env, TERM="xterm-256color", **more)


def on_terminal(t, args, columns, env, until_text, seconds=15):
    """Runs gleakd on a pseudo-terminal until a text appears, then Ctrl-C; returns all it wrote."""
    needs_tracing()
    primary, secondary = pty.openpty()
    t.defer(os.close, primary)
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [binary(t), *args], stdin=secondary, stdout=secondary, stderr=secondary, env=env,
        start_new_session=True,
    )
    t.defer(process.wait)
    t.defer(process.kill)
    os.close(secondary)
    written = b""
    end = time.monotonic() + seconds
    interrupted = False
    while time.monotonic() < end:
        if select.select([primary], [], [], 0.1)[0]:
            try:
                more = os.read(primary, 65536)
            except OSError:
                break
            if not more:
                break
            written += more
        if not interrupted and until_text in ESCAPE.sub("", written.decode(errors="replace")):
            process.send_signal(signal.SIGINT)
            interrupted = True
    text = written.decode(errors="replace")
    check(interrupted, f"{until_text!r} never appeared in {text[-600:]!r}")
    check_equal(process.wait(5), 0, "exit code after Ctrl-C")
    return text


def leaky(t):
    target = start(t, COUNTS)
    target.ask("run 1009 503")
    return target


@cases_for({"100": 100, "80": 80, "200": 200})
def terminal_never_wraps(t, columns):
    target = leaky(t)
    text = on_terminal(
        t, ["--pid", str(target.pid), "--interval", "300ms", "--min-age", "1s"], columns,
        plain_environment(COLUMNS=str(columns)), "chan receive",
    )
    check("\x1b[" in text, "nothing but plain text on a terminal")
    for line in re.split(r"[\r\n]+", ESCAPE.sub("", text)):
        check(len(line) <= columns, f"{len(line)} columns: {line!r}")


@case
def no_color_is_respected(t):
    target = leaky(t)
    args = ["--pid", str(target.pid), "--interval", "300ms"]
    text = on_terminal(t, args, 100, plain_environment(NO_COLOR="1"), "chan receive")
    colors = [m for m in re.findall(r"\x1b\[([0-9;]*)m", text)
              if any(30 <= int(n or 0) <= 49 or 90 <= int(n or 0) <= 107 for n in m.split(";"))]
    check_equal(colors, [], "colours in spite of NO_COLOR")


@case
def pipe_gets_plain_lines(t):
    """A leak in words: how many, since when, how fast, why, made where, blocked where."""
    needs_tracing()
    target = leaky(t)
    stop = threading.Event()

    def feed():
        while not stop.wait(0.2):
            target.ask("run 7 5")

    feeder = threading.Thread(target=feed)
    feeder.start()
    t.defer(feeder.join)
    t.defer(stop.set)
    code, out, err = run(t, "--pid", str(target.pid), "--interval", "500ms", "--duration", "8s",
                         "--min-age", "1s", env=plain_environment(), text=False)
    check_equal(code, 0, f"exit code ({err})")
    check(b"\x1b" not in out and b"\r" not in out, "control characters in a pipe")
    text = out.decode()
    summary = text[text.rindex("gleakd  "):]
    for what, pattern in {
        "the target": rf"{target.pid}.*go1\.",
        "flagged": r"leaking",
        "blocked at": rf"main\.worker\b.*main\.go:{COUNTS.line('blocked:run')[1]}\b",
        "created at": rf"main\.run\b.*main\.go:{COUNTS.line('made:run')[1]}\b",
        "the wait reason": r"chan receive",
        "growth": r"/min\b|a minute|per minute",
    }.items():
        check(re.search(pattern, summary), f"{what} ({pattern}) is not in:\n{summary}")


@case
def verbose_shows_the_whole_stack(t):
    target = leaky(t)
    target.ask("shape mutex 3")
    args = ["--pid", str(target.pid), "--once", "-v", "--all"]
    code, out, err = run(t, *args, env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    for function in ("sync.(*Mutex).Lock", "main.mutexLock", "main.worker"):
        check(function in out, f"{function} is not in:\n{out}")


@case
def nothing_found_is_said(t):
    target = start(t, COUNTS)
    code, out, err = run(t, "--pid", str(target.pid), "--interval", "500ms", "--duration", "2s",
                         env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    check(re.search(r"\bno\b.*(leak|suspect|flag)", out, re.IGNORECASE), f"summary:\n{out}")


@case
def first_words_within_two_seconds(t):
    needs_tracing()
    target = leaky(t)
    begin = time.monotonic()
    process = subprocess.Popen([binary(t), "--pid", str(target.pid)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=plain_environment())
    t.defer(process.stdout.close)
    t.defer(process.wait)
    t.defer(process.kill)
    first = until("a first line", process.stdout.readline, 2.5)
    took = time.monotonic() - begin
    check(took <= 2, f"{first!r} after {took:.2f} s")
