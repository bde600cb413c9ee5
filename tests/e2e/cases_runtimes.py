# SPDX-License-Identifier: Apache-2.0
"""Runtimes that are not those of a plain program: whose main has ended, in a library, several."""

import json
import os
import shutil
import subprocess

from harness import Failed, Skip, case, cases_for, check, check_equal
from harness import once as once_in_a_run
from programs import BUILT, SOURCES, Program, Target, start
from tracer import Gleakd, at, check_schema, digest, needs_tracing, run, sites, total

# Where versions matter: the first one, the one with gdestroy, this machine's and the last.
VERSIONS = ("local", "1.18.10", "1.22.12", "1.27.1")
GOEXIT = Program("goexit")
STRIPPED = Program("goexit", strip=True)
SAYING = {text: Program("goexit", says=text) for text in ("1.26.8", "go2.0", "weird")}
SAYING_STRIPPED = Program("goexit", says="weird", strip=True)


def once(t, target):
    """The only target of a --once."""
    needs_tracing()
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json")
    check_equal(code, 0, "exit code of --once: " + err.strip())
    report = json.loads(out)
    check_schema(report)
    check_equal(len(report["targets"]), 1, "targets")
    return report["targets"][0]


def alive(target):
    """How many goroutines the program says that it has."""
    return int(target.ask("count").split()[-1])


# --- main has ended ---------------------------------------------------------------------------------

def main_has_ended(t, program):
    """Its g is dead at first, and then another goroutine's."""
    target = start(t, program)
    target.ask("goexit")
    for parked in (0, 41):
        target.ask(f"park {parked}")
        check_equal(once(t, target)["goroutines"]["alive"], alive(target), f"{parked} parked: alive")


@case
def main_has_ended_before(t):
    main_has_ended(t, GOEXIT)


@case
def main_has_ended_before_in_a_stripped_program(t):
    main_has_ended(t, STRIPPED)


@case
def main_ends_while_watched(t):
    target = start(t, GOEXIT)
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report()
    target.ask("goexit")
    target.ask("run 1009")
    target.ask("park 43")
    g.report("all of them after main", lambda r: total(sites(r, GOEXIT.line("made:park")), "parked") == 43)
    final = g.interrupt()
    got = final["targets"][0]["goroutines"]
    check_equal((got["alive"], got["created"], got["exited"]), (alive(target), 1052, 1010),
                "alive, created, exited")
    check_equal(final["final_reason"], "interrupted", "why it ended")


@case
def main_ends_in_a_service(t):
    """Taken on once, and never given up."""
    target = start(t, GOEXIT)
    g = watch_all_of(t, GOEXIT)

    def of_target(report):
        return next((x for x in report["targets"] if x["pid"] == target.pid), None)

    g.report("the process", of_target)
    target.ask("goexit")
    target.ask("park 47")
    g.report("what it created later", lambda r: of_target(r) and
             of_target(r)["goroutines"]["alive"] == alive(target))
    seen = len(g.reports)
    g.report("three more rounds", lambda r: len(g.reports) >= seen + 3)
    check(all(of_target(r) for r in g.reports[seen:]), "it was given up")
    failed = [r["self"]["processes"]["failed"] for r in g.reports[seen:]]
    check_equal([n for n in failed if n], [], "failed attaches")


# --- versions as people write them ------------------------------------------------------------------

@cases_for(SAYING)
def version_of_any_text(t, program):
    """Toolchains are named by whoever builds them; the debug information knows better."""
    target = start(t, program)
    target.ask("park 41")
    got = once(t, target)
    check_equal((got["go_version"], got["how"], got["goroutines"]["alive"]),
                (program.says, "symbols; layout from DWARF", alive(target)), "version, how, alive")
    check("chan receive" in {site["wait_reason"] for site in got["sites"]}, f"wait reasons: {got['sites']}")


@case
def version_of_any_text_without_debug_information(t):
    """It is taken for the newest that is known, which it may be; else it is said why not."""
    target = start(t, SAYING_STRIPPED)
    code, _, err = run(t, "--pid", str(target.pid), "--once")
    if code == 0:
        check_equal(once(t, target)["goroutines"]["alive"], alive(target), "alive")
        return
    check_equal(code, 3, "exit code")
    check('"weird"' in err and "-ldflags=-w" in err, f"neither what is wrong nor what to do: {err}")


class Plugins:
    """A program and two plugins, of one version of Go."""

    def __init__(self, go):
        self.go = go
        self.host = Program("plugins", go=go, cgo=True)
        self.first = Program("plugins/first", go=go, mode="plugin")
        self.second = Program("plugins/second", go=go, mode="plugin")

    def start(self, t):
        return start(t, self.host)

    def open(self, target, plugin):
        target.ask("open " + plugin.build())


PLUGINS = {go: Plugins(go) for go in VERSIONS}
PLUGINS_LOCAL = {"local": PLUGINS["local"]}


# --- libraries with Go in them ----------------------------------------------------------------------

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

    def copy(self, t):
        """Another file with the same library: a runtime of its own."""
        path = os.path.join(t.directory(), "libother.so")
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


LIBRARIES = {go: Libraries(go) for go in VERSIONS}
LOCAL = {"local": LIBRARIES["local"]}


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
        check_equal(once(t, target)["goroutines"]["alive"], libraries.count(target, 1), "alive")


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
    check("fork()" in err, f"words: {err}")


