# SPDX-License-Identifier: Apache-2.0
"""Variables on stacks, and those that closures have captured, by the names that they have in the source."""

from cases_growth import look
from cases_holders import holders
from harness import VERSIONS, case, cases_for, check, check_equal
from programs import Program, start

PROGRAM = Program("locals")
VERSION_PROGRAMS = {
    f"go{version}": Program("locals", version, pie=version in ("1.20.14", "1.26.11"))
    for version in ("1.18.10", "1.19.13", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13",
                    "1.25.14", "1.26.11", "1.27.1")
}
# How many sessions hang from each, as in the program.
ON_STACKS = (("main.worker.buf", "[]*main.session", 101),
             ("main.worker.sessions", "map[int]*main.session", 103),
             ("main.worker.moved", "[3]*main.session", 1),
             ("main.worker.first", "*main.session", 1))
CAPTURED = (("kept", "*main.session"), ("byID", "map[int]*main.session"), ("count", "*int"))
SESSIONS = 107  # that closures have


def judge(t, program):
    pid = start(t, program).pid
    shown = {(h["path"], h["type"]): h for h in look(t, pid)["holders"]}
    for path, kind, _ in ON_STACKS:
        if kind:
            check((path, kind) in shown, f"{path} {kind} in {sorted(shown)}")
    for name, kind in CAPTURED:
        check((f"main.handlers[…].{name}", kind) in shown, f"{name} {kind} in {sorted(shown)}")
    _, paths = holders(t, pid, "--type", "main.session", "--all")
    ways = {}
    for path in paths:
        fields = "".join(step["field"] for step in path["steps"])
        ways[(path["root"]["name"] or "") + fields] = (path["root"]["kind"], path["objects"])
    for path, kind, sessions in (("main.worker.buf[…]", "stack", 101),
                                 ("main.worker.sessions[…]", "stack", 103),
                                 ("main.worker.moved[…]", "stack", 1),
                                 ("main.worker.first", "stack", 1),
                                 ("main.handlers[…].kept", "global", SESSIONS)):
        check_equal(ways.get(path), (kind, sessions), f"ways to {path} of {ways}")


@case
def they_are_told_by_name(t):
    judge(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def they_are_told_by_name_in(t, program):
    judge(t, program)


@case
def a_variable_on_a_stack_that_grows(t):
    target = start(t, PROGRAM)
    growing = look(t, target.pid, "--duration", "10s")["growing"]
    check_equal([(g["path"], g["type"]) for g in growing],
                [("main.grow.rising", "map[int]*main.session")], "what grows")


@case
def stripped_programs_have_no_names_for_them(t):
    """What is on stacks is told by the functions alone, as before."""
    shown = look(t, start(t, Program("locals", strip=True)).pid)
    paths = [h["path"] for h in shown["holders"]]
    check(any(p.startswith("stack of main.main.") and ", in main.worker" in p for p in paths), paths)
    check(not any(p.startswith("main.") for p in paths), paths)
