# SPDX-License-Identifier: Apache-2.0
"""What only ever comes, and who opens it: forgotten by programs, closed by them, or a client's."""

import os
import socket
import subprocess
import threading

from harness import VERSIONS, Skip, case, cases_for, check, check_equal, once, until
from programs import SOURCES, go_command, go_environment, go_version, start
from resource_looks import (OPENERS, PROGRAM, SECONDS, STRIPPED_PROGRAMS, VERSION_PROGRAMS, growing_kinds,
                            look, looks, of_version, openers)


@case(waits=True)
def what_only_ever_comes_grows_and_nothing_else(t):
    target = start(t, PROGRAM)
    for kind, n in (("rows", 5), ("conn", 11), ("ticker", 13)):
        target.ask(f"open {kind} {n}")
    for kind, ms in (("file", 150), ("context", 70), ("after", 230), ("brief", 170)):
        target.ask(f"leak {kind} {ms}")
    target.ask("turn rows 90")
    found = looks(t, target.pid, "--duration", f"{SECONDS}s")
    # A look may be the first to find contexts by the other of two ways, and tell half of them apart.
    growing = {(r["kind"], *r["held_by"][:1]): r for target in found[-3:]
               for r in target["resources"] if r["verdict"] == "growing"}
    check_equal({kind for kind, *_ in growing}, {"context", "file", "timer"}, "what grows")
    check(("file", "main.files[…].file") in growing, f"what grows: {growing}")
    for r in growing.values():
        check(r["opened"] >= 10 and r["closed"] * 10 <= r["opened"], f"evidence: {r}")
        check(r["opened_at"] and r["opened_at"]["function"] in
              ("main.openFile", "main.openContext", "main.openAfter"), f"opened at: {r}")
        check(r["growth_per_minute"] > 0 and "more at each of" in r["why"][0], f"evidence: {r}")
    # Some may be found by another way, and be few there.
    brief = [r for target in found[-3:] for r in target["resources"] if r["calls"] == "main.expireSoon"]
    check(all(r["verdict"] != "growing" for r in brief) and
          any("by itself" in why for r in brief for why in r["why"]),
          f"timers that go by themselves: {brief}")
    rows = [r for r in found[-1]["resources"] if r["kind"] == "sql.Rows"]
    rows = [r for r in rows if r["outstanding"]]
    # One is opened, then one closed: a look may come between them, miss the one that is new, or find it elsewhere.
    check(4 <= sum(r["outstanding"] for r in rows) <= 6, f"rows: {rows}")
    check(sum(r["opened"] for r in rows) > 10 and sum(r["closed"] for r in rows) > 10,
          f"rows come and go: {rows}")
    conns = [r for r in found[-1]["resources"] if r["kind"] == "net.Conn"]
    check_equal([(r["outstanding"], r["opened"], r["verdict"]) for r in conns],
                [(11, 0, "steady")], "connections")


def judge_openers(t, program):
    target = start(t, program)
    wanted = of_version(program, OPENERS)
    for kind, ms in zip(wanted, range(110, 500, 23)):
        target.ask(f"leak {kind} {ms}")
    found = look(t, target.pid, "--duration", "8s", "--probe-opens", "always",
                 "--max-overhead", "0")
    watched = found["resource_looks"]["openings"]
    check_equal((watched["missing"], watched["lost"], watched["windows"]), (None, 0, 1), "watch")
    counts = openers(found)
    for key in wanted.values():
        check(counts.get(key, 0) >= 3, f"{key} in {counts}")
    # Each is the program's line, wherever there is one on the stack.
    held = [r for r in found["resources"] if r["held_by"] == ["main.files[…].file"]]
    check_equal(len(held), 1, f"who holds files: {[(r['kind'], r['held_by']) for r in found['resources']]}")
    files = held[0]
    check_equal(files["opened_at"]["function"], "main.openFile", "the first opener")
    check(any(f["function"] == "main.(*kind).each" for f in files["stack"]), f"stack: {files}")
    check(len(files["openers"]) == 1 and files["openers"][0]["opened"] >= 10, f"opened: {files}")
    # Watched all the time, it has all of the growth, but for what came while probes were attached; and it goes on being
    # counted behind the last look, which a busy machine puts off.
    opener = files["openers"][0]
    seen = files["outstanding"] / (opener["opened"] - opener["closed"])
    check(0.6 < seen * opener["growth_per_minute"] / files["growth_per_minute"] < 1.4, f"growth: {files}")