@cases_for(PLUGINS_LOCAL)
def program_started_through_its_loader(t, plugins):
    """/proc/PID/exe is ld.so then."""
    loader = next((p for p in ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
                   if os.path.exists(p)), None)
    if not loader:
        raise Skip("ld.so")
    program = plugins.host.build()
    target = Target(t, [loader, program])
    target.answer("ready")
    target.ask("park 0 41")
    found = targets_of(t, target)
    check_equal({f: x["goroutines"]["alive"] for f, x in found.items()}, {program: alive(target)},
                "alive by file")
    check_equal(found[program]["exe"], os.path.realpath(loader), "exe")


# --- plugins ----------------------------------------------------------------------------------------

def check_place(site, plugin):
    """What a site in a plugin is called: its file, function and line, and no address."""
    name = plugin.path.rsplit("/", 1)[-1]
    for frame, marker in ((site["created_by"], "made:park"), (site["blocked_at"], "blocked:park")):
        check(at(frame, plugin.line(marker)), f"{marker} is {frame}")
        check_equal(frame["module"], name, "its module")
    check("0x" not in json.dumps(site["stack"]), f"addresses on the stack: {site['stack']}")


@cases_for(PLUGINS)
def plugins_are_named_from_their_own_files(t, plugins):
    target = plugins.start(t)
    target.ask("park 0 97")
    plugins.open(target, plugins.first)
    plugins.open(target, plugins.second)
    target.ask("park 1 41")
    target.ask("park 2 43")
    got = once(t, target)
    check_equal(got["goroutines"]["alive"], alive(target), "alive")
    check_equal(got["losses"]["unreadable"], 0, "goroutines or stacks that could not be read")
    report = {"targets": [got]}
    for plugin, n in ((plugins.first, 41), (plugins.second, 43)):
        found = sites(report, plugin.line("made:park"))
        check_equal([site["parked"] for site in found], [n], f"parked in {plugin.name}")
        check_place(found[0], plugin)
    check_equal(sites(report, plugins.host.line("made:park"))[0]["created_by"]["module"], None,
                "module of the program itself")


@cases_for(PLUGINS_LOCAL)
def plugins_are_named_alike_in_every_process(t, plugins):
    """Loaded in another order, at other addresses: the same sites."""
    ids = []
    for order in ((plugins.first, plugins.second), (plugins.second, plugins.first)):
        target = plugins.start(t)
        for number, plugin in enumerate(order, 1):
            plugins.open(target, plugin)
            target.ask(f"park {number} 11")
        ids.append({site["id"] for site in once(t, target)["sites"]})
    check_equal(ids[0], ids[1], "ids of sites")


@cases_for(PLUGINS)
def plugins_are_counted_to_the_last_goroutine(t, plugins):
    """Each plugin has its own copy of what creates and ends goroutines."""
    target = plugins.start(t)
    plugins.open(target, plugins.first)
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report("probes attached", lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 0 101")
    target.ask("run 1 211")
    target.ask("park 1 43")
    g.report("those of the first plugin", lambda r: total(sites(r, plugins.first.line("made:park")),
                                                          "created") == 43)
    # One that comes when the others are watched already: its probes come with the next census.
    plugins.open(target, plugins.second)
    seen = len(g.reports)
    g.report("two censuses more", lambda r: len(g.reports) >= seen + 2)
    target.ask("run 2 307")
    target.ask("park 2 47")
    g.report("those of the second plugin", lambda r: total(sites(r, plugins.second.line("made:park")),
                                                           "created") == 47)
    final = g.interrupt()["targets"][0]
    got = final["goroutines"]
    check_equal((final["mode"], got["created"], got["exited"], got["alive"]),
                ("full", 101 + 211 + 43 + 307 + 47, 101 + 211 + 307, alive(target)),
                "mode, created, exited, alive")
    check_equal({k: v for k, v in final["losses"].items() if v}, {}, "losses")


def watch_all_of(t, program, *args):
    """Every process of a program, as the service watches them."""
    return Gleakd(t, None, "--only", f"exe:{program.path}", "--config", "/dev/null", "--interval",
                  "300ms", "--min-process-age", "100ms", *args)


def of_pid(report, pid):
    """The report with that process alone; None when it is not in it."""
    found = [x for x in report["targets"] if x["pid"] == pid]
    return {"targets": found} if found else None


@cases_for(PLUGINS_LOCAL)
def plugins_are_remembered_over_a_restart(t, plugins):
    """By their place in each process: the other process, whose order is another, is gone then."""
    path = os.path.join(t.directory(), "state")
    here = plugins.start(t)
    for plugin in (plugins.first, plugins.second):
        plugins.open(here, plugin)
    g = watch_all_of(t, plugins.host, "--state", path, "--mode", "full")
    g.report("the first process", lambda r: of_pid(r, here.pid))
    there = plugins.start(t)
    for plugin in (plugins.second, plugins.first):
        plugins.open(there, plugin)
    made = {plugins.first: 29, plugins.second: 31}

    def counted(r, pid):
        return of_pid(r, pid) and all(
            total(sites(of_pid(r, pid), plugin.line("made:park")), "created") == n
            for plugin, n in made.items())

    g.report("both", lambda r: len(r["targets"]) == 2 and
             all(x["mode"] == "full" for x in r["targets"]))
    for target, order in ((here, (29, 31)), (there, (31, 29))):
        for number, n in enumerate(order, 1):
            target.ask(f"park {number} {n}")
    g.report("all of them", lambda r: counted(r, here.pid) and counted(r, there.pid))
    g.interrupt()
    here.end()
    again = watch_all_of(t, plugins.host, "--state", path, "--mode", "full")
    first = again.report("the one that is left", lambda r: of_pid(r, there.pid))
    check(counted(first, there.pid), "created in plugins by another name: " + digest(first))
