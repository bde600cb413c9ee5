# SPDX-License-Identifier: Apache-2.0
"""What leads to what goroutines wait on, and to objects, in a program whose ways are known."""

import json
import re

from cases_heap import HELD, LOST
from harness import VERSIONS, case, cases_for, check, check_equal
from programs import Program, start
from tracer import check_schema, run

PROGRAM = Program("unreachable")
EVERYDAY_PROGRAMS = {
    "local": PROGRAM,
    "local-pie-stripped": Program("unreachable", strip=True, pie=True),
}
VERSION_PROGRAMS = {
    f"go{version}{kind}": Program("unreachable", version, strip=bool(kind), pie=kind == "-pie")
    for version in ("1.18.10", "1.22.12", "1.27.1")
    for kind in ("", "-pie")
}


def holders(t, pid, *arguments):
    code, out, said = run(t, "holders", str(pid), "--json", *arguments)
    check_equal(code, 0, f"exit code; {said}")
    report = json.loads(out)
    check_schema(report)
    target = report["targets"][0]
    return target["asked"], target["paths"]


def goroutine_of(t, pid, function):
    code, out, said = run(t, "--pid", str(pid), "--once", "--goroutines", "--json")
    check_equal(code, 0, f"exit code; {said}")
    return next(g["goid"] for g in json.loads(out)["targets"][0]["goroutine_list"]
                if g["start_function"] == "main." + function)


def judge(t, program):
    pid = start(t, program).pid
    for site, kind, ways in (("heldByMap.func1", "global", HELD),
                             ("heldByInterface.func1", "global", HELD),
                             ("heldByStack.func1", "stack", HELD),
                             ("heldByFinalizer.func2", "finalizer", HELD)):
        asked, paths = holders(t, pid, "--site", f"main.{site}")
        check_equal((asked["objects"], asked["held"], asked["ways"]), (HELD, HELD, ways),
                    f"{site}: {asked}")
        check_equal({path["root"]["kind"] for path in paths}, {kind}, f"{site}: kinds of roots")
        check_equal(sum(path["objects"] for path in paths), HELD, f"{site}: objects")
    for site in ("lostReceive.func1", "lostPair.func1", "lostArray.func1"):
        asked, paths = holders(t, pid, "--site", f"main.{site}")
        check_equal((asked["objects"], asked["held"], paths), (LOST[site], 0, []), site)


@cases_for(EVERYDAY_PROGRAMS)
def ways_begin_where_they_should(t, program):
    judge(t, program)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def ways_begin_where_they_should_in(t, program):
    judge(t, program)


def judge_timers(t, program):
    """The runtime's own structures have their names without symbols and debug information."""
    pid = start(t, program).pid
    _, paths = holders(t, pid, "--site", "main.heldByTimer.func1")
    steps = [step for path in paths for step in path["steps"]]
    kinds = {step["type"] for step in steps}
    check("runtime.p" in kinds and kinds & {"time.Timer", "runtime.timeTimer"}, f"on the way: {kinds}")
    check(any(step["field"] and step["field"].startswith(".timers") for step in steps), f"fields: {steps}")
    check(not any(re.fullmatch(r"\d+ bytes|unknown", step["type"] or "unknown") for step in steps), f"{steps}")
    code, out, said = run(t, "heap", str(pid), "--json", "--all")
    check_equal(code, 0, said)
    target = json.loads(out)["targets"][0]
    objects = {kind["type"]: kind["objects"] for kind in target["types"]}
    check(objects.get("runtime.p", 0) >= 1 and objects.get("runtime.g", 0) >= 500, f"{objects}")
    check(any(holder["path"].startswith("runtime.all") for holder in target["holders"]), "names of variables")


STRIPPED = {name: Program("unreachable", version, strip=True, pie=pie)
            for name, version, pie in (("go1.18.10", "1.18.10", False), ("go1.19.13-pie", "1.19.13", True),
                                       ("go1.21.13", "1.21.13", False), ("go1.22.12-pie", "1.22.12", True),
                                       ("go1.24.13", "1.24.13", False), ("go1.27.1-pie", "1.27.1", True))}


@cases_for({"local-stripped": Program("unreachable", strip=True),
            "local-pie-stripped": EVERYDAY_PROGRAMS["local-pie-stripped"]})
def the_runtimes_own_has_names(t, program):
    judge_timers(t, program)


@cases_for(STRIPPED, tier=VERSIONS)
def the_runtimes_own_has_names_in(t, program):
    judge_timers(t, program)


