# SPDX-License-Identifier: Apache-2.0
"""What breaks things on purpose: full disks, moved clocks, frozen and reborn processes, storms.

And what a case then wants to know.
"""

import copy
import os
import shlex
import signal
import subprocess

import harness
from cases_host import pids
from cases_prometheus import metrics
from harness import Failed, Skip
from image import changed
from programs import BUILT, SOURCES, Target
from tracer import Gleakd, binary

KIT = os.path.join(SOURCES, "faultkit")
CGROUPS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer")

# Until a condition is given up: other cases and other people are at work.
PATIENCE = 60


def compiled(source, name, *options):
    """A C file of the kit as a program or library."""
    return harness.once(f"building {name}", _compiled, source, name, options)


def _compiled(source, name, options):
    path, source = os.path.join(BUILT, name), os.path.join(KIT, source)
    if os.path.exists(path) and os.path.getmtime(path) >= os.path.getmtime(source):
        return path
    os.makedirs(BUILT, exist_ok=True)
    built = subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", path, source, *options],
                           capture_output=True, text=True)
    if built.returncode:
        raise Failed(f"{source}: {built.stderr}")
    return path


def kit():
    """Static: a program without libraries is executed in no time."""
    return compiled("faultkit.c", "faultkit", "-static")


def storm(t, rate, seconds, *program):
    """So many processes a second; the process that makes them."""
    process = subprocess.Popen([kit(), "storm", str(rate), str(seconds), *program],
                               stdout=subprocess.PIPE, text=True)
    t.defer(process.wait)
    t.defer(process.kill)
    return process


def start_as(t, pid, path):
    """The Program at @path as process @pid, which has just become free."""
    target = Target(t, [kit(), "as", str(pid), path])
    target.ready = target.answer("ready")
    target.pid = int(target.ready.split()[1])
    return target


class Halted:
    """A program that stands still before its first instruction until it is let go."""

    def __init__(self, t, path):
        self.target = Target(t, [kit(), "halted", path])
        self.pid = self.target.pid = int(self.target.answer("halted").split()[1])

    def let_go(self):
        self.target.process.send_signal(signal.SIGUSR1)
        self.target.answer("ready")
        return self.target


class Debugger(Target):
    """A debugger of @target, which may have a breakpoint at @address."""

    def __init__(self, t, target, address):
        super().__init__(t, [kit(), "debugger", str(target.pid), hex(address)])
        self.answer("ready")

    def leave(self):
        self.process.stdin.close()
        self.process.wait()


class Clock:
    """The wall clock of one process, and the one that goes on while a machine is suspended."""

    def __init__(self, t):
        self.path = os.path.join(t.directory(), "shift")
        library = compiled("realtime.c", "realtime.so", "-shared", "-fPIC")
        self.env = dict(os.environ, LD_PRELOAD=library, REALTIME_FILE=self.path)
        # A library before it is what ASan takes offence at.
        self.env["ASAN_OPTIONS"] = "verify_asan_link_order=0"
        self.shift(0)

    def shift(self, seconds, suspended=0):
        overwrite(self.path, f"{seconds + suspended:20d} {suspended:20d}\n")


def overwrite(path, text):
    """In place, and always as long: it stays open where it is read."""
    with open(path, "r+" if os.path.exists(path) else "w", encoding="ascii") as file:
        file.write(text)


class Disk:
    """A small file system."""

    def __init__(self, t, size="256k"):
        self.path = t.directory()
        self.filler = os.path.join(self.path, "filler")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.path],
                              capture_output=True, text=True)
        if done.returncode:
            raise Skip(f"a tmpfs of its own ({done.stderr.strip()})")
        # A case may have done it already.
        t.defer(lambda: subprocess.run(["umount", "-l", self.path], capture_output=True))

    def fill(self):
        """Not one byte is left."""
        with open(self.filler, "ab", 0) as file:
            for size in (4096, 1):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue

    def free(self):
        os.unlink(self.filler)


