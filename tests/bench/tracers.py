# SPDX-License-Identifier: Apache-2.0
"""Things to attach to a target, one after the other, and to be sure that they are attached."""

import os
import re
import shutil
import signal
import statistics
import subprocess
import threading
import time

from harness import Failed, Skip, check, until
from image import changed, file_offset
from tracer import Gleakd

SITE = re.compile(r"\bsite (create|exit|park|wake) (\S+?)\+0x[0-9a-f]+ 0x([0-9a-f]+) (\S+)")
CENSUS = re.compile(r"\bcensus (.*)")
PROBES = {"waits": 4, "full": 3, "lifecycle": 2}


class Attached:
    """A tracer process. `lines` is its stderr, for what -vv tells, `when` each came (CLOCK_MONOTONIC)."""

    def __init__(self, case, argv, pid, sites):
        self.pid = pid
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        case.defer(self._kill)
        self.lines, self.when, self.out = [], [], []
        self.threads = []
        for stream, kept, when in ((self.process.stderr, self.lines, self.when),
                                   (self.process.stdout, self.out, [])):
            thread = threading.Thread(target=self._drain, args=(stream, kept, when), daemon=True)
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
    def _drain(stream, kept, when):
        for line in stream:
            when.append(time.monotonic_ns())
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
                           "--max-overhead", "0", "-vv"], pid, PROBES[mode])


def gleakd_sites(case, pid, mode="full"):
    """{"create": (link-time address, class), …} as gleakd itself chose them."""
    g = gleakd(case, pid, mode)
    until("sites on stderr", lambda: sum(bool(SITE.search(s)) for s in g.lines) >= PROBES[mode])
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


