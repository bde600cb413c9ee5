# SPDX-License-Identifier: Apache-2.0
"""What the parts of the evaluation share: processes and their clean-up, gleakd's reports while it
watches, results and where they are kept.

A part is a module with `run(options) -> list[Result]`; tests/eval/run calls it. It waits for
conditions with a deadline and ends what it started, however it ends; what it forgets ends when the
interpreter does.
"""

import atexit
import concurrent.futures
import json
import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

PARTS = ("leaking", "healthy", "hard", "proof", "racing", "memory", "profiles", "shares", "reports",
         "resources")

# What a site can be. idle and active are one class here: both say that nothing is wrong.
CLASSES = ("leaking", "stuck", "suspected", "growing", "quiet")
ALARMS = ("leaking", "stuck")

# ok           judged as expected
# miss         something is wrong with it and gleakd does not say so
# untold       the same, where nothing that can be seen from outside tells it from a healthy wait
# false alarm  leaking or stuck where nothing is, or leaking where something is only stuck
# unfinished   the program or the watch ended too early, or something could not be set up
# flaky        the program did not do what it is there for, in as many tries as it gets
# skip         left out on purpose; the note says why
STATUSES = ("ok", "miss", "untold", "false alarm", "unfinished", "flaky", "skip")
JUDGED = ("ok", "miss", "untold", "false alarm")


class Unfinished(Exception):
    """What could not be set up or seen to its end; the words go into the result's note."""


def verdict_class(verdict):
    """The class of a gleakd verdict."""
    return "quiet" if verdict in ("idle", "active") else verdict


class Result:
    """One line of the table: one thing that was judged.

    part      one of PARTS
    name      the program, and what of it: "etcd", "ChanSend, once"
    expected  a class, or "" where nothing is expected of it
    got       a class, or ""
    status    one of STATUSES
    note      in words, what a reader has to know; no date, no path of this machine
    seconds   to the verdict, or what was watched; None where it does not apply
    extra     anything for the part's own tables, and these which table.py reads:
              "judged"   [[expected class, got class, sites], ...] where a line stands for more than
                         one site (a healthy server: all its sites, expected "quiet"). Without it
                         the line counts as one site. A fourth element true: untold.
              "group"    a heading within the part
              "brief"    true: not a line of its own in the page when it is ok
    """

    def __init__(self, part, name, expected, got, status, note="", seconds=None, extra=None):
        if status not in STATUSES:
            raise ValueError(f"status {status!r} of {name}")
        self.part, self.name, self.expected, self.got = part, name, expected, got
        self.status, self.note, self.seconds = status, note, seconds
        self.extra = extra or {}

    def as_dict(self):
        return dict(self.__dict__)

    def judged(self):
        """[(expected class, got class, number, untold), ...]; nothing if it was not judged."""
        if self.status not in JUDGED:
            return []
        if "judged" in self.extra:
            return [(*line[:3], len(line) > 3 and line[3]) for line in self.extra["judged"]]
        if self.expected not in CLASSES:
            return []
        return [(self.expected, self.got, 1, self.status == "untold")]


