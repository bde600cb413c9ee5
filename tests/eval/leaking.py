# SPDX-License-Identifier: Apache-2.0
"""Part 1: the goroutine-leak programs of the Go source tree, with the runtime's own goroutineleak
profile as the oracle.

Each is watched twice: after its leak has happened once, which is `stuck` at best, and while it
happens once a second, which is `leaking`. What is judged is a site: all goroutines with one `go`
statement, one blocking line and one wait reason.
"""

import collections
import itertools
import json
import os
import statistics
import subprocess
import sys
import threading
import time

import common
import leakprofile
from common import Gleakd, Process, Result, Unfinished, until

PART = "leaking"

# A lone send is stuck after 15 min; then one interval, and the start of so many programs at a time.
ONCE_WATCH = 930
ONCE_OPTIONS = ("--mode", "census", "--interval", "10s")
REPEAT_WATCH = 60  # the verdict has to come within
REPEAT_LEAST = 30  # and nobody looks away before
REPEAT_JOBS = 6
# The time to a verdict is 10 s + max(16 s, 8/rate): 60 s from 0.16/s on. Rarer ones are not judged.
LEAST_RATE = 0.2

# Waits that look the same, from outside, in a goroutine that will be woken and in one that nobody
# can wake any more: whether anybody still holds the object is a question to the heap.
UNTELLABLE = ("chan receive", "select", "sync.Cond.Wait", "sync.WaitGroup.Wait")

# Not leaked for the runtime; what gleakd may say of them.
DIFFERS = {
    "NoLeakGlobal": {
        "once": ("quiet", "waits on a global channel: reachable, so no leak to the runtime; a "
                 "receive, so idle to gleakd"),
        "repeat": ("growing", "the runtime reports none, the channel being global. Ever more receive "
                   "from it, as workers do from a queue: leaking after 5 minutes"),
    },
    "DaisyChain": {
        "once": ("quiet", "1,001 goroutines wait an hour for the last of them, and end then"),
    },
}
NOT_REPEATED = {
    "DaisyChain": "not repeated: it leaks nothing, but grows for an hour before it first shrinks",
    "Kubernetes58107": "not repeated: one round keeps every processor busy for longer than the "
                       "second to the next, so that it never comes to rest to be compared",
}

QUICK = ("NilRecv", "SelectNoCasesMain", "ChanRecv", "ChanSend", "MutexStack", "Mixed",
         "NoLeakGlobal", "DoubleSend", "Cockroach1055", "Etcd7492", "Moby30408", "Kubernetes10182")

ABOUT = {"go": leakprofile.GO}

# One judged site. `untold`: nothing told it from a healthy wait.
Site = collections.namedtuple("Site", "key leaked seen expected got status seconds")


class Driver(Process):
    """A scenario under tests/eval/leakdriver; it answers an order by writing a file."""

    def __init__(self, options, scenario, mode):
        self.answers = options.path("leaking", f"{scenario.name}-{mode}")
        super().__init__([scenario.program, scenario.name], self.answers + ".out",
                         env=scenario.environment(), stdin=True)

    def ask(self, verb, seconds):
        """The text of its answer."""
        path = f"{self.answers}.{verb}"
        if os.path.exists(path):
            os.unlink(path)
        try:
            self.send(f"{verb} {path}")
            until(f"answer to {verb}", lambda: os.path.exists(path) or not self.alive(), seconds)
        except OSError:
            pass
        if not os.path.exists(path):
            raise Unfinished(f"the program ended: {first_line(self.said())}")
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()


def first_line(text):
    return text.split("\n")[0][:160] or "without a word"


def by_key(sites):
    """{Key: [site, ...]} without those that the driver made and those that are empty."""
    found = collections.defaultdict(list)
    for site in sites:
        key = leakprofile.key_of_site(site)
        if site["goroutines"] and not leakprofile.ours(key):
            found[key].append(site)
    return found


def expected_of_leak(mode):
    return "stuck" if mode == "once" else "leaking"


def status_of(mode, reason, got):
    if got == expected_of_leak(mode):
        return "ok"
    if mode == "once" and got == "leaking":
        return "false alarm"
    return "untold" if mode == "once" and got == "quiet" and reason in UNTELLABLE else "miss"


def flagged_after(g, ids, verdict, begin, mode):
    """Seconds to the first such verdict of one of them; None if there was none, or too late."""
    times = [g.first[i, verdict] - begin for i in ids if (i, verdict) in g.first]
    soon = [t for t in times if mode == "once" or t <= REPEAT_WATCH]
    return min(soon, default=None)


