# SPDX-License-Identifier: Apache-2.0
"""Part 5: scans of programs that are healthy or hard, under load, while nothing is stopped: whom do
they accuse wrongly?

Scans follow each other much faster than gleakd makes them, so that what is on its way from one place
to another has the least time to arrive. A goroutine counts as confirmed when three scans running
found it unreachable. Three things refute that: a later scan that finds it reachable or gone; a
picture for which all threads were stopped; and, where the program is built here, the runtime's own
goroutineleak profile, which is taken last.
"""

import copy
import os
import signal
import sys
import threading
import time

import common
import hard
import hard_cases
import healthy
import leakprofile
import proof
from common import Result, Unfinished, until

PART = "racing"
SCANS, QUICK_SCANS = 220, 30
LEAST = 200
PAUSE_MS = 150
PICTURES = 5
CONFIRMED = 3  # scans running (user/heap/scan/confirm.h)
SECONDS, QUICK_SECONDS = 75, 20  # of load
GROUPS = {"servers": "Healthy servers", "healthy": "Hard cases that do not leak",
          "leaks": "Hard cases that leak"}
ABOUT = {"go": leakprofile.GO}
AT_A_TIME = {"servers": 3, "hard": 6}
HOOK = os.path.join(common.HERE, "leakhook", "hook.go")


# --- scanning -------------------------------------------------------------------------------------


class Scanner(threading.Thread):
    """Scans one process while it runs, then takes pictures."""

    def __init__(self, options, pid, name):
        super().__init__(daemon=True)
        self.options, self.pid, self.name_of = options, pid, name
        self.tool = proof.heapscan(options)
        self.scans, self.pictures, self.problem, self.stopping = [], [], "", False
        self.current = None
        self.start()

    def _run(self, suffix, *arguments):
        path = self.options.path("racing", self.name_of + suffix)
        with common.Process([self.tool, *arguments], path, errors=path + ".err", nice=5) as process:
            self.current = process
            while process.alive():
                process.wait(1)
            if process.process.returncode and not self.stopping:
                self.problem = process.said(300)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        os.unlink(path)
        return proof.scans_of(text)

    def run(self):
        count = QUICK_SCANS if self.options.quick else SCANS
        try:
            self.scans = self._run(".racing", str(self.pid), str(count), str(PAUSE_MS))
            if not self.problem and not self.stopping:
                self.pictures = self._run(".exact", "--exact", str(self.pid), str(PICTURES), "200")
        except (Unfinished, OSError, ValueError) as problem:
            self.problem = str(problem)

    def stop(self):
        self.stopping = True
        if self.current:
            self.current.stop()
        self.join(10)


class Judged:
    """What the scans of one process say together, and what refutes it."""

    def __init__(self, scanner, leaked, marked=frozenset()):
        self.sure = [s for s in scanner.scans if s.is_sure()]
        self.doubtful = len(scanner.scans) - len(self.sure)
        self.pictures = [p for p in scanner.pictures if p.is_sure()]
        self.suspected, self.confirmed, self.refuted = set(), {}, {}
        for scan in self.sure:
            self._take(scan)
        self.proven = {goid: what for p in self.pictures for goid, what in p.unreachable.items()}
        for picture in self.pictures:
            self._refute(picture, "one picture")
        self.leaked, self.beyond = leaked, 0
        if leaked is not None:
            known = {**self.confirmed, **self.proven}
            for goid, (_, block, function) in known.items():
                if goid in leaked or block == "tiny" or goid == 1:
                    continue
                if goid in marked:
                    self.beyond += 1
                else:
                    self.refuted[goid] = f"{function}: not to the runtime"

    def _take(self, scan):
        self._refute(scan, "a later scan")
        for goid, what in scan.unreachable.items():
            self.suspected.add(goid)
            if what[0] >= CONFIRMED:
                self.confirmed[goid] = what

    def _refute(self, scan, by):
        for goid, (_, _, function) in self.confirmed.items():
            if goid not in scan.unreachable:
                self.refuted.setdefault(goid, f"{function}: {by}")

    def single(self):
        """Those that one or two scans running accused, and the next one did not."""
        return len(self.suspected - set(self.confirmed))

    def words(self):
        told = [f"{len(self.sure)} scans, {len(self.pictures)} pictures",
                f"{self.single()} unreachable in one or two scans only",
                f"{len(self.confirmed)} confirmed, {len(self.proven)} proven"]
        if self.leaked is not None:
            told.append(f"{len(self.leaked)} leaked to the runtime")
        if self.beyond:
            told.append(f"{self.beyond} more are at a line that is made to leak, and the runtime "
                        "does not report them")
        if self.doubtful:
            told.append(f"{self.doubtful} scans in doubt, which say nothing")
        told += [f"REFUTED: {text}" for text in sorted(set(self.refuted.values()))]
        return told


