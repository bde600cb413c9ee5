# SPDX-License-Identifier: Apache-2.0
"""`gleakd list`: every Go process, counted to the goroutine; nothing else."""

import json
import os
import shutil
import subprocess

from harness import VERSIONS, Skip, case, cases_for, check, check_equal
from programs import Program, Target, start
from tracer import binary, run

COUNTS = Program("counts")
TOO_OLD = Program("counts", "1.17.13")
NARROW = Program("counts", arch="386")
KINDS = {
    "local": (COUNTS, {"pie": False, "stripped": False, "static": True}),
    "go1.19.13-stripped-pie": (
        Program("counts", "1.19.13", strip=True, pie=True),
        {"pie": True, "stripped": True},
    ),
    "go1.27.1-stripped": (
        Program("counts", "1.27.1", strip=True),
        {"pie": False, "stripped": True, "static": True},
    ),
}
FIELDS = {
    "pid", "uid", "comm", "exe", "uptime_seconds", "goroutines", "go_version", "module",
    "module_version", "build", "supported", "reason",
}  # fmt: skip
FACTS = {"stripped", "pie", "cgo", "static", "race"}


def listed(t, **options):
    """All processes by pid, and what else was looked at."""
    code, out, err = run(t, "list", "--json", **options)
    check_equal(code, 0, "exit code")
    check_equal(err, "", "stderr")
    check_equal(out.count("\n"), 1, "lines of JSON")
    answer = json.loads(out)
    check_equal(answer["schema_version"], 1, "schema_version")
    for process in answer["processes"]:
        check(FIELDS <= set(process), f"{FIELDS - set(process)} missing in {process}")
        check(FACTS <= set(process["build"]), f"build is {process['build']}")
        check(process["supported"] or process["reason"], f"no reason in {process}")
    return {p["pid"]: p for p in answer["processes"]}, answer["looked_at"]


def needs_root():
    if os.geteuid() != 0:
        raise Skip("root")


@cases_for(KINDS)
def exact(t, kind):
    """503 goroutines more are 503 more in the list; version and build kind are right."""
    needs_root()
    program, facts = kind
    target = start(t, program)
    before = listed(t)[0][target.pid]
    target.ask("run 1009 503")
    after = listed(t)[0][target.pid]
    check_equal(after["goroutines"] - before["goroutines"], 503, "goroutines that were added")
    check(after["supported"] and after["reason"] is None, f"not supported: {after['reason']}")
    check_equal({k: after["build"][k] for k in facts}, facts, "build")
    check_equal(after["build"]["cgo"], False, "cgo")
    check_equal(after["uid"], 0, "uid")
    check_equal(after["exe"], program.path, "exe")
    check(after["go_version"].startswith("go1."), f"version {after['go_version']}")
    check(0 <= after["uptime_seconds"] < 600, f"uptime {after['uptime_seconds']}")


@case
def several_processes_of_one_file(t):
    """A file is opened once for all of its processes; each has its own count."""
    needs_root()
    targets = [start(t, COUNTS) for _ in range(3)]
    idle = listed(t)[0][targets[0].pid]["goroutines"]
    for extra, target in zip((101, 211, 307), targets):
        target.ask(f"run {extra} {extra}")
    processes = listed(t)[0]
    for extra, target in zip((101, 211, 307), targets):
        check_equal(processes[target.pid]["goroutines"], idle + extra, "goroutines")
    order = [pid for pid in processes if pid in {target.pid for target in targets}]
    check_equal(order, [target.pid for target in reversed(targets)], "most goroutines first")


def check_not_supported(t, program, word):
    """Listed with the reason, and without a count."""
    target = start(t, program)
    process = listed(t)[0][target.pid]
    check_equal(process["supported"], False, "supported")
    check_equal(process["goroutines"], None, "goroutines")
    check(word in process["reason"], f"{word!r} is not in {process['reason']!r}")


@case
def not_supported(t):
    check_not_supported(t, NARROW, "32-bit")


@case(tier=VERSIONS)
def too_old(t):
    check_not_supported(t, TOO_OLD, "go1.17")


@case
def other_programs_are_not_listed(t):
    """This interpreter was looked at, and is none."""
    processes, looked_at = listed(t)
    check(os.getpid() not in processes, "python is listed as a Go process")
    check(looked_at["processes"] > len(processes), f"looked at {looked_at}")


@case
def unprivileged(t):
    """As nobody: nobody's own process is there, root's is counted among the unreadable."""
    needs_root()
    if not shutil.which("setpriv"):
        raise Skip("setpriv (util-linux)")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    folder = t.directory()
    program = shutil.copy(COUNTS.build(), os.path.join(folder, "counts"))
    tool = shutil.copy(binary(t), os.path.join(folder, "gleakd"))
    roots = start(t, COUNTS)
    own = Target(t, [*nobody, program])
    own.answer("ready")
    processes, looked_at = listed(t, prefix=nobody, path=tool)
    check(own.pid in processes, "nobody's own process is missing")
    check(roots.pid not in processes, "root's process is listed")
    check(looked_at["not_readable"] > 0, f"looked at {looked_at}")
    process = processes[own.pid]
    check_equal(process["uid"], 65534, "uid")
    # The kernel may keep even one's own processes apart (kernel.yama.ptrace_scope).
    check(process["goroutines"] or "CAP_SYS_PTRACE" in process["reason"], f"{process}")


@case
def ended_and_starting_ones(t):
    """With processes coming and going all the time, it still ends well and soon."""
    needs_root()
    path = COUNTS.build()
    again = f"{path} </dev/null >/dev/null"
    churn = subprocess.Popen(["sh", "-c", f"while :; do {again} & {again}; done"])
    t.defer(lambda: (churn.kill(), churn.wait()))
    for _ in range(20):
        listed(t)


@case
def text(t):
    """A line for the process, and no control sequences into a pipe."""
    target = start(t, COUNTS)
    code, out, _ = run(t, "list")
    check_equal(code, 0, "exit code")
    check(any(line.split()[:1] == [str(target.pid)] for line in out.splitlines()), out)
    check("\033" not in out, "colours in a pipe")
    check("looked at" in out, out)