def verdict_of(g, sites, mode, begin, leaked):
    """(class, seconds) of what gleakd made of the sites of one key. A false alarm is one at any
    time; a leak has to be told as stuck to the end."""
    ids = {site["id"] for site in sites}
    now = {common.verdict_class(site["verdict"]) for site in sites}
    for verdict in common.ALARMS:
        seconds = flagged_after(g, ids, verdict, begin, mode)
        if seconds is not None and (verdict == "leaking" or verdict in now or not leaked):
            return verdict, seconds
    return ("" if not now else "quiet" if now == {"quiet"} else "growing"), None


def judge(g, mode, leaks, begin, expected_others, rate_seconds=None):
    """[Site, ...]: those which the runtime reports, then all others that gleakd lists."""
    seen = by_key(g.sites)
    judged = []
    for key, number in sorted(leaks.items()):
        sites = seen.pop(key, [])
        got, seconds = verdict_of(g, sites, mode, begin, True)
        status = status_of(mode, key.reason, got)
        rare = rate_seconds is not None and number / rate_seconds < LEAST_RATE
        judged.append(Site(key, number, sum(s["goroutines"] for s in sites),
                           expected_of_leak(mode), got, "flaky" if rare else status, seconds))
    for key, sites in sorted(seen.items()):
        got, seconds = verdict_of(g, sites, mode, begin, False)
        expected = expected_others
        good = got == expected or (expected == "quiet" and got in ("suspected", "growing"))
        status = "ok" if good else "false alarm" if got in common.ALARMS else "miss"
        number = sum(s["goroutines"] for s in sites)
        judged.append(Site(key, 0, number, expected, got, status, seconds))
    return judged + alarms_elsewhere(g, {site.key for site in judged}, begin)


def alarms_elsewhere(g, known, begin):
    """[Site, ...] that were flagged and are gone by now, or are the driver's own."""
    found = {}
    for seconds, site in g.alarms():
        key = leakprofile.key_of_site(site)
        if key not in known:
            found.setdefault(key, Site(key, 0, site["goroutines"], "quiet", site["verdict"],
                                       "false alarm", seconds - begin))
    return list(found.values())


# --- one scenario ---------------------------------------------------------------------------------


def once(options, scenario):
    """Watches it from after its leak on."""
    with Driver(options, scenario, "once") as driver:
        driver.ask("once", 60)
        with Gleakd(options, driver.pid, f"leaking/{scenario.name}-once-gleakd",
                    *ONCE_OPTIONS) as g:
            g.started(60)
            g.wait_until("the end of the watch", lambda g: g.observed() >= ONCE_WATCH,
                         ONCE_WATCH + 120, 2)
            if not g.interrupt():
                raise Unfinished(f"gleakd gave no final report: {first_line(g.said())}")
        goroutines = leakprofile.parse(driver.ask("leaks", 60))
        absent = leakprofile.not_seen(scenario, goroutines)
        if absent:
            raise Unfinished(f"leaks that always happen did not: {', '.join(absent)}")
        leaks = leakprofile.leaks(goroutines)
        other = DIFFERS.get(scenario.name, {}).get("once", ("quiet", ""))
        sites = judge(g, "once", leaks, 0.0, other[0])
        return row(scenario, "once", sites, other[1], profiled=seen_after(options, driver, leaks))


def seen_after(options, driver, leaks):
    """How many of the leaked ones gleakd still lists once the runtime has marked them as leaked."""
    said = subprocess.run([options.gleakd(), "--pid", str(driver.pid), "--once", "--json",
                           "--mode", "census"], capture_output=True, text=True, timeout=60)
    if said.returncode:
        return 0
    seen = by_key(json.loads(said.stdout.splitlines()[-1])["targets"][0]["sites"])
    return sum(min(number, sum(s["goroutines"] for s in seen.get(key, [])))
               for key, number in leaks.items())


def repeat(options, scenario):
    """Watches it while it leaks once a second."""
    if scenario.name in NOT_REPEATED:
        return Result(PART, f"{scenario.name}, repeated", "", "", "skip",
                      NOT_REPEATED[scenario.name], extra={"group": GROUPS["repeat"]})
    with Driver(options, scenario, "repeat") as driver:
        with Gleakd(options, driver.pid, f"leaking/{scenario.name}-repeat-gleakd") as g:
            g.started(60)
            begin = g.observed()
            driver.ask("repeat", 10)
            g.wait_until("the end of the watch", lambda g: repeated_enough(g, begin),
                         REPEAT_WATCH + 60)
            lasted = g.observed() - begin
            driver.ask("rest", 120)  # some keep every processor busy for a while
            enough = g.reports + 3  # the last members have come to rest, and were counted
            g.wait_until("reports at rest", lambda g: g.reports >= enough, 60)
            if not g.interrupt():
                raise Unfinished(f"gleakd gave no final report: {first_line(g.said())}")
        leaks = leakprofile.leaks(leakprofile.parse(driver.ask("leaks", 120)))
        other = DIFFERS.get(scenario.name, {}).get("repeat", ("quiet", ""))
        sites = judge(g, "repeat", leaks, begin, other[0], rate_seconds=lasted)
        return row(scenario, "repeat", sites, other[1])


