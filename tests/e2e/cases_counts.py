# SPDX-License-Identifier: Apache-2.0
"""Numbers: so many goroutines made, so many gone, so many stuck at that line, and no other."""

from harness import case, cases_for, check, check_equal
from image import changed
from programs import Program, start
from tracer import Gleakd, at, digest, sites, total

LOCAL = Program("counts")

# The oldest and the newest that must work and the one of this machine, in every way of building.
BUILDS = {
    "go1.19.13": Program("counts", "1.19.13"),
    "go1.19.13-stripped": Program("counts", "1.19.13", strip=True),
    "go1.19.13-pie": Program("counts", "1.19.13", pie=True),
    "go1.19.13-stripped-pie": Program("counts", "1.19.13", strip=True, pie=True),
    "local": LOCAL,
    "local-stripped": Program("counts", strip=True),
    "local-pie": Program("counts", pie=True),
    "local-stripped-pie": Program("counts", strip=True, pie=True),
    "go1.27.1": Program("counts", "1.27.1"),
    "go1.27.1-stripped": Program("counts", "1.27.1", strip=True),
    "go1.27.1-pie": Program("counts", "1.27.1", pie=True),
    "go1.27.1-stripped-pie": Program("counts", "1.27.1", strip=True, pie=True),
}


def check_totals(report):
    """Every goroutine belongs to one site, so the sites add up to the whole."""
    target = report["targets"][0]
    for field in ("created", "exited"):
        check_equal(
            total(target["sites"], field), target["goroutines"][field], f"sum of sites' {field}"
        )


