# SPDX-License-Identifier: Apache-2.0
"""What a heap is made of, who holds it, and which containers grow. The program has ten kinds of growth
and ten that look like it and are healthy."""

import json

from harness import VERSIONS, case, cases_for, check, check_equal, until
from programs import Program, start
from tracer import check_schema, run

SECONDS = 14
# What grows, by the beginning of its path.
GROWING = ("main.sessions.m", "main.history", "main.log.events", "main.chain", "main.registry",
           "main.parent", "runtime.allp", "main.handlers", "main.queue",
           "memory that is not Go's")
HEALTHY = ("lru", "warming", "pool", "batch", "fixed ring", "visitors", "jobs", "stopped timers",
           "cancelled contexts", "buffer")
STRIPPED_PROGRAMS = {
    "local": Program("growth", strip=True, pie=True),
}
VERSION_PROGRAMS = {
    f"go{version}": Program("growth", version)
    for version in ("1.18.10", "1.22.12", "1.26.11", "1.27.1")
}


def look(t, pid, *arguments):
    """The last report's target."""
    code, out, said = run(t, "heap", "--pid", str(pid), "--json", *arguments, seconds=60)
    check_equal(code, 0, f"exit code; {said}")
    report = json.loads(out.splitlines()[-1])
    check_schema(report)
    return report["targets"][0]


def watch(t, program, *kinds):
    target = start(t, program, *kinds)
    return look(t, target.pid, "--duration", f"{SECONDS}s")["growing"]


def judge(t, program):
    growing = watch(t, program)
    owners = sorted(next((o for o in GROWING if g["path"].startswith(o)), g["path"])
                    for g in growing)
    check_equal(owners, sorted(GROWING), f"what grows: {[g['path'] for g in growing]}")
    for g in growing:
        check(g["bytes_after"] > g["bytes_before"], f"retains more: {g}")
        check(g["per_minute"] > 0, f"rate: {g}")
        if g["path"].startswith("memory"):
            check(g["entries_after"] is None, f"entries of what is not Go's: {g}")
        else:
            check(g["entries_after"] >= g["entries_before"] + 10, f"entries: {g}")


@case(alone=True)  # the looks race with the program: one that takes long misses what a list has got meanwhile
def ten_kinds_of_growth_are_named_and_nothing_healthy(t):
    judge(t, Program("growth"))


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def ten_kinds_of_growth_are_named_and_nothing_healthy_in(t, program):
    judge(t, program)


@cases_for(STRIPPED_PROGRAMS)
def nothing_healthy_is_named_without_symbols(t, program):
    growing = watch(t, program, *HEALTHY)
    check_equal([g["path"] for g in growing], [], "what grows")


MAP_PROGRAMS = {
    f"go{version}": Program("growth", version, strip=True, pie=True)
    for version in ("1.18.10", "1.21.13", "1.23.12", "1.24.13", "1.25.7", "1.26.11", "1.27.1")
}


def judge_stripped_map(t, program):
    """Neither types of variables nor samples: what it is shows in its own memory."""
    growing = watch(t, program, "map")
    check_equal(len(growing), 1, f"what grows: {growing}")
    grown = growing[0]
    check(grown["path"].startswith("variable at 0x") and
          grown["type"] in ("map", "map[int]*main.session"), f"what it is: {grown}")
    check(grown["entries_after"] >= grown["entries_before"] + 10, f"entries: {grown}")


@case(waits=True)
def a_map_that_grows_is_named_without_symbols(t):
    judge_stripped_map(t, STRIPPED_PROGRAMS["local"])


@cases_for(MAP_PROGRAMS, tier=VERSIONS)
def a_map_that_grows_is_named_without_symbols_in(t, program):
    judge_stripped_map(t, program)


@case(waits=True)
def what_is_filled_anew_does_not_grow(t):
    """There is more in it at each look, and nothing of it was there at the one before."""
    growing = watch(t, Program("growth"), "copies")
    check_equal([g["path"] for g in growing if g["path"].startswith("main.")], [], "what grows")


@case(waits=True)
def a_map_that_grows_in_words(t):
    target = start(t, Program("growth"), "map")
    code, out, said = run(t, "heap", str(target.pid), "--duration", "10s")
    check_equal(code, 0, f"exit code; {said}")
    lines = [line for line in out.splitlines() if line.startswith("GROWING")]
    check_equal(len(lines), 1, out)
    check(lines[0].startswith("GROWING main.sessions.m (map[int]*main.session) "), lines[0])
    check(" entries in " in lines[0] and "retains +" in lines[0], lines[0])


@case
def who_holds_what(t):
    """Nothing happens after the start: 503 sessions in a cache, and so on."""
    target = start(t, Program("growth"), "none")
    shown = look(t, target.pid)
    check_equal(shown["growing"], [], "growing, after one look")
    holders = {(h["path"], h["type"]): h for h in shown["holders"]}
    for path, kind, objects in (
        ("main.cache.byKey", "map[int]*list.Element", None),
        ("main.cache.order", "*list.Element", 503),
        ("main.recent", "*ring.Ring", 503),
        ("main.visitors[…]", "*main.session", 503),
        ("main.matrix", "[][]int", 504),
    ):
        there = holders.get((path, kind))
        check(there, f"{path} {kind} in {sorted(holders)}")
        if objects:
            check(there["objects"] >= objects, f"{path}: {there}")
    check(holders[("main.recent", "*ring.Ring")]["leads_to_itself"], "a ring leads to itself")
    types = {one["type"]: one for one in shown["types"]}
    check(types["main.session"]["objects"] >= 3 * 503, f"sessions: {types['main.session']}")
    total = sum(one["bytes"] for one in shown["types"])
    known = sum(one["bytes"] for one in shown["types"] if one["known"])
    check(known > 0.9 * total, f"{known} of {total} bytes of known types")
    check_equal(total, shown["memory"]["heap_live_bytes"], "bytes of all types")
    check_equal(sum(one["objects"] for one in shown["types"]), shown["memory"]["objects"],
                "objects of all types")


@case
def what_closures_have_captured(t):
    """The program has no samples: closures are told by the code that makes them."""
    target = start(t, Program("growth"), "closures")
    held = set()

    def is_there():
        shown = look(t, target.pid)
        held.update((h["path"], h["type"]) for h in shown["holders"])
        return ("main.handlers[…].s", "*main.session") in held

    until(f"sessions that handlers hold in {held}", is_there)


@cases_for(STRIPPED_PROGRAMS)
def what_grows_without_symbols(t, program):
    """Variables have no names, and what hangs from them has its types all the same."""
    growing = watch(t, program, "contexts", "lru")
    check(growing, "something grows")
    for g in growing:
        check(g["path"].startswith("variable at 0x"), f"path: {g}")
        check(g["entries_after"] >= g["entries_before"] + 10, f"entries: {g}")
    children = [g for g in growing if g["type"] == "map[context.canceler]struct {}"]
    check_equal([g["path"].endswith(".children") for g in children], [True], f"what grows: {growing}")
