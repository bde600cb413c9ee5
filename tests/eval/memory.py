# SPDX-License-Identifier: Apache-2.0
"""Part 6: programs whose memory grows, or looks as if it did (memory/own, memory/public).

Each runs under gleakd with its defaults, from its own start on: built as servers are, whose runtime samples what they
allocate, and once more without anything that asks for samples, so that the linker leaves them out. A leak has to be told at a line that is marked in
its source, among the first three places of the report; nothing else may ever be called growing, not in a single
report. Reports are kept (memory/NAME.ndjson).
"""

import glob
import os
import re
import shutil
import signal
import statistics
import time

import common

SOURCES = os.path.join(common.HERE, "memory")
LEAK_SECONDS, HEALTHY_SECONDS = 300, 540
FIRST_FEW = 3
QUICK = ("map", "go-metrics", "churn", "lru")
MOST_AT_A_TIME = 10  # each allocates 100 MB a second

LEAKS = {
    "map": "a map without limit",
    "slice": "a slice that is appended to",
    "list": "a list that nothing is taken from",
    "contexts": "contexts of a long-lived parent that are not cancelled",
    "timers": "timers that are due tomorrow",
    "builders": "string builders of reports that nobody asks for",
    "substrings": "short parts that hold long strings",
    "cache-without-limit": "a cache without a limit",
    "closures": "callbacks with what they have captured",
    "goroutine": "a variable of a goroutine that lives long",
    "pool-misuse": "what an object of a pool refers to is not cleared",
    "log-lines": "a log that is never written",
    "sync-map": "a sync.Map with a key for each request",
    "linked": "a linked list of the program's own",
    "subscribers": "channels of subscribers that never unsubscribe",
    "one-buffer": "a buffer that is appended to",
}
PUBLIC = {
    "go-metrics": "rcrowley/go-metrics#201 at 2016-11-28",
    "gorilla-sessions": "gorilla/sessions 1.1.1 without gorilla/mux, as its README warns",
    "client-golang": "CVE-2022-21698, prometheus/client_golang 1.11.0",
    "otelhttp": "CVE-2023-45142, otelhttp 0.43.0",
    "gorm": "go-gorm/gorm#7137, gorm 1.25.8",
}
HEALTHY = {
    "churn": "100 MB a second come and go",
    "lru": "a cache that fills and then evicts",
    "warm-up": "most of 120 MB within two minutes, slower and slower",
    "fills-for-a-minute": "120 MB in the first minute",
    "loaded-at-once": "200 MB within ten seconds, in the middle",
    "load-ramp": "one session more per second each second, of half a minute each",
    "load-ramp-to-its-top": "the same for 150 seconds, of a minute each",
    "sessions": "100 a second, of a minute each",
    "batch": "rows are collected for 40 seconds, then dropped",
    "burst": "20 MB for 20 seconds of every 45",
    "pool": "a pool whose use goes up and down",
    "gogc": "GOGC changes every 25 seconds beside a cache that evicts now and then",
    "queue": "a consumer that is behind now and then",
    "fills-for-twenty-minutes": "600 MB, evenly",
}
# (megabytes a minute, watched for so long at most): how long it takes until they are told.
RATES = {20: 600, 5: 1200, 1: 2700}
LATER = 120  # seconds that a process has run when gleakd comes
TIMES_EACH = 1
UNTOLD = {
    "one-buffer": "one object, copied to one twice as large: few samples, in bursts",
    "fills-for-twenty-minutes": "it looks like a leak for as long as it fills",
}

ABOUT = {"text": [
    f"Leaks run for {LEAK_SECONDS} s, all others for {HEALTHY_SECONDS} s, watched with gleakd's defaults from their "
    "start on; beside each leak, and most others, 100 MB a second come and go. Half to one megabyte a second is "
    f"leaked. `growing` has to come at a line that leaks, among the first {FIRST_FEW} places of the report; no other "
    "line may be growing in a single report. Times are from the start of the watch, which is that of the process: "
    "looks begin after a minute, and the first verdict is possible after three.",
    "Without samples: the same programs built without anything that asks for a profile, and run with "
    "GODEBUG=memprofilerate=0 for those whose modules do, so that gleakd watches their allocations by probes (`memory.source` has to say so), within the budget of its defaults.",
    "The page's figures by class are about goroutines, and are without this part.",
]}


# --- programs -------------------------------------------------------------------------------------


