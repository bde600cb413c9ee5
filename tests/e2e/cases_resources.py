# SPDX-License-Identifier: Apache-2.0
"""What a process has opened and not closed: by kind, by holder, and what only ever grows."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading

from harness import VERSIONS, Skip, case, cases_for, check, check_equal, once, until
from programs import SOURCES, Program, go_command, go_environment, go_version, start
from tracer import Gleakd, check_schema, run

PROGRAM = Program("resources")
VERSION_PROGRAMS = {
    f"go{version}": Program("resources", version)
    for version in ("1.18.10", "1.22.12", "1.23.12", "1.26.11", "1.27.1")
}
STRIPPED_PROGRAMS = {
    f"go{version}": Program("resources", version, strip=True, pie=True)
    for version in ("1.18.10", "1.22.12", "1.27.1")
}
# By the names that the program and gleakd have for them; each opened as often as no other.
OPENED = {
    "file": ("file", 7, "main.files[…].file"),
    "conn": ("net.Conn", 11, "main.clients[…].conn.conn.fd"),
    "listener": ("listener", 5, "main.listeners[…].fd"),
    "process": ("process", 13, "main.children[…].Process"),
    "context": ("context", 17, None),
    "db": ("sql.DB", 3, "main.databases[…]"),
    "rows": ("sql.Rows", 19, "main.results[…]"),
    "stmt": ("sql.Stmt", 23, "main.statements[…]"),
    "tx": ("sql.Tx", 29, "main.pending[…]"),
    "body": ("http body", 31, "main.bodies[…].Body"),
    "body2": ("http body", 37, "main.bodies[…].Body"),
    "timer": ("timer", 41, None),
    "after": ("timer", 43, None),
    "ticker": ("ticker", 47, None),
}
# The line that opens each, by the program's functions.
OPENERS = {
    "file": ("file", "main.openFile"),
    "conn": ("net.Conn", "main.openConn"),
    "listener": ("listener", "main.openListener"),
    "process": ("process", "main.openProcess"),
    "context": ("context", "main.openContext"),
    "db": ("sql.DB", "main.open"),
    "rows": ("sql.Rows", "main.openRows"),
    "stmt": ("sql.Stmt", "main.openStmt"),
    "tx": ("sql.Tx", "main.openTx"),
    "sqlconn": ("sql.Conn", "main.openSQLConn"),
    "body": ("http body", "main.get"),
    "body2": ("http body", "main.get"),
    "timer": ("timer", "main.openTimer"),
    "after": ("timer", "main.openAfter"),
    "ticker": ("ticker", "main.openTicker"),
}
SQL_CONNECTIONS = 2
# Of which one is taken, and five wait for it.
NARROW = "1 open, 1 in use, at most 1, 5 wait for one, 5 had to wait so far"
SECONDS = 16


def looks(t, pid, *arguments):
    """What is open, by each report."""
    code, out, said = run(t, "resources", "--pid", str(pid), "--json", *arguments, seconds=60)
    check_equal(code, 0, f"exit code; {said}")
    reports = [json.loads(line) for line in out.splitlines()]
    check_schema(reports[-1])
    return [report["targets"][0] for report in reports]


def look(t, pid, *arguments):
    return looks(t, pid, *arguments)[-1]


def outstanding(target):
    """{kind: how many}"""
    counts = {}
    for r in target["resources"]:
        counts[r["kind"]] = counts.get(r["kind"], 0) + r["outstanding"]
    return counts


def fill(t, program):
    """Opens everything, after as much of it was opened and closed again."""
    target = start(t, program)
    for kind, (_, n, _) in OPENED.items():
        target.ask(f"churn {kind} 3")
        target.ask(f"open {kind} {n}")
    target.ask(f"open sqlconn {SQL_CONNECTIONS}")
    return target


def expect_counts(counts, left_out=()):
    wanted = {}
    for kind, n, _ in OPENED.values():
        wanted[kind] = wanted.get(kind, 0) + n
    # What its servers, its own listener and what belongs to these have open as well.
    wanted["listener"] += 3
    wanted["net.Conn"] += 2 * OPENED["body"][1] + 2
    wanted["sql.DB"] += 2
    wanted["sql.Conn"] = 1 + SQL_CONNECTIONS + OPENED["rows"][1] + OPENED["tx"][1]
    for kind, n in wanted.items():
        if kind not in ("context", *left_out):
            check_equal(counts.get(kind, 0), n, f"open {kind}: {counts}")


def judge(t, program):
    target = fill(t, program)
    target.ask("open waiting 6")
    found = look(t, target.pid)
    expect_counts(outstanding(found))
    for kind, n, holder in OPENED.values():
        check(not holder or any(r["kind"] == kind and r["outstanding"] == n and
                                r["held_by"] == [holder] for r in found["resources"]),
              f"{n} × {kind} held by {holder}: {found['resources']}")
    # What cancels the parent leads to its children as well.
    contexts = [r for r in found["resources"] if r["kind"] == "context" and
                any(h.startswith(("main.serviceContext", "main.stopService")) for h in r["held_by"])]
    n = OPENED["context"][1]
    check(sum(r["outstanding"] for r in contexts) in (n, n + 1),
          f"children, and their parent if it is found there: {contexts}")
    check(any(re.search(rf", depth [12], one of {n} that hang from context.cancelCtx 0x", example)
              for r in contexts for example in r["examples"]), f"their parent: {contexts}")
    calls = [r["outstanding"] for r in found["resources"] if r["calls"] == "main.expire"]
    check_equal(calls, [OPENED["after"][1]], "timers that call main.expire")
    files = [r for r in found["resources"] if r["held_by"] == ["main.files[…].file"]]
    check(all(e.endswith("/proc/self/maps") for e in files[0]["examples"]), f"examples: {files}")
    narrow = [r["examples"] for r in found["resources"] if r["held_by"] == ["main.narrow"]]
    check_equal(narrow, [[NARROW]], "a database with one connection")
    for r in found["resources"]:
        check_equal((r["opened"], r["closed"], r["growth_per_minute"], r["oldest_seconds"],
                     r["verdict"]), (0, 0, None, None, None), f"one look tells no change: {r}")


@case
def each_kind_is_counted_and_its_holder_named(t):
    judge(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def each_kind_is_counted_and_its_holder_named_in(t, program):
    judge(t, program)


@cases_for(STRIPPED_PROGRAMS, tier=VERSIONS)
def each_kind_is_counted_without_symbols(t, program):
    """But for rows of Go 1.18, to which nothing leads that tells a type."""
    target = fill(t, program)
    target.ask("open waiting 6")
    expect_counts(outstanding(look(t, target.pid)),
                  left_out=("sql.Rows",) if program.go == "1.18.10" else ())


@case
def a_difference_tells_where_more_is_open_or_less(t):
    """13 files more and 23 contexts gone, and nothing else."""
    target, folder = start(t, PROGRAM), t.directory()
    paths = [os.path.join(folder, name) for name in ("old.json", "new.json")]
    target.ask("open file 7")
    target.ask("open stmt 23")
    for path in paths:
        code, out, said = run(t, "resources", "--pid", str(target.pid), "--json", seconds=60)
        check_equal(code, 0, said)
        with open(path, "w", encoding="utf-8") as file:
            file.write(out.splitlines()[-1])
        target.ask("open file 13")
        target.ask("close stmt")
    code, out, said = run(t, "diff", *paths, "--json")
    check_equal(code, 0, said)
    report = json.loads(out)
    found = {(c["change"], c["kind"], c["held_by"], c["outstanding_before"], c["outstanding"])
             for c in report["changed_resources"]}
    for wanted in (("grew", "file", "main.files[…].file", 7, 20),
                   ("gone", "sql.Stmt", "main.statements[…]", 23, 0)):
        check(wanted in found, f"{wanted} is not among {found}")
    code, out, said = run(t, "diff", *paths)
    check_equal(code, 0, said)
    check("7 → 20" in out and "held by main.files[…].file" in out, out)
    code, out, said = run(t, "diff", paths[1], paths[1])
    check_equal((code, "Nothing has changed" in out), (0, True), out + said)


@case
def what_is_closed_is_not_open(t):
    target = fill(t, PROGRAM)
    for kind in OPENED:
        target.ask(f"close {kind}")
    target.ask("close sqlconn")
    counts = outstanding(look(t, target.pid))
    for kind in ("file", "process", "sql.Conn", "sql.Rows", "sql.Stmt", "sql.Tx", "http body",
                 "timer", "ticker"):
        check_equal(counts.get(kind, 0), 0, f"open {kind}: {counts}")
    check_equal(counts["sql.DB"], 1, "the one that stays")


@case
def files_that_nothing_leads_to_are_told(t):
    """While no collection has come by: a garbage collection would close them."""
    target = start(t, PROGRAM)
    target.ask("lose file 6")
    lost = [r for r in look(t, target.pid)["resources"] if r["kind"] == "file"]
    check_equal([(r["outstanding"], r["held_by"]) for r in lost], [(6, [])], "lost files")
    check("nothing was found to lead to them" in lost[0]["why"][0], f"why: {lost}")


@case
def what_only_ever_comes_grows_and_nothing_else(t):
    target = start(t, PROGRAM)
    for kind, n in (("rows", 5), ("conn", 11), ("ticker", 13)):
        target.ask(f"open {kind} {n}")
    for kind, ms in (("file", 150), ("context", 70), ("after", 230)):
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
    rows = [r for r in found[-1]["resources"] if r["kind"] == "sql.Rows"]
    rows = [r for r in rows if r["outstanding"]]
    # One is opened, then one closed: a look may come between them, miss the one that is new, or find it elsewhere.
    check(4 <= sum(r["outstanding"] for r in rows) <= 6, f"rows: {rows}")
    check(sum(r["opened"] for r in rows) > 10 and sum(r["closed"] for r in rows) > 10,
          f"rows come and go: {rows}")
    conns = [r for r in found[-1]["resources"] if r["kind"] == "net.Conn"]
    check_equal([(r["outstanding"], r["opened"], r["verdict"]) for r in conns],
                [(11, 0, "steady")], "connections")


def openers(found):
    """{(kind, function): how many are open}"""
    counts = {}
    for r in found["resources"]:
        for o in r["openers"]:
            if o["opened_at"]:
                key = r["kind"], o["opened_at"]["function"]
                counts[key] = counts.get(key, 0) + o["outstanding"]
    return counts


def judge_openers(t, program):
    target = start(t, program)
    for kind, ms in zip(OPENERS, range(110, 500, 23)):
        target.ask(f"leak {kind} {ms}")
    found = look(t, target.pid, "--duration", "8s", "--probe-opens", "always",
                 "--max-overhead", "0")
    watched = found["resource_looks"]["openings"]
    check_equal((watched["missing"], watched["lost"], watched["windows"]), (None, 0, 1), "watch")
    counts = openers(found)
    for key in OPENERS.values():
        check(counts.get(key, 0) >= 3, f"{key} in {counts}")
    # Each is the program's line, wherever there is one on the stack.
    files = [r for r in found["resources"] if r["held_by"] == ["main.files[…].file"]][0]
    check_equal(files["opened_at"]["function"], "main.openFile", "the first opener")
    check(any(f["function"] == "main.(*kind).each" for f in files["stack"]), f"stack: {files}")
    check(len(files["openers"]) == 1 and files["openers"][0]["opened"] >= 10, f"opened: {files}")
    # Watched all the time, it has all of the growth, but for what came while probes were attached.
    check(0.6 < files["openers"][0]["growth_per_minute"] / files["growth_per_minute"] < 1.4,
          f"growth: {files}")


@case
def the_line_that_opens_it_is_named(t):
    judge_openers(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def the_line_that_opens_it_is_named_in(t, program):
    judge_openers(t, program)


@cases_for(STRIPPED_PROGRAMS, tier=VERSIONS)
def the_line_that_opens_a_file_is_named_without_symbols(t, program):
    target = start(t, program)
    target.ask("leak file 90")
    found = look(t, target.pid, "--duration", "6s", "--probe-opens", "always")
    check(openers(found).get(("file", "main.openFile"), 0) >= 3, f"openers: {found}")


def growing_kinds(t, *targets):
    """Of each of them {kind} of what is said to grow in one of the last reports."""
    for seconds in (SECONDS * 3 // 2, SECONDS * 4):
        code, out, said = run(t, "resources", *(str(target.pid) for target in targets), "--json",
                              "--duration", f"{seconds}s", "--probe-opens", "never",
                              seconds=seconds + 60)
        check_equal(code, 0, f"exit code; {said}")
        reports = [json.loads(line) for line in out.splitlines()]
        counts = [found["resource_looks"]["looks"] for found in reports[-1]["targets"]]
        # On a busy machine a look takes longer than there is from one to the next.
        if min(counts) >= 6:
            break
    check(min(counts) >= 5, f"too few looks for a verdict: {counts}")
    return [{r["kind"] for report in reports[-3:] for found in report["targets"]
             if found["pid"] == target.pid for r in found["resources"]
             if r["verdict"] == "growing"} for target in targets]


def judge_forgetting(t, program):
    """
    Programs that forget each kind, and one that closes the oldest for each that it opens. Requests of HTTP/2 that a
    process answers are its clients, and what comes goes with them: so another one answers.
    """
    forgets, asks, answers, closes = (start(t, program) for _ in range(4))
    asks.ask("peer " + answers.ask("serve2").split()[-1])
    for kind, ms in zip(OPENERS, range(150, 700, 17)):
        (asks if kind == "body2" else forgets).ask(f"leak {kind} {ms}")
        closes.ask(f"open {kind} 3")
        closes.ask(f"turn {kind} {ms}")
    wanted = {kind for kind, _ in OPENERS.values()}
    forgotten, asked, closed = growing_kinds(t, forgets, asks, closes)
    check_equal(wanted - forgotten, set(), "forgotten, and not said to grow")
    check("http body" in asked, f"bodies of HTTP/2: {asked}")
    check_equal(closed, set(), "closed, and said to grow")


@case(is_long=True, seconds=300)
def each_kind_that_is_forgotten_grows_and_none_that_is_closed(t):
    judge_forgetting(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS, alone=True, seconds=300)
def each_kind_that_is_forgotten_grows_and_none_that_is_closed_in(t, program):
    judge_forgetting(t, program)


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


# --- who opens them, once more -----------------------------------------------------------------------


@case
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


@case
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


def grows(report):
    return any(r["verdict"] == "growing" for r in report["targets"][0].get("resources", ()))


def is_known(report):
    """Who opens what grows, and how the two pools are used."""
    lines = report["targets"][0].get("resources", ())
    return (any(r["verdict"] == "growing" and r["opened_at"] for r in lines) and
            sum(r["kind"] == "sync.Pool" and r["verdict"] is not None for r in lines) >= 2)


@case(is_long=True)
def a_watch_tells_what_grows(t):
    target = start(t, PROGRAM)
    target.ask("leak file 40")
    target.ask("open conn 11")
    for kind in ("lost", "pooled"):
        target.ask(f"leak {kind} 10")
    metrics = os.path.join(t.directory(), "open.prom")
    gleakd = Gleakd(t, target.pid, "--interval", "1s", "--textfile", metrics)
    found = gleakd.report("one in which files grow, and pools are judged",
                          lambda report: grows(report) and is_known(report),
                          seconds=120)["targets"][0]
    pools = {r["held_by"][0]: r for r in found["resources"] if r["kind"] == "sync.Pool"}
    check_equal([pools[name]["verdict"] for name in ("main.lostBuffers", "main.buffers")],
                ["reuse lost", "steady"], f"pools: {pools}")
    growing = [r for r in found["resources"] if r["verdict"] == "growing"]
    check_equal({r["opened_at"]["function"] for r in growing if r["opened_at"]}, {"main.openFile"},
                f"opened at: {growing}")
    # What closes them leads to them as well, and a look may find some by that way.
    check_equal({r["kind"] for r in growing}, {"file"}, f"what grows: {growing}")
    check({h for r in growing for h in r["held_by"]} <=
          {"main.files[…].file", "main.kinds[…].kept[…].f.file"}, f"held by: {growing}")
    with open(metrics, encoding="utf-8") as file:
        lines = [line for line in file if line.startswith("gleakd_open_resources{")]
    check(any('kind="net.Conn"} 11' in line for line in lines), f"metrics: {lines}")
    gleakd.end()


@case
def it_is_shown_for_people(t):
    target = start(t, PROGRAM)
    target.ask("open file 7")
    target.ask("open conn 11")
    code, out, said = run(t, "resources", str(target.pid))
    check_equal(code, 0, f"exit code; {said}")
    for line in ("file", "main.files[…].file", "net.Conn", "main.clients[…].conn.conn.fd",
                 "/proc/self/maps", "tcp 127.0.0.1:"):
        check(line in out, f"{line} in {out}")


@case
def nothing_is_attached_to_a_watched_process_where_that_is_forbidden(t):
    target = start(t, PROGRAM)
    target.ask("leak lost 10")
    for refusal in (("--probe-opens", "never"), ("--mode", "census")):
        gleakd = Gleakd(t, target.pid, "--interval", "1s", *refusal)
        found = gleakd.report("one after three looks", lambda report:
                              report["targets"][0].get("resource_looks", {}).get("looks", 0) >= 3,
                              seconds=60)["targets"][0]
        check_equal(found["resource_looks"]["openings"], None, " ".join(refusal))
        gleakd.end()


@case(is_long=True)
def of_a_host_it_is_looked_at_when_that_is_asked_for(t):
    """Of a program at a path of its own, which no other case runs."""
    folder = t.directory()
    path, metrics = (os.path.join(folder, name) for name in ("shop", "open.prom"))
    shutil.copy2(PROGRAM.build(), path)
    target = start(t, PROGRAM, path=path)
    target.ask("open file 7")
    gleakd = Gleakd(t, None, "--config", "/dev/null", "--only", "exe:" + path, "--interval", "1s",
                    "--max-self-cpu", "0", "--textfile", metrics, "--resources")
    found = gleakd.report("one with what is open", lambda report: any(
        "resources" in found for found in report["targets"]), seconds=90)["targets"][0]
    check_equal([(r["outstanding"], r["held_by"]) for r in found["resources"]
                 if r["kind"] == "file"], [(7, ["main.files[…].file"])], "files")
    check_equal(found["resource_looks"]["openings"], None, "probes of a host")
    until("the metrics", lambda: 'kind="file"} 7' in open_metrics(metrics), 20)
    gleakd.end()


def open_metrics(path):
    with open(path, encoding="utf-8") as file:
        return "".join(line for line in file if line.startswith("gleakd_open_resources{"))
