# SPDX-License-Identifier: Apache-2.0
"""Who allocates, by probes in the allocator: `gleakd heap --duration`."""

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import threading

import heap_profiles
from harness import VERSIONS, Skip, case, cases_for, check, check_equal, until
from programs import Program, go_command, start
from tracer import Gleakd, binary, check_schema, needs_tracing, run

VERSION_PROGRAMS = {
    f"go{version}{kind}": Program("allocators", version, strip=bool(kind))
    for version in ("1.18.10", "1.19.13", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13",
                    "1.25.7", "1.26.8", "1.27.1")
    for kind in (("",) if version not in ("1.18.10", "1.22.12", "1.27.1") else ("", "-stripped"))
}
# What goroutines are told to allocate: name, kind, how many (primes).
RUNS = (("red", "node", 2003), ("blue", "header", 1009), ("red", "bytes", 503),
        ("green", "large", 31))
# Bytes of the size class. Go 1.22 has put a header before objects of more than 512 bytes with pointers.
NODE, BYTES, LARGE = 64, 1024, 106496
HEADER = 896


def begin(t, program, rate=None):
    needs_tracing()
    if rate:
        os.environ["RATE"] = str(rate)
    try:
        return start(t, program)
    finally:
        os.environ.pop("RATE", None)


def processes_of(broker):
    """Itself, its worker and helper."""
    with open(f"/proc/{broker}/task/{broker}/children", encoding="ascii") as file:
        return [broker] + [int(pid) for pid in file.read().split()]


@contextlib.contextmanager
def without_a_processor(broker):
    """The broker stops first and goes on last: it stops when its worker does."""
    pids = processes_of(broker)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def before_everybody_else(broker):
    pids = processes_of(broker)
    check(len(pids) >= 3, f"{pids}")
    until("all come first", lambda: all(os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK ==
                                        os.SCHED_FIFO for pid in pids), 30)
    yield


