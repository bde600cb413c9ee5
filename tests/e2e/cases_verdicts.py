# SPDX-License-Identifier: Apache-2.0
"""Who is flagged and who is not."""

import datetime

from harness import case, cases_for, check, check_equal
from programs import Program, Target, start
from tracer import Gleakd, at, flagged, sites

DEMO = {
    "local": Program("demo", strip=True),
    "go1.19.13": Program("demo", "1.19.13"),
    "go1.27.1": Program("demo", "1.27.1", strip=True),
}
COUNTS = Program("counts")
REASONS = {  # shape: the runtime's own words
    "chanreceive": "chan receive",
    "chansend": "chan send",
    "select": "select",
    "selectnone": "select (no cases)",
    "nilreceive": "chan receive (nil chan)",
    "nilsend": "chan send (nil chan)",
    "mutex": "sync.Mutex.Lock",
    "rwmutexread": "sync.RWMutex.RLock",
    "waitgroup": "sync.WaitGroup.Wait",
    "cond": "sync.Cond.Wait",
}


@cases_for(DEMO)
def demo_leaks_and_nothing_else(t, program):
    """The three marked lines are flagged as leaking; tens of healthy sites are not."""
    target = Target(t, [program.build(), "-for", "90s"])
    target.answer("ready")
    leaks = {program.line(f"leak: {kind}") for kind in ("chan send", "mutex", "select")}
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "4s")

    def lines(r):
        return {place for place in leaks for s in flagged(r) if at(s["blocked_at"], place)}

    g.report("all three leaks", lambda r: lines(r) == leaks, seconds=35)
    final = g.interrupt()
    check_equal(lines(final), leaks, "flagged lines in the summary")
    for r in g.reports:
        for site in flagged(r):
            check(any(at(site["blocked_at"], p) for p in leaks), f"a healthy site is flagged: {site}")


@case
def healthy_demo_is_not_flagged(t):
    """The same service without its mistakes, over several times the age limit."""
    target = Target(t, [DEMO["local"].build(), "-healthy", "-for", "90s"])
    target.answer("ready")
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "2s", "--duration", "15s")
    g.final(seconds=25)
    for r in g.reports:
        check_equal([(s["verdict"], s["blocked_at"], s["why"]) for s in flagged(r)], [], "flagged")
    check(g.reports[-1]["targets"][0]["goroutines"]["created"] > 500, "it was busy")


@case
def every_kind_of_leak(t):
    """Populations that grow by a few every time, one for each way of being stuck."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "2s")
    g.report()
    stop = target.feed(*(f"shape {kind} 2" for kind in REASONS), every=0.25)

    def place(kind):
        return COUNTS.line(f"made:{kind}"), COUNTS.line(f"blocked:{kind}")

    def caught(r):
        return {k for k in REASONS if any(s["verdict"] == "leaking" for s in sites(r, *place(k)))}

    g.report("every kind leaking", lambda r: caught(r) == set(REASONS), seconds=40)
    stop()
    final = g.interrupt()
    for kind, words in REASONS.items():
        for site in sites(final, *place(kind)):
            # Before Go 1.20 every semaphore wait had the same words.
            check(site["wait_reason"] in (words, "semacquire"), f"{kind}: {site['wait_reason']!r}")
            check(site["growth_per_minute"] > 0, f"{kind} does not grow")
            check(site["why"], f"{kind} has no reason")


@case
def a_rise_says_when_a_verdict_is_due(t):
    """The rule that holds the verdict back, in words, and a time that is kept."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "4s")
    g.report()
    target.feed("shape chansend 1", every=0.3)
    place = COUNTS.line("made:chansend"), COUNTS.line("blocked:chansend")

    def promised(r):
        return next((s for s in sites(r, *place) if s["verdict"] == "growing" and s["due"]), None)

    first = promised(g.report("a rise with a time", promised, seconds=15))
    due = datetime.datetime.fromisoformat(first["due"].replace("Z", "+00:00"))
    check(first["why"][0].endswith(f": due at {due:%H:%M:%S} UTC if it goes on"), first["why"][0])
    told = g.report("leaking", lambda r: any(
        s["verdict"] == "leaking" and s["due"] is None for s in sites(r, *place)), seconds=30)
    late = datetime.datetime.fromisoformat(told["time"].replace("Z", "+00:00")) - due
    check(-3 < late.total_seconds() < 3, f"leaking {late.total_seconds():.1f} s after it was due")


