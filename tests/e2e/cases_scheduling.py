# SPDX-License-Identifier: Apache-2.0
"""Goroutines that wait for a processor, those that keep one, and threads that stay in a call."""

import json
import os
import re
import subprocess
import sys

from faults import gleakd_behind, overwrite, until
from harness import VERSIONS, Failed, Skip, case, cases_for, check, check_equal
from programs import Program, Target, go_command
from tracer import Gleakd, run

PROGRAM = Program("scheduling", cgo=True)
VERSION_PROGRAMS = {
    f"go{version}": Program("scheduling", version)
    for version in ("1.18.10", "1.19.13", "1.20.14", "1.22.12", "1.26.11")
} | {"go1.27.1-stripped-pie": Program("scheduling", "1.27.1", strip=True, pie=True)}
# Longer than a call takes to be told of, on a machine that is busy.
SECONDS = 60
INTERVAL = ("--interval", "1s")


def begin(t, program, processors=2, **env):
    target = Target(t, [program.build()],
                    env=dict(os.environ, GOMAXPROCS=str(processors), **env))
    target.answer("ready")
    return target


def late(target):
    return int(target.ask("late").split()[2])


def scheduling(report):
    return report["targets"][0]["scheduling"]


def when(g, what, condition):
    """(scheduling, {site: ...}) of the first report of which the condition holds."""
    report = g.report(what, lambda r: scheduling(r) and condition(scheduling(r)), SECONDS)
    return scheduling(report), {s["id"]: s for s in report["targets"][0]["sites"]}


def started(sites, found):
    return sorted(sites[f["site"]]["start_function"] for f in found)


def fifo(t, name):
    path = os.path.join(t.directory(), name)
    os.mkfifo(path)
    return path


@case
def threads_that_stay_in_a_call(t):
    target = begin(t, PROGRAM)
    read, opened = fifo(t, "read"), fifo(t, "opened")
    t.defer(os.close, os.open(read, os.O_RDWR))
    for command in (f"read {read}", f"open {opened}", "nap 3 1009", "c 1013"):
        target.ask(command)
    found, sites = when(Gleakd(t, target.pid, *INTERVAL), "six threads in calls",
                        lambda s: len(s["stuck_syscalls"]) >= 6)
    for stuck in found["stuck_syscalls"]:
        check(stuck["seconds"] >= 5, f"too early: {stuck}")
        check(os.path.exists(f"/proc/{target.pid}/task/{stuck['thread']}"), f"thread: {stuck}")
        check(stuck["site"] in sites, f"site: {stuck}")
    everything = [s["call"] for s in found["stuck_syscalls"]]
    check(any(c.startswith("read(") and read in c for c in everything), f"{read}: {everything}")
    check(f'openat("{opened}")' in everything, f"{opened}: {everything}")
    check_equal(sum("nanosleep(" in c for c in everything), 4, f"naps: {everything}")
    check_equal(sum(s["in_c"] for s in found["stuck_syscalls"]), 1, "calls of C")
    check_equal(found["hogs"], [], "hogs")


@case
def who_computes_while_others_are_late(t):
    target = begin(t, PROGRAM, processors=1)
    target.ask("busy 2")
    target.ask("tick 7")
    g = Gleakd(t, target.pid, *INTERVAL)
    before = late(target)
    found, sites = when(g, "two that compute, and waits that are counted",
                        lambda s: len(s["hogs"]) == 2 and s["latency_over_10ms"] > before and s["delayed_by"]
                        and not any(hog["unyielding"] for hog in s["hogs"]))
    check(found["latency_over_10ms"] <= late(target), f"more than the runtime says: {found}")
    check_equal(started(sites, found["hogs"]), ["main.busy", "main.busy"], "who computes")
    check(found["latency_over_10ms_new"] > 0 and found["since_seconds"] > 0, f"new: {found}")
    check_equal(found["processors"], 1, "GOMAXPROCS")
    check(found["delayed_by"] in ("go", "kernel"), f"delayed by: {found}")
    g.interrupt()


@case
def who_does_not_yield(t):
    target = begin(t, PROGRAM, GODEBUG="asyncpreemptoff=1")
    target.ask("busy 1")
    found, sites = when(Gleakd(t, target.pid, *INTERVAL), "one that does not yield",
                        lambda s: s["hogs"] and s["hogs"][0]["unyielding"])
    check_equal(started(sites, found["hogs"]), ["main.busy"], "who does not yield")
    check(found["hogs"][0]["running_seconds"] >= 0.1, f"hogs: {found}")


