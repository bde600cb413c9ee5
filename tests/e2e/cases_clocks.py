# SPDX-License-Identifier: Apache-2.0
"""Clocks that jump, clocks of one's own, and time that is none: ages and figures stay what they are."""

import os
import time
from datetime import datetime

from cases_host import of_pid
from faults import (PATIENCE, Clock, check_unharmed, created, gleakd_behind, in_time_namespace,
                    is_flagged, metrics_when, shows)
from harness import VERSIONS, Skip, case, cases_for, check, check_equal
from programs import Program, Target, start
from tracer import Gleakd, sites, total

COUNTS, BUBBLES = Program("counts"), Program("bubbles")
BUBBLES_IN = {f"go{version}": Program("bubbles", version) for version in ("1.25.7", "1.27.1")}


def age_at(report, program, pid):
    found = sites({"targets": [of_pid(report, pid)]}, program.line("made:run"),
                  program.line("blocked:run"))
    return max([s["oldest_park_seconds"] for s in found], default=0)


@cases_for({"forward": 5 * 3600, "back": -5 * 3600})
def wall_clock_jumps(t, seconds):
    """Reports say the new time; nothing gets older or younger, in reports, metrics and state."""
    begin = time.monotonic()
    clock, target = Clock(t), start(t, COUNTS)
    target.ask("run 1009 503")
    files = t.directory()
    path, state = os.path.join(files, "gleakd.prom"), os.path.join(files, "state")
    args = ["--interval", "200ms", "--textfile", path, "--state", state]
    g = Gleakd(t, target.pid, *args, env=clock.env)
    shows(g)
    first = metrics_when("metrics", path, lambda m: True)
    clock.shift(seconds)
    key = "gleakd_last_write_timestamp_seconds"
    now = metrics_when("the new time", path, lambda m: abs(m[key] - first[key] - seconds) < 60)
    check_equal(now["gleakd_start_time_seconds"], first["gleakd_start_time_seconds"], "start")
    seen = len(g.reports)
    shows(g, "five more rounds", lambda r: len(g.reports) >= seen + 5)
    g.interrupt(PATIENCE)
    again = Gleakd(t, target.pid, *args, env=clock.env)
    shows(again)
    target.ask("spawn 1009")
    clock.shift(0)
    shows(again, "exact after all", lambda r: total(
        sites(r, COUNTS.line("made:spawn")), "exited") == 1009)
    again.interrupt(PATIENCE)
    lived = time.monotonic() - begin + 1
    for r in g.reports + again.reports:
        observed = r["targets"][0]["observed_seconds"]
        age = age_at(r, COUNTS, target.pid)
        check(0 <= observed <= lived, f"observed for {observed} s in {lived:.0f}")
        check(0 <= age <= lived, f"parked for {age} s in {lived:.0f}")
        check_equal(is_flagged(r), [], "flagged")


@case
def a_machine_that_was_suspended(t):
    """Wall clock and uptime go on for an hour in which nothing ran: nobody has waited for it."""
    begin, hour = time.monotonic(), 3600
    clock, target = Clock(t), start(t, COUNTS)
    target.ask("run 1009 503")
    g = Gleakd(t, target.pid, "--interval", "200ms", env=clock.env)
    before = shows(g, "a second of park age", lambda r: age_at(r, COUNTS, target.pid) >= 1)
    check_equal(before["self"]["suspended_seconds"], 0, "before")
    clock.shift(0, suspended=hour)
    seen = len(g.reports)
    shows(g, "for how long it was suspended", lambda r: r["self"]["suspended_seconds"])
    shows(g, "five more", lambda r: len(g.reports) >= seen + 5)
    final = g.interrupt(PATIENCE)
    lived = time.monotonic() - begin + 1
    check(hour - 2 <= final["self"]["suspended_seconds"] <= hour + 2, f"{final['self']['suspended_seconds']}")
    check(1 <= age_at(final, COUNTS, target.pid) <= lived, f"parked in {lived:.0f} s: {age_at(final, COUNTS, target.pid)}")
    check(final["targets"][0]["observed_seconds"] <= lived, "observed")
    check_equal(is_flagged(final), [], "flagged")
    now, then = (datetime.fromisoformat(r["time"].replace("Z", "+00:00")) for r in (final, before))
    check(hour <= (now - then).total_seconds() <= hour + lived, f"wall clock: {then} {now}")
    check_unharmed(target)


CLOCKS = {"later": ["--boottime", "100000", "--monotonic", "50000"],
          "earlier": ["--boottime", "-60", "--monotonic", "-60"]}


