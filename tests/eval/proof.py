# SPDX-License-Identifier: Apache-2.0
"""Part 4: what the heap proves.

The oracle: the leaking programs of part 1, once each. `gleakd prove` is held against the runtime's
own goroutineleak profile of the same process, goroutine by goroutine; built by older versions of
Go, which have no such profile, against the stacks that the program itself counts at the lines where
it leaks.
"""

import collections
import json
import os
import re
import subprocess
import sys
import time

import common
import leakprofile
from common import Result, Unfinished
from leaking import UNTELLABLE, Driver, first_line

PART = "proof"

# The last release of each series that gleakd supports and whose runtime has no such profile.
OLDER = ("go1.18.10", "go1.19.13", "go1.20.14", "go1.21.13", "go1.22.12", "go1.23.12", "go1.24.13",
         "go1.25.14", "go1.26.11")
QUICK_OLDER = ("go1.18.10",)
QUICK = ("NilRecv", "ChanRecv", "MutexStack", "NoLeakGlobal", "Cockroach1055", "Moby30408")
AT_A_TIME = 4
PROVE_OPTIONS = ("--json", "--max-stop", "5s")

ABOUT = {"go": leakprofile.GO}

# A goroutine in these states goes on by itself.
MAY_RUN = ("running", "runnable", "sleep", "IO wait", "syscall")

# So long those that go on by themselves may take to come to rest; some never do.
STILL_MOVING_SECONDS = 30

# One place of one program: how many the reference has there, and how many gleakd proved.
Site = collections.namedtuple("Site", "key leaked proven")

# What a goroutine that gleakd proves and the runtime does not report waits for.
TINY = "they wait for a lock in a processor's block of tiny objects, which the runtime marks"
BEHIND = "those lead to what they wait for"
MAIN = "main itself"
OTHER = "not explained"


class Scan:
    """One scan of tests/heap/heapscan, as its lines tell it.

    unreachable  {goid: (scans running, "tiny" or "own", function)}
    held         how many wait for a lock in a block of tiny objects that something leads to
    behind       goids that could go on if those of --from could, these included
    """

    def __init__(self, head):
        self.fields = dict(item.split("=") for item in head.split())
        self.unreachable, self.held, self.behind = {}, 0, set()

    def is_sure(self):
        return self.fields["doubt"] == "0"

    def add(self, line):
        goid, _, scans, block, function = line.split(" ", 4)
        self.unreachable[int(goid)] = (int(scans), block, function)


def scans_of(text):
    """[Scan, ...] of what heapscan printed."""
    scans = []
    for line in text.splitlines():
        first, _, rest = line.partition(" ")
        if first == "scan":
            scans.append(Scan(rest))
        elif first == "unreachable":
            scans[-1].add(rest)
        elif first == "held":
            scans[-1].held += 1
        elif first == "behind":
            scans[-1].behind.add(int(rest))
    return scans


def heapscan(options):
    path = os.path.join(options.build, "tests", "heapscan")
    if not os.access(path, os.X_OK):
        raise Unfinished("build/tests/heapscan is not there: run make tested")
    return path


def run_tool(argv, seconds=120):
    done = subprocess.run(argv, capture_output=True, text=True, timeout=seconds)
    if done.returncode:
        raise Unfinished(f"{os.path.basename(argv[0])}: {first_line(done.stderr.strip())}")
    return done.stdout


def without_reason(key):
    """Older versions say less of what is waited for."""
    return key._replace(reason="")


def proven_by_key(options, pid, of=lambda key: key):
    """({Key: goroutines}, {Key: what leads to the others}) of a report of `gleakd prove`, the
    driver's own among them."""
    said = run_tool([options.gleakd(), "prove", "--pid", str(pid), *PROVE_OPTIONS])
    found, held = collections.Counter(), {}
    for site in json.loads(said.splitlines()[-1])["targets"][0]["sites"]:
        key, known = of(leakprofile.key_of_site(site)), site["proof"]
        if known["level"] == "proven":
            found[key] += known["goroutines"]
        if known["reachable_by"]:
            held[key] = known["reachable_by"]
    return found, held


def at(key):
    return f"{key.reason} at {key.file}:{key.line}" if key.reason else f"{key.file}:{key.line}"