def functions(known):
    return ", ".join(sorted({what[2] for what in known.values()}))


def judged_line(name, group, judged, about, quick):
    """Without the runtime's word, of a program that is healthy, nothing may be confirmed at all."""
    found = {**judged.confirmed, **judged.proven}
    words = [about] * bool(about) + judged.words()
    if found:
        words.append("at " + functions(found))
    if judged.refuted:
        status = "false alarm"
    elif len(judged.sure) < (QUICK_SCANS if quick else LEAST) or not judged.pictures:
        status = "unfinished"
    else:
        status = "ok"
    extra = {"group": group, "scans": len(judged.sure), "doubtful": judged.doubtful,
             "pictures": len(judged.pictures), "single": judged.single(),
             "confirmed": len(judged.confirmed), "proven": len(judged.proven),
             "refuted": len(judged.refuted),
             "leaked": None if judged.leaked is None else len(judged.leaked)}
    return Result(PART, name, "", f"{len(found)} confirmed or proven", status, "; ".join(words),
                  None, extra)


# --- the runtime's word ---------------------------------------------------------------------------


def build(options, folder, package, name):
    """A program of ours with the leak profile of its runtime in it."""
    source = os.path.normpath(os.path.join(folder, package))
    overlay = options.cache("racing", name + ".json")
    with open(overlay, "w", encoding="utf-8") as file:
        file.write('{"Replace": {"%s": "%s"}}' % (os.path.join(source, "zz_hook.go"), HOOK))
    path = options.cache("racing", name)
    common.go("build", "-buildvcs=false", "-overlay", overlay, "-o", path, ".",
              toolchain=leakprofile.GO, cwd=source, CGO_ENABLED="0")
    return path


def own_profile(process, path):
    """[leakprofile.Goroutine, ...], once the runtime is asked."""
    process.send_signal(signal.SIGUSR2)
    until("the runtime's profile", lambda: os.path.exists(path) or not process.alive(), 60)
    if not os.path.exists(path):
        raise Unfinished("the program ended")
    with open(path, encoding="utf-8", errors="replace") as file:
        goroutines = leakprofile.parse(file.read())
    os.unlink(path)
    return goroutines


def leaked_goids(goroutines):
    return {g.goid for g in goroutines if g.leaked}


def marked_goids(case, goroutines):
    """Of those at the lines that are made to leak (hard.marks())."""
    places = set().union(*(hard.marks().get(leak.mark, set()) for leak in case.leaks))
    return {g.goid for g in goroutines
            if places & {(f.file, f.line) for f in (*g.frames, g.created) if f}}


# --- servers --------------------------------------------------------------------------------------


class ScannedRun(healthy.Run):
    """A server under its load, scanned from when it listens on."""

    def __init__(self, options, server, loaders, binaries):
        server = copy.copy(server)
        server.attach = "start"
        super().__init__(options, server, loaders, binaries)
        self.seconds = QUICK_SECONDS if options.quick else SECONDS
        self.profile = os.path.join(self.folder, "leaks.txt") if server.own else None
        self.watcher = None

    def path(self, suffix):
        return self.options.path("racing", healthy.file_name(self.server) + suffix)

    def start(self, argv, suffix, **more):
        if self.profile and suffix == ".log":
            more["env"]["GLEAKD_EVAL_LEAKS"] = self.profile
        return super().start(argv, suffix, **more)

    def watch(self, pid):
        self.server.ready(self.place)
        return Watcher(self.options, pid, healthy.file_name(self.server))

    def result(self):
        self.begin()
        self.go_on()
        self.watcher.scanner.join(60)
        leaked = None
        if self.profile:
            leaked = leaked_goids(own_profile(self.target, self.profile))
        scanner = self.watcher.scanner
        if scanner.problem:
            raise Unfinished(scanner.problem)
        counted = self.counted()
        about = f"{counted['requests']:,} requests, {counted['clients']:,} clients"
        return judged_line(self.server.name, GROUPS["servers"], Judged(scanner, leaked), about,
                           self.options.quick)

    def end(self):
        if self.watcher:
            self.watcher.scanner.stop()
        super().end()


class Watcher:
    """What healthy.Run knows of whoever watches: it may end before the load does."""

    def __init__(self, options, pid, name):
        self.scanner = Scanner(options, pid, name)

    def alive(self):
        return True

    def stop(self):
        self.scanner.stop()


