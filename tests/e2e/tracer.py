# SPDX-License-Identifier: Apache-2.0
"""gleakd as its users run it: a command, its lines of JSON, its exit code."""

import json
import os
import re
import signal
import subprocess
import threading
import time

from harness import SLOW, Failed, Skip, check

VERDICTS = ("leaking", "stuck", "suspected", "growing", "idle", "active")
MODES = ("waits", "full", "lifecycle", "census")
FLAGGED = ("leaking", "stuck")

FRAME = {"function": str, "file": str, "line": int}
SITE = {
    "id": str,
    "verdict": str,
    "why": list,
    "goroutines": int,
    "parked": int,
    "created": int,
    "exited": int,
    "wait_reason": str,
    "created_by": (dict, type(None)),  # main has no creator
    "blocked_at": (dict, type(None)),  # what runs is not blocked
    "start_function": str,
    "stack": list,
    "oldest_park_seconds": (int, float),
    "oldest_age_seconds": (int, float),
    "growth_per_minute": (int, float),
    "holds": list,
}
TARGET = {
    "pid": int,
    "comm": str,
    "exe": str,
    "go_version": str,
    "program": dict,
    "observed_seconds": (int, float),
    "mode": str,
    "goroutines": dict,
    "losses": dict,
    "sites": list,
}
REPORT = {"schema_version": int, "time": str, "final": bool, "targets": list}


def _typed(thing, shape, where):
    for name, kind in shape.items():
        check(name in thing, f"{where} lacks {name!r}")
        value = thing[name]
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        check(right, f"{where}.{name} is {value!r}")


def check_schema(report):
    """Names and types of the contract; every report that any case receives goes through here."""
    _typed(report, REPORT, "report")
    check(report["schema_version"] == 1, f"schema_version {report['schema_version']}")
    check(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", report["time"]),
        f"time {report['time']!r} is not RFC 3339",
    )
    for target in report["targets"]:
        _typed(target, TARGET, "target")
        check(target["mode"] in MODES, f"mode {target['mode']!r}")
        _typed(target["goroutines"], dict.fromkeys(("alive", "created", "exited", "parked"), int),
               "goroutines")
        _typed(target["losses"], {"events": int, "repaired": int}, "losses")
        for site in target["sites"]:
            _typed(site, SITE, "site")
            check(site["verdict"] in VERDICTS, f"verdict {site['verdict']!r}")
            check(site["parked"] <= site["goroutines"], f"more parked than there are: {site}")
            for frame in [site["created_by"], site["blocked_at"], *site["stack"]]:
                if frame:
                    _typed(frame, FRAME, "frame")
            if site["verdict"] in FLAGGED:
                check(site["why"], f"flagged without a reason: {site}")


def at(frame, place):
    """Whether a frame is at a marker's (file, line)."""
    return bool(frame) and frame["line"] == place[1] and frame["file"].endswith("/" + place[0])


def sites(report, made=None, blocked=None):
    """Sites of the first target whose goroutines were made, and are blocked, at these places."""
    found = report["targets"][0]["sites"]
    if made:
        found = [s for s in found if at(s["created_by"], made)]
    if blocked:
        found = [s for s in found if at(s["blocked_at"], blocked)]
    return found


def total(found, field):
    return sum(site[field] for site in found)


def flagged(report):
    return [s for s in report["targets"][0]["sites"] if s["verdict"] in FLAGGED]


def binary(case):
    path = os.path.join(case.build, "gleakd")
    if not os.path.exists(path):
        raise Skip(path)
    return path


def needs_tracing():
    if os.geteuid() != 0:
        raise Skip("root")
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        raise Skip("kernel BTF (/sys/kernel/btf/vmlinux)")


def digest(report):
    """A report in few words, for failures."""
    if report is None:
        return "no report"
    lines = []
    for target in report["targets"]:
        lines.append(f"mode {target['mode']} ({target['mode_reason']}) {target['goroutines']} losses {target['losses']}")
        for s in target["sites"][:12]:
            made, where = ((s[k] or {"function": "-", "line": 0})
                           for k in ("created_by", "blocked_at"))
            lines.append(
                f"  {s['verdict']} n={s['goroutines']} parked={s['parked']} +{s['created']}"
                f" -{s['exited']} {s['wait_reason']!r} made {made['function']}:"
                f"{made['line']} at {where['function']}:{where['line']}"
            )
    return "\n".join(lines)