@cases_for(BUILDS)
def exact(t, program):
    """1009 made at one line: 506 leave and 503 stay at another, and every one is counted."""
    target = start(t, program)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report("attached in full", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1009 503")
    made, blocked = program.line("made:run"), program.line("blocked:run")

    def arrived(r):
        return total(sites(r, made, blocked), "parked") == 503 and total(sites(r, made), "exited")

    g.report("503 parked at the marked line", arrived)
    final = g.interrupt()
    t.note(digest(final))
    here = sites(final, made)
    check_equal(total(here, "created"), 1009, "created at the marked line")
    check_equal(total(here, "exited"), 506, "exited of those")
    check_equal(total(here, "goroutines"), 503, "alive of those")
    (stuck,) = sites(final, made, blocked)
    check_equal(stuck["goroutines"], 503, "goroutines at the marked line")
    check_equal(stuck["parked"], 503, "parked at the marked line")
    check_equal(stuck["wait_reason"], "chan receive", "wait reason")
    check_equal(stuck["created_by"]["function"], "main.run", "created by")
    # The compiler's closure that carries the arguments of the go statement.
    check(stuck["start_function"] in ("main.run.func1", "main.run.gowrap1"),
          f"start function {stuck['start_function']}")
    numbers = final["targets"][0]["goroutines"]
    check_equal(numbers["created"], 1009, "created in all")
    check_equal(numbers["exited"], 506, "exited in all")
    check_equal(numbers["alive"], 504, "alive: 503 and main")
    losses = final["targets"][0]["losses"]
    check_equal((losses["events"], losses["repaired"]), (0, 0), "lost events, repaired")
    check_totals(final)
    check_equal(len({s["id"] for s in final["targets"][0]["sites"]}),
                len(final["targets"][0]["sites"]), "distinct site ids")


@case
def released_goroutines_are_counted_out(t):
    target = start(t, LOCAL)
    g = Gleakd(t, target.pid, "--interval", "300ms")
    g.report()
    target.ask("run 1009 503")
    target.ask("release")
    made = LOCAL.line("made:run")
    g.report("all 1009 exited", lambda r: total(sites(r, made), "exited") == 1009)
    final = g.interrupt()
    check_equal(total(sites(final, made), "goroutines"), 0, "alive after release")
    check_totals(final)


@cases_for({"go1.19.13": BUILDS["go1.19.13-stripped"], "local": LOCAL,
            "go1.27.1": BUILDS["go1.27.1-stripped"]})
def older_than_the_attach(t, program):
    """What was there before is seen by the census: state, reason, lines, stack and park age."""
    target = start(t, program)
    target.ask("run 1009 503")
    target.ask("shape select 11")
    g = Gleakd(t, target.pid, "--interval", "300ms")
    made, blocked = program.line("made:run"), program.line("blocked:run")
    r = g.report(
        "two seconds of park age",
        lambda r: any(s["oldest_park_seconds"] >= 2 for s in sites(r, made, blocked)),
    )
    (stuck,) = sites(r, made, blocked)
    check_equal((stuck["goroutines"], stuck["parked"]), (503, 503), "goroutines, parked")
    check_equal((stuck["created"], stuck["exited"]), (0, 0), "since the attach")
    check_equal(stuck["wait_reason"], "chan receive", "wait reason")
    check(stuck["oldest_age_seconds"] >= stuck["oldest_park_seconds"], "older than its park")
    check(at(stuck["stack"][0], blocked), f"innermost frame {stuck['stack'][:1]}")
    names = [f["function"] for f in stuck["stack"]]
    check_equal(names[0], "main.worker", "innermost function")
    other = sites(r, program.line("made:select"), program.line("blocked:select"))
    check_equal(total(other, "parked"), 11, "parked in select")
    check_equal([s["wait_reason"] for s in other], ["select"], "wait reason of select")
    final = g.interrupt()
    check_equal(final["targets"][0]["goroutines"]["created"], 0, "created since the attach")


@case
def tiny_ring_is_repaired_by_the_census(t):
    """A ring of one page overflows: losses are told, and nobody who left is taken for a leak."""
    target = start(t, LOCAL)
    g = Gleakd(t, target.pid, "--interval", "300ms", "--ring-bytes", "4096")
    g.report("attached", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("storm 50000")
    target.ask("run 20011 503")
    target.ask("storm 50000")
    made, blocked = LOCAL.line("made:run"), LOCAL.line("blocked:run")

    def repaired(r):
        losses = r["targets"][0]["losses"]
        return (
            losses["events"] > 0
            and losses["repaired"] > 0
            and r["targets"][0]["goroutines"]["alive"] == 504
            and total(sites(r, made, blocked), "parked") == 503
        )

    g.report("losses, and right counts in spite of them", repaired)
    final = g.interrupt()
    check(repaired(final), f"the final report is not right:\n{digest(final)}")
    check_equal(total(sites(final, made), "goroutines"), 503, "alive of the marked line")
    check_equal(total(sites(final, LOCAL.line("made:spawn")), "goroutines"), 0, "storm's remains")
    check_totals(final)


@case(alone=True)
def churn_of_200000_a_second_loses_nothing(t):
    target = start(t, LOCAL)
    # Whatever it costs: left to itself gleakd would go by censuses at such a rate.
    g = Gleakd(t, target.pid, "--interval", "500ms", "--mode", "full", "--max-overhead", "0")
    g.report("attached", lambda r: r["targets"][0]["mode"] == "full")
    made_number = int(target.ask("churn 200000 3000").split()[-1])
    t.note(f"{made_number} made in 3 s")
    made = LOCAL.line("made:spawn")
    g.report("every exit", lambda r: total(sites(r, made), "exited") >= made_number)
    final = g.interrupt()
    check_equal(final["targets"][0]["losses"]["events"], 0, "lost events")
    check_equal(total(sites(final, made), "created"), made_number, "created")
    check_equal(total(sites(final, made), "exited"), made_number, "exited")
    check_totals(final)


@case
def lifecycle_mode_counts_too(t):
    target = start(t, LOCAL)
    g = Gleakd(t, target.pid, "--interval", "300ms", "--mode", "lifecycle", "--max-overhead", "0")
    g.report("attached", lambda r: r["targets"][0]["mode"] == "lifecycle")
    target.ask("run 1009 503")
    made, blocked = LOCAL.line("made:run"), LOCAL.line("blocked:run")
    r = g.report("503 parked", lambda r: total(sites(r, made, blocked), "parked") == 503)
    r = g.report("506 gone", lambda r: total(sites(r, made), "exited") == 506)
    check_equal(total(sites(r, made), "created"), 1009, "created")


@case
def the_budget_is_kept_in_the_mode_that_was_chosen(t):
    target = start(t, LOCAL)
    g = Gleakd(t, target.pid, "--interval", "300ms", "--mode", "full", "--max-overhead", "2%")
    g.report("attached in full", lambda r: r["targets"][0]["mode"] == "full")
    target.send("churn 20000 20000")
    seen = len(g.reports)
    r = g.report("less attached", lambda r: r["targets"][0]["mode"] != "full" and
                 len(g.reports) > seen and r is g.reports[-1])
    check(r["targets"][0]["mode_reason"], "a reason is given")


@case
def census_mode_attaches_nothing(t):
    target = start(t, LOCAL)
    g = Gleakd(t, target.pid, "--interval", "300ms", "--mode", "census")
    g.report("mode census", lambda r: r["targets"][0]["mode"] == "census")
    target.ask("run 1009 503")
    made, blocked = LOCAL.line("made:run"), LOCAL.line("blocked:run")
    g.report("503 parked", lambda r: total(sites(r, made, blocked), "parked") == 503)
    check_equal(changed(target.pid), [], "bytes of code changed")
    g.interrupt()