class Options:
    """What was asked of tests/eval/run, and where things are."""

    def __init__(self, build=None, quick=False, only="", jobs=20):
        self.build = os.path.abspath(build or os.path.join(ROOT, "build"))
        self.quick, self.only, self.jobs = quick, only, jobs
        self.folder = os.path.join(self.build, "eval", "quick" if quick else "full")
        os.makedirs(self.folder, exist_ok=True)

    def gleakd(self):
        return os.path.join(self.build, "gleakd")

    def path(self, *names):
        """A path under build/eval/{full,quick}/ whose folder exists."""
        path = os.path.join(self.folder, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def cache(self, *names):
        """The same for what is made once for both kinds of run: binaries, sources."""
        path = os.path.join(self.build, "eval", "cache", *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def wanted(self, name):
        """Whether --only lets this one through (a regular expression, anywhere in the name)."""
        return not self.only or re.search(self.only, name) is not None


# --- waiting --------------------------------------------------------------------------------------


def until(what, condition, seconds=10, every=0.05):
    """Polls until condition() is true and returns its value; raises Unfinished at the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Unfinished(f"not within {seconds:g} s: {what}")
        time.sleep(every)


def free_port():
    """A TCP port of the loopback address that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def port_answers(port, host="127.0.0.1"):
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def side_by_side(function, items, jobs):
    """[function(item), ...] with so many at a time, in the order of the items."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        return list(pool.map(function, items))


# --- processes ------------------------------------------------------------------------------------

_running = set()
_running_lock = threading.Lock()


class Process:
    """A program in a process group of its own, with its output in a file.

    output  file for stdout; stderr goes to `errors`, or to the same file where that is None
    stdin   True: a pipe to write lines to (send())
    """

    def __init__(self, argv, output, errors=None, env=None, cwd=None, stdin=False, nice=0):
        self.argv, self.output, self.errors = argv, output, errors or output
        self.out = open(output, "wb")
        self.err = open(errors, "wb") if errors else subprocess.STDOUT
        if nice:
            argv = ["nice", "-n", str(nice), *argv]
        try:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL, stdout=self.out,
                stderr=self.err, env=env, cwd=cwd, start_new_session=True)
        except OSError as error:
            raise Unfinished(f"{os.path.basename(argv[0])}: {error.strerror}") from None
        finally:
            self.out.close()
            if errors:
                self.err.close()
        self.pid = self.process.pid
        with _running_lock:
            _running.add(self)

    def alive(self):
        return self.process.poll() is None

    def send(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def send_signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def said(self, limit=2000):
        """The end of what it wrote to `errors`, for notes."""
        return tail(self.errors, limit)

    def wait(self, seconds):
        """Its exit status, or None if it still runs then."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, first=signal.SIGTERM, seconds=5):
        """Ends it and its whole group; harmless when it has ended."""
        for number, patience in ((first, seconds), (signal.SIGKILL, 5)):
            if self.alive():
                self._signal_group(number)
                self.wait(patience)
        self._signal_group(signal.SIGKILL)  # what the program has left behind in its group
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except OSError:
                pass
        with _running_lock:
            _running.discard(self)

    def _signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def tail(path, limit=2000):
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - limit))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""


def stop_all():
    with _running_lock:
        left = list(_running)
    for process in left:
        process.stop(signal.SIGKILL)


def _ended_by_signal(number, _frame):
    sys.exit(128 + number)


def stop_all_at_exit():
    """What runs when the harness ends, whether by itself, ^C or SIGTERM."""
    atexit.register(stop_all)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended_by_signal)


# --- gleakd ---------------------------------------------------------------------------------------


class Gleakd(Process):
    """gleakd --pid N --json, streaming to a file, read as it grows.

    poll() takes in the reports written since the last call and returns how many. After it:
      report        the latest report's target, a dict ("sites", "goroutines", "losses", ...)
      sites         its sites, a list of dicts
      first         {(site id, verdict): seconds of observation when the site first had it}
      example       {(site id, verdict): the site as it was then}
      reports       how many there were
    So what was flagged for a moment only is in `first`, though the latest report has it no more.
    """

    def __init__(self, options, pid, name, *arguments, nice=0, command=()):
        if not os.access(options.gleakd(), os.X_OK):
            raise Unfinished("build/gleakd is not there: run make")
        self.stream = options.path(name + ".ndjson")
        super().__init__(
            [options.gleakd(), *command, "--pid", str(pid), "--json", *arguments],
            self.stream, options.path(name + ".err"), nice=nice)
        self.offset, self.reports = 0, 0
        self.target_pid, self.report, self.sites = pid, {}, []
        self.first, self.example = {}, {}
        self.final = None

    def poll(self):
        before = self.reports
        with open(self.stream, "rb") as file:
            file.seek(self.offset)
            data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        self.offset += len(whole)
        for line in whole.splitlines():
            self._take(json.loads(line))
        return self.reports - before

    def _take(self, report):
        self.reports += 1
        self.final = report if report["final"] else None
        if not report["targets"]:
            return
        self.report = report["targets"][0]
        self.sites = self.report["sites"]
        seconds = self.report["observed_seconds"]
        for site in self.sites:
            key = site["id"], site["verdict"]
            if key not in self.first:
                self.first[key], self.example[key] = seconds, site

    def observed(self):
        return self.report.get("observed_seconds", 0.0)

    def wait_until(self, what, condition, seconds, every=0.5):
        """Polls until condition(self) is true; Unfinished at the deadline or when gleakd ends."""
        def step():
            alive = self.alive()
            self.poll()
            value = condition(self)
            if not value and not alive:
                raise Unfinished(f"gleakd ended before {what}: {self.said(500)}")
            return value
        return until(what, step, seconds, every)

    def started(self, seconds=30):
        """Waits for the first report."""
        self.wait_until("a first report of gleakd", lambda g: g.reports, seconds, 0.1)
        return self

    def interrupt(self, seconds=15):
        """Ends it as ^C does and takes in its final report."""
        self.stop(signal.SIGINT, seconds)
        self.poll()
        return self.final

    def alarms(self):
        """[(seconds, site), ...] of all that were ever leaking or stuck, first ones first."""
        return sorted(((self.first[key], self.example[key]) for key in self.first
                       if key[1] in ALARMS), key=lambda item: item[0])