def watch(t, target, *arguments, commands, answers=None, windows=False, said=None,
          around=contextlib.nullcontext):
    """The last report of a watch that ends when the target has done these. The next look is far away."""
    gleakd = subprocess.Popen(
        [binary(t), "heap", str(target.pid), "--json", "-vv", "--duration", "80s",
         *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    t.defer(gleakd.kill)
    check(gleakd.stdout.readline(), "a first report")
    # Probes on each allocation are away while the heap is read, and come back after it.
    wanted = "the 2. time" if windows else "the 1. time"
    said = [] if said is None else said
    for line in gleakd.stderr:
        if wanted in line:
            break
    # A pipe that is full would hold it up.
    reader = threading.Thread(target=lambda: said.extend(gleakd.stderr))
    reader.start()
    with around(gleakd.pid):
        for command in commands:
            answer = target.ask(command)
            if answers is not None:
                answers.append(answer)
    gleakd.send_signal(signal.SIGINT)
    out = gleakd.stdout.read()
    reader.join(60)
    check_equal(gleakd.wait(60), 0, f"exit code; {''.join(said[-20:])}")
    report = json.loads(out.splitlines()[-1])
    check_schema(report)
    return report["targets"][0]


def commands_of(runs):
    return [f"run {name} {kind} {n}" for name, kind, n in runs]


def groups_at(target, function):
    return [group for group in target["allocating"]["groups"]
            if group["allocated_at"] and group["allocated_at"]["function"] == "main." + function]


def site_in(target, function):
    found = [site for site in target["alloc_sites"]
             if site["allocated_at"]["function"] == "main." + function]
    check_equal(len(found), 1, f"places in {function}: {found}")
    return found[0]


def judge_samples(t, program):
    """With every object a sample each hit is an allocation, and nothing is estimated."""
    target = begin(t, program, rate=1)
    found = watch(t, target, "--by", "goroutine", "--max-overhead", "0",
                  commands=commands_of(RUNS))
    allocating = found["allocating"]
    check_equal((allocating["source"], allocating["lost"], allocating["missing"]),
                ("sampled_allocations", 0, None), "source")
    for function, n, size in (("makeNode", 2003, NODE), ("makeHeader", 1009, HEADER),
                              ("makeBytes", 503, BYTES), ("makeLarge", 31, LARGE)):
        group = max(groups_at(target=found, function=function),
                    key=lambda group: group["alloc_bytes"])
        # The goroutine makes a set of labels and a few others.
        check(n <= group["alloc_objects"] < n + 30, f"{function}: {group}")
        check(n * size <= group["alloc_bytes"] < n * size + 4096, f"{function}: {group}")
        check_equal(group["relative_error"], 0, f"error of {function}")
        check_equal(group["created_by"]["function"], "main.run", "created by")
        check_equal(group["goroutines"], 1, "goroutines")


def judge_exact(t, program):
    target = begin(t, program)
    found = watch(t, target, "--exact", "--by", "type", commands=commands_of(RUNS))
    check_equal(found["memory"]["source"], "all_allocations", "source")
    check_equal(found["allocating"]["lost"], 0, "lost")
    for function, n, size, kind in (("makeNode", 2003, NODE, "main.node"),
                                    ("makeHeader", 1009, HEADER, "main.header"),
                                    ("makeBytes", 503, BYTES, "[]uint8"),
                                    ("makeLarge", 31, LARGE, "[]uint8")):
        site = site_in(found, function)
        check_equal(site["type"], kind, function)
        # One of those that are in use whose object is not known is much of a few.
        unsure = site["relative_error"] * site["in_use_objects"]
        check(site["in_use_bytes"] is not None and unsure < max(2, 0.05 * site["in_use_objects"]), f"{function}: {site}")
        # A collection that begins in one of them makes a few of its own.
        check(n <= site["alloc_objects"] < n + 30, f"{function}: {site}")
        check(n * size <= site["alloc_bytes"] < n * size + 4096, f"{function}: {site}")
        check("main.run.func1.1" in {frame["function"] for frame in site["stack"]} or
              "main.run.func1" in {frame["function"] for frame in site["stack"]},
              f"stack: {site['stack']}")
    nodes = next(g for g in found["allocating"]["groups"] if g["name"] == "main.node")
    check_equal((nodes["alloc_objects"], nodes["goroutines"]), (2003, 1), "objects of one type")


@case
def who_allocated_what_the_runtime_sampled(t):
    judge_samples(t, Program("allocators"))


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def who_allocated_what_the_runtime_sampled_in(t, program):
    judge_samples(t, program)


@case
def every_single_allocation(t):
    judge_exact(t, Program("allocators"))


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def every_single_allocation_in(t, program):
    judge_exact(t, program)


def sums_of(groups, *names):
    """(allocated, in use, goroutines) of these; None: without labels, or gone before they were read."""
    found = [group for group in groups if group["name"] in names]
    return tuple(sum(group[field] for group in found)
                 for field in ("alloc_objects", "in_use_objects", "goroutines"))


@case
def by_labels_and_what_of_it_is_in_use(t):
    target = begin(t, Program("allocators"), rate=1)
    runs = (("red", "kept", 1511), ("blue", "node", 2003), ("red", "node", 503))
    found = watch(t, target, "--by", "label", "--max-overhead", "0",
                  commands=commands_of(runs) + ["collect", "run green header 211",
                                                "run white node 307", "run green node 113"])
    groups = found["allocating"]["groups"]
    # No collection comes after these: their labels are there whenever they are read.
    allocated, in_use, goroutines = sums_of(groups, "tenant=green")
    check(211 + 113 <= allocated < 211 + 113 + 60 and goroutines == 2, f"green: {groups}")
    check(in_use >= 211 + 113, f"what is new, some of it behind a header: {groups}")
    allocated, _, goroutines = sums_of(groups, "tenant=white")
    check(307 <= allocated < 307 + 30 and goroutines == 1, f"white: {groups}")
    # Before the collection some of them may have been too fast for that.
    allocated, in_use, _ = sums_of(groups, "tenant=red", "tenant=blue", None)
    check(1511 + 2003 + 503 <= allocated, f"the others: {groups}")
    check(1511 <= in_use < 1511 + 200, f"what is kept: {groups}")


@case
def what_allocates_little_is_seen_all_the_time(t):
    """Without a profile and within the budget: each allocation, and nothing is estimated."""
    target = begin(t, Program("allocators"))
    found = watch(t, target, "--by", "creation", windows=True, around=before_everybody_else,
                  commands=["run red node 211", "run blue node 113"])
    allocating = found["allocating"]
    check_equal((allocating["source"], allocating["lost"]), ("allocation_windows", 0), "source")
    check_equal(found["memory"]["source"], "allocation_windows", "source of places")
    site = site_in(found, "makeNode")
    check_equal((site["alloc_objects"], site["relative_error"]), (324, 0), "exact")
    group = max(groups_at(found, "makeNode"), key=lambda group: group["alloc_bytes"])
    check_equal((group["created_by"]["function"], group["goroutines"]), ("main.run", 2),
                "both from one go statement")


@case
def what_gleakd_is_late_for_is_drawn(t):
    """Its probes are there while it waits for a processor: nothing is lost, and the sums are right."""
    target = begin(t, Program("allocators"))
    found = watch(t, target, "--by", "creation", windows=True, around=without_a_processor,
                  commands=["run red node 100003"])
    allocating = found["allocating"]
    check_equal((allocating["source"], allocating["lost"]), ("allocation_windows", 0), "source")
    site = site_in(found, "makeNode")
    # About 9,000 were told before half of the buffer was full, and of the others one in 32.
    group = max(allocating["groups"], key=lambda g: g["alloc_bytes"])
    check(0.001 < group["relative_error"] < 0.05, f"some were drawn: {group}")
    check(0.9 < site["alloc_objects"] / 100003 < 1.1, f"all of them: {site}")


def end_if_there(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


@case
def windows_of_a_watch_come_first_while_they_press(t):
    """All three processes, and each time only until the window is closed or calm."""
    if not shutil.which("strace"):
        raise Skip("strace")
    target = begin(t, Program("allocators"))
    path = os.path.join(t.directory(), "trace")
    g = Gleakd(t, target.pid, "--interval", "500ms", "--min-age", "1s", "--max-overhead", "10%",
               prefix=["strace", "-f", "-o", path, "-e", "trace=sched_setscheduler"])

    def asked():
        """By each process that was given a priority: what it was given, in this order."""
        by_process = {}
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                found = re.match(r"(\d+) +sched_setscheduler\((\d+), (\w+).* = 0$", line)
                if found:
                    of = found[2] if found[2] != "0" else found[1]
                    by_process.setdefault(of, []).append(found[3])
        return by_process

    def often_enough():
        target.ask("run red node 20011")
        given = asked()
        return len(given) == 3 and all(len(each) >= 4 for each in given.values()) and given

    g.report()
    # strace keeps signals to itself, and leaves behind whom it traces.
    broker = processes_of(g.process.pid)[1]
    t.defer(end_if_there, broker)
    given = until("windows, each with a priority", often_enough, 60)
    for process, each in given.items():
        check(all((word == "SCHED_OTHER") == (i % 2 == 1) for i, word in enumerate(each)), f"{process}: {each}")


def judge_in_use(t, program):
    """Without a profile: what stays, and what collections take, among objects of the same size."""
    target = begin(t, program)
    runs = (("red", "kept", 1511), ("blue", "node", 2003), ("green", "large", 31))
    found = watch(t, target, "--exact", "--by", "type",
                  commands=commands_of(runs) + ["collect"])
    check_equal(found["memory"]["source"], "all_allocations", "source")
    # The last one is in a variable; a collection may have begun with one of each class on its way.
    for function, least, most in (("makeKept", 1511 - 5, 1511 + 16), ("makeNode", 0, 40)):
        site = site_in(found, function)
        check(least <= site["in_use_objects"] <= most, f"{function}: {site}")
    large = site_in(found, "makeLarge")["in_use_bytes"]
    check(LARGE <= large < LARGE + 8192, f"the last one: {large}")
    nodes = next(g for g in found["allocating"]["groups"] if g["name"] == "main.node")
    check(1511 - 5 <= nodes["in_use_objects"] <= 1511 + 40 < nodes["alloc_objects"],
          f"by type: {nodes}")


def judge_types(t, program):
    """Neither symbols nor samples: what probes see tells of what type all is that hangs from the same place."""
    target = begin(t, program)
    target.ask("run red kept 1009")
    found = watch(t, target, "--exact", commands=commands_of((("red", "kept", 503),)))
    kinds = {kind["type"]: kind["objects"] for kind in found["types"]}
    check(1500 < kinds.get("main.node", 0) < 1540, f"those of before as well: {kinds}")
    held = site_in(found, "makeKept")["held_by"]
    check(held and held[0].startswith("variable at 0x"), f"holders: {held}")


@case
def types_without_a_profile(t):
    judge_types(t, Program("allocators", strip=True))


@cases_for({name: VERSION_PROGRAMS[name] for name in VERSION_PROGRAMS if "-" in name}, tier=VERSIONS)
def types_without_a_profile_in(t, program):
    judge_types(t, program)


@case
def in_use_without_a_profile(t):
    judge_in_use(t, Program("allocators"))


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def in_use_without_a_profile_in(t, program):
    judge_in_use(t, program)


MIXED = ("Large", "Bytes", "Header", "Node", "Map", "Ints", "String", "Tiny", "Other")


def sites_by_kind(target):
    """{kind: (bytes allocated, what they may be off by)}"""
    found = {}
    for site in target["alloc_sites"]:
        function = (site["allocated_at"] or {"function": ""})["function"]
        if function.startswith("main.make"):
            kind = function[len("main.make"):]
            size, error = found.get(kind, (0, 0))
            found[kind] = (size + site["alloc_bytes"],
                           error + site["alloc_bytes"] * site["alloc_relative_error"])
    return found


def bytes_by_kind(target):
    return {kind: size for kind, (size, _) in sites_by_kind(target).items()}


def judge_windows(t, program):
    """A fast goroutine beside a slow one, for 10 s, at a budget of 5 %: shares of the top sites.

    What a round allocates of each is known from the same program with every object sampled. On a busy machine
    there are few windows, and the report says by how much more they may be off.
    """
    sampled = begin(t, program, rate=1)
    rounds, others = map(int, sampled.ask("mix 200").split()[2:4])
    code, out, said = run(t, "heap", str(sampled.pid), "--json")
    check_equal(code, 0, said)
    each = {kind: size / (others if kind == "Other" else rounds)
            for kind, size in bytes_by_kind(json.loads(out)["targets"][0]).items()}
    target = begin(t, program)
    answers = []
    found = watch(t, target, "--by", "type", "--max-overhead", "5%", windows=True,
                  commands=["mix 10000"], answers=answers)
    allocating = found["allocating"]
    check_equal((allocating["source"], allocating["lost"]), ("allocation_windows", 0), "source")
    # A tenth of a core is the least that a budget is taken of.
    check(allocating["cost_seconds"] < 0.05 * 10 * 2 * 1.5, f"cost: {allocating}")
    t.note(f"windows: {allocating['windows']}")
    rounds, others = map(int, answers[0].split()[2:4])
    figures = sites_by_kind(found)
    wanted = {kind: each[kind] * (others if kind == "Other" else rounds) for kind in MIXED}
    figures_sum, wanted_sum = sum(figures[k][0] for k in MIXED), sum(wanted.values())
    for kind in MIXED:
        size, error = figures[kind]
        off = abs(size / figures_sum / (wanted[kind] / wanted_sum) - 1)
        t.note(f"{kind}: {size / wanted[kind]:.3f} of what it was, ±{error / size:.3f}")
        # The slow one's is known by some hundred refills; where others keep the processors busy, by fewer.
        # tests/unit/track/alloc_pace.c has the rest.
        most = 0.5 if kind == "Other" else 0.1
        check(off < most + 4 * error / size, f"share of {kind}: {figures}, not {wanted}; {allocating}")
    check(0.9 < figures_sum / wanted_sum < 1.1, f"all: {figures}, {wanted}")


@cases_for({name: VERSION_PROGRAMS[name] for name in VERSION_PROGRAMS if "-" not in name},
           tier=VERSIONS, alone=True)
def shares_by_windows_in(t, program):
    judge_windows(t, program)


def parts_of(found, *functions):
    """What each of these has allocated, of all of them together, and how far off that is said to be."""
    sites = [site_in(found, function) for function in functions]
    return [(site["alloc_bytes"] / sum(site["alloc_bytes"] for site in sites), site["alloc_relative_error"])
            for site in sites]


@case(alone=True)
def who_waits_beside_one_that_only_allocates(t):
    """By the runtime's refills, in windows of their own."""
    target = begin(t, Program("allocators"))
    answers, said = [], []
    found = watch(t, target, "--max-overhead", "10%", windows=True, commands=["mix 7001"],
                  answers=answers, said=said)
    rounds, others = map(int, answers[0].split()[2:4])
    refills = [re.search(r"refills of process .* (\d+) so far", line) for line in said]
    check(sum(1 for seen in refills if seen and int(seen[1]) > 100) > 2, f"{''.join(said[-20:])}")
    # Where others keep the processors busy there may be too few for a figure; then windows stand, and the error is large.
    told = [line for line in said if "others than who only allocates" in line][-1:]
    (_, _), (part, error) = parts_of(found, "makeNode", "makeOther")
    off = part / (others / (others + 10 * rounds)) - 1
    t.note(f"{1 + off:.3f} of what it was, ±{error:.3f}; {told}")
    check(abs(off) < 0.5 + 4 * error, f"{off}, {error}: {told}")


@case(alone=True)
def who_takes_turns(t):
    """Where whoever finds a span empty is always the same, or never, refills say nothing."""
    target = begin(t, Program("allocators"))
    for first, second in ((1, 1), (7, 1), (3, 13)):
        answers, said = [], []
        found = watch(t, target, "--max-overhead", "5%", windows=True,
                      commands=[f"steps 2003 {first} {second}"], answers=answers, said=said)
        (part, error), _ = parts_of(found, "makeNode", "makeOther")
        off = part / (first / (first + second)) - 1
        refills = [line for line in said if "by refills" in line]
        t.note(f"{first}:{second}: {1 + off:.3f} of what it was, ±{error:.3f}; {refills[-1:]}")
        check(abs(off) < 0.25 + 4 * error, f"{first}:{second}: {off}, {error}; {refills}")


@case
def a_profile_of_what_probes_have_seen(t):
    """go tool pprof opens it, and subtracts one from the other."""
    target = begin(t, Program("allocators"))
    before, after = (os.path.join(t.directory(), name) for name in ("before", "after"))
    for path, runs in ((before, RUNS), (after, RUNS + RUNS)):
        watch(t, target, "--exact", "--pprof", path, commands=commands_of(runs))
    for path, times in ((before, 1), (after, 2)):
        found = heap_profiles.samples(path, "main.")
        for function, n, size in (("makeNode", 2003, NODE), ("makeBytes", 503, BYTES)):
            objects = sum(values[0] for (stack, _), values in found.items()
                          if any(name == "main." + function for name, _ in stack))
            space = sum(values[1] for (stack, _), values in found.items()
                        if any(name == "main." + function for name, _ in stack))
            check(n * times <= objects < n * times + 40, f"{function}: {objects}")
            check(n * times * size <= space < n * times * size + 8192, f"{function}: {space}")
    check("type:[main.node]" in heap_profiles.raw(before), "types are labels")
    said = subprocess.run([go_command(), "tool", "pprof", "-top", "-sample_index=alloc_objects",
                           "-diff_base", before, after], capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, HOME="/root"), check=True).stdout
    line = next(line for line in said.splitlines() if line.endswith("main.makeNode"))
    check(2003 - 40 <= int(line.split()[0]) <= 2003 + 40, f"the difference: {line}")


@case
def a_watch_tells_who_allocates(t):
    """By labels, while it goes on; and a recording has it as well."""
    target = begin(t, Program("allocators"), rate=1)
    code, _, said = run(t, "--pid", str(target.pid), "--by", "holder")
    check_equal(code, 2, "what a watch does not tell")
    check("gleakd heap" in said, said)
    g = Gleakd(t, target.pid, "--interval", "500ms", "--by", "label", "-vv",
               "--max-overhead", "100%")
    until("probes", lambda: any("the 1. time" in line for line in g.errors), 30)
    for command in commands_of(RUNS):
        target.ask(command)

    def seen(groups, *names):
        return sum(group["alloc_objects"] for group in groups if group["name"] in names)

    # Those of a set that a collection has freed by then are not told by it.
    def in_red(report):
        groups = report["targets"][0].get("allocating", {}).get("groups", [])
        return seen(groups, "tenant=red", None) >= 2003 + 503 and seen(groups, "tenant=red")

    report = g.report("all of one tenant", in_red, seconds=30)
    allocating = report["targets"][0]["allocating"]
    check_equal((allocating["source"], allocating["by"]), ("sampled_allocations", "label"), "how")
    check(seen(allocating["groups"], "tenant=red") < 2003 + 503 + 60, f"{allocating}")
    g.interrupt()
    path = os.path.join(t.directory(), "recording.db")
    record = subprocess.Popen([binary(t), "record", "--pid", str(target.pid), "--by", "label", "-o",
                               path, "--interval", "500ms"], stderr=subprocess.PIPE, text=True)
    t.defer(record.kill)

    def recorded():
        target.ask("run red node 211")
        return len(set(series_of(path))) > 1

    until("that red has allocated more and more", recorded, 60)
    record.send_signal(signal.SIGINT)
    _, said = record.communicate(timeout=30)
    check_equal(record.returncode, 0, said)
    code, out, said = run(t, "report", path, "--format", "json")
    check_equal(code, 0, said)
    groups = json.loads(out.splitlines()[-1])["targets"][0]["allocating"]["groups"]
    check(seen(groups, "tenant=red") >= 1 and seen(groups, "tenant=red", None) >= 211, f"recorded: {groups}")
    code, out, said = run(t, "report", path)
    check(code == 0 and "allocating" in out and "tenant=red" in out, f"to be read: {out} {said}")
    check_series(t, path)


def series_of(path):
    """What was allocated with one label by then, of a recording that may not have begun."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return [row[0] for row in database.execute(
                "SELECT p.alloc_objects FROM allocator_points p JOIN allocators a "
                "ON a.id = p.allocator WHERE a.by = 'label' AND a.name = 'tenant=red' "
                "ORDER BY p.time_ns")]
    except sqlite3.OperationalError:
        return []


def check_series(t, path):
    """Who allocates, over time, in a recording and in what Perfetto opens."""
    series = series_of(path)
    check_equal(series, sorted(series), "it only rises")
    trace = path + ".pftrace"
    code, _, said = run(t, "report", path, "--format", "perfetto", "-o", trace)
    check_equal(code, 0, said)
    with open(trace, "rb") as file:
        check(b"allocated so far by tenant=red" in file.read(), "a counter")


@case
def what_is_said_to_people(t):
    target = begin(t, Program("allocators"))
    code, out, said = run(t, "heap", str(target.pid), "--by", "goroutine")
    check_equal(code, 2, f"who allocates takes a time: {out}")
    check("--duration" in said, said)
    code, out, said = run(t, "heap", str(target.pid), "--exact", "--duration", "1s", "--by", "site")
    check_equal(code, 0, said)
    check("allocations a second" in said and "times" in said, f"the cost comes first: {said}")
    check("by probes on each allocation" in out, out)
