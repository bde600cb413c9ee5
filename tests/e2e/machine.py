# SPDX-License-Identifier: Apache-2.0
"""A real systemd, as the first process of namespaces of its own (boot-machine.sh)."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading

from harness import ROOT, Failed, Skip, check, until

SYSTEMD = "/lib/systemd/systemd"
BOOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "boot-machine.sh")


def _prerequisites():
    if os.geteuid() != 0:
        raise Skip("root")
    for program in (SYSTEMD, "unshare", "nsenter", "systemctl", "dbus-daemon"):
        if not shutil.which(program):
            raise Skip(f"{program} (packages systemd, dbus)")
    with open("/proc/filesystems", encoding="utf-8") as file:
        known = file.read().split()
    for wanted in ("overlay", "cgroup2"):
        if wanted not in known:
            raise Skip(f"a kernel with {wanted}", always=True)


def _cgroups():
    with open("/proc/mounts", encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            if fields[2] == "cgroup2":
                return fields[1]
    raise Skip("a mounted cgroup2 hierarchy", always=True)


def _remove_cgroups(top):
    for folder, _, _ in os.walk(top, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:  # somebody is still ending
            pass


class Machine:
    """Boots; ends with the case. Folders that are not on the root file system are named."""

    def __init__(self, case, *folders):
        _prerequisites()
        self.case = case
        self.group = tempfile.mkdtemp(prefix="gleakd-test-", dir=_cgroups())
        case.defer(_remove_cgroups, self.group)
        with tempfile.TemporaryFile() as log:
            self._boot(folders, log)

    def _boot(self, folders, log):
        self.process = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self.group,
             "unshare", "-m", "-p", "-u", "-i", "-n", "-C", "--fork", "--kill-child",
             BOOT, ROOT, *folders],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
        self.case.defer(self.end)
        try:
            self.init = until("the first process", self._first_process)
            until("systemd is up", self._is_up, 60)
        except Failed as failure:
            log.seek(0)
            self.case.note(log.read().decode("utf-8", "replace")[-4000:])
            raise Failed(f"systemd does not boot in a namespace: {failure}") from None

    def _first_process(self):
        check(self.process.poll() is None, "unshare ended")
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="utf-8") as file:
            children = file.read().split()
        return int(children[0]) if children else None

    def _is_up(self):
        check(self.process.poll() is None, "it ended")
        with open(f"/proc/{self.init}/comm", encoding="utf-8") as file:
            if file.read() != "systemd\n":
                return False
        state = self.run("systemctl", "is-system-running", ok=None).strip()
        return state in ("running", "degraded")

    def enter(self, *argv):
        """A command line that runs argv inside."""
        return ["nsenter", "-t", str(self.init), "-m", "-p", "-u", "-i", "-n", "-C", "--", *argv]

    def run(self, *argv, ok=0, seconds=60):
        """What argv printed; checks its exit code unless ok is None."""
        done = subprocess.run(self.enter(*argv), capture_output=True, text=True, timeout=seconds,
                              stdin=subprocess.DEVNULL, cwd="/")
        if ok is not None and done.returncode != ok:
            raise Failed(f"{' '.join(argv)}: exit code {done.returncode}: "
                         f"{done.stdout}{done.stderr}")
        return done.stdout

    def path(self, inside):
        return f"/proc/{self.init}/root{inside}"

    def write(self, inside, text):
        self.run("mkdir", "-p", os.path.dirname(inside))
        with open(self.path(inside), "w", encoding="utf-8") as file:
            file.write(text)

    def show(self, unit, *properties):
        """Properties of a unit, as strings."""
        said = self.run("systemctl", "show", "-p", ",".join(properties), unit)
        values = dict(line.split("=", 1) for line in said.splitlines())
        return [values[name] for name in properties]

    def journal(self, unit):
        return self.run("journalctl", "-u", unit, "-o", "cat", "--no-pager")

    def end(self):
        # --kill-child: systemd goes with unshare, and with it all its processes.
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        gone = threading.Event()
        for _ in range(100):
            with open(os.path.join(self.group, "cgroup.events"), encoding="utf-8") as file:
                if "populated 0" in file.read():
                    return
            gone.wait(0.05)
