# SPDX-License-Identifier: Apache-2.0
"""The list of goroutines against the runtime's own dump, goroutine by goroutine."""

import json
import os
import re
import sys
from collections import namedtuple

from harness import ROOT, case, cases_for, check, check_equal
from programs import Program, Target, start
from tracer import check_schema, run

sys.path.append(os.path.join(ROOT, "tests", "matrix"))
import dump  # noqa: E402

HEAD = re.compile(r"goroutine (\d+) \[([^\]]*)\](?: \{.*\})?:$")
PARENT = re.compile(r"^created by .* in goroutine (\d+)$", re.MULTILINE)
BUBBLE = re.compile(r"synctest (bubble|group) \d+$")

# What can be compared. frames: () where the runtime has no stack to show.
Seen = namedtuple("Seen", "state locked bubble parent creator frames")

# These work while they are looked at: that they are there is all that can be said.
AT_WORK = {"main.console", "main.collects", "main.allocates", "main.busy", "main.yields"}

ROSTER = {
    "go1.19.13": Program("roster", "1.19.13"),
    "go1.23.12": Program("roster", "1.23.12", strip=True),
    "local": Program("roster", pie=True),
    "go1.27.1": Program("roster", "1.27.1", strip=True),
}
WAYS = {
    "go1.21.13": Program("matrix", "1.21.13"),
    "go1.24.13": Program("matrix", "1.24.13"),
    "local": Program("matrix", strip=True),
    "go1.27.1": Program("matrix", "1.27.1"),
}


def told(t, target, command):
    path = os.path.join(t.directory(), command)
    target.ask(f"{command} {path}")
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def runtime_says(t, target):
    """{goid: Seen}; None for those at work."""
    out = {}
    for record in told(t, target, "dump").strip().split("\n\n"):
        lines = record.split("\n")
        goid, words = HEAD.match(lines[0]).groups()
        words = words.split(", ")
        parsed = dump.parse(record)
        parent = PARENT.search(record)
        if not parsed or any(f[0] in AT_WORK for f in parsed[0].frames):
            out[int(goid)] = None
            continue
        out[int(goid)] = Seen(
            re.sub(r" \(scan\)", "", words[0]), "locked to thread" in words,
            any(BUBBLE.match(w) for w in words), int(parent.group(1)) if parent else None,
            parsed[0].creator, parsed[0].frames,
        )
    return out


def place(frame):
    return (dump.plain(frame["function"]), frame["file"], frame["line"])


def shown(frame):
    """As a traceback names it: gopanic is there as "panic"."""
    function, file, line = place(frame)
    return ("panic" if function == "runtime.gopanic" else function, file, line)


def gleakd_says(goroutine):
    return Seen(
        goroutine["state"], goroutine["locked_to_thread"], goroutine["in_bubble"],
        goroutine["parent_goid"], goroutine["created_by"] and place(goroutine["created_by"]),
        dump.cut(shown(f) for f in goroutine["stack"]),
    )


def listed(t, target, *args):
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--goroutines", "--json", *args)
    check_equal(code, 0, f"exit code ({err})")
    report = json.loads(out)
    check_schema(report)
    (seen,) = report["targets"]
    goids = [g["goid"] for g in seen["goroutine_list"]]
    check_equal(goids, sorted(set(goids)), "order of the list")
    return seen


def compare(t, target):
    """Checks all that the runtime tells the same of before and after; returns gleakd's target."""
    before = runtime_says(t, target)
    seen = listed(t, target)
    after = runtime_says(t, target)
    ours = {g["goid"]: g for g in seen["goroutine_list"]}
    check_equal(set(ours), set(before) & set(after), "goroutines")
    compared = 0
    for goid, truth in before.items():
        if truth is None or after[goid] != truth:
            continue
        compared += 1
        got = gleakd_says(ours[goid])
        if not truth.creator:  # a dump does not show functions of the runtime, not even as creators
            got = got._replace(parent=None, creator=None)
        for field, a, b in zip(Seen._fields, got, truth):
            check(a == b, f"goroutine {goid}: {field}: {a!r} instead of {b!r}; {truth}")
    t.note(f"{compared} of {len(before)} goroutines compared")
    check(compared >= len(before) - 4, f"only {compared} of {len(before)} stood still")
    return seen


def check_sites(seen):
    """Every goroutine belongs to one of the sites, and all of them together are its population."""
    members = {}
    for g in seen["goroutine_list"]:
        members[g["site"]] = members.get(g["site"], 0) + 1
    runtime = {g["site"] for g in seen["goroutine_list"] if g["start_function"].startswith("runtime.r")}
    for site in seen["sites"]:
        check_equal(members.pop(site["id"], 0), site["goroutines"], f"members of {site}")
    check(set(members) <= runtime, f"without a site: {members}")


@cases_for(ROSTER)
def labels_and_threads(t, program):
    target = start(t, program)
    truth = {int(goid): labels for goid, labels in json.loads(told(t, target, "labels")).items()}
    seen = compare(t, target)
    got = {g["goid"]: g["labels"] for g in seen["goroutine_list"] if g["labels"]}
    check_equal(got, truth, "labels")
    check(any(g["locked_to_thread"] for g in seen["goroutine_list"]), "none locked to its thread")
    check(any("main.finalize" == f["function"] for g in seen["goroutine_list"] for f in g["stack"]),
          "a finalizer that hangs is not in the list")
    check_sites(seen)


@cases_for(WAYS)
def every_way_to_wait(t, program):
    """States, bubbles, coroutines; program of the matrix, which parks in every way there is."""
    env = dict(os.environ, GODEBUG="asynctimerchan=0")
    target = Target(t, [program.build()], env=env)
    target.answer("ready", 60)
    seen = compare(t, target)
    check(len({g["state"] for g in seen["goroutine_list"]}) >= 10, "few different states")
    check_sites(seen)


@case
def while_the_gc_runs(t):
    """Goroutines on their way through the GC keep their names, and labels stay with their owners."""
    target = start(t, ROSTER["local"], "busy")
    truth = {int(goid): labels for goid, labels in json.loads(told(t, target, "labels")).items()}
    for _ in range(5):
        seen = compare(t, target)
        got = {g["goid"]: g["labels"] for g in seen["goroutine_list"] if g["labels"]}
        check_equal(got, truth, "labels")


@case
def the_runtimes_own(t):
    target = start(t, ROSTER["local"])
    program = {g["goid"] for g in listed(t, target)["goroutine_list"]}
    every = listed(t, target, "--all")["goroutine_list"]
    check(program < {g["goid"] for g in every}, "--all adds none")
    own = [g for g in every if g["goid"] not in program]
    check(all(g["start_function"].startswith("runtime.") for g in own), f"not the runtime's: {own}")


@case
def needs_once(t):
    code, _, err = run(t, "--pid", "1", "--goroutines")
    check_equal(code, 2, "exit code")
    check("--once" in err, err)
