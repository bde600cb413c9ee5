# SPDX-License-Identifier: Apache-2.0
"""Two processes: the broker, which may, and the worker, which works. SECURITY.md promises what is here."""

import os
import signal
import subprocess

from cases_host import host, own_copy, pids
from cases_systemd import capability_names
from faults import PATIENCE, attached, created, metrics_when, shows, until
from harness import case, check, check_equal
from programs import Program, start
from tracer import Gleakd, binary, needs_tracing, run

COUNTS = Program("counts")

WATCHING = {"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_CHECKPOINT_RESTORE"}
PROBING = WATCHING | {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"}


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def capabilities(pid, which="CapEff"):
    return int(status(pid)[which], 16)


def has_ended(pid):
    """Or waits for whoever is its parent now to take notice."""
    try:
        return status(pid)["State"].startswith("Z")
    except FileNotFoundError:
        return True


def worker_of(g):
    until("there is a worker", g.workers)
    return g.workers()[0]


def descriptors(pid):
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            pass
    return found


@case
def what_each_of_them_may(t):
    """The worker has no capability and cannot get one; the broker has what watching needs."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "200ms")
    shows(g)
    worker, broker = worker_of(g), g.process.pid
    for which in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        check_equal(capabilities(worker, which), 0, f"{which} of the worker")
    for pid, who in ((worker, "worker"), (broker, "broker")):
        check_equal(status(pid)["NoNewPrivs"], "1", f"no_new_privs of the {who}")
    check_equal(status(worker)["Seccomp"], "2", "filter of the worker")
    left = capability_names(capabilities(broker))
    check(WATCHING <= left <= PROBING, f"the broker has {left}")
    held = descriptors(worker)
    check(not any(name.endswith("/mem") for name in held), f"the worker has memory: {held}")
    check("anon_inode:bpf-prog" not in held, f"the worker has programs: {held}")
    check(not any("socket:" in name for name in held[4:]) or
          sum("socket:" in name for name in held) <= 1, f"more than its channel: {held}")
    g.interrupt(PATIENCE)


@case
def a_killed_worker_is_replaced(t):
    """In the middle of what it does: the next goes on from the state, and both are the same process."""
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "service"))
    files = t.directory()
    path, state = os.path.join(files, "gleakd.prom"), os.path.join(files, "state")
    g = host(t, "--max-overhead", "0", "--state", state)
    shows(g, "probes attached", attached(target))
    target.ask("spawn 1009")
    shows(g, "all counted", lambda r: created(r) == {target.pid: 1009})
    g.interrupt(PATIENCE)
    g = host(t, "--max-overhead", "0", "--textfile", path, "--state", state)
    shows(g, "remembered", lambda r: attached(target)(r) and created(r) == {target.pid: 1009})
    killed = worker_of(g)
    os.kill(killed, signal.SIGKILL)
    until("there is another", lambda: g.workers() and g.workers() != [killed])
    target.ask("spawn 211")
    seen = len(g.reports)
    shows(g, "remembered again, and counted on", lambda r: len(g.reports) > seen and
          attached(target)(g.reports[-1]) and 1009 <= created(g.reports[-1])[target.pid] <= 1220)
    metrics_when("the restart is counted", path, lambda m: m["gleakd_worker_restarts_total"] == 1)
    until("it is told", lambda: any("ended by signal 9" in line for line in g.errors))
    g.interrupt(PATIENCE)


@case
def one_that_is_killed_again_and_again_is_not(t):
    target = start(t, COUNTS, path=own_copy(t, COUNTS, "service"))
    g = host(t)
    shows(g, "it", lambda r: pids(r) == [target.pid])
    killed = []
    while g.process.poll() is None and len(killed) < 20:
        for pid in g.workers():
            if pid not in killed:
                killed.append(pid)
                os.kill(pid, signal.SIGKILL)
        until("it is gone, or replaced",
              lambda: g.process.poll() is not None or set(g.workers()) - set(killed))
    check_equal(g.finish(PATIENCE), -signal.SIGKILL, "exit code")
    check_equal(len(killed), 6, "workers")


@case
def neither_outlives_the_other(t):
    """kill -9 of the broker: nothing is attached any more, and nobody is left."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "200ms")
    shows(g)
    worker = worker_of(g)
    g.process.kill()
    g.process.wait()
    until("the worker is gone", lambda: has_ended(worker))
    target.ask("run 1009 503")


@case
def exit_codes_and_signals_pass_through(t):
    target = start(t, COUNTS)
    check_equal(run(t, "--pid", str(target.pid), "--once", "--json")[0], 0, "fine")
    check_equal(run(t, "--pid", "4194304", "--once")[0], 1, "nobody")
    check_equal(run(t, "dump", "--pid", str(os.getpid()))[0], 3, "no Go program")
    g = Gleakd(t, target.pid, "--interval", "200ms")
    shows(g)
    os.kill(worker_of(g), signal.SIGSEGV)
    check_equal(g.finish(PATIENCE), -signal.SIGSEGV, "a crash")


class Command:
    """A command that runs for a while, with what its processes may."""

    def __init__(self, t, *args):
        needs_tracing()
        self.process = subprocess.Popen([binary(t), *args], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        t.defer(self.end)

    workers = Gleakd.workers

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        said = self.process.communicate(timeout=60)[1]
        check_equal(self.process.returncode, 0, said)


def works_without_privileges(what, command, condition):
    """It has begun to do what it does, and has no capability then."""
    worker = worker_of(command)
    until(f"{what} works", lambda: command.process.poll() is not None or condition(worker))
    check_equal(command.process.poll(), None, f"exit code of {what}")
    for which in ("CapEff", "CapPrm", "CapAmb"):
        check_equal(capabilities(worker, which), 0, f"{which} of the worker of {what}")
    check_equal(status(worker)["Seccomp"], "2", f"filter of the worker of {what}")
    held = descriptors(worker)
    check("anon_inode:bpf-prog" not in held, f"the worker of {what} has programs: {held}")


def has_links(worker):
    return sum("bpf_link" in name or "bpf-link" in name for name in descriptors(worker))


@case
def commands_that_make_files_or_probe_allocations(t):
    """These have a worker as well; a recording may be where only its owner, and root, can write."""
    target = start(t, COUNTS)
    pid = str(target.pid)
    folder = t.directory()
    os.chown(folder, 65534, 65534)
    os.chmod(folder, 0o700)
    path = os.path.join(folder, "recording.db")
    command = Command(t, "record", pid, "-o", path)
    works_without_privileges("record", command, lambda worker: os.path.exists(path + "-shm") and
                             any(name.endswith("-wal") for name in descriptors(worker)))
    command.finish()
    check_equal(os.listdir(folder), ["recording.db"], "files")
    check_equal(os.stat(path).st_mode & 0o777, 0o600, "mode")
    command = Command(t, "heap", pid, "--duration", "60s", "--exact")
    works_without_privileges("heap", command, has_links)
    command.finish()
    target.ask("ping")