def compare(leaks, proven):
    return [Site(key, leaks[key], proven[key]) for key in sorted(set(leaks) | set(proven))]


def result(name, group, sites, words, held, **extra):
    """A line: every goroutine that leaks is proven, and none that does not. `held`: what leads to
    others of a place."""
    leaked, proven = (sum(getattr(s, f) for s in sites) for f in ("leaked", "proven"))
    missed = [s for s in sites if s.proven < s.leaked]
    wrong = [s for s in sites if not s.leaked] if not extra.get("explained") else []
    words = words + [f"{at(s.key)}: {s.proven} of {s.leaked}, others held by "
                     f"{held.get(s.key, 'nothing')}" for s in missed]
    words += [f"proven and not leaked: {s.proven} {at(s.key)}" for s in wrong]
    status = "false alarm" if wrong else "miss" if missed else "ok"
    extra.update(group=group, sites=[[list(s.key), s.leaked, s.proven] for s in sites])
    return Result(PART, name, f"{leaked:,}", f"{proven:,}", status, "; ".join(words), None, extra)


# --- against the runtime's own profile ------------------------------------------------------------


def explain(options, driver, scan, goroutines):
    """({why: number} of what is proven and not reported, number of what is reported and not proven),
    both by goid."""
    reported = {g.goid for g in goroutines if g.leaked}
    extra = set(scan.unreachable) - reported
    tiny = {goid for goid in extra if scan.unreachable[goid][1] == "tiny"}
    behind = set()
    if tiny:
        listed = ",".join(str(goid) for goid in sorted(tiny))
        behind = picture(options, driver.pid, "--from", listed).behind
    why = collections.Counter(
        MAIN if goid == 1 else TINY if goid in tiny else BEHIND if goid in behind else OTHER
        for goid in extra)
    return why, len(reported - set(scan.unreachable))


def picture(options, pid, *arguments):
    return scans_of(run_tool([heapscan(options), "--exact", *arguments, str(pid)]))[0]


def let_it_leak(driver):
    """Once, and until nothing moves any more; then as it is after a collection. Where some go on for
    ever the numbers at each place stay the same sooner."""
    driver.ask("once", 90)
    seen, begin = [], time.monotonic()

    def at_rest():
        goroutines = leakprofile.parse(driver.ask("stacks", 60))
        seen.append(collections.Counter(leakprofile.key_of_goroutine(g) for g in goroutines))
        moving = any(key.reason in MAY_RUN and not leakprofile.ours(key) for key in seen[-1])
        late = time.monotonic() - begin > STILL_MOVING_SECONDS
        return len(seen) > 1 and seen[-1] == seen[-2] and (late or not moving)

    common.until("a program at rest", at_rest, 90, 0.5)
    driver.ask("collect", 60)


def against_the_runtime(options, scenario):
    with Driver(options, scenario, "proof") as driver:
        let_it_leak(driver)
        proven, held = proven_by_key(options, driver.pid)
        scan = picture(options, driver.pid)
        goroutines = leakprofile.parse(driver.ask("leaks", 60))
        why, unproven = explain(options, driver, scan, goroutines)
    leaks = leakprofile.leaks(goroutines)
    words = [f"{n} more: {text}" for text, n in sorted(why.items())]
    words += [f"{unproven} reported ones are not proven, by their numbers"] * bool(unproven)
    if not leaks and not proven and scenario.name not in ("NoLeakGlobal", "DaisyChain"):
        return Result(PART, scenario.name, "0", "0", "flaky", "the leak did not happen",
                      extra={"group": leakprofile.GO})
    found = result(scenario.name, leakprofile.GO, compare(leaks, proven), words, held,
                   why=dict(why), unproven=unproven, explained=bool(why) and not why[OTHER],
                   reachable=reachable_at(goroutines, leaks))
    if unproven and found.status == "ok":
        found.status = "miss"
    return found


def reachable_at(goroutines, leaks):
    """[[key without reason, number], ...] of those at the same places that the runtime reaches."""
    counts = collections.Counter(without_reason(leakprofile.key_of_goroutine(g))
                                 for g in goroutines if not g.leaked)
    places = {without_reason(key) for key in leaks}
    return [[list(key), n] for key, n in counts.items() if key in places]


# --- against the program's own count, in older versions -------------------------------------------


