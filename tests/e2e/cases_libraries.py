# SPDX-License-Identifier: Apache-2.0
"""Go in libraries of any program, several runtimes in one process, and programs without a file."""

import json
import os
import shutil
import signal
import subprocess

from harness import Failed, Skip, case, cases_for, check, check_equal, until
from harness import once as once_in_a_run
from programs import BUILT, RUNTIME_VERSIONS, SOURCES, Program, Target, start
from tracer import Gleakd, check_schema, needs_tracing, run, sites, total


class Libraries:
    """A library with Go in it, and programs that load it: one in C, one in Go."""

    def __init__(self, go):
        self.go = go
        self.library = Program("library", go=go, mode="c-shared")
        self.archive = Program("library", go=go, mode="c-archive")
        self.loader = Program("library/loader", go=go, cgo=True)

    def host(self, archive=False):
        """The program in C, linked with the library or without."""
        path = os.path.join(BUILT, f"library-host-go{self.go}" if archive else "library-host")
        linked = ["-DARCHIVE", self.archive.build(), "-lpthread"] if archive else []
        return once_in_a_run(f"building {os.path.basename(path)}", compile_c,
                             os.path.join(SOURCES, "library", "host", "main.c"), path, linked)

    def start(self, t, archive=False):
        """Waits until it is ready."""
        target = Target(t, [self.host(archive)])
        target.answer("ready")
        return target

    def copy(self, t, name="other"):
        """Another file with the same library: a runtime of its own."""
        path = os.path.join(t.directory(), f"lib{name}.so")
        shutil.copy(self.library.build(), path)
        return path

    def count(self, target, number):
        """
        How many goroutines a library has when nobody calls it. It counts the one of the thread that
        asks, which before Go 1.21 ends with the call.
        """
        before = self.go != "local" and int(self.go.split(".")[1]) < 21
        return counted(target.ask(f"count {number}")) - before


def compile_c(source, path, more):
    if not shutil.which("gcc"):
        raise Skip("gcc")
    done = subprocess.run(["gcc", "-O1", "-o", path, source, *more, "-ldl"], capture_output=True,
                          text=True)
    if done.returncode:
        raise Failed(f"{source}: {done.stderr.strip()}")
    return path


LIBRARIES = {go: Libraries(go) for go in RUNTIME_VERSIONS}
LOCAL = {"local": LIBRARIES["local"]}
WITHOUT_A_FILE = Program("goexit")
PLUGIN_HOST, PLUGIN = Program("plugins", cgo=True), Program("plugins/first", mode="plugin")


def counted(line):
    """How many goroutines a library says that it has, in an answer."""
    return int(line.split()[2])


def made_by_go(report_target):
    """
    Created and exited but for the goroutine that the runtime gives to a thread of C which calls it.
    """
    found = [x for x in report_target["sites"] if x["start_function"]]
    return sum(x["created"] for x in found), sum(x["exited"] for x in found)


def targets_of(t, target, *args):
    """All runtimes of a --once, by file."""
    needs_tracing()
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json", *args)
    check_equal(code, 0, "exit code of --once: " + err.strip())
    report = json.loads(out)
    check_schema(report)
    return {x["runtime"]["file"]: x for x in report["targets"]}