@cases_for(CLOCKS)
def target_with_clocks_of_its_own(t, offsets):
    """As after a migration, when both clocks of a container begin elsewhere."""
    begin = time.monotonic()
    prefix = in_time_namespace(*offsets)
    # The collector, which often runs like this, notes since when goroutines have been parked.
    target = Target(t, [*prefix, COUNTS.build()], env=dict(os.environ, GOGC="1"))
    target.answer("ready")
    target.ask("run 1009 503")
    target.ask("run 50021 503")
    g = Gleakd(t, target.pid, "--interval", "200ms", "--min-age", "1s")
    shows(g, "a second of park age", lambda r: age_at(r, COUNTS, target.pid) >= 1)
    target.ask("spawn 1009")
    shows(g, "exact", lambda r: total(sites(r, COUNTS.line("made:spawn")), "exited") == 1009)
    final = g.interrupt(PATIENCE)
    lived = time.monotonic() - begin + 1
    age = age_at(final, COUNTS, target.pid)
    check(age <= lived, f"parked for {age} s in {lived:.0f}")
    check_unharmed(target)


@cases_for(CLOCKS)
def gleakd_with_clocks_of_its_own(t, offsets):
    begin = time.monotonic()
    target, prefix = start(t, COUNTS), in_time_namespace(*offsets)
    target.ask("run 1009 503")
    g = gleakd_behind(t, prefix, target.pid, "--interval", "200ms", "--min-age", "1s")
    shows(g, "a second of park age", lambda r: age_at(r, COUNTS, target.pid) >= 1)
    target.ask("run 1009 503")
    made = COUNTS.line("made:run")
    shows(g, "exact", lambda r: (total(sites(r, made), "created"), total(sites(r, made), "exited"),
                                 total(sites(r, made), "goroutines")) == (1009, 506, 1006))
    final = g.interrupt(PATIENCE)
    lived = time.monotonic() - begin + 1
    age = age_at(final, COUNTS, target.pid)
    check(age <= lived, f"parked for {age} s in {lived:.0f}")
    check_equal(final["targets"][0]["losses"]["repaired"], 0, "repaired")
    check_unharmed(target)


INSIDE, OUTSIDE = 11, 7


def bubbles(t, program, *arguments):
    """In a bubble they wait for ever, or take turns, while hours of theirs pass; outside is a leak."""
    begin = time.monotonic()
    # The module of these programs is of a Go that had other timers, with which no bubble can be.
    target = Target(t, [program.build()], env=dict(os.environ, GODEBUG="asynctimerchan=0"))
    target.answer("ready")
    target.ask(f"bubble {INSIDE}")
    target.ask(f"leak {OUTSIDE}")
    g = Gleakd(t, target.pid, "--interval", "300ms", "--min-age", "500ms", *arguments)
    leak, inside, convoy = (program.line(f"made:{name}") for name in ("leak", "bubble", "convoy"))

    def flagged(report):
        return [s["id"] for s in sites(report, leak) if s["verdict"] == "stuck"]

    shows(g, "the leak", flagged)
    seen = len(g.reports)
    shows(g, "nobody else, five times more",
          lambda r: len(g.reports) > seen + 5 and is_flagged(r) == flagged(r))
    passed = int(target.ask("hours").split()[2])
    final = g.interrupt(PATIENCE)
    check(passed > 10, f"{passed} hours in the bubble")
    check_equal((total(sites(final, leak), "goroutines"), total(sites(final, inside), "goroutines"),
                 total(sites(final, convoy), "goroutines")), (OUTSIDE, INSIDE, INSIDE), "goroutines")
    lived = time.monotonic() - begin + 1
    for report in g.reports:
        ids = {s["id"] for made in (inside, convoy) for s in sites(report, made)}
        check(not ids & set(is_flagged(report)), f"flagged in a bubble: {ids}")
        check(not ids & {one["site"] for one in report["targets"][0]["contention"]}, "contention in a bubble")
        check(all(0 <= s["oldest_park_seconds"] <= lived for s in report["targets"][0]["sites"]
                  if s["oldest_park_seconds"] is not None), f"ages in {lived:.0f} s")
    check_unharmed(target)
    return final


@case
def bubbles_of_tests_and_a_leak_outside(t):
    if BUBBLES.minor() < 25:
        raise Skip("Go 1.25")
    final = bubbles(t, BUBBLES, "--mode", "waits", "--max-overhead", "0")
    check_equal(final["targets"][0]["contention_by"], "events", "each wait is traced")


@cases_for(BUBBLES_IN, tier=VERSIONS)
def bubbles_and_a_leak_outside_in(t, program):
    bubbles(t, program)