def may_leak(scenario, goroutine):
    """Whether the runtime's own test expects a leak of that function."""
    name = f"{goroutine.frames[-1].function.removeprefix('main.')}()" if goroutine.frames else ""
    return any(re.match(pattern.split(r" \[")[0], name) for pattern in scenario.expected or [])


def parked(driver):
    """{goid: where} of those that wait."""
    return {g.goid: without_reason(leakprofile.key_of_goroutine(g))
            for g in leakprofile.parse(driver.ask("stacks", 60)) if g.reason not in MAY_RUN}


def against_its_count(options, scenario, toolchain, places):
    """`places`: {key without reason: how many of those there are not leaked to Go 1.27}."""
    with Driver(options, scenario, "proof-" + toolchain) as driver:
        let_it_leak(driver)
        before = parked(driver)
        proven, held = proven_by_key(options, driver.pid, without_reason)
        scan = picture(options, driver.pid)
        goroutines = leakprofile.parse(driver.ask("stacks", 60))
    counted, listed = collections.Counter(), set()
    for goroutine in goroutines:
        key = without_reason(leakprofile.key_of_goroutine(goroutine))
        # Whoever came there only after the proof was not there to be proven.
        if goroutine.reason in MAY_RUN or before.get(goroutine.goid) != key:
            continue
        counted[key] += 1
        if key in places or may_leak(scenario, goroutine):
            listed.add(key)
    leaks = collections.Counter({key: min(n, max(n - places.get(key, 0), proven[key]))
                                 for key, n in counted.items() if key in listed})
    name = f"{scenario.name}, {toolchain}"
    if not leaks and not proven and places:
        return Result(PART, name, "0", "0", "flaky", "the leak did not happen",
                      extra={"group": toolchain})
    going_on = sum(g.reason in MAY_RUN and not leakprofile.ours(leakprofile.key_of_goroutine(g))
                   for g in goroutines)
    words = [f"{scan.held} wait for a lock in a block of tiny objects, of which another is in use"]
    found = result(name, toolchain, compare(leaks, proven), words * bool(scan.held), held,
                   brief=True)
    if found.status == "miss" and scan.held:
        found.status = "untold"
    missed = sum(max(0, leaked - proven) for _, leaked, proven in found.extra["sites"])
    if found.status == "miss" and missed <= going_on:
        found.status, found.note = "ok", f"{missed} wait for {going_on} that go on: {found.note}"
    return found


def places_of(results):
    """{program: {key without reason: goroutines there that the runtime of Go 1.27 reaches}}."""
    places = {}
    for line in results:
        if line.extra.get("group") != leakprofile.GO:
            continue
        reachable = {leakprofile.Key(*key): n for key, n in line.extra.get("reachable", [])}
        keys = {without_reason(leakprofile.Key(*key))
                for key, leaked, _ in line.extra.get("sites", []) if leaked}
        places[line.name] = {key: reachable.get(key, 0) for key in keys}
    return places


# --- all of them ----------------------------------------------------------------------------------


def attempt(name, group, function, *arguments):
    begin = time.monotonic()
    try:
        found = function(*arguments)
    except (Unfinished, subprocess.TimeoutExpired) as problem:
        found = Result(PART, name, "", "", "unfinished", str(problem), extra={"group": group})
    sys.stdout.write(f"   {found.name:34} {found.status:12} {time.monotonic() - begin:4.0f} s  "
                     f"{found.got} of {found.expected}  {found.note[:100]}\n")
    sys.stdout.flush()
    return found


def chosen(options, scenarios):
    return [s for s in scenarios if options.wanted(s.name)
            and (not options.quick or options.only or s.name in QUICK)]


def run(options):
    begin, load = time.gmtime(), os.getloadavg()[0]
    at_a_time = min(AT_A_TIME, options.jobs)
    newest = common.side_by_side(
        lambda s: attempt(s.name, leakprofile.GO, against_the_runtime, options, s),
        chosen(options, leakprofile.build(options)), at_a_time)
    places = places_of(newest)
    results = list(newest)
    for toolchain in QUICK_OLDER if options.quick else OLDER:
        scenarios = [s for s in chosen(options, leakprofile.build_with(options, toolchain))
                     if s.name in places]
        results += common.side_by_side(
            lambda s: attempt(f"{s.name}, {toolchain}", toolchain, against_its_count, options, s,
                              toolchain, places[s.name]), scenarios, at_a_time)
    every = common.with_kept(options, PART, results)
    ABOUT["text"] = text(every, time.strftime("%Y-%m-%d", begin), load)
    ABOUT["tables"] = [reasons_table(every), versions_table(every)]
    return results


