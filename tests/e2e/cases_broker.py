# SPDX-License-Identifier: Apache-2.0
"""Two processes: the broker, which may, and the worker, which works. SECURITY.md promises what is here."""

import json
import os
import re
import shutil
import signal
import subprocess

from datetime import datetime

from cases_host import host, own_copy, pids
from cases_systemd import capability_names
from faults import PATIENCE, alive, attached, created, figures, metrics_when, shows, until
from harness import Skip, case, cases_for, check, check_equal
from programs import Program, Target, start
from terminal import Terminal
from tracer import Gleakd, binary, needs_tracing, run

COUNTS = Program("counts")
HOSTILE = Program("hostile", linkname=True)

WATCHING = {"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH", "CAP_CHECKPOINT_RESTORE"}
PROBING = WATCHING | {"CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN"}


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


INTERVAL = 10  # seconds, as a daemon has it that is not told otherwise


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
        check_equal(status(pid)["Seccomp"], "2", f"filter of the {who}")
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


@cases_for({"killed": signal.SIGKILL, "crashed": signal.SIGSEGV})
def a_worker_that_ends_within_a_census_is_replaced(t, sent):
    """The census is one of three million goroutines, in slices; the next worker goes on with what was known."""
    crowd = Target(t, [own_copy(t, HOSTILE, "crowd"), "crowd", "3000000"])
    crowd.answer("ready")
    other = start(t, COUNTS, path=own_copy(t, COUNTS, "other"))
    options = ("--max-self-cpu", "0", "--max-overhead", "0", "--state",
               os.path.join(t.directory(), "state"))
    g = host(t, *options)
    shows(g, "both", attached(crowd, other))
    other.ask("spawn 1009")
    shows(g, "all counted", lambda r: created(r).get(other.pid) == 1009)
    g.interrupt(PATIENCE)
    g = host(t, *options)
    shows(g, "remembered", lambda r: attached(crowd, other)(r) and created(r)[other.pid] == 1009)
    crowd.ask("arm")
    shows(g, "a report in the middle of it",
          lambda r: (figures(r, crowd.pid, "census_age_seconds") or 0) >
          (figures(r, other.pid, "census_age_seconds") or 99) + 0.9)
    ended, seen = worker_of(g), len(g.reports)
    os.kill(ended, sent)
    until("there is another", lambda: g.workers() and g.workers() != [ended])
    shows(g, "the other's figures", lambda r: len(g.reports) > seen and
          created(r).get(other.pid) == 1009)
    before, after = (datetime.fromisoformat(g.reports[i]["time"].replace("Z", "+00:00"))
                     for i in (seen - 1, seen))
    gap = (after - before).total_seconds()
    t.note(f"the first report of the new worker came {gap:.2f} s after the last")
    check(gap <= INTERVAL, f"{gap} s without a report: longer than an interval")
    wrong = [s["id"] for r in g.reports for s in figures(r, other.pid, "sites") or []
             if s["verdict"] in ("leaking", "stuck")]
    check_equal(wrong, [], "flagged")
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
    with open(f"/proc/{worker}/limits", encoding="ascii") as file:
        limit = re.search(r"^Max address space +(\S+)", file.read(), re.MULTILINE).group(1)
    check(limit != "unlimited" and int(limit) >= 8 << 30, f"address space of the worker of {what}: {limit}")
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


# --- what each process of each command may, and does ------------------------------------------------


class Trace:
    """What strace saw of a run: capabilities and system calls of its processes, by what they are."""

    START = re.compile(r"(\d+) +(<\.\.\. )?([a-z]\w*)(?: resumed>|\()(.*)")

    FORKS = ("clone", "clone3", "fork", "vfork")

    def __init__(self, path):
        self.calls, self.capabilities, self.roles, self.first = {}, {}, {}, {}
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                found = self.START.match(line)
                # Of what was interrupted in the trace only a child's number comes later.
                if found and (not found[2] or found[3] in self.FORKS):
                    self._take(int(found[1]), found[3], found[4])

    def _take(self, pid, call, rest):
        role = self.roles.setdefault(pid, None if self.roles else "broker")
        if call in self.FORKS and re.search(r" = \d+$", rest):
            child = int(rest.rsplit(" ", 1)[1])
            # A thread is what its maker is; a process says what it becomes, but for the one before the broker is one.
            if "CLONE_THREAD" in rest or role == "worker":
                self.roles[child] = role
            elif role == "broker" and role not in self.calls:
                self.roles[child] = "starter"
        if call == "prctl" and "gleakd-helper" in rest:
            self.roles[pid] = "helper"
        elif call == "landlock_restrict_self" and role is None:
            self.roles[pid] = "sandboxed"
        elif call == "seccomp" and "SECCOMP_SET_MODE_FILTER" in rest and role == "sandboxed":
            self.roles[pid] = "worker"
        elif call == "seccomp" and "SECCOMP_SET_MODE_FILTER" in rest and role == "broker":
            self.calls.setdefault(role, set())
        elif role in self.calls or role in ("worker", "helper", "starter"):
            self.calls.setdefault(role, set()).add(call)
            self.first.setdefault((role, call), f"{pid}: {call} {rest}")
        effective = call == "capset" and re.search(r"effective=([^,]*)", rest)
        if effective:
            self.capabilities[role or "sandboxed"] = set(re.findall(r"CAP_\w+", effective[1]))


