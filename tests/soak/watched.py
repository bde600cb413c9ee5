# SPDX-License-Identifier: Apache-2.0
"""gleakd during a soak run: its process, what it says, and what /proc says of it."""

import json
import os
import re
import signal
import socket
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
WATCHDOG_SECONDS = 4  # a sign of life then comes once a second at most
LATE_SECONDS = 1
MAX_OUTPUT = 64 << 20
FLAGGED = ("leaking", "stuck")


class Watched:
    """A gleakd that follows what runs from one folder, as its service manager would start it."""

    def __init__(self, binary, folder, out):
        self.out = out
        self.metrics_folder = os.path.join(out, "metrics")
        self.metrics = os.path.join(self.metrics_folder, "gleakd.prom")
        self.output = os.path.join(out, "gleakd.json")
        os.makedirs(self.metrics_folder, exist_ok=True)
        self.config = os.path.join(out, "gleakd.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"only = exe:{folder}/*\nmin-process-age = 500ms\ninterval = 2s\n"
                       "max-self-cpu = 0%\nmin-age = 5s\njson = true\n"
                       f"textfile = {self.metrics}\nstate = {out}/state\n")
        self.listen()
        self.spawn(binary)
        self.offset, self.report, self.partial = 0, None, b""
        self.n_reports, self.false_findings = 0, set()
        self.leaks_found = set()
        self.lost, self.lost_of = 0, {}
        self.cycle_seconds = 0.0
        self.last_sign, self.longest_silence = None, 0.0
        self.last_look = time.monotonic()
        self.last_cpu = None
        self.late = 0

    def listen(self):
        self.socket_path = os.path.join(self.out, "notify")
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self.socket.bind(self.socket_path)
        self.socket.setblocking(False)

    def spawn(self, binary):
        environment = dict(os.environ, NOTIFY_SOCKET=self.socket_path,
                           WATCHDOG_USEC=str(WATCHDOG_SECONDS * 1000000))
        environment.pop("WATCHDOG_PID", None)
        # Appending, so that the file can be cut while it is written to.
        with open(self.output, "ab") as output, \
                open(os.path.join(self.out, "gleakd.log"), "wb") as log:
            output.truncate(0)
            self.process = subprocess.Popen([binary, "--config", self.config], stdout=output,
                                            stderr=log, env=environment)

    # --- what it says ---------------------------------------------------------------------------

    def listen_for_signs(self):
        """Its loop gives a sign of life once a second: what is beyond that is how late it was.

        When we ourselves come late, the machine has no time for anybody, and nothing is proved.
        """
        before, self.last_look = self.last_look, time.monotonic()
        if self.last_look - before > LATE_SECONDS:
            self.last_sign = None
            self.late += 1
        while True:
            try:
                message = self.socket.recv(4096)
            except BlockingIOError:
                return
            took = re.search(rb"last round took ([0-9.]+) s", message)
            if took:
                self.cycle_seconds = float(took.group(1))
            if b"WATCHDOG=1" not in message:
                continue
            now = time.monotonic()
            if self.last_sign is not None:
                self.longest_silence = max(self.longest_silence, now - self.last_sign)
            self.last_sign = now

    def read_reports(self, leaking):
        """All new reports; @leaking is the pid that may be flagged."""
        with open(self.output, "rb") as file:
            file.seek(self.offset)
            data = file.read()
        self.offset += len(data)
        *lines, self.partial = (self.partial + data).split(b"\n")
        for line in lines:
            self.take(json.loads(line), leaking)
        if self.offset > MAX_OUTPUT and not self.partial:
            os.truncate(self.output, 0)
            self.offset = 0

    def take(self, report, leaking):
        self.report = report
        self.n_reports += 1
        for target in report["targets"]:
            pid, lost = target["pid"], target["losses"]["events"]
            self.lost += max(0, lost - self.lost_of.get(pid, 0))
            self.lost_of[pid] = lost
            for site in target["sites"]:
                if site["verdict"] not in FLAGGED:
                    continue
                where = (site["blocked_at"] or {"function": ""})["function"]
                if where != "main.forgotten":
                    self.false_findings.add((pid, where, site["verdict"]))
                elif pid == leaking:
                    self.leaks_found.add(pid)
        alive = {target["pid"] for target in report["targets"]}
        self.lost_of = {pid: n for pid, n in self.lost_of.items() if pid in alive}

    def settled(self, pids):
        """Whether the last report has just these, each with all its probes."""
        targets = self.report["targets"] if self.report else []
        return sorted(t["pid"] for t in targets) == pids and \
            all(t["mode"] == "full" for t in targets)

    # --- what /proc says of it ------------------------------------------------------------------

    def sample(self):
        """One line of the table; None when it is gone."""
        root = f"/proc/{self.process.pid}"
        try:
            status = read(f"{root}/status")
            stat = read(f"{root}/stat").rsplit(")", 1)[1].split()
            sample = descriptors(root)
        except (FileNotFoundError, ProcessLookupError):
            return None
        sample.update(
            rss=kilobytes(status, "VmRSS"), anonymous=kilobytes(status, "RssAnon"),
            threads=int(stat[17]), cpu=self.cpu_share((int(stat[11]) + int(stat[12])) / TICKS),
            targets=len(self.report["targets"]) if self.report else 0,
            lost=self.lost, cycle=self.cycle_seconds, silence=round(self.longest_silence, 2))
        return sample

    def cpu_share(self, seconds):
        now = time.monotonic()
        before, self.last_cpu = self.last_cpu, (now, seconds)
        return round((seconds - before[1]) / (now - before[0]), 4) if before else 0.0

    def stop(self):
        """Its exit status after an orderly end; negative when it had to be killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return -1

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.socket.close()
        os.unlink(self.socket_path)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def kilobytes(status, name):
    found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.M)
    return int(found.group(1)) if found else 0


KINDS = {"anon_inode:bpf-map": "maps", "anon_inode:bpf-prog": "programs",
         "anon_inode:bpf_link": "links", "anon_inode:[perf_event]": "links"}


def descriptors(root):
    """How many there are of each kind, and the bytes of each BPF map and program, counted once."""
    counts = dict.fromkeys(("fds", "maps", "programs", "links"), 0)
    memory = {}
    for fd in os.listdir(f"{root}/fd"):
        try:
            link = os.readlink(f"{root}/fd/{fd}")
            kind = KINDS.get(link)
            if kind in ("maps", "programs"):
                memory.update(bpf_memory(read(f"{root}/fdinfo/{fd}")))
        except FileNotFoundError:
            continue  # closed meanwhile
        counts["fds"] += 1
        if kind:
            counts[kind] += 1
    counts["bpf_bytes"] = sum(memory.values())
    return counts


def bpf_memory(text):
    fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    for name in ("map_id", "prog_id"):
        if name in fields:
            return {(name, int(fields[name])): int(fields.get("memlock", 0))}
    return {}