@case
def who_has_never_run(t):
    """Nobody else runs on the only processor; but the thread that reads orders may, at times."""
    target = begin(t, PROGRAM, processors=1, GODEBUG="asyncpreemptoff=1")
    target.send("hoard 11")  # it may never get to say so
    g = Gleakd(t, target.pid, *INTERVAL)

    def never_ran(report):
        sites = {s["id"]: s["start_function"] for s in report["targets"][0]["sites"]}
        late = (scheduling(report) or {"late": []})["late"]
        return [sites.get(f["site"]) for f in late if f["never_ran"]].count("main.tick")

    report = g.report("11 that have never run, and who keeps the processor",
                      lambda r: never_ran(r) == 11 and scheduling(r)["hogs"], SECONDS)
    found, sites = scheduling(report), {s["id"]: s for s in report["targets"][0]["sites"]}
    check(all(f["waiting_seconds"] >= 0.01 for f in found["late"]), f"late: {found}")
    # A function with arguments is started by one that the compiler makes.
    check_equal(started(sites, found["hogs"]), ["main.obey.gowrap1"], "who keeps the processor")


def limited_group(t, percent):
    """A new control group that may use so much of a processor."""
    for base, files in (("/sys/fs/cgroup/cpu", {"cpu.cfs_quota_us": f"{percent}000"}),
                        ("/sys/fs/cgroup", {"cpu.max": f"{percent}000 100000"})):
        path = os.path.join(base, f"gleakd-limit-{os.getpid()}")
        try:
            os.mkdir(path)
            t.defer(os.rmdir, path)
            for name, words in files.items():
                with open(os.path.join(path, name), "w", encoding="ascii") as file:
                    file.write(words)
            return base, path
        except OSError:
            continue
    raise Skip("control groups with a limit of processor time")


def move(pid, group):
    with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as file:
        file.write(str(pid))


def held_back(t, percent):
    """One computes and seven want to, in a control group that may use so much of a processor."""
    base, group = limited_group(t, percent)
    target = begin(t, PROGRAM, processors=1)
    t.defer(until, "the group is empty",
            lambda: not open(os.path.join(group, "cgroup.procs"), encoding="ascii").read())
    t.defer(target.end)
    target.ask("busy 1")
    target.ask("tick 7")
    move(target.pid, group)
    return base, target


@case
def who_is_throttled(t):
    base, target = held_back(t, 20)
    found, _ = when(Gleakd(t, target.pid, *INTERVAL), "it is throttled",
                    lambda s: s["delayed_by"] == "throttled")
    check(found["throttled_seconds"] > 0, f"for how long: {found} ({base})")


STOLEN = 8  # where steal stands in the first line of /proc/stat, "cpu" being 0


@case
def what_is_stolen_from_this_machine(t):
    """By a /proc/stat of gleakd's own: of two processors nobody takes as much at will."""
    with open("/proc/stat", encoding="ascii") as file:
        words, rest = file.readline().split(), file.read()
    path = os.path.join(t.directory(), "stat")

    def steal(seconds):
        words[STOLEN] = f"{10**9 + seconds * os.sysconf('SC_CLK_TCK'):020d}"
        overwrite(path, " ".join(words) + "\n" + rest)

    steal(0)
    target = begin(t, PROGRAM, processors=1)
    target.ask("busy 2")
    target.ask("tick 7")
    prefix = ["unshare", "--mount", "sh", "-c", f'mount --bind {path} /proc/stat && exec "$@"', "sh"]
    g = gleakd_behind(t, prefix, target.pid, *INTERVAL)
    before, _ = when(g, "why, with nothing stolen", lambda s: s["stolen_seconds"] == 0 and s["delayed_by"])
    check(before["delayed_by"] in ("go", "kernel"), f"{before}")
    steal(10007 * os.cpu_count())
    found, _ = when(g, "what is stolen", lambda s: s["stolen_seconds"])
    check_equal((round(found["stolen_seconds"]), found["host_processors"], found["delayed_by"]),
                (10007 * os.cpu_count(), os.cpu_count(), "stolen"), f"{found}")
    g.interrupt()


@case
def who_has_no_processor_keeps_none(t):
    """Nobody else is scheduled on its P for a second or more; but it would yield, if its thread ran."""
    _, target = held_back(t, 1)
    g = Gleakd(t, target.pid, *INTERVAL)

    def starved(report):
        found = scheduling(report) or {"hogs": [], "late": []}
        check(not any(hog["unyielding"] for hog in found["hogs"]), f"it yields: {found}")
        return len(g.reports) >= 11 and any(late["queue"] == "kernel" for late in found["late"])

    found = scheduling(g.report("whose thread has no processor", starved, SECONDS))
    check_equal(found["delayed_by"], "throttled", f"why: {found}")