def _is_helper(pid):
    """The one that opens and reads for the broker (user/host/access_helper.c)."""
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip() == "gleakd-helper"
    except FileNotFoundError:
        return False


class Gleakd:
    """A running gleakd --json on one process."""

    def __init__(self, case, pid, *args, env=None, prefix=()):
        needs_tracing()
        if SLOW > 1 and "--max-overhead" not in args:
            # Probes cost an emulated processor so much that the governor would have none of them.
            args = (*args, "--max-overhead", "0")
        # Without a pid: all of the host that the arguments leave.
        which = ["--pid", str(pid)] if pid else []
        self.argv = [*prefix, binary(case), *which, "--json", *args]
        self.process = subprocess.Popen(
            self.argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True
        )
        self.case = case
        # Of a host a start, and whoever is new, may have to wait until the minute is over that gleakd has used.
        self.patience = 15 if pid else 75
        case.defer(self.end)
        self.reports, self.broken, self.errors = [], [], []
        self.news = threading.Condition()
        self.closed = False
        self.readers = [
            threading.Thread(target=self._read, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self.readers:
            reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                try:
                    self.reports.append(json.loads(line))
                except ValueError:
                    self.broken.append(line)
                self.news.notify_all()
        with self.news:
            self.closed = True
            self.news.notify_all()

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line.rstrip("\n"))

    def said(self):
        return " / ".join(self.errors[-4:])

    def report(self, what="a report", condition=lambda report: True, seconds=None):
        """The first report from now back to the last one seen that meets the condition."""
        seconds = seconds or self.patience
        end = time.monotonic() + seconds * SLOW
        seen = 0
        with self.news:
            while True:
                check(not self.broken, f"not JSON: {self.broken[:1]}")
                for report in self.reports[seen:]:
                    check_schema(report)
                    if condition(report):
                        return report
                seen = len(self.reports)
                last = self.reports[-1] if self.reports else None
                if self.closed:
                    raise Failed(
                        f"gleakd ended before {what} (exit {self.process.wait(5)}): {self.said()}\n"
                        + digest(last)
                    )
                left = end - time.monotonic()
                if left <= 0 or not self.news.wait(left):
                    raise Failed(f"not within {seconds} s: {what}; {self.said()}\n{digest(last)}")

    def finish(self, seconds=10):
        """Waits for its end; returns the exit code."""
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise Failed(f"gleakd still runs after {seconds} s: {self.said()}") from None
        for reader in self.readers:
            reader.join(5)
        return code

    def workers(self):
        """Pids of the worker process: one, or none between two."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = [int(child) for child in file.read().split()]
        return [child for child in children if not _is_helper(child)]

    def stand_still(self):
        """Both processes, until go_on()."""
        self.process.send_signal(signal.SIGSTOP)
        for pid in self.workers():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self):
        for pid in self.workers():
            os.kill(pid, signal.SIGCONT)
        self.process.send_signal(signal.SIGCONT)

    def interrupt(self, seconds=10):
        """Ctrl-C; returns the final report of an orderly end."""
        self.process.send_signal(signal.SIGINT)
        return self.final(seconds)

    def final(self, seconds=10):
        code = self.finish(seconds)
        check(code == 0, f"exit code {code}: {self.said()}")
        check(self.reports, f"no report at all: {self.said()}")
        for report in self.reports:
            check_schema(report)
        check(not self.broken, f"not JSON: {self.broken[:1]}")
        check(self.reports[-1]["final"], "the last report is not final")
        check(sum(r["final"] for r in self.reports) == 1, "more than one final report")
        return self.reports[-1]

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for line in self.errors[-20:]:
            self.case.note("gleakd: " + line)
        if self.reports:
            self.case.note(digest(self.reports[-1]))


def run(case, *args, seconds=20, env=None, prefix=(), text=True, path=None):
    """gleakd to its end with any arguments: (exit code, stdout, stderr)."""
    command = [*prefix, path or binary(case), *args]
    try:
        done = subprocess.run(
            command, capture_output=True, text=text, timeout=seconds * SLOW, env=env,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{' '.join(args)}: still running after {seconds} s") from None
    case.note(f"$ gleakd {' '.join(args)} -> {done.returncode}\n{done.stderr}")
    return done.returncode, done.stdout, done.stderr
