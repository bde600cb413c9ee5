# SPDX-License-Identifier: Apache-2.0
"""The static program where there is nothing but itself: in a root with /proc and /sys, and beside musl."""

import json
import os
import re
import shlex
import shutil
import subprocess

from harness import ROOT, STATIC, Skip, case, check, check_equal, until
from programs import MACHINE, SOURCES, Program, Target, go_command, go_environment, start
from terminal import Shell
from tracer import Gleakd, flagged, run, sites, total

COUNTS, DEMO = Program("counts"), Program("demo", strip=True)
PATH = os.path.join(ROOT, "build", "static", "gleakd-" + MACHINE)
# What of the root is mounted is gone with the mount namespace.
ENTER = ('mount -t proc proc "$0/proc" && mount --rbind /sys "$0/sys" && root=$0 && shift && '
         'exec chroot "$root" /gleakd "$@"')


class Root:
    """A folder that gleakd, and what it is told to put there, is alone in."""

    def __init__(self, t):
        if not os.path.exists(PATH):
            raise Skip(f"{PATH} (make static)")
        if os.geteuid() != 0:
            raise Skip("root")
        self.path = t.directory()
        for name in ("proc", "sys"):
            os.mkdir(os.path.join(self.path, name))
        shutil.copy(PATH, os.path.join(self.path, "gleakd"))

    def prefix(self):
        """What of a command makes "gleakd" that in here."""
        return ["unshare", "--mount", "sh", "-c", ENTER, self.path]

    def run(self, t, *args, **options):
        """(exit code, stdout, stderr)"""
        return run(t, *args, prefix=self.prefix(), **options)

    def names(self):
        return sorted(os.listdir(self.path))


def counts_exactly(t, root, target):
    """1009 made, 506 gone, 503 parked at their line."""
    g = Gleakd(t, target.pid, "--interval", "300ms", prefix=root.prefix())
    g.report("attached in full", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1009 503")
    place = COUNTS.line("made:run"), COUNTS.line("blocked:run")
    g.report("503 parked", lambda r: total(sites(r, *place), "parked") == 503)
    numbers = g.interrupt()["targets"][0]["goroutines"]
    check_equal((numbers["created"], numbers["exited"], numbers["alive"]), (1009, 506, 504),
                "created, exited, alive")


def loader_of(path):
    said = subprocess.run(["readelf", "--wide", "--program-headers", path], capture_output=True, text=True)
    return re.search(r"interpreter: (.*)\]", said.stdout).group(1)


@case(tier=STATIC)
def it_counts_where_there_is_nothing_else(t):
    counts_exactly(t, Root(t), start(t, COUNTS))


@case(tier=STATIC)
def every_look_works(t):
    root, target = Root(t), Target(t, [DEMO.build(), "-for", "120s"])
    target.answer("ready")
    pid = str(target.pid)
    code, out, err = root.run(t, "doctor", "--json")
    check_equal((code, err), (0, ""), "doctor")
    check_equal([c["name"] for c in json.loads(out)["checks"] if c["status"] == "fail"], [], "doctor")
    for command in (("dump", pid), ("list",), ("heap", pid, "--json"),
                    ("prove", pid, "--max-stop", "1m"), ("--version",), ("--help",)):
        code, out, err = root.run(t, *command, seconds=60)
        check(code in (0, 1) and out, f"{command}: exit code {code} ({err})")
    final = json.loads(root.run(t, "--pid", pid, "--once", "--json")[1])
    check(final["targets"][0]["sites"], "no site")


@case(tier=STATIC)
def as_a_service_it_finds_the_leaks(t):
    root, name = Root(t), f"leaks-{os.getpid()}"
    target = Target(t, [shutil.copy(DEMO.build(), os.path.join(t.directory(), name)), "-for", "120s"])
    target.answer("ready")
    os.mkdir(os.path.join(root.path, "metrics"))
    g = Gleakd(t, None, "--only", name, "--interval", "1s", "--min-age", "3s",
               "--textfile", "/metrics/gleakd.prom", prefix=root.prefix())
    g.report("a leak", lambda r: r["targets"] and r["targets"][0]["pid"] and flagged(r), 60)
    metrics = os.path.join(root.path, "metrics", "gleakd.prom")
    until("metrics", lambda: os.path.exists(metrics) and os.path.getsize(metrics))
    g.interrupt()


@case(tier=STATIC)
def users_are_those_of_the_root(t):
    """By its /etc/passwd alone, where there is one: no library says who else there is."""
    root, pid = Root(t), str(start(t, COUNTS).pid)

    def owner():
        code, out, err = root.run(t, "list")
        check_equal((code, err), (0, ""), "list")
        return {line.split()[1] for line in out.splitlines() if line.split()[0] == pid}

    check_equal(owner(), {"0"}, "owner without a file")
    os.mkdir(os.path.join(root.path, "etc"))
    with open(os.path.join(root.path, "etc", "passwd"), "w", encoding="ascii") as file:
        file.write("other:x:7:7::/:/\nsomebody:x:0:0::/:/\n")
    check_equal(owner(), {"somebody"}, "owner")


@case(tier=STATIC)
def top_needs_to_know_the_terminal(t):
    """As in deploy/container/Dockerfile: the one folder that is not in the program."""
    root, target = Root(t), start(t, COUNTS)
    shutil.copytree("/lib/terminfo", os.path.join(root.path, "lib", "terminfo"))
    command = [*root.prefix(), PATH, "top", "--pid", str(target.pid)]
    Shell(t, shlex.join(command)).until("counts")


@case(tier=STATIC)
def beside_another_libc(t):
    """In the root of a program that musl's loader starts, and that has threads of musl's."""
    if not shutil.which("musl-gcc"):
        raise Skip("musl-gcc (musl-tools)")
    root = Root(t)
    built = subprocess.run(
        [go_command(), "build", "-buildvcs=false", "-ldflags=-linkmode=external", "-o",
         os.path.join(root.path, "service"), "./counts"], cwd=SOURCES, capture_output=True, text=True,
        env=dict(go_environment("local"), CGO_ENABLED="1", CC="musl-gcc"))
    check_equal((built.returncode, built.stderr), (0, ""), "go build")
    loader = loader_of(os.path.join(root.path, "service"))
    check("musl" in loader, f"its loader is {loader}")
    os.mkdir(os.path.join(root.path, "lib"))
    shutil.copy(loader, root.path + loader)
    target = Target(t, ["chroot", root.path, "/service"])
    target.answer("ready")
    counts_exactly(t, root, target)