@case
def where_goroutines_wait_for_each_other(t):
    """Of 17 that want one lock, 16 wait at any moment; Go's own profile says as much."""
    target = begin(t, PROGRAM)
    g = Gleakd(t, target.pid, *INTERVAL, "--max-overhead", "0")
    g.report("a census before", lambda r: scheduling(r))
    target.ask("convoy 17")

    def waits(report):
        sites = {s["id"]: s for s in report["targets"][0]["sites"]}
        for one in report["targets"][0]["contention"]:
            if (sites.get(one["site"], {}).get("created_by") or {}).get("function") == "main.obey" and \
               "Mutex" in (one["wait_reason"] or ""):
                return one
        return None

    begun = g.report("that they wait", waits, SECONDS)
    report = g.report("for a while", lambda r: waits(r) and
                      r["targets"][0]["observed_seconds"] > begun["targets"][0]["observed_seconds"] + 5, SECONDS)
    seconds = report["targets"][0]["observed_seconds"] - begun["targets"][0]["observed_seconds"]
    parked = waits(report)["parked_seconds"] - waits(begun)["parked_seconds"]
    check(8 * seconds <= parked <= 18 * seconds, f"{parked} s of 16 in {seconds} s")
    if report["targets"][0]["mode"] == "full":
        check(waits(report)["parks"] > waits(begun)["parks"], f"parks: {waits(begun)}, {waits(report)}")
    check(report["targets"][0]["contention"][0]["parked_seconds"] >= parked, "the most first")
    final = os.path.join(t.directory(), "report.json")
    with open(final, "w", encoding="utf-8") as file:
        json.dump(g.interrupt(), file)
    profile = final + ".gz"
    code, _, err = run(t, "report", final, "-f", "pprof", "--contention", "-o", profile)
    check_equal(code, 0, err)
    top = subprocess.run([go_command(), "tool", "pprof", "-traces", profile], capture_output=True, text=True, check=False)
    check("Type: delay" in top.stdout and "main.convoy" in top.stdout, top.stdout + top.stderr)


# Mounts a FUSE file system with one file, which can be opened and never read: its server does not answer.
STALLED_FUSE = """
import ctypes, os, struct, subprocess, sys, threading
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
if libc.mount(b"stalled", sys.argv[1].encode(), b"fuse", 0, b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fd):
    sys.exit(77)
FILE, FOLDER = 0o100644, 0o40755
def attributes(node):
    return struct.pack("<6Q10I", node, 4096, 8, 0, 0, 0, 0, 0, 0, FOLDER if node == 1 else FILE, 1, 0, 0, 0, 4096, 0)
def answer(op, node):  # include/uapi/linux/fuse.h
    if op == 26:
        return struct.pack("<4I2H2I2H8I", 7, 31, 4096, 0, 12, 9, 4096, 1, 1, 0, *[0] * 8)
    if op == 1:
        return struct.pack("<4Q2I", 2, 0, 60, 60, 0, 0) + attributes(2)
    if op == 3:
        return struct.pack("<Q2I", 60, 0, 0) + attributes(node)
    return struct.pack("<Q2I", 1, 1, 0) if op in (14, 27) else b""
def serve():
    while True:
        request = os.read(fd, 1 << 16)
        _, op, unique, node = struct.unpack_from("<2I2Q", request)
        if op not in (2, 15, 36, 42):  # who forgets and interrupts wants no answer, and who reads has none
            text = answer(op, node)
            os.write(fd, struct.pack("<IiQ", 16 + len(text), 0, unique) + text)
threading.Thread(target=serve, daemon=True).start()
os._exit(subprocess.run(sys.argv[2:]).returncode)
"""


@case
def a_file_system_that_never_answers(t):
    """The thread is told with the file; gleakd itself does not wait for it."""
    if not os.path.exists("/dev/fuse"):
        raise Skip("/dev/fuse", always=True)
    folder = t.directory()
    target = Target(t, ["unshare", "--mount", sys.executable, "-c", STALLED_FUSE, folder, PROGRAM.build()])
    try:
        pid = int(target.answer("ready").split()[1])
    except Failed as failure:
        raise Skip(f"FUSE mounts ({failure})", always=True) from None
    path = os.path.join(folder, "file")
    target.ask(f"block 3 {path}")
    g = Gleakd(t, pid, *INTERVAL)
    found, sites = when(g, "threads that read it", lambda s: sum(
        c["call"].startswith("read(") and path in c["call"] for c in s["stuck_syscalls"]) == 3)
    stuck = [c for c in found["stuck_syscalls"] if path in c["call"]]
    check_equal(started(sites, stuck), ["main.obey.gowrap2"] * 3, "whose they are")
    check_equal(g.interrupt()["final_reason"], "interrupted", "it ends in time")