def build_as(options, suffix, *flags):
    """{case: its program}, which are named with that suffix."""
    own, public = (options.cache(f"memory-{name}{suffix}") for name in ("own", "public"))
    common.go("build", *flags, "-buildvcs=false", "-o", own, ".",
              cwd=os.path.join(SOURCES, "own"), CGO_ENABLED="0")
    # Sums are not kept with us: modules come through the proxy, into a copy.
    folder = options.cache("memory-public-source", "go.mod")[:-len("/go.mod")]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(os.path.join(SOURCES, "public"), folder)
    programs = dict.fromkeys([*LEAKS, *HEALTHY], own)
    try:
        common.go("build", *flags, "-mod=mod", "-buildvcs=false", "-o", public, ".", cwd=folder,
                  CGO_ENABLED="0")
        programs.update(dict.fromkeys(PUBLIC, public))
    except common.Unfinished as problem:
        print(f"public leaks are left out: {problem}", flush=True)
    return {name + suffix: program for name, program in programs.items()}


def build(options):
    ABOUT["go"] = re.search(r"go\d[\w.]*", common.go("version")).group(0)
    return {**build_as(options, ""), **build_as(options, UNSAMPLED, "-tags", "unsampled")}


def marks():
    """{case: {(file, line), ...}} from the sources."""
    found = {}
    for path in sorted(glob.glob(os.path.join(SOURCES, "*", "*.go"))):
        with open(path, encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                match = re.search(r"// leak: (\S+)\s*$", line)
                if match:
                    found.setdefault(match.group(1), set()).add((os.path.basename(path), number))
    return found


RATES_GROUP = "Leaks by rate"
WITHOUT = ", without samples"
UNSAMPLED = "-unsampled"  # of cases: as the one before it, of a program that has no samples


def rate_cases():
    """{name: (case of the program, seconds that it has run by then, megabytes a minute)}"""
    return {f"{rate}-a-minute{'-later' if later else ''}-{n}": (f"{rate}-a-minute", later, rate)
            for rate in RATES for later in (0, LATER) for n in range(1, TIMES_EACH + 1)}


# --- one of them ----------------------------------------------------------------------------------


class Watch(common.Gleakd):
    """Also keeps when each line was growing: {(file, line): [(seconds, position), ...]}."""

    def __init__(self, *arguments, **more):
        self.growing, self.memory_sites, self.sources = {}, [], set()
        super().__init__(*arguments, **more)

    def _take(self, report):
        super()._take(report)
        self.memory_sites = self.report.get("alloc_sites", [])
        self.sources.add((self.report.get("memory") or {}).get("source"))
        for position, site in enumerate(self.memory_sites, 1):
            if site["verdict"] == "growing" and site["allocated_at"]:
                self.growing.setdefault(common.place(site["allocated_at"])[:2], []).append(
                    (self.observed(), position, site))


def watch(options, name, program, seconds, case=None, later=0, until_told=False):
    """`later`: how old it is when gleakd comes. `until_told`: no longer than it takes."""
    base = os.path.join("memory", name)
    # Modules ask for a profile that no program has asked them for.
    env = {**os.environ, "GODEBUG": "memprofilerate=0"} if name.endswith(UNSAMPLED) else None
    with common.Process([program, case or name], options.path(base + ".out"), stdin=True, env=env,
                        errors=options.path(base + ".said"), nice=5) as target:
        common.until(f"{name} ready", lambda: "ready" in common.tail(target.output), 30)
        time.sleep(later)
        with Watch(options, target.pid, base) as gleakd:
            gleakd.started(60)
            end = time.monotonic() + seconds
            while time.monotonic() < end and not (until_told and gleakd.growing):
                if not target.alive() or not gleakd.alive():
                    raise common.Unfinished(f"{name} or gleakd ended early: {gleakd.said(300)}")
                gleakd.poll()
                time.sleep(1)
            gleakd.stop(signal.SIGINT, 30)
            gleakd.poll()
            return gleakd


def describe(site):
    at = common.place(site["allocated_at"])
    return f"{at[2]} ({at[0]}:{at[1]}): {'; '.join(site['why'])}"


def judge(name, group, about, seen, here):
    """The line of the page. `here`: the lines that leak."""
    leaks = bool(here)
    told = sorted(item for place in here for item in seen.growing.get(place, []))
    wrong = sorted((times[0] for place, times in seen.growing.items() if place not in here),
                   key=lambda item: item[0])
    note, status, got, seconds = [about], "ok", "quiet", seen.observed()
    if told:
        got, seconds = "growing", told[0][0]
        held = next((s["held_by"][0] for _, _, s in reversed(told) if s["held_by"]), None)
        note.append(f"held by {held}" if held else "")
    if wrong:
        status, got, seconds = "false alarm", "growing", wrong[0][0]
        note.append("growing: " + describe(wrong[0][2]))
    elif leaks and not told:
        status = "miss"
    elif told and min(position for _, position, _ in told[:3]) > FIRST_FEW:
        status = "miss"
        note.append(f"only in place {told[0][1]}")
    untold = UNTOLD.get(name.removesuffix(UNSAMPLED))
    if untold and status in ("miss", "false alarm"):
        status = "untold"
        note.insert(1, "cannot be told: " + untold)
    if leaks and not told:
        seconds = None
    return common.Result("memory", name, "growing" if leaks else "quiet", got, status,
                         ". ".join(filter(None, note)), seconds,
                         extra={"group": group, "judged": []})


def run_one(options, case, found_marks):
    name, group, about, program, seconds = case
    try:
        if not program:
            raise common.Unfinished("its modules could not be had here")
        if group == RATES_GROUP:
            program_case, later, _ = rate_cases()[name]
            seen = watch(options, name, program, seconds, program_case, later, True)
        else:
            seen = watch(options, name, program, seconds, name.removesuffix(UNSAMPLED))
            if name.endswith(UNSAMPLED) and seen.sources - {None} != {"allocation_windows"}:
                raise common.Unfinished(f"its allocations were not watched: {seen.sources}")
        mark = "by-rate" if group == RATES_GROUP else name.removesuffix(UNSAMPLED)
        result = judge(name, group, about, seen, found_marks.get(mark, set()))
    except common.Unfinished as problem:
        result = common.Result("memory", name, "", "", "unfinished", str(problem),
                               extra={"group": group, "judged": []})
    when = "" if result.seconds is None else f" ({result.seconds:.0f} s)"
    print(f"{result.status:12} {name}{when}: {result.note}", flush=True)
    return result


# --- all of them ----------------------------------------------------------------------------------


def times_table(results):
    rows = []
    for group in (group + kind for kind in ("", WITHOUT)
                  for group in ("Leaks", "Leaks that were reported in public")):
        members = [r for r in results if r.extra["group"] == group]
        told = [r.seconds for r in members if r.got == "growing" and r.status == "ok"]
        rows.append([group, len(members), len(told),
                     f"{statistics.median(told):.0f} s" if told else "–",
                     f"{max(told):.0f} s" if told else "–"])
    return {"title": "Time to `growing`, from the start of the process:",
            "head": ["", "programs", "told", "median after", "longest"], "rows": rows}


def rates_table(results):
    seconds = {result.name: result.seconds for result in results if result.status == "ok"}
    rows = []
    for rate in RATES:
        cells = []
        for later in (0, LATER):
            of_it = [name for name, case in rate_cases().items() if case[1:] == (later, rate)]
            cells.append(", ".join(f"{seconds[name]:.0f} s" if seconds.get(name) else "–"
                                   for name in of_it))
        rows.append([f"{rate} MB a minute", *cells])
    return {"title": "Time to `growing` by rate, from the start of the watch:",
            "head": ["", "watched from the start of the process",
                     f"from when it is {LATER} s old"], "rows": rows}


def run(options):
    programs, found_marks = build(options), marks()
    rates = {name: f"{case[2]} MB a minute" for name, case in rate_cases().items()}
    programs.update(dict.fromkeys(rates, programs["map"]))
    cases = [(name + suffix, group + kind, about, programs.get(name + suffix), seconds)
             for suffix, kind in (("", ""), (UNSAMPLED, WITHOUT))
             for group, members, seconds in (
                 ("Leaks", LEAKS, LEAK_SECONDS),
                 ("Leaks that were reported in public", PUBLIC, LEAK_SECONDS),
                 ("No leaks", HEALTHY, HEALTHY_SECONDS))
             for name, about in members.items()
             if options.wanted(name + suffix) and (not options.quick or name in QUICK)]
    cases += [(name, RATES_GROUP, about, programs[name], RATES[rate_cases()[name][2]])
              for name, about in rates.items() if options.wanted(name) and not options.quick]
    # Longest first, so that the end of the run is not one long case alone.
    todo = sorted(cases, key=lambda case: -case[-1])
    results = common.side_by_side(lambda c: run_one(options, c, found_marks), todo,
                                  min(options.jobs, MOST_AT_A_TIME))
    by_name = {result.name: result for result in results}
    ordered = [by_name[case[0]] for case in cases]
    kept = common.with_kept(options, "memory", ordered)
    ABOUT["tables"] = [times_table(kept), rates_table(kept)]
    return ordered
