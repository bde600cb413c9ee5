# SPDX-License-Identifier: Apache-2.0
"""gleakd top on a terminal: driven by keys, and the terminal is sane however it ends."""

import os
import re
import shutil
import signal
import subprocess
import time

from cases_host import folder, own_copy
from cases_hostile import bystander, deaf
from faults import PATIENCE
from harness import BUT_UNITS, Failed, Skip, case, check, check_equal, until
from programs import Program, start
from terminal import plain_environment
from tracer import binary, needs_tracing, run

COUNTS = Program("counts")
PROMPT = "prompt>"  # and a blank, which tmux leaves out at the end of a line


class Tmux:
    """A shell in a terminal of 80 by 24, as somebody sees it."""

    def __init__(self, t):
        needs_tracing()
        if not shutil.which("tmux"):
            raise Skip("tmux")
        self.socket = os.path.join(t.directory(), "tmux")
        self.t = t
        # Its server is a process of its own, which ends with its only session.
        t.defer(self.tmux, "kill-server")
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24",
                  "bash", "--norc", "--noprofile",
                  env=plain_environment(PS1=PROMPT + " ", HISTFILE="/dev/null"))
        self.until(PROMPT)

    def tmux(self, *args, env=None):
        done = subprocess.run(["tmux", "-S", self.socket, *args], capture_output=True, text=True,
                              env=env or plain_environment())
        return done.stdout

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def line(self, text):
        self.tmux("send-keys", "-l", text)
        self.type("Enter")

    def shown(self):
        return self.tmux("capture-pane", "-p")

    def until(self, *wanted, without=(), seconds=30):
        """What the screen shows, when each of @wanted (a pattern) is in it and none of @without."""
        end = time.monotonic() + seconds
        while True:
            shown = self.shown()
            if all(re.search(text, shown, re.M) for text in wanted) and \
                    not any(re.search(text, shown, re.M) for text in without):
                return shown
            if time.monotonic() > end:
                raise Failed(f"{wanted} without {without}: not in {seconds} s, but\n{shown}")
            time.sleep(0.05)

    def child(self):
        """The process that the shell runs."""
        shell = self.tmux("display", "-p", "#{pane_pid}").strip()
        with open(f"/proc/{shell}/task/{shell}/children", encoding="ascii") as file:
            return int(file.read().split()[-1])

    def is_sane(self, what):
        """The shell is back, the line editor works, nothing of the screen before is left."""
        self.line("clear; stty -a | grep -oE -- '-?(icanon|echo|isig|opost)\\b' | sort | xargs")
        shown = self.until(r"^echo icanon isig opost$", seconds=10)
        check("VERDICT" not in shown, f"{what}: {shown}")
        check_equal(self.tmux("display", "-p", "#{alternate_on} #{cursor_flag} #{mouse_any_flag}").strip(),
                    "0 1 0", f"{what}: alternate screen, cursor, mouse")


def top(t, target, *more):
    """gleakd top on @target, drawn."""
    screen = Tmux(t)
    screen.line(f"clear; {binary(t)} top {target.process.pid} --interval 300ms --min-age 1s "
                f"{' '.join(more)}; echo ended $?")
    screen.until(r"^VERDICT +GOROUTINES", r"^\S+ +\d+ .*main\.main")
    return screen


@case
def from_processes_to_a_site_and_back(t):
    target = start(t, COUNTS)
    target.ask("run 151 149")
    screen = top(t, target)
    shown = screen.until(r"^idle +149 .*main\.worker")
    check(f"(pid {target.process.pid})" in shown and "q quit" in shown.splitlines()[-1], shown)
    # One look is enough to find it by its name, and Enter to see all of it.
    screen.type("/", "worker", "Enter")
    screen.until(r"^idle +149", "filter: worker", without=("main.main",))
    screen.type("Enter")
    screen.until("blocked at +main.worker", "chan receive")
    screen.type("Escape")
    screen.until("^VERDICT")
    screen.type("Escape")
    screen.until("main.main")
    screen.type("s")
    screen.until("by goroutines")
    screen.type("Tab")
    screen.until("ALLOCATED AT")
    screen.type("Left")
    screen.until(r"^VERDICT +PID", f"{target.process.pid}")
    screen.type("Enter", "h")
    screen.until("sort by the next", "any key goes back")
    screen.type("x", "q")
    screen.until("^ended 0$")
    screen.is_sane("q")