def place(frame):
    """("main.go", 12, "main.f") of a frame of a report; None where there is none."""
    return (os.path.basename(frame["file"]), frame["line"], frame["function"]) if frame else None


def describe(site):
    """A site in a few words for a note."""
    at = place(site["blocked_at"]) or ("?", 0, site["start_function"])
    return (f"{site['verdict']}: {site['goroutines']} in {at[2]} ({at[0]}:{at[1]}), "
            f"{site['wait_reason'] or 'running'}")


def sites_by_class(sites):
    """{class: number of sites}."""
    counts = dict.fromkeys(CLASSES, 0)
    for site in sites:
        counts[verdict_class(site["verdict"])] += 1
    return counts


# --- Go -------------------------------------------------------------------------------------------


def go_command():
    """sudo's PATH lacks the usual place of a Go that was not installed by apt."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise Unfinished("needs a go command")


def go(*arguments, toolchain="local", cwd=None, seconds=600, command=None, **environment):
    """Runs go, or that `command`, and returns its stdout; Unfinished with its words if it fails."""
    env = dict(os.environ, GOTOOLCHAIN=toolchain, GOWORK="off", **environment)
    env.setdefault("HOME", "/root")
    try:
        done = subprocess.run([command or go_command(), *arguments], cwd=cwd, env=env,
                              capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Unfinished(f"go {arguments[0]}: not done in {seconds} s") from None
    if done.returncode:
        raise Unfinished(f"go {arguments[0]}: {done.stderr.strip()[-1000:]}")
    return done.stdout.strip()


# --- results --------------------------------------------------------------------------------------


def machine():
    """What the figures were taken on."""
    return {"kernel": platform.release(), "machine": platform.machine(),
            "processors": os.cpu_count(), "memory_gib": memory_gib()}


def memory_gib():
    with open("/proc/meminfo", encoding="utf-8") as file:
        return round(int(re.search(r"MemTotal:\s+(\d+)", file.read()).group(1)) / 2**20)


def result_path(options, part):
    return options.path(part + ".json")


def save(options, part, results, about=None, append=False):
    """Writes PART.json whole; with `append`, lines of the same name replace those kept before.

    about  {"go": "go1.27.4", ...}: what the reader of the table has to know about the part.
    """
    kept = load(options, part) if append else None
    lines = [r.as_dict() for r in results]
    if kept:
        fresh = {line["name"] for line in lines}
        lines = [line for line in kept["results"] if line["name"] not in fresh] + lines
        about = dict(kept["about"], **(about or {}))
    path = result_path(options, part)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({"part": part, "machine": machine(), "about": about or {}, "results": lines},
                  file, indent=1)
    os.replace(path + ".new", path)


def load(options, part):
    """What save() wrote, or None."""
    try:
        with open(result_path(options, part), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def with_kept(options, part, results):
    """These and, with --only, the lines kept from before: what a part's own tables are about."""
    kept = loaded_results(load(options, part)) if options.only else []
    fresh = {result.name for result in results}
    return [result for result in kept if result.name not in fresh] + results


def loaded_results(kept):
    return [Result(**line) for line in kept["results"]] if kept else []