def with_children(pid):
    """gleakd is two processes."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return [pid, *map(int, children.read().split())]


def cpu_seconds(pid):
    """utime + stime of a process and its children so far."""
    ticks = 0
    for each in with_children(pid):
        with open(f"/proc/{each}/stat", encoding="utf-8") as stat:
            fields = stat.read().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def cpu_ns(pid):
    """Processor time of a whole process so far, to the nanosecond: /proc counts in hundredths."""
    # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED) of the kernel's include/linux/posix-timers_types.h
    return time.clock_gettime_ns((~pid << 3) | 2)


def gleakd_cpu_ns(pid):
    return sum(map(cpu_ns, with_children(pid)))


def busy_ns():
    """Processor time of the whole machine so far, stolen time included, idle time not."""
    with open("/proc/stat", encoding="utf-8") as stat:
        user, nice, system, _, _, irq, softirq, steal = (
            int(x) for x in stat.readline().split()[1:9])
    ticks = user + nice + system + irq + softirq + steal
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


class ModeWatch:
    """What is probed, from moment to moment, by the first bytes of the target's sites.

    One for a whole comparison: what it costs itself is then the same for all that are compared.
    """

    PERIOD = 0.1
    QUIET = 6  # longer than the governor holds still after a step

    def __init__(self, case, pid, sites):
        self._memory = open(f"/proc/{pid}/mem", "rb", 0)
        case.defer(self._memory.close)
        self._sites = [sites[event][0] for event in ("create", "exit", "park")]
        self._plain = self._bytes()
        self._stop = threading.Event()
        self.begin()
        self._thread = threading.Thread(target=self._run, daemon=True)
        case.defer(self._end)
        self._thread.start()

    def begin(self):
        """A new history: of (seconds since now, mode)."""
        self.started = time.monotonic()
        self.history = [(0.0, "census")]

    def _bytes(self):
        return [os.pread(self._memory.fileno(), 1, address) for address in self._sites]

    def _note(self):
        on = sum(now != plain for now, plain in zip(self._bytes(), self._plain))
        mode = {3: "full", 2: "lifecycle", 0: "census"}.get(on)
        # In between: it is being changed.
        if mode and self.history[-1][1] != mode:
            self.history.append((time.monotonic() - self.started, mode))

    def _run(self):
        try:
            while not self._stop.wait(self.PERIOD):
                self._note()
        except OSError:
            pass  # the target has ended, which whoever drives it notices

    def quiet(self, since):
        """Nothing changed for a while, counted from a moment or the last change."""
        last = max(since, self.started + self.history[-1][0])
        return time.monotonic() - last >= self.QUIET

    def _end(self):
        self._stop.set()
        self._thread.join(5)


class Governed:
    """gleakd as a user runs it, in JSON; the governor is waited for.

    With `exe` it is that of the whole host, told to follow nothing but that executable.
    """

    def __init__(self, case, pid, watch, *args, exe=None):
        self.pid = pid
        self.watch = watch
        self.limited = args[-2:] != ("--max-overhead", "0")
        watch.begin()
        # This host's own configuration is not what is measured.
        which = ["--only", "exe:" + exe, "--config", "/dev/null"] if exe else []
        self.gleakd = Gleakd(case, None if exe else pid, *which, *args)
        self.process = self.gleakd.process

    def settle(self):
        """Until creations have been counted twice, and what is attached stays what it is."""
        if not self.limited:
            until("probes are attached", lambda: len(self.watch.history) > 1)
            return
        self.gleakd.report("two reports", lambda _: len(self._targets()) >= 2, 60)
        counted = time.monotonic()
        until("the mode stays", lambda: self.watch.quiet(counted), 120)

    def _targets(self):
        """Of each report that has it, the target."""
        return [t for r in self.gleakd.reports for t in r["targets"] if t["pid"] == self.pid]

    def facts(self):
        """What the last report says, which is the final one once it is detached."""
        target = self._targets()[-1]
        return dict(mode=target["mode"], reason=target["mode_reason"], cost=target["cost"],
                    losses=target["losses"], modes=self.modes)

    def detach(self):
        self.modes = self.watch.history[:]
        self.gleakd.interrupt(30)
        until("probes are gone", lambda: not changed(self.pid))


# Somebody else on the machine takes more than this of a core: a turn says nothing.
DISTURBED = 0.2


def undisturbed(results, label, turns):
    """Those during which the machine was ours, if there are any."""
    kept = [t for t in turns
            if max(w["others_share"] for w in (t["steady"], *t["around"])) <= DISTURBED]
    if len(kept) < len(turns):
        results.say(f"{label}: others disturbed {len(turns) - len(kept)} of {len(turns)} turns, "
                    f"{'which do not count' if kept else 'all of them: what follows is noisy'}")
    return kept or turns


class Shares:
    """Processor time of some processes with their children, and of all others, from now to end()."""

    def __init__(self, pids):
        # Whose children are all that is measured.
        bench = os.getpid()
        self.before = {"bench": (cpu_ns, bench, cpu_ns(bench))}
        for who, pid in pids.items():
            self.before[who] = (gleakd_cpu_ns, pid, gleakd_cpu_ns(pid))
        self.all_before = busy_ns()
        self.started = time.monotonic()

    def end(self):
        """{who: nanoseconds}, and the share of a core that went to the others."""
        everything = busy_ns() - self.all_before
        used = {who: count(pid) - before for who, (count, pid, before) in self.before.items()}
        length = time.monotonic() - self.started
        return used, max(0, everything - sum(used.values())) / 1e9 / length


def ratios(pairs):
    """(median, least, most) of value ÷ mean of the controls around it."""
    found = [value / statistics.mean(around) for value, around in pairs if min(around) > 0]
    check(found, "nothing measured")
    return statistics.median(found), min(found), max(found)


def rss_bytes(pid):
    """Of a process and its children; what they share with each other counts once, for the one with most."""
    private, shared = 0, 0
    for each in with_children(pid):
        with open(f"/proc/{each}/smaps_rollup", encoding="utf-8") as rollup:
            sizes = {name: int(kb) * 1024 for name, kb in
                     re.findall(r"^(Rss|Private_Clean|Private_Dirty):\s+(\d+) kB", rollup.read(), re.M)}
        own = sizes["Private_Clean"] + sizes["Private_Dirty"]
        private += own
        shared = max(shared, sizes["Rss"] - own)
    return private + shared