@cases_for(LIBRARIES)
def library_in_a_program_in_c(t, libraries):
    target, library = libraries.start(t), libraries.library.build()
    target.ask("load " + library)
    target.ask("park 1 41")
    found = targets_of(t, target)
    check_equal(list(found), [library], "files of runtimes")
    got = found[library]
    check_equal((got["pid"], got["exe"], got["goroutines"]["alive"], got["losses"]["unreadable"]),
                (target.pid, libraries.host(), libraries.count(target, 1), 0),
                "pid, exe, alive, unreadable")
    check(got["runtime"]["build_id"], "no build id")
    made = sites({"targets": [got]}, libraries.library.line("made:park"))
    check_equal([site["parked"] for site in made], [41], "parked in the library")

    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report("probes attached", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1 1009")
    target.ask("park 1 43")
    g.report("those that stay", lambda r: total(sites(r, libraries.library.line("made:park")),
                                                "created") == 43)
    final = g.interrupt()["targets"][0]
    check_equal((made_by_go(final), {k: v for k, v in final["losses"].items() if v}),
                ((1052, 1009), {}), "created, exited, losses")


@cases_for(LIBRARIES)
def archive_in_a_program_in_c(t, libraries):
    """runtime.main returns at once there, and its g is used again: sooner or later."""
    for n in (1, 2, 3, 41):
        target = libraries.start(t, archive=True)
        target.ask(f"park 1 {n}")
        found = targets_of(t, target)
        check_equal([x["goroutines"]["alive"] for x in found.values()], [libraries.count(target, 1)],
                    "alive")


@cases_for(LIBRARIES)
def several_runtimes_in_one_process(t, libraries):
    """Each gives out goroutine 1, 2, 3, ...: whose event it is, is not to be told by number and pid."""
    target = Target(t, [libraries.loader.build()])
    target.answer("ready")
    first, second = libraries.library.build(), libraries.copy(t)
    target.ask("load " + first)
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report("two runtimes", lambda r: len(r["targets"]) == 2)
    # One that comes while the process is watched.
    target.ask("load " + second)
    g.report("three runtimes with probes", lambda r: len(r["targets"]) == 3 and
             all(x["mode"] == "full" for x in r["targets"]))
    for who, n in enumerate((101, 211, 307)):
        target.ask(f"run {who} {n}")
        target.ask(f"park {who} {40 + who}")
    wanted = {libraries.loader.path: (141, 101), first: (252, 211), second: (349, 307)}

    def figures(report):
        return {x["runtime"]["file"]: made_by_go(x) for x in report["targets"]}

    g.report("each with its own goroutines", lambda r: figures(r) == wanted)
    final = g.interrupt()
    check_equal({x["pid"] for x in final["targets"]}, {target.pid}, "pids")
    check_equal(figures(final), wanted, "created and exited")
    for x in final["targets"]:
        check_equal({k: v for k, v in x["losses"].items() if v}, {}, "losses")
    alive_of = [counted(target.ask("count 0")), *(libraries.count(target, who) for who in (1, 2))]
    check_equal([x["goroutines"]["alive"] for f in wanted for x in final["targets"]
                 if x["runtime"]["file"] == f], alive_of, "alive")


@cases_for(LIBRARIES)
def lost_goroutines_of_a_library_are_proven(t, libraries):
    """Of each runtime by its own heap, and no others: what C, or its thread in Go, may wake is not lost."""
    target, first = libraries.start(t), libraries.library.build()
    second = libraries.copy(t)
    target.ask("load " + first)
    target.ask("load " + second)
    target.ask("lose 1 41")
    target.ask("lose 2 43")
    needs_tracing()
    code, out, said = run(t, "prove", str(target.pid), "--json", "--max-stop", "2s", seconds=60)
    check_equal(code, 0, "exit code of prove: " + said)
    found = {x["runtime"]["file"]: x for x in json.loads(out)["targets"]}
    lost = {file: sum(site["proof"]["goroutines"] for site in x["sites"]
                      if site["proof"]["level"] == "proven") for file, x in found.items()}
    check_equal(lost, {first: 41, second: 43}, "proven by file")


@cases_for(LOCAL)
def library_without_a_name(t, libraries):
    """From a memfd, and from a file that was removed since: an upgrade, say."""
    target, removed = libraries.start(t), libraries.copy(t)
    target.ask("memfd " + libraries.library.build())
    target.ask("load " + removed)
    os.unlink(removed)
    target.ask("park 1 41")
    target.ask("park 2 43")
    found = targets_of(t, target)
    check_equal({f: x["goroutines"]["alive"] for f, x in found.items()},
                {"/memfd:copy": libraries.count(target, 1), removed: libraries.count(target, 2)},
                "alive by file")
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report("probes attached", lambda r: all(x["mode"] == "full" for x in r["targets"]))
    target.ask("run 1 101")
    target.ask("run 2 211")
    final = g.interrupt()
    check_equal(sorted(made_by_go(x) for x in final["targets"]), [(101, 101), (211, 211)],
                "created and exited")


WITHOUT_MAP_FILES = ("setpriv", "--bounding-set=-sys_admin,-checkpoint_restore",
                     "--inh-caps=-sys_admin,-checkpoint_restore")


@cases_for(LOCAL)
def library_that_cannot_be_reached_is_named(t, libraries):
    """Without CAP_CHECKPOINT_RESTORE there is no way to a file without a path."""
    needs_tracing()
    if not shutil.which("setpriv"):
        raise Skip("setpriv")
    target, removed = libraries.start(t), libraries.copy(t)
    target.ask("load " + removed)
    os.unlink(removed)
    once_json = ("--pid", str(target.pid), "--once", "--json")
    code, _, err = run(t, *once_json, prefix=WITHOUT_MAP_FILES)
    check_equal(code, 4, "exit code: " + err)
    check(removed in err and "CAP_CHECKPOINT_RESTORE" in err, f"neither which nor why: {err}")
    # One beside it is watched, and that there is another one is said.
    path = libraries.library.build()
    target.ask("load " + path)
    code, out, err = run(t, *once_json, prefix=WITHOUT_MAP_FILES)
    check_equal(code, 0, "exit code: " + err)
    check_equal([x["runtime"]["file"] for x in json.loads(out)["targets"]], [path], "watched")
    check("left out" in err and removed in err, f"nothing of the other one: {err}")


@cases_for(LOCAL)
def what_fork_leaves_is_no_runtime(t, libraries):
    """A child has the memory of all goroutines and no thread that would run them."""
    target = libraries.start(t)
    target.ask("load " + libraries.library.build())
    target.ask("park 1 41")
    child = int(target.ask("fork 1").split()[3])
    t.defer(os.kill, child, 9)
    code, _, err = run(t, "--pid", str(child), "--once")
    check_equal(code, 1, "exit code: " + err)
    check("fork()" in err and libraries.library.path in err, f"words: {err}")
    g = Gleakd(t, None, "--only", f"exe:{libraries.host()}", "--config", "/dev/null", "--interval",
               "200ms", "--min-process-age", "100ms")
    g.report("the parent alone", lambda r: of_file(r, target.pid) and not of_file(r, child) and
             r["self"]["processes"]["failed"])
    g.interrupt()
    told = [line for line in g.errors if f" {child} " in line]
    check_equal(len(told), 1, f"said of the child, of which there is one thing to say: {told}")


def listed(t, pid):
    """The rows of a process in the list, by file."""
    code, out, err = run(t, "list", "--json")
    check_equal(code, 0, "exit code of list: " + err)
    return {x["runtime"]["file"]: x for x in json.loads(out)["processes"] if x["pid"] == pid}


def all_counted(rows):
    return all(row["goroutines"] is not None for row in rows.values()) and rows


@cases_for(LIBRARIES)
def list_has_every_runtime(t, libraries):
    """Of a program in C as of one in Go; plugins are none."""
    if os.geteuid() != 0:
        raise Skip("root")
    target, path, other = libraries.start(t), libraries.library.build(), libraries.copy(t)
    check_equal(listed(t, target.pid), {}, "rows of a program in C")
    target.ask("load " + path)
    target.ask("load " + other)
    target.ask("park 1 41")
    target.ask("park 2 43")
    # One that changes while it is looked at is not counted that time.
    rows = until("all are counted", lambda: all_counted(listed(t, target.pid)))
    check_equal({f: x["goroutines"] for f, x in rows.items()},
                {path: libraries.count(target, 1), other: libraries.count(target, 2)},
                "goroutines by file")
    row = rows[path]
    check_equal((row["exe"], row["supported"], row["reason"], row["build"]["static"]),
                (libraries.host(), True, None, False), "exe, supported, reason, static")
    check(row["runtime"]["build_id"], "no build id")
    code, out, _ = run(t, "list")
    check(f"in {path}" in out, f"the library is not named: {out}")


@cases_for(LOCAL)
def list_names_what_cannot_be_read(t, libraries):
    if not shutil.which("setpriv") or os.geteuid() != 0:
        raise Skip("setpriv, root")
    target, removed = libraries.start(t), libraries.copy(t)
    target.ask("load " + removed)
    os.unlink(removed)
    code, out, err = run(t, "list", "--json", prefix=WITHOUT_MAP_FILES)
    check_equal(code, 0, "exit code: " + err)
    rows = [x for x in json.loads(out)["processes"] if x["pid"] == target.pid]
    check_equal([(x["runtime"]["file"], x["supported"], x["goroutines"]) for x in rows],
                [(removed, False, None)], "file, supported, goroutines")
    check("CAP_CHECKPOINT_RESTORE" in rows[0]["reason"], f"reason: {rows[0]['reason']}")


def of_file(report, pid):
    """The runtimes of a process in a report of all, by file."""
    return {x["runtime"]["file"]: x for x in report["targets"] if x["pid"] == pid}


@cases_for(LIBRARIES)
def service_watches_libraries(t, libraries):
    """Those that are there, and one that comes; told apart in metrics, and remembered."""
    folder = t.directory()
    state, metrics, config = (os.path.join(folder, name) for name in ("state", "x.prom", "conf"))
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"only = exe:{libraries.host()}\nmin-process-age = 100ms\ninterval = 300ms\n"
                   f"mode = full\nmax-overhead = 0\ngroup-by = pid\n"
                   f"textfile = {metrics}\nstate = {state}\n")
    target, first = libraries.start(t), libraries.library.build()
    second, third = libraries.copy(t), libraries.copy(t, "third")
    target.ask("load " + first)
    target.ask("load " + second)
    g = Gleakd(t, None, "--config", config)
    g.report("two runtimes with probes", lambda r: [x["mode"] for x in of_file(r, target.pid).values()]
             == ["full"] * 2)
    target.ask("load " + third)
    # It looks through /proc every half a minute, and when it is told to read its configuration.
    g.process.send_signal(signal.SIGHUP)
    g.report("three runtimes with probes", lambda r: [x["mode"] for x in
                                                      of_file(r, target.pid).values()] == ["full"] * 3)
    for who, n in enumerate((101, 211, 307), 1):
        target.ask(f"run {who} {n}")
        target.ask(f"park {who} {40 + who}")
    wanted = {first: (142, 101), second: (253, 211), third: (350, 307)}

    def figures(report):
        return {file: made_by_go(x) for file, x in of_file(report, target.pid).items()}

    g.report("each with its own goroutines", lambda r: figures(r) == wanted)
    with open(metrics, encoding="utf-8") as file:
        lines = [line for line in file if f'groupname="{target.pid}"' in line]
    for path in wanted:
        library = f'library="{os.path.basename(path)}"'
        check(any(line.startswith("gleakd_target_info") and library in line for line in lines),
              f"no {library} in {lines}")
    value = {line.split("{")[0]: float(line.rsplit(" ", 1)[1]) for line in lines}
    check_equal(value["gleakd_target_processes"], 1, "processes of the group")
    g.interrupt()
    again = Gleakd(t, None, "--config", config)
    first_report = again.report("what was known", lambda r: len(of_file(r, target.pid)) == 3)
    check_equal(figures(first_report), wanted, "created and exited after a restart")