class Freezer:
    """A control group whose processes can be frozen, of either version."""

    def __init__(self, t):
        self.path = None
        for base in CGROUPS:
            path = os.path.join(base, f"gleakd-test-{os.getpid()}-{id(self)}")
            if os.access(os.path.join(base, "cgroup.procs"), os.W_OK) and self._try(t, path):
                return
        raise Skip("a control group that can be frozen")

    def _try(self, t, path):
        try:
            os.mkdir(path)
        except OSError:
            return False
        for name, words in {"cgroup.freeze": ("1", "0"),
                            "freezer.state": ("FROZEN", "THAWED")}.items():
            if os.path.exists(os.path.join(path, name)):
                self.path, self.switch, self.words = path, os.path.join(path, name), words
                t.defer(self._end)
                return True
        os.rmdir(path)
        return False

    def _end(self):
        """Empties the group, which cannot be removed before."""
        self.thaw()
        with open(os.path.join(self.path, "cgroup.procs"), encoding="utf-8") as file:
            pids = file.read().split()
        for pid in pids:
            self._write(os.path.join(os.path.dirname(self.path), "cgroup.procs"), pid)
        os.rmdir(self.path)

    @staticmethod
    def _write(path, text):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def add(self, pid):
        self._write(os.path.join(self.path, "cgroup.procs"), str(pid))

    def frozen(self):
        if self.words[0] == "FROZEN":
            with open(self.switch, encoding="utf-8") as file:
                return file.read().strip() == "FROZEN"
        with open(os.path.join(self.path, "cgroup.events"), encoding="utf-8") as file:
            return "frozen 1" in file.read()

    def freeze(self):
        self._write(self.switch, self.words[0])

    def thaw(self):
        self._write(self.switch, self.words[1])


def in_time_namespace(*offsets):
    """A prefix for a command whose clocks show something else; offsets as unshare(1) takes them."""
    command = ["unshare", "-T", *offsets]
    done = subprocess.run([*command, "true"], capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"time namespaces ({done.stderr.strip()})")
    return command


def gleakd_behind(t, prefix, pid, *args):
    """gleakd --json started by another command, which becomes it."""
    case = copy.copy(t)
    case.build = t.directory()
    path = os.path.join(case.build, "gleakd")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\nexec {shlex.join([*prefix, binary(t)])} "$@"\n')
    os.chmod(path, 0o755)
    return Gleakd(case, pid, *args)


# --- what is seen of it ---------------------------------------------------------------------------


def until(what, condition):
    return harness.until(what, condition, PATIENCE)


def shows(g, what="a report", condition=lambda report: True):
    """The first report of a gleakd that meets the condition."""
    return g.report(what, condition, PATIENCE)


def is_flagged(report):
    return [s["id"] for target in report["targets"] for s in target["sites"]
            if s["verdict"] in ("leaking", "stuck")]


def figures(report, pid, field="goroutines"):
    """What is reported of a process; nothing where it is not."""
    return next((x[field] for x in report["targets"] if x["pid"] == pid), {})


def counts_are(pid, **wanted):
    """A condition for reports."""
    return lambda r: wanted.items() <= figures(r, pid).items()


def alive(report):
    return {x["pid"]: x["goroutines"]["alive"] for x in report["targets"] if x["pid"]}


def created(report):
    return {x["pid"]: x["goroutines"]["created"] for x in report["targets"] if x["pid"]}


def attached(*targets):
    """A condition for reports: these and no others, all with probes."""
    wanted = sorted(target.pid for target in targets)
    return lambda r: pids(r) == wanted and all(x["mode"] == "full" for x in r["targets"])


def check_unharmed(target):
    """It has all of its code as in the file, and does what it is told."""
    until(f"the code of {target.pid} is as in the file", lambda: not changed(target.pid))
    target.ask("run 101 0")


def metrics_when(what, path, condition):
    """The metrics of a file once they are there and meet the condition."""

    def found():
        if not os.path.exists(path):
            return None
        now = metrics(path)
        return now if condition(now) else None

    return until(what, found)


def cpu_seconds(pid):
    """Of its first thread and those of its children, to the nanosecond."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        pids = [str(pid), *file.read().split()]
    total = 0
    for each in pids:
        with open(f"/proc/{each}/schedstat", encoding="utf-8") as file:
            total += int(file.read().split()[0])
    return total / 1e9
