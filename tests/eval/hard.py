# SPDX-License-Identifier: Apache-2.0
"""Part 3: programs that are hard to judge, written for it (hard_cases.py, hard/*.go).

Each runs for a stated time under gleakd with its defaults. A leak has to be told at its line within
the promised time and for as long as it goes on; nothing else may ever be flagged, not for a single
report. Every report is kept (hard/NAME.ndjson.gz) and so is every change of a verdict that matters
(in the result's `extra`); `hard.py FOLDER` judges kept reports again.
"""

import glob
import gzip
import json
import os
import re
import shutil
import signal
import sys
import time

import common
from hard_cases import CASES, INTERVAL, MIN_AGE, QUICK_SECONDS

SOURCES = os.path.join(common.HERE, "hard")
LATE = 2.0  # a report may be one interval old when the verdict is due
UNSTEADY = 0.05  # share of the time after the verdict without it
SAME_TIME = 2  # these programs mostly sleep: so many for each job asked for
ABOUT = {"text": [
    f"A leak of r goroutines a second has to be told {MIN_AGE:g} s + max(16 s, 8 / r) + "
    f"{INTERVAL:g} s after it began, where the line does not say otherwise, and from then "
    "on while it lasts. Nothing else may be leaking or stuck in a single report; growing "
    "is no alarm.",
    "Three of these look like a leak until they stop, and are not accused for the first five minutes, since a scan "
    "of the heap finds who still has what they wait for: in ramp-60s timers, which are going to close it; in "
    "worker-pool-own-queues a variable, through which each may get work; in tenants a variable, too, for the end "
    "of the service. It costs leaks of the same look as much: shared-channel, where somebody has the one signal that "
    "all wait for, is told when 200 of them have stayed, or after five minutes.",
    "Figures by class count the sites of each case without those of the small service that runs in "
    "all of them.",
]}


# --- programs -------------------------------------------------------------------------------------


def build(options):
    program = options.cache("hard")
    common.go("build", "-buildvcs=false", "-o", program, ".", cwd=SOURCES, CGO_ENABLED="0")
    ABOUT["go"] = re.search(r"go\d[\w.]*", common.go("version")).group(0)
    return program