def run_server(options, server, loaders, binaries):
    missing = [binaries[name] for name in (server.name, *server.helpers)
               if isinstance(binaries[name], healthy.install.Missing)]
    group = GROUPS["servers"]
    if missing or server.loader not in loaders:
        why = f"cannot be had here: {missing[0] if missing else server.loader}"
        return Result(PART, server.name, "", "", "skip", why, extra={"group": group})
    run = ScannedRun(options, server, loaders, binaries)
    try:
        return run.result()
    except (Unfinished, OSError) as problem:
        return Result(PART, server.name, "", "", "unfinished", str(problem),
                      extra={"group": group})
    finally:
        run.end()


def own_binaries(options, servers):
    own = os.path.join(common.HERE, "healthy", "own")
    return {s.name: build(options, own, s.own, s.own) for s in servers if s.own}


def run_servers(options):
    servers = [s for s in healthy.EVERY_SERVER if options.wanted(s.name)
               and (not options.quick or s.quick or options.only)]
    if not servers:
        return []
    loaders = healthy.build_loaders(options)
    binaries = healthy.get_binaries(options, [s for s in servers if not s.own])
    binaries.update(own_binaries(options, servers))
    return common.side_by_side(lambda s: tell(run_server(options, s, loaders, binaries)), servers,
                               min(AT_A_TIME["servers"], options.jobs))


# --- hard cases -----------------------------------------------------------------------------------


def watch_hard(options, case, program):
    base = os.path.join("racing", case.name)
    profile = options.path(base + ".leaks")
    environment = dict(os.environ, GLEAKD_EVAL_LEAKS=profile)
    with common.Process([program, case.name], options.path(base + ".out"), stdin=True,
                        errors=options.path(base + ".said"), env=environment,
                        nice=case.nice) as target:
        until(f"{case.name} ready", lambda: "ready" in common.tail(target.output),
              case.prepare + 30)
        target.send("go")
        scanner = Scanner(options, target.pid, case.name)
        try:
            until("the scans", lambda: not scanner.is_alive() or not target.alive(), 600, 0.5)
            if not target.alive():
                raise Unfinished(f"the program ended early: {target.said(300)}")
            if scanner.problem:
                raise Unfinished(scanner.problem)
            goroutines = own_profile(target, profile)
        finally:
            scanner.stop()
    return Judged(scanner, leaked_goids(goroutines), marked_goids(case, goroutines))


def run_hard_case(options, case, program):
    group = GROUPS[case.group]
    try:
        judged = watch_hard(options, case, program)
        return judged_line(case.name, group, judged, "", options.quick)
    except (Unfinished, OSError) as problem:
        return Result(PART, case.name, "", "", "unfinished", str(problem),
                      extra={"group": group})


def run_hard(options):
    cases = [c for c in hard_cases.CASES if options.wanted(c.name)
             and (not options.quick or options.only or c.seconds <= 60)]
    if not cases:
        return []
    program = build(options, hard.SOURCES, ".", "hard")
    longest_first = sorted(cases, key=lambda c: -c.prepare)
    return common.side_by_side(lambda c: tell(run_hard_case(options, c, program)), longest_first,
                               min(AT_A_TIME["hard"], options.jobs))


# --- all of them ----------------------------------------------------------------------------------


def tell(line):
    sys.stdout.write(f"   {line.name:34} {line.status:12} {line.got:28} {line.note[:140]}\n")
    sys.stdout.flush()
    return line


def run(options):
    begin, load = time.gmtime(), os.getloadavg()[0]
    results = run_servers(options) + run_hard(options)
    ABOUT["text"] = text(time.strftime("%Y-%m-%d", begin), load)
    ABOUT["tables"] = [totals_table(common.with_kept(options, PART, results))]
    return results


def text(day, load):
    return [
        f"Run on {day}, at a load of {load:.1f} when it began.",
        f"Healthy servers and hard cases under load, at least {LEAST} scans each while nothing is "
        f"stopped, {PAUSE_MS} ms apart instead of seconds, then {PICTURES} pictures. Confirmed "
        f"means unreachable in {CONFIRMED} scans running. It is refuted by a later scan or picture "
        "that finds the goroutine reachable or gone, and in programs built here by the runtime's "
        "own profile, taken last, unless it waits at a line that was written to leak (the runtime "
        "does not report goroutines that send what a closure has captured). In hard cases that "
        "leak, some are rightly confirmed.",
    ]


COUNTS = ("scans", "doubtful", "pictures", "single", "confirmed", "proven", "leaked", "refuted")


def totals_table(results):
    rows = []
    for group in GROUPS.values():
        lines = [r.extra for r in results if r.extra["group"] == group and "scans" in r.extra]
        rows.append([group, len(lines), *(f"{sum(line[c] or 0 for line in lines):,}"
                                          for c in COUNTS)])
    return {"title": "All together:",
            "head": ["", "programs", "scans", "in doubt", "pictures",
                     "unreachable in one or two scans only", "confirmed", "proven",
                     "leaked to the runtime", "refuted"], "rows": rows}