def repeated_enough(g, begin):
    watched = g.observed() - begin
    if watched < REPEAT_LEAST:
        return False
    waiting = [s for group in by_key(g.sites).values() for s in group
               if s["parked"] >= LEAST_RATE * watched and s["wait_reason"] not in ("sleep", "")]
    decided = waiting and all((s["id"], "leaking") in g.first for s in waiting)
    return watched >= REPEAT_WATCH or decided


GROUPS = {"once": "Leaked once", "repeat": "Leaking once a second"}
TITLES = {"once": "once", "repeat": "repeated"}
WORST_FIRST = ("false alarm", "miss", "untold", "ok", "flaky")


def at(key):
    return f"{key.reason or 'running'} at {key.file}:{key.line}"


def some(classes):
    """"stuck", or "stuck 2, quiet 1"."""
    counts = collections.Counter(c or "not listed" for c in classes)
    if len(counts) <= 1:
        return next(iter(counts), "")
    return ", ".join(f"{'idle' if c == 'quiet' else c} {n}" for c, n in sorted(counts.items()))


def notes(sites, remark):
    texts = [remark] if remark else []
    texts += [f"{at(s.key)}: {s.seen:,} listed of {s.leaked:,}"
              for s in sites if 0 < s.seen < s.leaked]
    groups = collections.defaultdict(list)
    for site in sites:
        if site.status not in ("ok", "flaky"):
            groups[what_of(site)].append(at(site.key))
    return "; ".join(texts + [f"{what}: {', '.join(places)}" for what, places in groups.items()])


def what_of(site):
    got = {"quiet": "idle", "": "not listed"}.get(site.got, site.got)
    if not site.leaked:
        return f"{got}, not leaked to the runtime"
    return "cannot be told" if site.status == "untold" else got


def row(scenario, mode, sites, remark, **extra):
    """The line of one scenario: what the runtime reports, and nothing else flagged."""
    real = [s for s in sites if s.leaked]
    name = f"{scenario.name}, {TITLES[mode]}"
    extra.update(
        group=GROUPS[mode], mode=mode, scenario=scenario.name,
        sites=[[*s.key, s.leaked, s.seen, s.expected, s.got, s.status, s.seconds] for s in sites],
        judged=[[s.expected, s.got, 1, s.status == "untold"] for s in sites
                if s.status != "flaky"])
    if not real and scenario.name not in DIFFERS:
        return Result(PART, name, expected_of_leak(mode), "", "flaky", "the leak did not happen",
                      extra=extra)
    rare = [s for s in real if s.status == "flaky"]
    if rare:
        remark = "; ".join([remark] * bool(remark) + [
            f"{at(s.key)}: only {s.leaked} in all, not judged" for s in rare])
    shown = real or sites
    decided = [s for s in shown if s.status != "flaky"]
    status = next(w for w in WORST_FIRST if w in {s.status for s in decided or shown} |
                  {s.status for s in sites if s.status in ("false alarm", "miss")})
    times = [s.seconds for s in decided if s.seconds is not None and s.got == s.expected]
    return Result(PART, name, shown[0].expected if shown else "", some(s.got for s in decided),
                  status, notes(sites, remark), max(times, default=None), extra)


# --- all of them ----------------------------------------------------------------------------------


def attempt(function, mode, options, scenario):
    """A Result in any case."""
    begin = time.monotonic()
    try:
        result = function(options, scenario)
    except Unfinished as problem:
        result = Result(PART, f"{scenario.name}, {TITLES[mode]}", expected_of_leak(mode), "",
                        "unfinished", str(problem), extra={"group": GROUPS[mode], "mode": mode})
    sys.stdout.write(f"   {result.name:34} {result.status:12} {time.monotonic() - begin:4.0f} s  "
                     f"{result.got:20} {result.note[:100]}\n")
    sys.stdout.flush()
    return result