def waited(target):
    """How often the lock was passed on, and how many seconds were waited for it in sum, as the program measures."""
    n, ns = target.ask("waited").split()[2:]
    return int(n), int(ns) / 1e9


def lock_waits(report):
    """What is told of waits for that lock."""
    found = report["targets"][0]
    # Go before 1.20 has one word for locks and groups.
    return next((one for one in found["contention"] if one["wait_reason"] in ("sync.Mutex.Lock", "semacquire")), None)


def traced_waits(t, program):
    """All waits of the convoy, one by one, against what the program measures of each Lock()."""
    target = begin(t, program)
    g = Gleakd(t, target.pid, *INTERVAL, "--max-overhead", "0", "--mode", "waits")
    report = g.report("waits are traced", lambda r: r["targets"][0]["contention_by"] == "events", SECONDS)
    check_equal(report["targets"][0]["mode"], "waits", "mode")
    target.ask("convoy 17")
    g.report("that they wait", lambda r: lock_waits(r) and lock_waits(r)["parks"] >= 1009, SECONDS)
    target.ask("stop")
    g.report("the lock is free", lambda r: lock_waits(r) and not any(
        s["start_function"] == "main.convoy" and s["goroutines"] for s in r["targets"][0]["sites"]), SECONDS)
    passed, seconds = waited(target)
    report = g.interrupt()
    found, known = report["targets"][0], lock_waits(report)
    check_equal((found["contention_by"], found["contention_missed"], found["losses"]["events"]),
                ("events", 0, 0), f"nothing is missing: {found['cost']}")
    # Who finds it free, or spins until it is, does not wait; and not all of Lock() is a wait.
    check(0.8 * passed <= known["parks"] <= passed + 17, f"{known['parks']} waits of {passed}")
    check(0.9 * seconds <= known["parked_seconds"] <= seconds, f"{known['parked_seconds']} s of {seconds}")
    site = next(s for s in found["sites"] if s["id"] == known["site"])
    check_equal((site["blocked_at"]["function"], site["created_by"]["function"]), ("main.convoy", "main.obey"), "where")


@case
def each_wait_is_traced(t):
    traced_waits(t, PROGRAM)


@cases_for({v: VERSION_PROGRAMS[v] for v in ("go1.18.10", "go1.20.14", "go1.22.12", "go1.27.1-stripped-pie")},
           tier=VERSIONS)
def each_wait_is_traced_in(t, program):
    traced_waits(t, program)


def delays_in(path, function):
    """(contentions, seconds) below a function, as go tool pprof reads a profile."""
    found = []
    for index, unit in (("contentions", "count"), ("delay", "ns")):
        top = subprocess.run([go_command(), "tool", "pprof", "-top", "-cum", "-nodefraction=0", f"-unit={unit}",
                              f"-sample_index={index}", path], capture_output=True, text=True, check=False)
        line = re.search(rf"^.*\s(\d+)(?:ns)?\s+[\d.]+%\s+{re.escape(function)}$", top.stdout, re.M)
        check(line, f"{function}: {top.stdout}{top.stderr}")
        found.append(int(line[1]))
    return found[0], found[1] / 1e9


@case
def the_runtimes_own_block_profile_says_the_same(t):
    """Of a lock that 17 pass on, and a channel that 13 receive from, each wait counted by both."""
    target = begin(t, PROGRAM)
    g = Gleakd(t, target.pid, *INTERVAL, "--max-overhead", "0", "--mode", "waits")
    g.report("waits are traced", lambda r: r["targets"][0]["contention_by"] == "events", SECONDS)
    for command in ("profile", "convoy 17", "take 13"):
        target.ask(command)
    g.report("that they wait", lambda r: lock_waits(r) and lock_waits(r)["parks"] >= 2003, SECONDS)
    target.ask("stop")
    g.report("all is over", lambda r: lock_waits(r) and not any(
        s["start_function"] in ("main.convoy", "main.take") and s["goroutines"]
        for s in r["targets"][0]["sites"]), SECONDS)
    own, ours, report = (os.path.join(t.directory(), name) for name in ("own.gz", "ours.gz", "report.json"))
    target.ask(f"profiled {own}")
    final = g.interrupt()
    check_equal((final["targets"][0]["contention_by"], final["targets"][0]["losses"]["events"]), ("events", 0), "all")
    with open(report, "w", encoding="utf-8") as file:
        json.dump(final, file)
    code, _, err = run(t, "report", report, "-f", "pprof", "--contention", "-o", ours)
    check_equal(code, 0, err)
    for function in ("main.convoy", "main.take"):
        (told, seconds), (counted, delay) = delays_in(ours, function), delays_in(own, function)
        t.note(f"{function}: {told} waits, {seconds:.3f} s; Go itself: {counted}, {delay:.3f} s")
        check(0.98 * counted <= told <= 1.02 * counted and 0.95 * delay <= seconds <= 1.05 * delay,
              f"{function}: {told} waits, {seconds} s; Go itself: {counted}, {delay} s")


