# SPDX-License-Identifier: Apache-2.0
"""Which call of the program's own led to goroutines that a library started."""

from harness import VERSIONS, case, cases_for, check, check_equal
from programs import Program, start
from tracer import Gleakd, at, run

LOCAL = Program("calls")
PROGRAMS = {"local": LOCAL, "stripped": Program("calls", strip=True, pie=True)}
OTHERS = {version: Program("calls", version)
          for version in ("1.18.10", "1.22.12", "1.23.12", "1.27.1")}
WATCH = ("--mode", "lifecycle", "--max-overhead", "0", "--interval", "500ms", "--min-age", "1s")


def unread(report, program, call):
    """Sites of bodies that are open, whose requests were made at a marker's line."""
    return [s for s in report["targets"][0]["sites"]
            if "body was not read" in (s["meaning"] or "") and s["goroutines"]
            and at(s["called_from"], program.line(call))]


def names_the_line(t, program):
    """29 bodies that one line forgets: net/http connects and reads in goroutines of goroutines of its own."""
    target = start(t, program)
    gleakd = Gleakd(t, target.pid, *WATCH)
    gleakd.report("the first one")
    target.ask("forget 29")

    def all_there(report):
        return sum(s["goroutines"] for s in unread(report, program, "call: forget")) == 29

    report = gleakd.report("29 of main.forget", all_there, 40)
    site, = unread(report, program, "call: forget")
    check_equal(site["called_from"]["function"], "main.forget", "function")
    check(site["called_from_goroutines"] >= 20, f"of {site['called_from_goroutines']}")
    check(site["created_by"]["function"].startswith("net/http."), f"{site['created_by']}")
    return target, gleakd


@cases_for(PROGRAMS)
def of_a_library_are_named(t, program):
    names_the_line(t, program)


@cases_for(OTHERS, tier=VERSIONS)
def of_a_library_are_named_in(t, program):
    names_the_line(t, program)


@case
def tell_a_leak_from_what_is_held_for_a_while(t):
    """Bodies that one line never closes, and that another closes after two seconds."""
    target = start(t, LOCAL)
    gleakd = Gleakd(t, target.pid, *WATCH)
    gleakd.report("the first one")
    target.ask("hold 211")
    target.ask("forget 151")

    def apart(report):
        forgotten = unread(report, LOCAL, "call: forget")
        return (any(s["verdict"] == "leaking" for s in forgotten)
                and unread(report, LOCAL, "call: hold"))

    report = gleakd.report("a leak of main.forget beside main.hold", apart, 40)
    forgotten, = unread(report, LOCAL, "call: forget")
    held, = unread(report, LOCAL, "call: hold")
    check(forgotten["id"] != held["id"], "one id")
    check(held["verdict"] not in ("leaking", "stuck"), f"held: {held['verdict']}, {held['why']}")
    code, text, _ = run(t, "--pid", str(target.pid), "--once", "--allow", "/dev/null")
    check_equal(code, 0, "exit code")
    check("called from" not in text, "one look has seen nobody create them")