def sites_of(results, group):
    return [(leakprofile.Key(*key), leaked, proven) for line in results
            if line.extra.get("group") == group for key, leaked, proven in
            line.extra.get("sites", [])]


def text(results, day, load):
    sites = sites_of(results, leakprofile.GO)
    reported = [s for s in sites if s[1]]
    hidden = [s for s in reported if s[0].reason in UNTELLABLE]
    why = collections.Counter()
    unproven = 0
    for line in results:
        why.update(line.extra.get("why", {}))
        unproven += line.extra.get("unproven", 0)
    more = "; ".join(f"{n:,}: {what}" for what, n in sorted(why.items())) or "none"
    return [
        f"Run on {day}, at a load of {load:.1f} when it began.",
        "The programs are those of the first part, each leaking once, and the oracle is the same: "
        "the runtime's goroutineleak profile, taken after gleakd had looked. `gleakd prove` is "
        "compared with it by site, and tests/heap/heapscan, which takes the same picture, by the "
        "goroutines' numbers.",
        f"The runtime reports {sum(s[1] for s in reported):,} goroutines at {len(reported)} sites. "
        f"gleakd proves {sum(min(s[1], s[2]) for s in reported):,} of them, at "
        f"{sum(s[2] > 0 for s in reported)} sites, of which "
        f"{sum(s[2] == s[1] for s in reported)} have equal numbers, "
        f"{sum(s[2] > s[1] for s in reported)} more and {sum(s[2] < s[1] for s in reported)} "
        f"fewer. By their numbers {unproven:,} of those that the runtime reports are not proven. "
        f"Proven and not reported: {more}.",
        f"Of the {len(hidden)} sites where nothing but the heap tells such a wait from a healthy one "
        f"({', '.join(UNTELLABLE)}), {sum(s[2] > 0 for s in hidden)} are told.",
        "Built by older versions of Go, whose runtime has no such profile, a program is held "
        "against its own stacks: how many there are at the lines where Go 1.27 leaks, or its own "
        "test expects it to. `untold`: some wait for a lock that lies in one block of 16 bytes with "
        "something that is in use, and with them those that they hold up.",
    ]


def reasons_table(results):
    groups = collections.defaultdict(list)
    for key, leaked, proven in sites_of(results, leakprofile.GO):
        if leaked:
            groups[key.reason].append((leaked, proven))
    rows = [reason_row(reason, sites) for reason, sites in sorted(groups.items())]
    every = [site for sites in groups.values() for site in sites]
    return {"title": f"Against the profile of {leakprofile.GO}, by wait reason:",
            "head": ["wait reason", "sites", "told: proven", "equal numbers", "more", "fewer",
                     "goroutines reported", "of them proven"],
            "rows": rows + [reason_row("all", every)] if rows else []}


def reason_row(reason, sites):
    return [reason, len(sites), sum(p > 0 for _, p in sites), sum(p == n for n, p in sites),
            sum(p > n for n, p in sites), sum(p < n for n, p in sites),
            f"{sum(n for n, _ in sites):,}", f"{sum(min(n, p) for n, p in sites):,}"]


def versions_table(results):
    rows = []
    for toolchain in (*OLDER, leakprofile.GO):
        lines = [r for r in results if r.extra.get("group") == toolchain]
        sites = sites_of(lines, toolchain)
        if lines:
            rows.append([toolchain, sum("sites" in r.extra for r in lines),
                         sum(s[1] > 0 for s in sites), f"{sum(s[1] for s in sites):,}",
                         f"{sum(min(s[1], s[2]) for s in sites):,}",
                         sum(s[2] < s[1] for s in sites),
                         sum(max(0, s[2] - s[1]) for s in sites)])
    return {"title": "By version:",
            "head": ["version", "programs", "sites that leak", "goroutines", "of them proven",
                     "sites with fewer", "goroutines proven beyond"], "rows": rows}