def run(options):
    scenarios = [s for s in leakprofile.build(options) if options.wanted(s.name)]
    if options.quick and not options.only:
        scenarios = [s for s in scenarios if s.name in QUICK]
    quiet = []  # the watches of leaks that have happened cost next to nothing: all at a time
    watcher = threading.Thread(target=lambda: quiet.extend(common.side_by_side(
        lambda s: attempt(once, "once", options, s), scenarios, len(scenarios))))
    watcher.start()
    busy = common.side_by_side(lambda s: attempt(repeat, "repeat", options, s), scenarios,
                               min(options.jobs, REPEAT_JOBS))
    watcher.join()
    results = quiet + busy
    ABOUT["text"] = text(results)
    ABOUT["tables"] = [reasons_table(results, "once"), reasons_table(results, "repeat")]
    return results


def sites_of(results, mode):
    """[Site, ...] of all lines of that kind which the runtime reports."""
    lines = itertools.chain.from_iterable(
        r.extra.get("sites", []) for r in results if r.extra.get("mode") == mode)
    sites = [Site(leakprofile.Key(*line[:5]), *line[5:]) for line in lines]
    return [s for s in sites if s.leaked]


INTRODUCTION = (
    "The programs under runtime/testdata/testgoroutineleakprofile, built from the toolchain's own "
    "tree with a driver in place of their main(). The oracle is the runtime's goroutineleak "
    "profile, which knows by the heap that nobody can wake a goroutine any more. It is taken when "
    "gleakd has ended its watch. What counts is a site: one `go` statement, blocking line and wait "
    "reason.",
    f"Leaked once: gleakd, attached after that and watching for {ONCE_WATCH} s by census alone, is "
    "to say `stuck`, never `leaking`. Leaking once a second: it is to say `leaking` within "
    f"{REPEAT_WATCH} s; a site that got less than {LEAST_RATE:g} goroutines per second in such a "
    "watch, because the race behind it was seldom lost, is not judged.",
    "A receive, a select, a Cond or a WaitGroup that nobody will ever serve looks like one that "
    "will be served tomorrow, but for the heap: where scans of it confirm nothing either, those "
    "that leaked once are `idle` by policy and counted as untold; leaking again and again, they "
    "are told like all others.",
    "The other way round, what the runtime reaches from a global variable or from the remains of "
    "a stack is no leak to it: NoLeakGlobal, and single goroutines at the sites below. gleakd "
    "goes by what they do: they wait, and it counts them.",
)


def text(results):
    told = list(INTRODUCTION)
    for mode in ("once", "repeat"):
        sites = sites_of(results, mode)
        whole = sum(s.seen >= s.leaked for s in sites)
        listed = sum(s.seen > 0 for s in sites)
        more = sum(max(0, s.seen - s.leaked) for s in sites)
        told.append(
            f"{GROUPS[mode]}: the runtime reports {sum(s.leaked for s in sites):,} leaked "
            f"goroutines at {len(sites)} sites. gleakd lists {listed} of them at the same `go` "
            f"statement, blocking line and wait reason, {whole} with at least as many goroutines, "
            f"and {more:,} goroutines there that the runtime takes for reachable.")
    profiled = [r for r in results if "profiled" in r.extra]
    leaked = sum(s.leaked for s in sites_of(results, "once"))
    listed = sum(r.extra["profiled"] for r in profiled)
    told.append("Once the runtime has taken its leak profile, it keeps the leaked ones in a status "
                f"of their own; gleakd then still lists {listed:,} of {leaked:,}.")
    return told


REASON_HEAD = {
    "once": ["wait reason", "sites", "told: stuck", "cannot be told from outside without "
             "reachability", "missed", "leaking (wrong)"],
    "repeat": ["wait reason", "sites", "told: leaking", "median after", "longest", "missed",
               "too rare to judge"],
}


def reasons_table(results, mode):
    groups = collections.defaultdict(list)
    for site in sites_of(results, mode):
        groups[site.key.reason].append(site)
    rows = [reason_row(reason, sites, mode) for reason, sites in sorted(groups.items())]
    every = [site for sites in groups.values() for site in sites]
    return {"title": f"{GROUPS[mode]}, by wait reason:", "head": REASON_HEAD[mode],
            "rows": rows + [reason_row("all", every, mode)] if rows else []}


def reason_row(reason, sites, mode):
    count = collections.Counter(s.status for s in sites)
    if mode == "once":
        return [reason, len(sites), count["ok"], count["untold"], count["miss"],
                count["false alarm"]]
    times = [s.seconds for s in sites if s.status == "ok"]
    return [reason, len(sites), count["ok"],
            f"{statistics.median(times):.0f} s" if times else "", f"{max(times):.0f} s" if times
            else "", count["miss"] + count["false alarm"], count["flaky"]]
