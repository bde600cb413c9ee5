# SPDX-License-Identifier: Apache-2.0
"""Runtimes that are not those of a plain program: whose main has ended, of any version, with plugins."""

import json
import os

from harness import case, cases_for, check, check_equal
from programs import RUNTIME_VERSIONS, Program, start
from tracer import Gleakd, at, check_schema, digest, needs_tracing, run, sites, total

GOEXITS = {go: Program("goexit", go=go) for go in RUNTIME_VERSIONS}
GOEXIT = GOEXITS["local"]
STRIPPED = Program("goexit", strip=True)
SAYING = {text: Program("goexit", says=text) for text in ("1.26.8", "go2.0", "weird")}
SAYING.update({f"weird-{go}": Program("goexit", go=go, says="weird") for go in RUNTIME_VERSIONS[1:]})
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


@cases_for(GOEXITS)
def main_has_ended_before(t, program):
    main_has_ended(t, program)


@case
def main_has_ended_before_in_a_stripped_program(t):
    main_has_ended(t, STRIPPED)


@cases_for(GOEXITS)
def main_ends_while_watched(t, program):
    target = start(t, program)
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report()
    target.ask("goexit")
    target.ask("run 1009")
    target.ask("park 43")
    g.report("all of them after main", lambda r: total(sites(r, program.line("made:park")), "parked") == 43)
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


PLUGINS = {go: Plugins(go) for go in RUNTIME_VERSIONS}
PLUGINS_LOCAL = {"local": PLUGINS["local"]}


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
        # Whether the main goroutine reads its next line already is another matter.
        ids.append({site["id"] for site in once(t, target)["sites"] if site["goroutines"] == 11})
        check_equal(len(ids[-1]), 2, "sites")
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