@case
def it_follows_what_happens_and_can_be_stopped(t):
    target = start(t, COUNTS)
    target.ask("run 67 61")
    screen = top(t, target)
    screen.until(r"^\w+ +61 .*main\.worker")
    target.ask("run 13 11")
    screen.until(r"^\w+ +72 .*main\.worker")
    screen.type("p")
    screen.until("PAUSED")
    target.ask("run 31 29")
    screen.until(r"PAUSED, [2-9] later", r"^\w+ +72 .*main\.worker")
    screen.type("p")
    screen.until(r"^\w+ +101 .*main\.worker", without=("PAUSED",))


@case
def where_memory_is_allocated(t):
    target = start(t, Program("allocations"))
    target.ask("churn")
    screen = top(t, target)
    screen.type("Tab")
    screen.until(r"^ +\d[\d.]* [kM]B .*main\.", "ALLOCATED AT")
    screen.type("Enter")
    screen.until("allocated at +main.", "in use", r"stack +\S")


@case
def another_size(t):
    target = start(t, COUNTS)
    target.ask("run 151 149")
    screen = top(t, target)
    screen.tmux("resize-window", "-x", "140", "-y", "40")
    shown = screen.until("WAITS FOR", r"main\.worker +\w+\.go:\d+")
    check("q quit" in shown.splitlines()[39], shown)
    screen.tmux("resize-window", "-x", "50", "-y", "10")
    shown = screen.until("VERDICT", without=("WAITS FOR",))
    check(len(shown.splitlines()) <= 10, shown)


@case(seconds=180)
def however_it_ends_the_terminal_is_as_it_was(t):
    target = start(t, COUNTS)
    for number, code in ((signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0),
                         (signal.SIGSEGV, 139), (signal.SIGABRT, 134)):
        screen = top(t, target)
        os.kill(screen.child(), number)
        screen.until(f"^ended {code}$")
        screen.is_sane(signal.Signals(number).name)
        screen.tmux("kill-server")


@case
def ctrl_c_and_the_end_of_the_target(t):
    target = start(t, COUNTS)
    screen = top(t, target)
    screen.type("C-c")
    screen.until("^ended 0$")
    screen.is_sane("Ctrl-C")
    screen = top(t, target)
    target.end()
    screen.until("^ended 0$", "top ends: ")
    screen.is_sane("the target's end")


@case(is_long=True)
def stopped_and_continued(t):
    target = start(t, COUNTS)
    screen = top(t, target)
    gleakd = screen.child()
    screen.type("C-z")
    screen.until("Stopped")
    screen.is_sane("Ctrl-Z")
    screen.line("fg")
    screen.until("^VERDICT", "main.main", "q quit", without=("Stopped",))
    # By somebody else, who cannot be asked to tidy up first.
    os.kill(gleakd, signal.SIGSTOP)
    screen.until("Stopped")
    screen.line("stty sane; clear; fg")
    screen.until("^VERDICT", "main.main", without=("Stopped",))
    screen.type("q")
    screen.until("Stopped|ended|^prompt>$")
    screen.is_sane("q after that")


@case
def without_a_terminal(t):
    needs_tracing()
    code, out, err = run(t, "top", "--pid", str(os.getpid()))
    check_equal((code, out), (2, ""), "exit code and output")
    check("gleakd watch" in err, err)


def workers_below(pid):
    """Of gleakd with that pid, one that was left behind among them."""
    found = set()
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        for child in file.read().split():
            try:
                with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                    if comm.read() == "gleakd\n":
                        found.add(child)
            except OSError:
                pass
    return found


@case(alone=BUT_UNITS)
def it_goes_on_beside_a_file_system_that_does_not_answer(t):
    """Its worker is replaced; the next one draws anew, and at the end the terminal is as it was at first."""
    other = bystander(t)
    screen = Tmux(t)
    screen.line(f"clear; {binary(t)} top --interval 500ms --min-process-age 3s --only 'exe:/mnt/pages/*' "
                f"--only 'exe:{folder(t)}/*'; echo ended $?")
    screen.until(r"bystander", seconds=PATIENCE)
    gleakd = screen.child()
    first = workers_below(gleakd)
    deaf(t, "pages", own_copy(t, COUNTS, "paged"))  # before it is three seconds old
    until("another worker", lambda: workers_below(gleakd) - first, PATIENCE)
    shown = screen.until(r"\b38\b.*bystander", r"^gleakd: warning: the worker process was ended by signal 9",
                         seconds=PATIENCE)
    check_equal(shown.count("gleakd: warning"), 1, f"what the broker has to say is on a line of its own: {shown}")
    other.ask("shape chanreceive 11")
    screen.until(r"\b49\b.*bystander", seconds=PATIENCE)
    screen.type("q")
    screen.until(r"^ended 0$", seconds=PATIENCE)
    screen.is_sane("q, by another worker")
