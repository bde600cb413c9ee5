# SPDX-License-Identifier: Apache-2.0
"""What a log gets of a host: who came and went, and what is new; all of it at the end."""

import os
import queue
import shutil
import signal
import subprocess
import threading
import time

from harness import Failed, case, check, check_equal, until
from programs import Program, start
from tracer import binary, needs_tracing

COUNTS = Program("counts")


def age(pid):
    """Seconds since it started (proc_pid_stat(5), field 22)."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/uptime", encoding="ascii") as file:
        return float(file.read().split()[0]) - ticks / os.sysconf("SC_CLK_TCK")


class Log:
    """The lines that gleakd writes into a pipe."""

    def __init__(self, t, folder, *args):
        needs_tracing()
        self.process = subprocess.Popen(
            [binary(t), "--only", f"exe:{folder}/*", "--config", "/dev/null", "--interval", "500ms",
             "--min-process-age", "200ms", "--min-age", "1s", *args],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        t.defer(self.process.wait)
        t.defer(self.process.kill)
        self.lines, self.seen = queue.Queue(), []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def until(self, *parts, seconds=20):
        """The next line that has all the parts."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise Failed(f"no line with {parts} in {self.seen[-20:]}") from None
            check(line is not None, f"ended without {parts}: {self.seen[-20:]}")
            self.seen.append(line)
            if all(part in line for part in parts):
                return line

    def end(self):
        """Ends it; the lines from then on."""
        self.process.send_signal(signal.SIGINT)
        before = len(self.seen)
        try:
            self.until("no such line")
        except Failed:
            pass
        check_equal(self.process.wait(10), 0, "exit code")
        return self.seen[before:]


def copy_of(t, folder, name):
    path = os.path.join(folder, name)
    shutil.copy(COUNTS.build(), path)
    return path


@case
def only_news_go_into_a_log(t):
    folder = t.directory()
    leaking = start(t, COUNTS, path=copy_of(t, folder, "leaking"))
    # Younger, it would be watched from the second report on.
    until("it is old enough for the first report", lambda: age(leaking.pid) > 0.3)
    log = Log(t, folder)
    log.until("1 Go process ", "nothing flagged")
    brief = start(t, COUNTS, path=copy_of(t, folder, "brief"))
    log.until(f"brief (pid {brief.pid})", "watched from now on")
    brief.process.kill()
    log.until(f"brief (pid {brief.pid})", "no longer watched")
    leaking.feed("run 7 5", every=0.2)
    log.until("LEAKING", seconds=40)
    log.until("created at")
    check(not any("not flagged" in line for line in log.seen), f"a whole table: {log.seen}")
    last = log.end()
    check(any(line.startswith("Found ") for line in last) and
          any(line.startswith("LEAKING") for line in last), f"no last words: {last}")
    check(not any("created at" in line or "not flagged" in line for line in last),
          f"told again at the end: {last}")
    check(any("Found 1 leaking site" in line for line in last), f"no summary: {last}")


@case
def metrics_tell_what_gleakd_holds(t):
    folder = t.directory()
    start(t, COUNTS, path=copy_of(t, folder, "service"))
    metrics = os.path.join(folder, "gleakd.prom")
    Log(t, folder, "--max-overhead", "50%", "--textfile", metrics)

    def values():
        if not os.path.exists(metrics):
            return None
        with open(metrics, encoding="utf-8") as file:
            plain = [line.split() for line in file if line[0] != "#" and "{" not in line]
        found = {name: float(value) for name, value in plain}
        return found if found.get("gleakd_bpf_links") else None

    found = until("probes are attached", values, 20)
    check(found["gleakd_bpf_memory_bytes"] > 1 << 20, "the ring buffer alone has 2 MiB")
    check(10 < found["gleakd_process_open_fds"] < found["gleakd_process_max_fds"], f"{found}")