@case
def waits_are_traced_within_the_budget(t):
    """What the ends of waits would cost beyond it is not traced: the estimate stays, and the report says so."""
    target = begin(t, PROGRAM)
    target.ask("convoy 17")
    g = Gleakd(t, target.pid, *INTERVAL, "--max-overhead", "0.01%", "--mode", "waits")
    report = g.report("a lower mode", lambda r: r["targets"][0]["mode"] != "waits" and lock_waits(r), SECONDS)
    found = report["targets"][0]
    check_equal(found["contention_by"], "censuses", "source")
    check("would cost" in found["mode_reason"], f"why: {found['mode_reason']}")
    g.interrupt()


@case
def threads_become_more_and_more(t):
    target = begin(t, PROGRAM)
    folder = os.path.join(t.directory(), "logs", "a")
    os.makedirs(folder)
    path = os.path.join(folder, "f")
    os.mkfifo(path)
    t.defer(os.close, os.open(path, os.O_RDWR))
    g = Gleakd(t, target.pid, *INTERVAL)
    before = g.report("a census before", lambda r: scheduling(r) and scheduling(r)["threads"], SECONDS)
    check_equal(scheduling(before)["threads_rise"], None, "at first")
    for command in (f"block 31 {path}", "lock 7", "c 1013"):
        target.ask(command)
    found, _ = when(g, "threads that become more, and what they are in",
                    lambda s: s["threads_rise"] and s["threads_rise"]["looked_at"] >= 32)
    rise = found["threads_rise"]
    check(rise["from"] <= scheduling(before)["threads"] and rise["to"] == found["threads"] >= 40, f"rise: {rise}")
    check(rise["seconds"] > 0, f"rise: {rise}")
    first = rise["calls"][0]
    where = "files below /" + "/".join(folder.split("/")[1:3])
    check_equal((first["call"], first["where"], first["threads"], first["in_c"]), ("read", where, 31, False), f"{rise}")
    check_equal([c["threads"] for c in rise["calls"] if c["in_c"]], [1], f"in C: {rise}")
    check_equal(found["locked_goroutines"], 7, "locked")
    check(found["threads_in_calls"] >= 32, f"in calls: {found}")
    g.interrupt()


@case
def nothing_is_wrong_where_nothing_is(t):
    target = begin(t, PROGRAM)
    target.ask("tick 7")
    g = Gleakd(t, target.pid, *INTERVAL)
    for report in (g.report(f"report {n}", lambda r, n=n: len(g.reports) >= n) for n in range(3, 8)):
        found = scheduling(report)
        check_equal((found["hogs"], found["left_out"]), ([], 0), "who keeps a processor")
    # It reads its orders.
    check_equal({s["call"].split("(")[0] for s in scheduling(g.interrupt())["stuck_syscalls"]} -
                {"read"}, set(), "calls")


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def counts_are_those_of_the_runtime_in(t, program):
    target = begin(t, program, processors=1)
    path = fifo(t, "read")
    t.defer(os.close, os.open(path, os.O_RDWR))
    for command in ("busy 2", "tick 7", f"read {path}"):
        target.ask(command)
    g = Gleakd(t, target.pid, *INTERVAL)
    found, _ = when(g, "waits, two that compute, a thread that reads",
                    lambda s: s["latency_over_10ms"] and len(s["hogs"]) == 2 and
                    any(path in c["call"] for c in s["stuck_syscalls"]))
    check(found["latency_over_10ms"] <= late(target), f"more than the runtime says: {found}")
    target.ask("stop")
    least = late(target)
    found, _ = when(g, "the runtime's own number", lambda s: s["latency_over_10ms"] >= least)
    check(found["latency_over_10ms"] <= late(target), f"more than the runtime says: {found}")
