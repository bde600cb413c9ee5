# SPDX-License-Identifier: Apache-2.0
"""Healthy servers under changing load: whatever is called leaking or stuck is a false alarm.

Most servers are ones that we did not write. gleakd watches with its defaults, from the server's
first second or from the middle of the load, and every report counts, not only the last one. The
stream of each is kept as build/eval/*/healthy/NAME.ndjson, the false alarms with their growth
curves as NAME.alarms.json.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time

import common

sys.path.insert(0, os.path.join(common.HERE, "healthy"))

import install  # noqa: E402
import ours  # noqa: E402
import real  # noqa: E402
import record  # noqa: E402
from loads import Place  # noqa: E402

SECONDS, QUICK_SECONDS = 300, 60
SIDE_BY_SIDE = 6  # with their loads they take less than one processor
MIDDLE = 40  # percent of the load that is over when gleakd comes late

ABOUT = {"text": [
    "Servers that do not leak, while clients come and go: ramps of minutes up and down, plateaus, "
    "bursts, waves, growth to the very end, slow readers, requests that trickle in, streams and "
    "long polls that stay open, clients that reset their connections. gleakd runs with its "
    "defaults. A site that any report called leaking or stuck is a false alarm, however short.",
]}

EVERY_SERVER = (*real.SERVERS, *ours.SERVERS)


def file_name(server):
    return re.sub(r"[^a-z0-9]+", "-", server.name.lower())


class Run:
    """One server, its load and its watcher, from start to end."""

    def __init__(self, options, server, loaders, binaries):
        self.options, self.server, self.loaders = options, server, loaders
        self.seconds = QUICK_SECONDS if options.quick else SECONDS
        self.folder = tempfile.mkdtemp(prefix="gleakd-eval-")
        self.place = Place(self.folder, binaries[server.name], binaries.get)
        self.processes, self.problems = [], []

    def path(self, suffix):
        return self.options.path("healthy", file_name(self.server) + suffix)

    def start(self, argv, suffix, **more):
        process = common.Process(argv, self.path(suffix), **more)
        self.processes.append(process)
        return process

    def watch(self, pid):
        name = os.path.join("healthy", file_name(self.server))
        watcher = common.Gleakd(self.options, pid, name)
        self.processes.append(watcher)
        return watcher

    def begin(self):
        """Starts the server, its watcher if it comes early, and the load."""
        for argv in self.server.helper_argv(self.place):
            self.start(argv, ".helper.log")
        environment = dict(os.environ, **self.server.environment(self.place))
        argv = self.server.argv(self.place)
        self.target = self.start(argv, ".log", env=environment, cwd=self.folder)
        self.watcher = self.watch(self.target.pid) if self.server.attach == "start" else None
        self.server.ready(self.place)
        self.server.prepare(self.place)
        plan = self.place.file("plan.json", json.dumps(
            {"seconds": self.seconds, "crowds": self.server.crowds(self.place)}))
        self.load = self.start([self.loaders[self.server.loader], plan], ".load.json",
                               errors=self.path(".load.log"), nice=2)

    def go_on(self):
        """Until the load is over."""
        begin = time.monotonic()
        while self.load.alive():
            percent = 100 * (time.monotonic() - begin) / self.seconds
            if percent > 130:
                raise common.Unfinished("the load did not end in time")
            if not self.target.alive():
                raise common.Unfinished("the server ended; see its .log")
            if self.watcher is None and percent >= MIDDLE:
                self.watcher = self.watch(self.target.pid)
            if self.watcher and not self.watcher.alive():
                raise common.Unfinished("gleakd ended; see its .err")
            self.tend(percent)
            self.load.wait(self.seconds / 150)

    def tend(self, percent):
        try:
            self.server.tend(self.place, percent)
        except OSError as error:
            self.problems.append(str(error))

    def counted(self):
        try:
            with open(self.load.output, encoding="utf-8") as file:
                return json.load(file)
        except ValueError:
            raise common.Unfinished("the load failed; see its .load.log") from None

    def result(self):
        self.begin()
        self.go_on()
        counted = self.counted()
        if not self.watcher.interrupt():
            raise common.Unfinished("no final report; see its .err")
        seen = record.Record(self.watcher.stream)
        return self.judged(seen, counted)

    def judged(self, seen, counted):
        told = seen.of_class(common.ALARMS)
        alarms = [s for s in told if not is_known_leak(self.server, s)]
        growing = seen.of_class(("growing",))
        with open(self.path(".alarms.json"), "w", encoding="utf-8") as file:
            json.dump([record.dump(s) for s in alarms + growing], file, indent=1)
        classes = seen.classes()
        for site in told:
            if site not in alarms:
                classes[site.worst(seen.seconds)] -= 1
        got = next(c for c in (*common.CLASSES, "quiet") if classes[c] or c == "quiet")
        extra = {
            "group": "Written by others" if self.server in real.SERVERS else "Our own",
            "judged": [["quiet", c, n] for c, n in classes.items() if n],
            "alarms": [record.alarm_text(s) for s in alarms],
            "load": counted, "goroutines_peak": seen.peak, "observed_seconds": seen.seconds,
            "losses": seen.losses, "mode": seen.mode, "tend_problems": self.problems[:5],
        }
        return common.Result(
            "healthy", self.server.name, "quiet", got, "false alarm" if alarms else "ok",
            self.note(seen, counted, alarms, growing) +
            "".join(f" / a real leak, told: {record.innermost(s.alarm)}" for s in told
                    if s not in alarms), seen.seconds, extra)

    def note(self, seen, counted, alarms, growing):
        when = "from its start" if self.server.attach == "start" else "attached in the middle"
        text = [f"{when}, mode {seen.mode}; {self.server.about}; {counted['requests']:,} requests, "
                f"{counted['errors']:,} errors, {counted['clients']:,} clients, "
                f"at most {seen.peak:,} goroutines, {len(seen.sites)} sites"]
        text += ["FALSE " + record.alarm_text(s) for s in alarms]
        text += [f"growing at the end: {record.innermost(s.last)}" for s in growing]
        return " / ".join(text)

    def end(self):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def is_known_leak(server, site):
    """Whether it is a leak of the server itself, which a closer look has confirmed."""
    frames = [site.alarm["created_by"], site.alarm["blocked_at"], *site.alarm["stack"]]
    return any(frame and frame["function"].startswith(server.leaks) for frame in frames)


def without_verdict(server, status, why):
    return common.Result("healthy", server.name, "quiet", "", status, why,
                         extra={"group": "Written by others" if server in real.SERVERS
                                else "Our own"})


def judge(options, server, loaders, binaries):
    missing = [binaries[name] for name in (server.name, *server.helpers)
               if isinstance(binaries[name], install.Missing)]
    if server.loader not in loaders:
        missing.append(f"the modules of {server.loader}")
    if missing:
        return without_verdict(server, "skip", f"cannot be had here: {missing[0]}")
    run = Run(options, server, loaders, binaries)
    try:
        return run.result()
    except (common.Unfinished, OSError) as problem:
        return without_verdict(server, "unfinished", str(problem))
    finally:
        run.end()


def build_loaders(options):
    """{name: path}; that for gRPC needs modules, which may not be to be had."""
    loaders = {}
    for name in ("load", "loadgrpc"):
        try:
            loaders[name] = install.ours(options, name)
        except install.Missing as missing:
            print(f"   {name}: {missing}", flush=True)
    return loaders


def get_binaries(options, servers, known=EVERY_SERVER):
    """{name: path, or install.Missing}; one after the other, each build takes all processors."""
    names = {name for s in servers for name in (s.name, *s.helpers)}
    binaries = {}
    for server in {s.name: s for s in known if s.name in names}.values():
        try:
            binaries[server.name] = install.server(options, server)
        except install.Missing as missing:
            binaries[server.name] = missing
    return binaries


def run(options):
    servers = [s for s in EVERY_SERVER if options.wanted(s.name)]
    if options.quick:
        servers = [s for s in servers if s.quick]
    loaders, binaries = build_loaders(options), get_binaries(options, servers)

    def one(server):
        result = judge(options, server, loaders, binaries)
        print(f"   {result.name}: {result.status}; {result.note}", flush=True)
        return result

    return common.side_by_side(one, servers, min(SIDE_BY_SIDE, options.jobs))
