# SPDX-License-Identifier: Apache-2.0
"""Things to attach to a target, one after the other, and to be sure that they are attached."""

import os
import re
import shutil
import signal
import subprocess
import threading

from harness import Failed, Skip, check, until
from image import changed, file_offset

SITE = re.compile(r"\bsite (create|exit|park) (\S+?)\+0x[0-9a-f]+ 0x([0-9a-f]+) (\S+)")
CENSUS = re.compile(r"\bcensus (.*)")


class Attached:
    """A tracer process. `lines` is its stderr, for what -vv tells."""

    def __init__(self, case, argv, pid, sites):
        self.pid = pid
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        case.defer(self._kill)
        self.lines, self.out = [], []
        self.threads = []
        for stream, kept in ((self.process.stderr, self.lines), (self.process.stdout, self.out)):
            thread = threading.Thread(target=self._drain, args=(stream, kept), daemon=True)
            thread.start()
            self.threads.append(thread)
        try:
            until("probes show in the target", lambda: self._dead() or len(sites_hit(pid)) >= sites)
        except Failed as failure:
            raise Failed(f"{argv[0]}: {failure}: {self.lines[-3:]}") from None

    def _dead(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.process.args[0]} ended: {' / '.join(self.lines[-3:])}")

    @staticmethod
    def _drain(stream, kept):
        for line in stream:
            kept.append(line.rstrip("\n"))

    def detach(self):
        """An orderly end; waits until the code is as it was."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.stdin.close()
        self.process.wait(20)
        for thread in self.threads:
            thread.join(5)
        until("probes are gone", lambda: not changed(self.pid))

    def _kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def sites_hit(pid):
    """Changed bytes, neighbours counted as one probe."""
    found = []
    for offset in changed(pid):
        if not found or offset - found[-1] > 9:
            found.append(offset)
    return found


def gleakd(case, pid, mode):
    """An attached gleakd which disturbs with nothing but its probes: a census every minute."""
    path = os.path.join(case.build, "gleakd")
    if not os.path.exists(path):
        raise Skip(path)
    return Attached(case, [path, "--pid", str(pid), "--json", "--mode", mode, "--interval", "60s",
                           "-vv"], pid, {"full": 3, "lifecycle": 2}[mode])


def gleakd_sites(case, pid):
    """{"create": (link-time address, class), …} as gleakd itself chose them."""
    g = gleakd(case, pid, "full")
    until("sites on stderr", lambda: sum(bool(SITE.search(s)) for s in g.lines) >= 3)
    g.detach()
    found = [SITE.search(line) for line in g.lines]
    return {m.group(1): (int(m.group(3), 16), m.group(4), m.group(2)) for m in found if m}


def floor(case, pid, binary, addresses):
    path = os.path.join(case.build, "bench", "floor")
    if not os.path.exists(path):
        raise Skip(path)
    offsets = [f"{file_offset(binary, a):x}" for a in addresses]
    return Attached(case, [path, str(pid), binary, *offsets], pid, len(offsets))


def bpftrace(case, pid, binary, functions):
    """The same functions by name, as one would do by hand: at their entry."""
    if not shutil.which("bpftrace"):
        raise Skip("bpftrace")
    script = "".join(f"uprobe:{binary}:{name} {{ @[{i}] = count(); }}\n"
                     for i, name in enumerate(functions))
    return Attached(case, ["bpftrace", "-p", str(pid), "-e", script], pid, len(functions))


def cpu_seconds(pid):
    """utime + stime of a process so far."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        match = re.search(r"VmRSS:\s+(\d+) kB", status.read())
    check(match, f"no VmRSS of {pid}")
    return int(match.group(1)) * 1024
