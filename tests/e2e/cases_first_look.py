# SPDX-License-Identifier: Apache-2.0
"""What one look says of a process that has been running for a while: leaks, and what is healthy."""

import json
import random
import time

from harness import case, cases_for, check, check_equal
from past import BETWEEN, Past, start_with_a_past
from programs import Program, start
from tracer import Gleakd, run, sites, total

PAST = Program("past")
OF_VERSIONS = {
    "local": PAST,
    "local-stripped": Program("past", strip=True),
    "go1.18.10": Program("past", "1.18.10"),
    "go1.22.12": Program("past", "1.22.12"),
    "go1.27.4": Program("past", "1.27.4"),
}
FOUND = 42
MINUTE = 60
ANY = "--fail-on=leaking,stuck,suspected"


def begin(t):
    target = start_with_a_past(t, PAST)
    return target, Past(t, PAST, target)


def place(kind):
    return PAST.line(f"made:{kind}"), PAST.line(f"blocked:{kind}")


def once(t, target, *args):
    """One look: exit code and report."""
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json",
                         f"--error-exitcode={FOUND}", *args)
    check(code in (0, FOUND), f"exit code {code}: {err}")
    return code, json.loads(out)


@case
def senders_that_nobody_receives_are_stuck(t):
    """1,237 of them, each at an unbuffered channel of its own, blocked for 18 minutes."""
    target, past = begin(t)
    past.waited(past.spawn("unreceived", 1237), [18 * MINUTE + BETWEEN] * 1237)
    code, report = once(t, target)
    site, = sites(report, *place("unreceived"))
    check_equal((site["verdict"], site["goroutines"]), ("stuck", 1237), "verdict")
    check(site["confidence"] > 0.9, f"confidence {site['confidence']}")
    check("18m" in " ".join(site["why"]), f"why: {site['why']}")
    check_equal(site["objects"]["distinct"], site["objects"]["looked_at"], "channels")
    check_equal(code, FOUND, "exit code")
    code, text, _ = run(t, "--pid", str(target.pid), "--once", "--explain", site["id"])
    check_equal(code, 0, "exit code of --explain")
    check("STUCK" in text, text)
    first = Gleakd(t, target.pid, "--interval", "30s")
    shown, = sites(first.report("the first frame"), *place("unreceived"))
    check_equal(shown["verdict"], "stuck", "in the first frame of a watch")


@cases_for(OF_VERSIONS)
def a_wait_is_said_to_last_no_longer_than_it_did(t, program):
    """The collection that finds them notes the end of the one before them."""
    target = start(t, program)
    target.ask("collect 1")
    time.sleep(3)
    target.ask("unreceived 7")
    while len(sites(once(t, target, "--all")[1], program.line("made:unreceived"),
                    program.line("blocked:unreceived"))) != 1:
        pass
    time.sleep(1.5)
    collected = time.monotonic()
    target.ask("collect 1")
    found = time.monotonic()
    time.sleep(2)
    asked = time.monotonic()
    _, report = once(t, target, "--all")
    site, = sites(report, program.line("made:unreceived"), program.line("blocked:unreceived"))
    said = site["oldest_park_seconds"]
    check_equal(site["goroutines"], 7, "goroutines")
    check(asked - found - 0.01 <= said, f"{said} s, but {asked - found} since they were found")
    check(said <= time.monotonic() - collected, f"{said} s, but they were not found before")


@case
def what_came_one_by_one_is_suspected(t):
    """4,001 that wait to receive, two a second: one look cannot be sure, a watch is."""
    target, past = begin(t)
    past.one_by_one(past.spawn("unsent", 4001), 33 * MINUTE)
    code, report = once(t, target)
    site, = sites(report, *place("unsent"))
    check_equal(site["verdict"], "suspected", f"verdict ({site['why']})")
    check(any("watching for" in why for why in site["why"]), f"what would settle it: {site['why']}")
    check_equal(code, 0, "a suspicion is no finding, unless it is to be")
    check_equal(once(t, target, ANY)[0], FOUND, "exit code when it is")
    code, text, _ = run(t, "--pid", str(target.pid), "--once", "--explain", site["id"])
    check("SUSPECTED" in text and "watching for" in text, text)
    code, text, _ = run(t, "--pid", str(target.pid), "--once")
    check("No leak found" not in text and "1 site suspected" in text, text)
    # The heap would settle it sooner: these wait for what only their own stacks lead to.
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "2s", "--no-heap")
    g.report("suspected from the first frame on", lambda r: [
        s["verdict"] for s in sites(r, *place("unsent"))] == ["suspected"])
    g.report("no more when it does not go on", lambda r: [
        s["verdict"] for s in sites(r, *place("unsent"))] == ["idle"], seconds=60)
    verdicts = {s["verdict"] for r in g.reports for s in sites(r, *place("unsent"))}
    check_equal(verdicts, {"suspected", "idle"}, "verdicts in between")


@case
def healthy_processes_are_not_even_suspected(t):
    """Pools, subscribers, tickers, limits and connections, after half an hour and more."""
    target, past = begin(t)
    seed = random.Random(17)
    half_an_hour = 30 * MINUTE
    # Workers with a queue each: those of the beginning, of which every second one had work since.
    workers = past.spawn("workers", 3001)
    past.waited(workers, [seed.random() * half_an_hour if i % 2 else half_an_hour
                          for i in range(len(workers))])
    # 503 workers at one queue, started one by one all the time.
    past.one_by_one(past.spawn("pool", 503), half_an_hour)
    # 601 subscribers, one by one until ten minutes ago.
    past.one_by_one(past.spawn("subscribers", 601), half_an_hour, 10 * MINUTE)
    past.one_by_one(past.spawn("tick", 307), half_an_hour)
    # Callers of a group with a limit, while each task takes ten minutes.
    limited = past.spawn("limited", 17, each=3)
    past.waited(limited, [10 * MINUTE] * len(limited))
    connections = past.spawn("connect", 211, each=2)
    past.one_by_one(connections, half_an_hour)
    code, report = once(t, target, ANY)
    for kind, number in (("worker", 3001), ("pool", 503), ("subscriber", 601), ("tick", 307),
                         ("limit", 17), ("task", 34), ("writer", 211)):
        check_equal(total(sites(report, *place(kind)), "goroutines"), number, kind)
    wrong = [(s["verdict"], s["blocked_at"], s["why"]) for s in sites(report)
             if s["verdict"] not in ("idle", "active")]
    check_equal(wrong, [], "suspects")
    check_equal(code, 0, "exit code")
    g = Gleakd(t, target.pid, "--interval", "500ms", "--duration", "6s")
    g.final(seconds=20)
    for r in g.reports:
        wrong = [(s["verdict"], s["blocked_at"], s["why"]) for s in sites(r)
                 if s["verdict"] not in ("idle", "active")]
        check_equal(wrong, [], "suspects in a watch")