@cases_for(LOCAL)
def service_lets_go_of_all_runtimes_of_a_process(t, libraries):
    """Several targets end at once."""
    targets = [libraries.start(t) for _ in range(2)]
    for target in targets:
        target.ask("load " + libraries.library.build())
        target.ask("load " + libraries.copy(t))
    g = Gleakd(t, None, "--only", f"exe:{libraries.host()}", "--config", "/dev/null", "--interval",
               "200ms", "--min-process-age", "100ms")
    g.report("four runtimes", lambda r: all(len(of_file(r, x.pid)) == 2 for x in targets))
    targets[1].end()
    g.report("two are left", lambda r: not of_file(r, targets[1].pid) and
             len(of_file(r, targets[0].pid)) == 2)
    seen = len(g.reports)
    g.report("two more rounds", lambda r: len(g.reports) >= seen + 2)
    check_equal(len(of_file(g.reports[-1], targets[0].pid)), 2, "runtimes of the other process")


def first_thread_leaves(target):
    """It is a zombie from then on, and the others go on."""
    target.ask("leave 1")
    until("the end of the first thread", lambda: execution_state(target.pid) == "Z")


def execution_state(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        return file.read().rsplit(")", 1)[1].split()[0]


@cases_for(LOCAL)
def first_thread_has_ended(t, libraries):
    """A process lives as long as one of its threads, by which it is read."""
    target, path = libraries.start(t), libraries.library.build()
    target.ask("load " + path)
    target.ask("park 1 41")
    first_thread_leaves(target)
    target.ask("park 1 43")
    # One of the two threads that have called the library is gone, and its goroutine with it.
    wanted = libraries.count(target, 1)
    found = targets_of(t, target)
    check_equal({f: x["goroutines"]["alive"] for f, x in found.items()}, {path: wanted}, "alive")
    check_equal(found[path]["exe"], libraries.host(), "exe")
    check_equal({f: x["goroutines"] for f, x in listed(t, target.pid).items()}, {path: wanted},
                "in the list")
    g = Gleakd(t, None, "--only", f"exe:{libraries.host()}", "--config", "/dev/null", "--interval",
               "300ms", "--min-process-age", "100ms", "--mode", "full", "--max-overhead", "0")
    report = g.report("it in the service", lambda r: path in of_file(r, target.pid))
    got = of_file(report, target.pid)[path]
    check_equal(got["mode"], "census", "mode")
    check("first thread" in got["mode_reason"], f"reason: {got['mode_reason']}")


@cases_for(LOCAL)
def first_thread_ends_while_watched(t, libraries):
    target = libraries.start(t)
    target.ask("load " + libraries.library.build())
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report("probes attached", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1 101")
    first_thread_leaves(target)
    g.report("no probes any more", lambda r: r["targets"][0]["mode"] == "census")
    target.ask("park 1 43")
    g.report("what was created later", lambda r: total(
        sites(r, libraries.library.line("made:park")), "parked") == 43)
    final = g.interrupt()
    check_equal(final["final_reason"], "interrupted", "why it ended")


@case
def program_started_through_its_loader(t):
    """/proc/PID/exe is ld.so then."""
    loader = next((p for p in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
                   if os.path.exists(p)), None)
    if not loader:
        raise Skip("ld.so")
    program = PLUGIN_HOST.build()
    target = Target(t, [loader, program])
    target.answer("ready")
    target.ask("open " + PLUGIN.build())
    target.ask("park 0 41")
    found = targets_of(t, target)
    check_equal({f: x["goroutines"]["alive"] for f, x in found.items()}, {program: int(target.ask("count").split()[-1])},
                "alive by file")
    check_equal(found[program]["exe"], os.path.realpath(loader), "exe")
    check_equal({f: x["goroutines"] for f, x in listed(t, target.pid).items()},
                {program: int(target.ask("count").split()[-1])}, "in the list, by file")
    g = Gleakd(t, None, "--only", f"exe:{os.path.realpath(loader)}", "--config", "/dev/null",
               "--interval", "300ms", "--min-process-age", "100ms")
    g.report("it in the service", lambda r: list(of_file(r, target.pid)) == [program])


@case
def program_without_a_file(t):
    """Executed from memory that never had a name, as some containers and updaters do."""
    with open(WITHOUT_A_FILE.build(), "rb") as file:
        contents = file.read()
    held = os.memfd_create("program", 0)
    try:
        os.write(held, contents)
        target = Target(t, [f"/proc/{os.getpid()}/fd/{held}"])
        target.answer("ready")
    finally:
        os.close(held)
    target.ask("park 41")
    got = targets_of(t, target)["/memfd:program"]
    check_equal((got["goroutines"]["alive"], got["runtime"]["file"], got["exe"]),
                (int(target.ask("count").split()[-1]), "/memfd:program", "/memfd:program"), "alive, file, exe")
    check_equal({f: x["goroutines"] for f, x in listed(t, target.pid).items()},
                {"/memfd:program": int(target.ask("count").split()[-1])}, "in the list")
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report("probes attached", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1009")
    target.ask("park 43")
    final = g.interrupt()["targets"][0]["goroutines"]
    check_equal((final["created"], final["exited"]), (1052, 1009), "created, exited")