# Each with what other libraries of C and older kernels use for the same, and what is only done when something goes
# wrong: shutdown() of the channel of a worker that does not come back. What the worker has no use for its filter
# refuses it (user/broker/sandbox_calls.c): here is what it tries.
ANY = set("""brk clock_getres clock_gettime close dup dup2 dup3 exit exit_group fcntl fstat futex getpid getrandom gettid
    gettimeofday lseek madvise mmap mprotect mremap munmap newfstatat openat prctl pread64 read readlink readlinkat
    recvmsg restart_syscall rseq rt_sigaction rt_sigprocmask rt_sigreturn sched_yield sendmsg set_robust_list
    statx write writev""".split())
CALLS = {
    "broker": ANY | set("""access bpf capget capset clone connect faccessat faccessat2 flock fsync getdents64 geteuid
        getppid getrlimit getrusage getuid ioctl kill memfd_create mkdir mkdirat openat2 perf_event_open pidfd_open
        pipe2 poll ppoll prlimit64 process_vm_readv ptrace rename renameat renameat2 sched_getparam
        sched_getscheduler sched_setscheduler sendto setrlimit signalfd4 socket socketpair sysinfo tgkill umask
        clone3 epoll_create1 epoll_ctl epoll_pwait epoll_wait uname unlink unlinkat wait4 waitid ftruncate fchmod fstatfs statfs clock_nanosleep nanosleep
        sched_getaffinity shutdown""".split()),
    # Of what it is asked (user/host/access_helper.c): files and lists of mappings are copied to a memfd; where the first
    # thread of a process has ended while others go on, or the process is about to, its threads are gone through.
    "helper": ANY | set("""access clone clone3 close_range getdents64 memfd_create openat2 poll process_vm_readv
        sched_getparam sched_getaffinity sched_getscheduler sched_setscheduler""".split()),
    # The parent of the program that run starts, with that one's rights; what the program does is its own affair.
    "starter": ANY | set("""clone clone3 fork geteuid getgid getppid getuid kill pipe2 poll ppoll ptrace rt_sigtimedwait
        setgroups setresgid setresuid signalfd4 tgkill vfork wait4 waitid""".split()),
    "worker": ANY | set("""access clock_nanosleep clone clone3 epoll_create1 epoll_ctl epoll_pwait epoll_wait eventfd2 faccessat
        faccessat2 fchmod fchown fdatasync flock fsync ftruncate getcwd getdents64 getegid geteuid getgid getpgid
        getppid getrusage getrlimit getuid ioctl membarrier nanosleep poll ppoll prlimit64 pwrite64 rt_sigpending
        sched_getaffinity sigaltstack signalfd4 sysinfo timerfd_create timerfd_settime tgkill uname""".split()),
}
# What a worker takes from itself, before it works.
IN_A_SANDBOX = {"landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "seccomp", "capset"}
# Beyond what a worker does: it asks itself what a broker would be permitted, and looks at others by children.
DOCTOR = CALLS["broker"] | CALLS["helper"]
COMMANDS = {
    "watch": lambda pid, files: ["--pid", pid, "--duration", "1s", "--interval", "300ms"],
    "host": lambda pid, files: ["--only", f"pid:{pid}", "--duration", "1s", "--interval", "300ms",
                                "--min-process-age", "0", "--state", os.path.join(files, "state"),
                                "--textfile", os.path.join(files, "gleakd.prom")],
    "list": lambda pid, files: ["list"],
    "dump": lambda pid, files: ["dump", pid],
    "prove": lambda pid, files: ["prove", pid, "--max-stop", "10s"],
    "heap": lambda pid, files: ["heap", pid],
    "heap_duration": lambda pid, files: ["heap", pid, "--duration", "1s"],
    "holders": lambda pid, files: ["holders", pid, "--goroutine", "1"],
    "holders_site": lambda pid, files: ["holders", pid, "--site", "main.main", "--json"],
    "holders_type": lambda pid, files: ["holders", pid, "--type", "runtime.p"],
    "resources": lambda pid, files: ["resources", pid],
    "record": lambda pid, files: ["record", pid, "-o", os.path.join(files, "r.db"), "--duration", "1s"],
    "run": lambda pid, files: ["run", "--duration", "2s", "--interval", "300ms", "--", COUNTS.build()],
    "top": lambda pid, files: ["top", pid, "--interval", "300ms"],
    "report": lambda pid, files: ["report", os.path.join(files, "old.json"), "-f", "html", "-o",
                                  os.path.join(files, "page.html")],
    "report_recording": lambda pid, files: ["report", os.path.join(files, "r.db")],
    "diff": lambda pid, files: ["diff", os.path.join(files, "old.json"), os.path.join(files, "r.db")],
}
# What they read was kept before; they look at no process.
OF_FILES = ("report", "diff")
FOR_FILES = {"CAP_DAC_READ_SEARCH", "CAP_DAC_OVERRIDE"}


def kept_in(t, files, pid):
    """A report and a recording."""
    code, out, err = run(t, "--pid", pid, "--once", "--json")
    check_equal(code, 0, err)
    with open(os.path.join(files, "old.json"), "w", encoding="utf-8") as file:
        file.write(out)
    code, _, err = run(t, "record", pid, "-o", os.path.join(files, "r.db"), "--duration", "1s")
    check_equal(code, 0, err)


# For which a program waits, or has probes on its allocations.
COME_FIRST = {"watch", "prove", "heap_duration", "record", "top"}


@cases_for({name: (name, arguments) for name, arguments in COMMANDS.items()})
def capabilities_and_system_calls_of_all_processes(t, command_and_arguments):
    command, arguments = command_and_arguments
    if not shutil.which("strace"):
        raise Skip("strace")
    needs_tracing()
    target = start(t, COUNTS)
    target.ask("shape chanreceive 7")
    files = t.directory()
    path = os.path.join(files, "trace")
    args = arguments(str(target.pid), files)
    if args[0] in OF_FILES:
        kept_in(t, files, str(target.pid))
    strace = ["strace", "-f", "-o", path]
    if args[0] == "top":
        screen = Terminal(t, *args, prefix=strace)
        screen.until("its screen", lambda _: "main.main" in screen.text(), 120)
        os.write(screen.primary, b"q")
        screen.rest()
    else:
        # The program of run reads, and ends when it has read all; it is watched for too short to be judged.
        slowly = ["sh", "-c", 'sleep 5 | "$@"', "sh"] if args[0] == "run" else []
        code, _, err = run(t, *args, prefix=slowly + strace, seconds=120)
        check_equal(code, 5 if args[0] == "run" else 0, err)
    trace = Trace(path)
    others = {"run": {"helper", "starter"}}.get(args[0], set() if args[0] in OF_FILES else {"helper"})
    check_equal(set(trace.calls), {"broker", "worker"} | others, "processes")
    for role, calls in trace.calls.items():
        check(calls <= CALLS[role], f"system calls of the {role}: "
              f"{[trace.first[role, call] for call in sorted(calls - CALLS[role])]}")
    check("ptrace" not in trace.calls["broker"] or args[0] == "prove", "it has stopped somebody")
    check_equal(trace.capabilities.get("sandboxed"), set(), "capabilities of the worker")
    left = trace.capabilities["broker"]
    check_equal("CAP_SYS_NICE" in left, command in COME_FIRST, f"a real-time priority, of {left}")
    left -= {"CAP_SYS_NICE"}
    if args[0] in OF_FILES:
        check(left <= FOR_FILES, f"the broker has {left}")
        check(not trace.calls["broker"] & {"bpf", "process_vm_readv", "perf_event_open"}, "it looks at processes")
    else:
        check(WATCHING <= left <= PROBING, f"the broker has {left}")


@case
def system_calls_of_doctor(t):
    """It tries what it tells about, with the privileges that there are; at processes it looks as others do."""
    if not shutil.which("strace"):
        raise Skip("strace")
    needs_tracing()
    start(t, COUNTS)
    path = os.path.join(t.directory(), "trace")
    code, out, err = run(t, "doctor", "--json", prefix=["strace", "-f", "-o", path], seconds=120)
    check_equal(code, 0, err)
    told = {c["name"]: c["found"] for c in json.loads(out)["checks"]}
    check("can be watched" in told["go_processes"], told["go_processes"])
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    found = {match[3] for match in map(Trace.START.match, lines) if match}
    # The program is executed, by strace; its helpers are processes of their own.
    allowed = CALLS["worker"] | DOCTOR | IN_A_SANDBOX | {"execve", "arch_prctl", "set_tid_address", "getegid", "getgid"}
    check(found <= allowed, f"system calls of doctor: {sorted(found - allowed)}")
    check("landlock_restrict_self" in found, "nobody who reads executables was sandboxed")