def marks():
    """{mark: {(file, line), ...}} from the sources."""
    found = {}
    for path in sorted(glob.glob(os.path.join(SOURCES, "*.go"))):
        with open(path, encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                match = re.search(r"// leak: (\S+)\s*$", line)
                if match:
                    found.setdefault(match.group(1), set()).add((os.path.basename(path), number))
    return found


def send_signals(case, target, gleakd, begin):
    """Waits for the end of the case and sends what is to be sent on the way."""
    todo = sorted(case.during.items()) + [(case.seconds, None)]
    for second, name in todo:
        while time.monotonic() < begin + second:
            time.sleep(min(0.5, max(0.01, begin + second - time.monotonic())))
            if not target.alive() or not gleakd.alive():
                ended = gleakd if target.alive() else target
                words = "gleakd" if target.alive() else "the program"
                raise common.Unfinished(f"{words} ended early: {ended.said(300)}")
        if name:
            target.send_signal(getattr(signal, name))


def own_copy(options, case):
    return options.path(os.path.join("hard", case.name + ".program"))


def copy_all(options, cases, program):
    """A copy each: probes belong to a file, and those of one case should not slow down another.

    All before the first case starts: a file that a forked child still has open for writing cannot
    be executed.
    """
    for case in cases:
        shutil.copy(program, own_copy(options, case))


def watch(options, case):
    """Runs one case and returns its facts: what the judge needs beside the reports."""
    base, copy = os.path.join("hard", case.name), own_copy(options, case)
    try:
        with common.Process([copy, case.name], options.path(base + ".out"), stdin=True,
                            errors=options.path(base + ".said"), nice=case.nice) as target:
            common.until(f"{case.name} ready", lambda: "ready" in common.tail(target.output),
                         case.prepare)
            with common.Gleakd(options, target.pid, base) as gleakd:
                gleakd.started(60)
                begin, seen = time.monotonic(), gleakd.observed()
                target.send("go")
                send_signals(case, target, gleakd, begin)
                gleakd.stop(signal.SIGINT, 30)
            note = common.tail(target.output).replace("ready", "", 1).strip()
    finally:
        os.unlink(copy)
    return {"case": case.name, "began": seen, "said": note}


def pack(stream):
    with open(stream, "rb") as plain, gzip.open(stream + ".gz", "wb", compresslevel=1) as packed:
        shutil.copyfileobj(plain, packed)
    os.unlink(stream)


# --- what happened --------------------------------------------------------------------------------


class Site:
    """One site over the whole watch."""

    def __init__(self, site):
        self.site, self.changes = site, []  # [(seconds, verdict), ...]
        self.last, self.flag, self.peak = site, None, 0

    def add(self, site, seconds):
        self.last, self.peak = site, max(self.peak, site["goroutines"])
        if not self.changes or self.changes[-1][1] != site["verdict"]:
            self.changes.append((seconds, site["verdict"]))
        if self.flag is None and site["verdict"] in common.ALARMS:
            self.flag = site

    def absent(self, seconds):
        if self.changes and self.changes[-1][1] != "gone":
            self.changes.append((seconds, "gone"))

    def first(self, verdicts=common.ALARMS):
        return next((t for t, v in self.changes if v in verdicts), None)

    def at(self, leak, found_marks):
        """Whether this is where a leak was made."""
        frames = [f for f in (self.site["created_by"], self.site["blocked_at"]) if f]
        if leak.library:
            frames += self.site["stack"]
            return any(f["function"].startswith(leak.library) for f in frames)
        places = {common.place(f)[:2] for f in frames}
        return bool(places & found_marks[leak.mark])

    def story(self):
        return " ".join(f"{t:.0f} s {v}" for t, v in self.changes)

    def as_dict(self):
        shown = self.flag or self.last
        return {
            "id": shown["id"], "made": common.place(shown["created_by"]),
            "blocked": common.place(shown["blocked_at"]), "reason": shown["wait_reason"],
            "changes": [[round(t, 1), v] for t, v in self.changes], "peak": self.peak,
            "why": shown["why"], "confidence": shown.get("confidence"),
            "weights": (shown.get("evidence") or {}).get("weights"),
        }


class Watch:
    """All reports of one case; times are seconds since the case began."""

    def __init__(self, path, began):
        self.sites, self.end, self.reports, self.peak = {}, 0.0, 0, 0
        self.created, self.losses = 0, {}
        opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
        with opened as stream:
            for line in stream:
                report = json.loads(line)
                if report["targets"] and not report["final"]:
                    self._take(report["targets"][0], began)

    def _take(self, target, began):
        self.reports += 1
        self.end = target["observed_seconds"] - began
        self.peak = max(self.peak, target["goroutines"]["alive"])
        self.created, self.losses = target["goroutines"]["created"], target["losses"]
        present = set()
        for site in target["sites"]:
            present.add(site["id"])
            self.sites.setdefault(site["id"], Site(site)).add(site, self.end)
        for key in self.sites.keys() - present:
            self.sites[key].absent(self.end)

    def without(self, sites, begin, end):
        """Seconds between two times at which none of these sites was leaking."""
        missing = end - begin
        spans = []
        for site in sites:
            changes = site.changes + [(self.end, "")]
            spans += [(max(t, begin), min(u, end)) for (t, v), (u, _) in zip(changes, changes[1:])
                      if v == "leaking" and u > begin and t < end]
        reached = begin
        for a, b in sorted(spans):
            missing -= max(0.0, b - max(a, reached))
            reached = max(reached, b)
        return missing


# --- judgement ------------------------------------------------------------------------------------


def judge_leak(leak, seen, found_marks):
    """(seconds to the verdict or None, [what is wrong], sites of it)."""
    here = [s for s in seen.sites.values() if s.at(leak, found_marks)]
    times = sorted(t for t in (s.first(("leaking",)) for s in here) if t is not None)
    name = leak.mark or leak.library
    if len(times) < leak.sites:
        others = {v for s in here for _, v in s.changes} - {"active", "idle", "gone"}
        said = f", only {', '.join(sorted(others))}" if others else ""
        some = f" at {leak.sites - len(times)} of {leak.sites} sites" if times else ""
        return None, [f"{name} not told{some}{said}"], here
    wrong, after = [], times[leak.sites - 1]
    if after > leak.within + LATE:
        wrong.append(f"{name} late: promised {leak.within:.0f} s")
    until = min(seen.end, leak.grows or seen.end)
    begin = max(after, leak.within)  # before that nothing is promised
    silent = seen.without(here, begin, until) if leak.sites == 1 else 0
    if until > begin and silent > UNSTEADY * (until - begin):
        wrong.append(f"{name} unsteady: not told for {silent:.0f} of {until - begin:.0f} s")
    return after, wrong, here


def did_its_work(case, seen, here):
    """What the case did not do, or ""."""
    if seen.peak < case.peak:
        return f"{seen.peak} goroutines at most instead of {case.peak}"
    if seen.created < case.created * seen.end:
        return f"{seen.created / seen.end:.0f} created a second instead of {case.created}"
    for leak, sites in zip(case.leaks, here):
        wanted = 0.7 * leak.rate * min(seen.end, leak.grows or seen.end)
        if leak.mark and sum(s.peak for s in sites) < wanted:
            return f"fewer than {wanted:.0f} leaked at {leak.mark}"
    return ""


def false_alarms(seen, right):
    """[(when, site), ...] of what was flagged beside the sites that leak."""
    wrong = [s for s in seen.sites.values() if s.first() is not None and s not in right]
    return sorted(((s.first(), s) for s in wrong), key=lambda item: item[0])


def alarm_words(alarms):
    return "; ".join(f"{common.describe(s.flag)}, {s.story()}" for _, s in alarms[:3])


def is_business(site):
    """Of the service that is part of every case (main.go)."""
    made = site.site["created_by"]
    return not made or made["file"].endswith("/hard/main.go")


def counted(case, seen, told, alarms):
    """For Result.judged(): what was expected of how many sites, and what came."""
    lines = []
    for leak, (after, _, here) in zip(case.leaks, told):
        got = "leaking" if after is not None else worst(here)
        lines.append(["leaking", got, leak.sites, bool(case.untold) and after is None])
    right = {s for _, _, here in told for s in here}
    wrong = {s for _, s in alarms}
    lines += [["quiet", common.verdict_class(s.flag["verdict"]), 1] for s in wrong]
    others = [s for s in seen.sites.values() if s not in right | wrong and not is_business(s)]
    return lines + ([["quiet", "quiet", len(others)]] if others else [])


def worst(sites):
    """The worst class, leaking aside, that any of them ever had."""
    had = {v for s in sites for _, v in s.changes}
    return next((c for c in ("stuck", "suspected", "growing") if c in had), "quiet")


class Judged:
    """What became of one case."""

    def __init__(self, case, seen, found_marks):
        told = [judge_leak(leak, seen, found_marks) for leak in case.leaks]
        right = {s for _, _, here in told for s in here}
        alarms = false_alarms(seen, right)
        times = [t for t, _, _ in told]
        self.keep = sorted(right, key=lambda s: -s.peak)[:10] + [s for _, s in alarms]
        self.judged = counted(case, seen, told, alarms)
        self.words = "; ".join(text for _, wrong, _ in told for text in wrong)
        self.got = "leaking" if times and None not in times else worst(right)
        self.seconds = max(times) if self.got == "leaking" else None
        missing = did_its_work(case, seen, [here for _, _, here in told])
        if missing:
            self.status, self.got, self.seconds, self.words = "flaky", "", None, missing
        elif alarms:
            self._false_alarm(alarms)
        elif self.words:
            self.status = "untold" if case.untold and self.seconds is None else "miss"
        else:
            self.status = "ok"
            self.seconds = self.seconds or seen.end

    def _false_alarm(self, alarms):
        self.status = "false alarm"
        self.seconds, first = alarms[0]
        self.got = common.verdict_class(first.flag["verdict"])
        self.words = "; ".join(filter(None, [self.words, alarm_words(alarms)]))


def afterwards(case, seen, found_marks):
    """What becomes of a leak that has stopped."""
    ended = [leak for leak in case.leaks if leak.grows]
    if not ended:
        return ""
    sites = [s for s in seen.sites.values() if s.at(ended[0], found_marks)]
    return "stopped at %.0f s: %s" % (ended[0].grows, " / ".join(s.story() for s in sites))


def judge(case, facts, path, found_marks):
    seen = Watch(path, facts["began"])
    expected = "leaking" if case.leaks else "quiet"
    if seen.end < case.seconds - 15:
        return common.Result("hard", case.name, expected, "", "unfinished",
                             f"watched for {seen.end:.0f} s only", extra={"group": case.group})
    found = Judged(case, seen, found_marks)
    note = [case.about, facts["said"], found.words, afterwards(case, seen, found_marks)]
    if case.untold:
        note.insert(1, "cannot be told in a short watch: " + case.untold)
    extra = {
        "group": case.group, "watched": round(seen.end, 1), "peak": seen.peak,
        "created": seen.created, "losses": seen.losses, "reports": seen.reports,
        "within": [leak.within for leak in case.leaks], "sites": [s.as_dict() for s in found.keep],
        "judged": found.judged,
    }
    return common.Result("hard", case.name, expected, found.got, found.status,
                         ". ".join(text for text in note if text), found.seconds, extra)


def run_one(options, case, found_marks):
    base = os.path.join("hard", case.name)
    try:
        # Lines may have moved when the reports are judged again.
        facts = dict(watch(options, case), marks={m: sorted(p) for m, p in found_marks.items()})
        with open(options.path(base + ".facts"), "w", encoding="utf-8") as file:
            json.dump(facts, file)
        result = judge(case, facts, options.path(base + ".ndjson"), found_marks)
        pack(options.path(base + ".ndjson"))
    except common.Unfinished as problem:
        expected = "leaking" if case.leaks else "quiet"
        result = common.Result("hard", case.name, expected, "", "unfinished", str(problem),
                               extra={"group": case.group})
    when = "" if result.seconds is None else f" ({result.seconds:.0f} s)"
    print(f"{result.status:12} {case.name}{when}: {result.note}", flush=True)
    return result


def run(options):
    program, found_marks = build(options), marks()
    chosen = [c for c in CASES if options.wanted(c.name)
              and (not options.quick or c.seconds <= QUICK_SECONDS)]
    # Longest first, so that the end of the run is not one long case alone.
    todo = sorted(chosen, key=lambda c: -(c.seconds + c.prepare))
    copy_all(options, todo, program)
    results = common.side_by_side(lambda c: run_one(options, c, found_marks), todo,
                                  SAME_TIME * options.jobs)
    by_name = {result.name: result for result in results}
    return [by_name[case.name] for case in chosen]


def main():
    """Judges what an earlier run has kept."""
    folder = sys.argv[1]
    for case in CASES:
        path = os.path.join(folder, case.name)
        if os.path.exists(path + ".facts") and os.path.exists(path + ".ndjson.gz"):
            with open(path + ".facts", encoding="utf-8") as file:
                facts = json.load(file)
            found_marks = {m: {tuple(p) for p in places} for m, places in facts["marks"].items()}
            result = judge(case, facts, path + ".ndjson.gz", found_marks)
            when = "" if result.seconds is None else f" ({result.seconds:.0f} s)"
            print(f"{result.status:12} {case.name}{when}: {result.note}")


if __name__ == "__main__":
    main()
