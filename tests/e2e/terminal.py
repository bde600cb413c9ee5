# SPDX-License-Identifier: Apache-2.0
"""gleakd on a pseudo-terminal: what it draws, frame by frame."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import Failed, check, check_equal
from tracer import binary, needs_tracing

ESCAPE = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|[()][0-9A-Za-z]|[=>78cM])")
HOME, ERASE_BELOW = "\x1b[H", "\x1b[J"


def plain_environment(**more):
    """No setting of whoever runs the tests changes what is written."""
    unwanted = ("NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "LC_ALL", "LC_CTYPE", "LANG")
    env = {k: v for k, v in os.environ.items() if k not in unwanted}
    return {**env, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **more}


def pseudo_terminal(t, columns, rows):
    """Both ends of one: what is typed and read here, what a program has."""
    primary, secondary = pty.openpty()
    t.defer(os.close, primary)
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return primary, secondary


class Shell:
    """A command line on a terminal of its own, where Ctrl-C is a signal for all that runs."""

    def __init__(self, t, command):
        needs_tracing()
        self.primary, secondary = pseudo_terminal(t, 100, 24)
        self.process = subprocess.Popen(
            ["bash", "-c", command], stdin=secondary, stdout=secondary, stderr=secondary,
            env=plain_environment(), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        t.defer(self.process.wait)
        t.defer(self.process.kill)
        os.close(secondary)
        self.written = b""

    def type(self, text):
        os.write(self.primary, text.encode())

    def until(self, text, seconds=20):
        """All that was written, when @text is in it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.primary], [], [], 0.1)[0]:
                self.written += os.read(self.primary, 65536)
            shown = ESCAPE.sub("", self.written.decode(errors="replace"))
            if text in shown:
                return shown
        raise Failed(f"{text!r} not in {seconds} s, but {self.written[-900:]!r}")


class Terminal:
    """A gleakd that draws."""

    def __init__(self, t, *args, columns=100, rows=24, env=None, prefix=()):
        needs_tracing()
        self.primary, secondary = pseudo_terminal(t, columns, rows)
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [*prefix, binary(t), *args], stdin=secondary, stdout=secondary, stderr=secondary,
            env=env or plain_environment(), start_new_session=True)
        t.defer(self.process.wait)
        t.defer(self.process.kill)
        os.close(secondary)
        self.written = b""

    def text(self):
        return self.written.decode(errors="replace")

    def read(self, seconds):
        """Some more of what it writes; False at its end."""
        if not select.select([self.primary], [], [], seconds)[0]:
            return True
        try:
            more = os.read(self.primary, 65536)
        except OSError:
            return False
        self.written += more
        return bool(more)

    def until(self, what, condition, seconds=20):
        """Reads until @condition of all frames so far holds; returns its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            more = self.read(0.1)
            found = condition(self.frames())
            if found:
                return found
            if not more:
                break
        raise Failed(f"{what}: not in {seconds} s, but {self.text()[-900:]!r}")

    def frames(self):
        """Complete frames: lists of lines without colours, and what stands below."""
        found = []
        for part in self.text().split(HOME)[1:]:
            if ERASE_BELOW in part:
                drawn, below = part.split(ERASE_BELOW, 1)
                lines = [ESCAPE.sub("", line) for line in drawn.replace("\r", "").split("\n")]
                found.append((lines[:-1], ESCAPE.sub("", below.replace("\r", ""))))
        return found

    def end(self):
        """Ctrl-C; returns what it writes from then on, as plain text."""
        self.process.send_signal(signal.SIGINT)
        return self.rest()

    def rest(self):
        """What it writes from now on until it ends by itself, as plain text."""
        before = len(self.written)
        end = time.monotonic() + 20
        while self.read(0.1):
            check(time.monotonic() < end, "it does not end")
        check_equal(self.process.wait(5), 0, "exit code")
        return ESCAPE.sub("", self.written[before:].decode(errors="replace")).replace("\r", "")
