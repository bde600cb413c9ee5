# SPDX-License-Identifier: Apache-2.0
"""Runtimes that are not those of a plain program: whose main has ended, in a library, several."""

import json

from harness import case, cases_for, check, check_equal
from programs import Program, Target, start
from tracer import Gleakd, binary, check_schema, needs_tracing, run, sites, total

GOEXIT = Program("goexit")
STRIPPED = Program("goexit", strip=True)
SAYING = {text: Program("goexit", says=text) for text in ("1.26.8", "go2.0", "weird")}
SAYING_STRIPPED = Program("goexit", says="weird", strip=True)


def once(t, target):
    """The only target of a --once."""
    needs_tracing()
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json")
    check_equal(code, 0, "exit code of --once: " + err.strip())
    report = json.loads(out)
    check_schema(report)
    check_equal(len(report["targets"]), 1, "targets")
    return report["targets"][0]


def alive(target):
    """How many goroutines the program says that it has."""
    return int(target.ask("count").split()[-1])


# --- main has ended ---------------------------------------------------------------------------------

def main_has_ended(t, program):
    """Its g is dead at first, and then another goroutine's."""
    target = start(t, program)
    target.ask("goexit")
    for parked in (0, 41):
        target.ask(f"park {parked}")
        check_equal(once(t, target)["goroutines"]["alive"], alive(target), f"{parked} parked: alive")


@case
def main_has_ended_before(t):
    main_has_ended(t, GOEXIT)


@case
def main_has_ended_before_in_a_stripped_program(t):
    main_has_ended(t, STRIPPED)


@case
def main_ends_while_watched(t):
    target = start(t, GOEXIT)
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report()
    target.ask("goexit")
    target.ask("run 1009")
    target.ask("park 43")
    g.report("all of them after main", lambda r: total(sites(r, GOEXIT.line("made:park")), "parked") == 43)
    final = g.interrupt()
    got = final["targets"][0]["goroutines"]
    check_equal((got["alive"], got["created"], got["exited"]), (alive(target), 1052, 1010),
                "alive, created, exited")
    check_equal(final["final_reason"], "interrupted", "why it ended")


@case
def main_ends_in_a_service(t):
    """Taken on once, and never given up."""
    target = start(t, GOEXIT)
    g = Gleakd(t, None, "--only", f"exe:{GOEXIT.path}", "--config", "/dev/null", "--interval", "300ms",
               "--min-process-age", "100ms")

    def of_target(report):
        return next((x for x in report["targets"] if x["pid"] == target.pid), None)

    g.report("the process", of_target)
    target.ask("goexit")
    target.ask("park 47")
    g.report("what it created later", lambda r: of_target(r) and
             of_target(r)["goroutines"]["alive"] == alive(target))
    seen = len(g.reports)
    g.report("three more rounds", lambda r: len(g.reports) >= seen + 3)
    check(all(of_target(r) for r in g.reports[seen:]), "it was given up")
    check_equal([r["self"]["processes"]["failed"] for r in g.reports[seen:] if r["self"]["processes"]["failed"]],
                [], "failed attaches")


# --- versions as people write them ------------------------------------------------------------------

@cases_for(SAYING)
def version_of_any_text(t, program):
    """Toolchains are named by whoever builds them; the debug information knows better."""
    target = start(t, program)
    target.ask("park 41")
    got = once(t, target)
    check_equal((got["go_version"], got["how"], got["goroutines"]["alive"]),
                (program.says, "symbols; layout from DWARF", alive(target)), "version, how, alive")
    check("chan receive" in {site["wait_reason"] for site in got["sites"]}, f"wait reasons: {got['sites']}")


@case
def version_of_any_text_without_debug_information(t):
    """It is taken for the newest that is known, which it may be; else it is said why not."""
    target = start(t, SAYING_STRIPPED)
    code, _, err = run(t, "--pid", str(target.pid), "--once")
    if code == 0:
        check_equal(once(t, target)["goroutines"]["alive"], alive(target), "alive")
        return
    check_equal(code, 3, "exit code")
    check('"weird"' in err and "-ldflags=-w" in err, f"neither what is wrong nor what to do: {err}")
