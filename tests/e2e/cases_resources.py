# SPDX-License-Identifier: Apache-2.0
"""What a process has opened and not closed: by kind and by holder, in all ways that it is shown."""

import json
import os
import re
import shutil

from harness import VERSIONS, case, cases_for, check, check_equal, until
from programs import start
from resource_looks import (OPENED, PROGRAM, SQL_CONNECTIONS, STRIPPED_PROGRAMS, VERSION_PROGRAMS, look,
                            of_version, outstanding)
from tracer import Gleakd, run

# Of which one is taken, and five wait for it.
NARROW = "1 open, 1 in use, at most 1, 5 wait for one, 5 had to wait so far"


def fill(t, program):
    """Opens everything, after as much of it was opened and closed again."""
    target = start(t, program)
    for kind, (_, n, _) in of_version(program, OPENED).items():
        target.ask(f"churn {kind} 3")
        target.ask(f"open {kind} {n}")
    target.ask(f"open sqlconn {SQL_CONNECTIONS}")
    return target


def expect_counts(program, counts, left_out=()):
    wanted = {}
    for kind, n, _ in of_version(program, OPENED).values():
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
    expect_counts(program, outstanding(found))
    for kind, n, holder in of_version(program, OPENED).values():
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
    expect_counts(program, outstanding(look(t, target.pid)),
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
    for kind in of_version(PROGRAM, OPENED):
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
def what_a_timer_alone_holds_says_so(t):
    target = start(t, PROGRAM)
    target.ask("open timed 7")
    found = [r for r in look(t, target.pid)["resources"]
             if any("/proc/self/limits" in e for e in r["examples"])]
    check(all(len(r["held_by"]) == 1 and "timers" in r["held_by"][0] and ".timer" in r["held_by"][0]
              for r in found), f"holders: {found}")
    check_equal(sum(r["outstanding"] for r in found), 7, "files")


def judge_lost_databases(t, program):
    """Its own goroutine has each that the program has lost, and keeps it for ever."""
    target = start(t, program)
    target.ask("lose db 3")
    lost = [r for r in look(t, target.pid)["resources"] if r["kind"] == "sql.DB"]
    check_equal([r["outstanding"] for r in lost], [3], "lost databases")
    check("database/sql.(*DB).connectionOpener" in lost[0]["held_by"][0], f"held by: {lost}")


@case
def databases_that_are_lost_are_held_by_their_goroutines(t):
    judge_lost_databases(t, PROGRAM)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def databases_that_are_lost_are_held_by_their_goroutines_in(t, program):
    judge_lost_databases(t, program)


def grows(report):
    return any(r["verdict"] == "growing" for r in report["targets"][0].get("resources", ()))


def is_known(report):
    """Who opens what grows, and how the two pools are used."""
    lines = report["targets"][0].get("resources", ())
    return (any(r["verdict"] == "growing" and r["opened_at"] for r in lines) and
            sum(r["kind"] == "sync.Pool" and r["verdict"] is not None for r in lines) >= 2)


@case(is_long=True, waits=True)
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


@case(waits=True)
def nothing_is_attached_to_a_watched_process_where_that_is_forbidden(t):
    target = start(t, PROGRAM)
    target.ask("leak lost 10")
    refusals = (("--probe-opens", "never"), ("--mode", "census"))
    # At the same time: looks are seconds apart.
    watches = [Gleakd(t, target.pid, "--interval", "1s", *refusal) for refusal in refusals]
    for refusal, gleakd in zip(refusals, watches):
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
