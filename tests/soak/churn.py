# SPDX-License-Identifier: Apache-2.0
"""What goes on around gleakd during a soak run: processes that come, go, leak and are replaced."""

import os
import random
import shutil
import signal
import subprocess
import time

SERVERS = 8
LEAK_PER_SECOND = 20
BRIEF_PER_SECOND = 3
FORKS_PER_SECOND = 20
# Shorter than gleakd's --min-process-age, about as long, and long enough to be attached to.
LIVES = ("100ms", "300ms", "800ms", "3s", "6s")

LEAK_EVERY = 2  # rounds until the leaking service is restarted
UPGRADE_EVERY = 3
RELOAD_EVERY = 5
UNMOUNT_EVERY = 7


class Churn:
    """Owns every process but gleakd itself. turn() is to be called often; calm() for quiet."""

    def __init__(self, folder, service):
        self.folder, self.service = folder, service
        self.generation = 0
        self.servers, self.brief, self.forks = [], [], None
        self.leaking = None
        self.leaking_since = 0.0
        self.next_brief = 0.0
        self.counts = dict.fromkeys(("brief", "restarts", "upgrades", "reloads", "directories"), 0)

    # --- processes ------------------------------------------------------------------------------

    def spawn(self, name, *args):
        return subprocess.Popen([os.path.join(self.folder, name), *args], stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def install(self, name):
        """As a package manager does: the new file takes the old one's name, not its place."""
        path = os.path.join(self.folder, name)
        shutil.copy(self.service, path + ".new")
        with open(path + ".new", "ab") as file:
            file.write(b"\0" * random.randrange(1, 64))
        os.rename(path + ".new", path)

    def start(self):
        for name in ("server", "leaking", "brief"):
            self.install(name)
        shutil.copy(shutil.which("true"), os.path.join(self.folder, "true"))
        shutil.copy(shutil.which("sleep"), os.path.join(self.folder, "sleep"))
        self.servers = [self.spawn("server", "server") for _ in range(SERVERS)]
        self.restart_leaking()
        self.upgrade()
        self.start_forks()

    def start_forks(self):
        """No Go programs; each second of them lives long enough to be looked at."""
        script = (f"while :; do {self.folder}/true; {self.folder}/sleep 0.7 & "
                  f"sleep {1 / FORKS_PER_SECOND}; done")
        self.forks = subprocess.Popen(["sh", "-c", script], start_new_session=True)

    def stop_forks(self):
        if self.forks:
            os.killpg(self.forks.pid, signal.SIGKILL)
            self.forks.wait()
        self.forks = None

    def restart_leaking(self):
        if self.leaking:
            end(self.leaking)
            self.counts["restarts"] += 1
        self.leaking = self.spawn("leaking", "leak", str(LEAK_PER_SECOND))
        self.leaking_since = time.monotonic()

    # --- what happens ---------------------------------------------------------------------------

    def turn(self, now):
        """Processes that do not stay. Nothing is made up for when the machine was late."""
        if now >= self.next_brief:
            self.next_brief = now + 1 / BRIEF_PER_SECOND
            self.brief.append(self.spawn("brief", "brief", random.choice(LIVES)))
            self.counts["brief"] += 1
        for process in [p for p in self.brief if p.poll() is not None]:
            end(process)
            self.brief.remove(process)

    def round(self, number, gleakd, metrics_folder):
        """After each quiet moment: one of the rarer things."""
        if number % LEAK_EVERY == 0:
            self.restart_leaking()
        if number % UPGRADE_EVERY == 0:
            self.upgrade()
        if number % RELOAD_EVERY == 0:
            gleakd.send_signal(signal.SIGHUP)
            self.counts["reloads"] += 1
        if number % UNMOUNT_EVERY == 0:
            shutil.rmtree(metrics_folder, ignore_errors=True)
            self.counts["directories"] += 1
        elif not os.path.isdir(metrics_folder):
            os.mkdir(metrics_folder)
        self.start_forks()

    def upgrade(self):
        """New files for all; one server, always the same, is restarted and the others run on from
        what is gone: the number of different files in use, each of which is open, is one."""
        for name in ("server", "leaking", "brief"):
            self.install(name)
        end(self.servers[0])
        self.servers[0] = self.spawn("server", "server")
        self.counts["upgrades"] += 1

    def calm(self):
        """Only those that stay are left: the servers and the leaking one. Their pids."""
        self.stop_forks()
        for process in self.brief:
            end(process)
        self.brief.clear()
        return sorted(p.pid for p in [*self.servers, self.leaking])

    def dead(self):
        """Servers that ended by themselves: whatever is watched must not be harmed."""
        return [p.pid for p in [*self.servers, self.leaking] if p and p.poll() is not None]

    def stop(self):
        self.stop_forks()
        for process in [*self.servers, *self.brief, self.leaking]:
            if process:
                end(process)


def end(process):
    if process.poll() is None:
        process.kill()
    process.wait()
    if process.stdin:
        process.stdin.close()