@case
def the_line_that_opens_it_is_named(t):
    judge_openers(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def the_line_that_opens_it_is_named_in(t, program):
    judge_openers(t, program)


def judge_connections(t, program):
    """None is ever put back, so that each that DB.Conn gives is opened for it."""
    target = start(t, program)
    target.ask("leak sqlconn 90")
    found = look(t, target.pid, "--duration", "5s", "--probe-opens", "always", "--max-overhead", "0")
    counts = openers(found)
    check(counts.get(("sql.Conn", "main.openSQLConn"), 0) >= 10, f"openers: {counts}")


@case
def who_takes_new_connections_of_a_database_is_named(t):
    judge_connections(t, PROGRAM)


@cases_for({**VERSION_PROGRAMS, **{f"stripped-{v}": p for v, p in STRIPPED_PROGRAMS.items()}},
           tier=VERSIONS)
def who_takes_new_connections_of_a_database_is_named_in(t, program):
    judge_connections(t, program)


@cases_for(STRIPPED_PROGRAMS, tier=VERSIONS)
def the_line_that_opens_a_file_is_named_without_symbols(t, program):
    target = start(t, program)
    target.ask("leak file 90")
    found = look(t, target.pid, "--duration", "6s", "--probe-opens", "always")
    check(openers(found).get(("file", "main.openFile"), 0) >= 3, f"openers: {found}")


def judge_forgetting(t, program):
    """
    Programs that forget each kind, and one that closes the oldest for each that it opens. Requests of HTTP/2 that a
    process answers are its clients, and what comes goes with them: not where it has sent them to itself.
    """
    forgets, asks, asks_itself, answers, closes = (start(t, program) for _ in range(5))
    asks.ask("peer " + answers.ask("serve2").split()[-1])
    asks.ask("leak body2 150")
    asks_itself.ask("leak body2 150")
    kinds = of_version(program, OPENERS)
    for kind, ms in zip(kinds, range(150, 700, 17)):
        # Of the two that are files each is in a program of its own.
        (asks if kind == "root" else forgets).ask(f"leak {kind} {ms}")
        closes.ask(f"open {kind} 3")
        closes.ask(f"turn {kind} {ms}")
    wanted = {kind for kind, _ in kinds.values()}
    forgotten, asked, of_itself, answered, closed = growing_kinds(t, forgets, asks, asks_itself,
                                                                  answers, closes)
    check_equal(wanted - forgotten, set(), "forgotten, and not said to grow")
    check_equal({"http body", *(["file"] if "root" in kinds else [])} - asked, set(),
                "bodies of HTTP/2 and roots, not said to grow")
    check("http body" in of_itself, f"bodies of its own HTTP/2: {of_itself}")
    check_equal(answered, set(), "what goes with clients, and is said to grow")
    check_equal(closed, set(), "closed, and said to grow")


@case(is_long=True, seconds=560)
def each_kind_that_is_forgotten_grows_and_none_that_is_closed(t):
    judge_forgetting(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS, alone=True, seconds=560)
def each_kind_that_is_forgotten_grows_and_none_that_is_closed_in(t, program):
    judge_forgetting(t, program)


def judge_forgotten(t, program):
    """Children that have ended and that nobody has waited for, with and without an os.Process in the heap."""
    target = start(t, program)
    target.ask("open process 5")
    target.ask("open forgotten 11")

    def ended():
        found = [r for r in look(t, target.pid)["resources"] if r["kind"] == "process"]
        return found if all("has ended" in e for r in found for e in r["examples"]) and \
            sum(r["outstanding"] for r in found) == 16 else None

    found = until("children that have ended", ended, 30)
    check_equal(sorted((r["outstanding"], tuple(r["held_by"])) for r in found),
                [(5, ("main.children[…].Process",)), (11, ())], "children")
    lost = next(r for r in found if not r["held_by"])
    check("nobody can wait for them" in lost["why"][0], f"why: {lost}")
    target.ask("leak forgotten 110")
    target.ask("turn process 90")
    found = looks(t, target.pid, "--duration", f"{SECONDS}s", "--probe-opens", "always",
                  "--max-overhead", "0")
    growing = [r for report in found[-3:] for r in report["resources"] if r["verdict"] == "growing"]
    check_equal({(r["kind"], *r["held_by"]) for r in growing}, {("process",)}, f"grows: {growing}")
    if program.minor() >= 23:  # which tell the number of who is started
        check(openers(found[-1]).get(("process", "main.startAndForget"), 0) >= 10,
              f"openers: {growing}")


@case(waits=True)
def children_that_nobody_waits_for_are_told(t):
    judge_forgotten(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def children_that_nobody_waits_for_are_told_in(t, program):
    judge_forgotten(t, program)


# --- semaphores of golang.org/x/sync ----------------------------------------------------------------


def semaphores(version):
    """A program with the library itself, which comes through the module proxy."""
    path = os.path.join(os.path.dirname(PROGRAM.path), f"semaphores-go{version}")
    go_version(version)
    built = subprocess.run([go_command(), "build", "-buildvcs=false", "-o", path, "."],
                           cwd=os.path.join(SOURCES, "semaphores"), env=go_environment(version),
                           capture_output=True, text=True)
    if "dial tcp" in built.stderr or "no such host" in built.stderr:
        raise Skip("Go modules of others")
    check_equal(built.returncode, 0, built.stderr)
    return path


def judge_semaphores(t, version):
    """11 of which something is taken, 7 of which nothing is; 3 goroutines wait for the first."""
    path = once(f"building semaphores-go{version}", semaphores, version)
    target = start(t, None, path=path)
    for command in ("take 11", "free 7", "wait 3"):
        target.ask(command)
    found = [r for r in look(t, target.pid)["resources"] if r["kind"] == "semaphore"]
    check_equal([(r["outstanding"], r["held_by"]) for r in found], [(11, ["main.tenants[…]"])],
                "semaphores")
    check("3 of 5 taken, 3 wait" in found[0]["examples"][0] or
          all("3 of 5 taken" in example for example in found[0]["examples"]), f"examples: {found}")
    target.ask("turn 20")
    check_equal(growing_kinds(t, target), [set()], "given back")
    target.ask("leak 110")
    check_equal(growing_kinds(t, target), [{"semaphore"}], "taken and kept")


@case(tier=VERSIONS, seconds=300)
def semaphores_of_which_something_is_taken(t):
    judge_semaphores(t, "local")


@cases_for({f"go{v}": v for v in ("1.18.10", "1.22.12", "1.23.12", "1.27.1")}, tier=VERSIONS,
           seconds=300)
def semaphores_of_which_something_is_taken_in(t, version):
    judge_semaphores(t, version)


@case(waits=True)
def probes_are_attached_only_where_something_grows(t):
    """And never where that is forbidden."""
    target = start(t, PROGRAM)
    target.ask("open file 7")
    target.ask("turn file 40")
    found = look(t, target.pid, "--duration", "6s")
    check_equal(found["resource_looks"]["openings"]["windows"], 0, "nothing stays")
    target.ask("leak context 30")
    found = look(t, target.pid, "--duration", "8s")
    check(found["resource_looks"]["openings"]["windows"] >= 1, "something stays")
    check(openers(found).get(("context", "main.openContext"), 0) >= 3, f"openers: {found}")
    found = look(t, target.pid, "--duration", "3s", "--probe-opens", "never")
    check_equal(found["resource_looks"]["openings"], None, "nothing may be attached")
    check_equal(openers(found), {}, "nobody is seen to open anything")


class Clients:
    """One connects each `ms` milliseconds; all stay, or hang up at once."""

    def __init__(self, target, ms, stay):
        host, port = target.ask("serve").split()[-1].rsplit(":", 1)
        self.at, self.pause, self.stay = (host, int(port)), ms / 1000, stay
        self.kept, self.over = [], threading.Event()
        self.thread = threading.Thread(target=self.come, daemon=True)

    def come(self):
        while not self.over.wait(self.pause):
            client = socket.create_connection(self.at)
            if self.stay:
                self.kept.append(client)
            else:
                client.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        for client in self.kept:
            client.close()


def judge_clients(t, program):
    target = start(t, program)
    loops = {"main.deferInLoop"}
    for kind in ("defer", "deferred"):
        target.ask(f"leak {kind} 90")
    if program.go not in ("1.18.10", "1.22.12"):  # which have no loops over functions
        target.ask("leak ranged 80")
        loops.add("main.deferInRange")
    for kind in ("lost", "pooled"):
        target.ask(f"leak {kind} 10")
    with Clients(target, 70, stay=True):
        reports = looks(t, target.pid, "--duration", "14s", "--max-overhead", "0")
    found = reports[-1]
    growing = [r for report in reports[-4:] for r in report["resources"]
               if r["verdict"] == "growing"]
    check_equal({r["kind"] for r in growing}, {"defer"}, f"what grows: {growing}")
    check_equal({r["opened_at"]["function"] for r in growing}, loops, "where it is deferred")
    check(growing[0]["openers"][0]["growth_per_minute"] > 0, f"the line: {growing}")
    conns = [r for r in found["resources"] if r["kind"] == "net.Conn" and r["opened"] > 10]
    check_equal([(r["why"], r["held_by"]) for r in conns],
                [(["accepted, and their clients are connected"],
                  ["main.accepted[…].conn.conn.fd"])], "connections of clients")
    contexts = [r for r in found["resources"] if r["kind"] == "context" and r["opened"] > 10]
    check(any("clients that came" in why for report in reports for r in report["resources"]
              if r["kind"] == "context" for why in r["why"]), f"contexts of clients: {contexts}")
    pools = {r["held_by"][0]: r for r in found["resources"] if r["kind"] == "sync.Pool"}
    lost, kept = pools["main.lostBuffers"], pools["main.buffers"]
    check_equal((lost["verdict"], kept["verdict"]), ("reuse lost", "steady"), f"pools: {pools}")
    check_equal(lost["opened_at"]["function"], "main.takeAndKeep", "who takes and keeps")
    check(lost["opened"] > 2.5 * lost["closed"] and kept["opened"] < 1.2 * kept["closed"],
          f"taken and put back: {pools}")


@case
def clients_that_stay_are_no_leak_and_deferred_calls_of_a_loop_are(t):
    judge_clients(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def clients_that_stay_are_no_leak_and_deferred_calls_of_a_loop_are_in(t, program):
    judge_clients(t, program)


@case(waits=True)
def connections_whose_clients_have_gone_leak(t):
    target = start(t, PROGRAM)
    with Clients(target, 70, stay=False):
        found = looks(t, target.pid, "--duration", "14s")
    conns = [r for report in found[-4:] for r in report["resources"]
             if (r["kind"], r["verdict"]) == ("net.Conn", "growing")]
    seen = [(r["kind"], r["opened"], r["outstanding"], r["verdict"], r["why"], r["held_by"])
            for report in found for r in report["resources"]]
    check(conns, f"connections nobody is at: {seen}")
    check_equal((conns[-1]["held_by"], conns[-1]["opened_at"]["function"]),
                (["main.accepted[…].conn.conn.fd"], "main.acceptClients.func1"), "who has them")