@case(is_long=True, waits=True)
def what_comes_with_silent_connections_of_its_own(t):
    """A goroutine for each connection that the process opened and left alone: forgotten clients."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "2s")
    g.report()
    target.feed("shape iowait 1", "shape select 1", every=0.4)
    place = COUNTS.line("made:select"), COUNTS.line("blocked:select")

    def has(verdict, words):
        return lambda r: any(s["verdict"] == verdict and any(words in why for why in s["why"])
                             for s in sites(r, *place))

    g.report("held back", has("growing", "connections or files that the process opened"))
    # 120 s if others had opened them.
    told = g.report("leaking", has("leaking", "with them came connections or files"), seconds=60)
    check(told["targets"][0]["observed_seconds"] >= 20, "ten times --min-age had to pass first")

    def whole(r):  # the reader in its network wait, too
        parts = [s["id"] for kind in ("select", "iowait")
                 for s in sites(r, COUNTS.line(f"made:{kind}"), COUNTS.line(f"blocked:{kind}"))]
        return [f["sites"] for f in r["targets"][0]["findings"] if sorted(f["sites"]) == sorted(parts)]

    g.report("one finding", whole)


@case
def what_can_never_proceed_is_stuck(t):
    """Fixed sets that nothing can wake, told by the reason alone."""
    target = start(t, COUNTS)
    kinds = {"selectnone": 3, "nilreceive": 5, "nilsend": 7}
    for kind, number in kinds.items():
        target.ask(f"shape {kind} {number}")
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "2s")
    for kind, number in kinds.items():
        place = COUNTS.line(f"made:{kind}"), COUNTS.line(f"blocked:{kind}")
        g.report(f"{kind} stuck", lambda r, p=place, n=number: any(
            s["verdict"] == "stuck" and s["goroutines"] == n and s["confidence"] > 0.9
            for s in sites(r, *p)))
    final = g.interrupt()
    check_equal(sorted(s["goroutines"] for s in flagged(final)), sorted(kinds.values()), "flagged")


@case(is_long=True, waits=True)
def a_lock_that_is_never_released_is_stuck(t):
    """A minute is what a lock may take; the report says which lock, and how many wait for it."""
    target = start(t, COUNTS)
    target.ask("shape mutex 11")
    g = Gleakd(t, target.pid, "--interval", "2s")
    place = COUNTS.line("made:mutex"), COUNTS.line("blocked:mutex")
    g.report("stuck at the lock", lambda r: any(
        s["verdict"] == "stuck" for s in sites(r, *place)), seconds=100)
    site, = sites(g.interrupt(), *place)
    check_equal(site["objects"]["distinct"], 1, "locks")
    lock, = site["objects"]["items"]
    # Before Go 1.20 the runtime did not tell a mutex from other semaphores.
    kind = "mutex" if COUNTS.minor() >= 20 else "semaphore"
    check_equal((lock["kind"], lock["waiters"]), (kind, 11), "the lock")


@case(waits=True)
def waiting_by_nature_is_not_flagged(t):
    """Fixed populations that wait for work or time, for longer than the age limit."""
    target = start(t, COUNTS)
    for kind, number in (("sleep", 40), ("iowait", 40), ("chanreceive", 8), ("select", 8),
                         ("cond", 4)):
        target.ask(f"shape {kind} {number}")
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "2s", "--duration", "8s")
    g.final(seconds=15)
    for r in g.reports:
        wrong = [(s["verdict"], s["blocked_at"], s["why"]) for s in flagged(r)]
        check_equal(wrong, [], "flagged")


@case(waits=True)
def growth_that_levels_off_is_not_a_leak(t):
    """A pool that fills up and stays."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "4s")
    g.report()
    for _ in range(10):
        target.ask("shape chanreceive 10")
    place = COUNTS.line("made:chanreceive"), COUNTS.line("blocked:chanreceive")
    g.report("the age limit passed twice", lambda r: any(
        s["oldest_park_seconds"] > 9 for s in sites(r, *place)))
    g.interrupt()
    verdicts = {s["verdict"] for s in sites(g.reports[-1], *place)}
    check("leaking" not in verdicts, f"verdicts {verdicts}")