@case
def of_a_goroutine_and_of_the_objects_on_its_way(t):
    pid = start(t, PROGRAM).pid
    goid = goroutine_of(t, pid, "heldByMap.func1")
    asked, [path] = holders(t, pid, "--goroutine", str(goid))
    check_equal(asked["ways"], 1, "ways")
    check_equal(path["root"]["kind"], "global", "root")
    for n, step in enumerate(path["steps"], 1):
        _, paths = holders(t, pid, "--object", step["address"])
        ways = [[s["address"] for s in p["steps"]] for p in paths]
        check([s["address"] for s in path["steps"][:n]] in ways, f"a part of the way: {ways}")


@case
def names_are_those_of_the_program(t):
    pid = start(t, PROGRAM).pid
    for site, name, types, fields in (
            ("heldByMap.func1", "main.inMap", ["map[int]chan int", "chan int"], ["", "[…]"]),
            ("heldBySlice.func1", "main.inSlice", ["[]*main.state", "main.state"], ["", "[…]"]),
            ("heldByBuffer.func1", "main.queue", ["chan chan int", "chan int"], ["", "[…]"])):
        _, [path] = holders(t, pid, "--site", f"main.{site}")
        check_equal(path["root"]["name"], name, f"{site}: root")
        check_equal([step["type"] for step in path["steps"]], types, f"{site}: types")
        check_equal([step["field"] for step in path["steps"]], fields, f"{site}: fields")
        check_equal(path["objects"], HELD, f"{site}: objects of one path")
    _, paths = holders(t, pid, "--site", "main.heldByStack.func1")
    check_equal({path["root"]["name"] for path in paths}, {"main.heldByStack.func2"}, "whose frame")


@case
def of_all_objects_of_a_type(t):
    pid = start(t, PROGRAM).pid
    for name in ("main.state", "*main.state"):
        asked, paths = holders(t, pid, "--type", name)
        by_root = {path["root"]["name"]: path["objects"] for path in paths}
        check_equal(by_root.get("main.inSlice"), HELD, f"held by the slice: {by_root}")
        check(asked["objects"] >= HELD, f"objects: {asked}")
    code, _, said = run(t, "holders", str(pid), "--type", "main.nosuchtype")
    check_equal(code, 1, f"exit code; {said}")
    check("lists the types" in said, f"advice: {said}")


@case
def of_one_that_is_lost(t):
    pid = start(t, PROGRAM).pid
    goid = goroutine_of(t, pid, "lostSelect.func1")
    code, out, said = run(t, "holders", "-p", str(pid), "--goroutine", str(goid))
    check_equal(code, 0, f"exit code; {said}")
    check("0 ways" in out and "nothing that is alive leads to" in out, f"said: {out}")


@case
def what_is_not_there_is_said(t):
    pid = start(t, PROGRAM).pid
    for arguments, words in ((("--goroutine", "1000003"), "no goroutine"),
                             (("--object", "0x1234"), "no object"),
                             (("--site", "nosuchsite"), "no site")):
        code, _, said = run(t, "holders", str(pid), *arguments)
        check_equal(code, 1, f"exit code; {said}")
        check(words in said, f"{words!r} in {said!r}")
    for arguments in ((), ("--goroutine", "x"), ("--object", "zz"),
                      ("--goroutine", "1", "--object", "c000000000")):
        code, _, said = run(t, "holders", str(pid), *arguments)
        check_equal(code, 2, f"exit code for {arguments}; {said}")


CONTEXTS = {
    "local": Program("contexts"),
    "local-stripped": Program("contexts", strip=True),
    **{f"go{version}": Program("contexts", version) for version in ("1.18.10", "1.22.12", "1.27.1")},
}


@cases_for(CONTEXTS)
def parents_of_a_context_and_their_children(t, program):
    """1009 hang from it, of 1512 that did; the one that is waited for by way of a value."""
    pid = start(t, program).pid
    asked, paths = holders(t, pid, "--site", "main.waitForEnd")
    check_equal((asked["objects"], asked["held"]), (1, 1), "the channel that it waits on")
    chains = [[(c["type"], c["children"]) for c in path["contexts"]] for path in paths]
    for chain in filter(None, chains):
        check_equal(chain[:3], [("context.timerCtx", 0), ("context.valueCtx", None),
                                ("context.cancelCtx", 1009)], "from the context to its parents")
        check_equal([name.startswith("context.") and name != "context.cancelCtx"
                     for name, _ in chain[3:]], [True], f"where contexts begin: {chain}")
    check(any(chains), f"no way goes by a context: {paths}")
