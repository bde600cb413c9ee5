# SPDX-License-Identifier: Apache-2.0
"""Recordings: what is in them, whoever ends them and however, and what is made of them elsewhere."""

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import threading

from harness import Failed, Skip, case, check, check_equal, until
from programs import Program, Target, go_command, start
from tracer import at, binary, check_schema, needs_tracing, run, sites, total

COUNTS = Program("counts")
CALLS = Program("calls")
RESOURCES = Program("resources")
SCHEDULING = Program("scheduling", cgo=True)
MADE, SPAWNED = "made:run", "made:spawn"
STAY, ALL, BRIEF = 53, 1009, 499


class Recording:
    """A running `gleakd record`."""

    def __init__(self, t, target, *args):
        needs_tracing()
        self.path = os.path.join(t.directory(), "recording.db")
        self.argv = [binary(t), "record", "--pid", str(target.pid), "-o", self.path,
                     "--max-overhead", "0", "--interval", "300ms", *args]
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        t.defer(self.end)
        self.case = t

    def ask(self, sql):
        """Rows, while it is written and after it."""
        uri = f"file:{self.path}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=20)) as database:
            return database.execute(sql).fetchall()

    def has(self, sql):
        """The one value that it asks for, None as long as there is nothing to be asked."""
        try:
            rows = self.ask(sql)
        except sqlite3.OperationalError:
            return None
        return rows[0][0] if rows else None

    def until(self, what, sql, seconds=40):
        def come():
            if self.process.poll() is not None:
                raise Failed(f"it ended before {what}: {self.said()}")
            return self.has(sql)

        return until(what, come, seconds)

    def said(self):
        return self.process.communicate(timeout=20)[1]

    def finish(self, how=signal.SIGINT):
        if how:
            self.process.send_signal(how)
        said = self.said()
        self.case.note(said)
        return self.process.returncode, said

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def recorded(t, *args):
    """A recording under way of a target whose goroutines are in it, and the target."""
    target = start(t, COUNTS)
    recording = Recording(t, target, *args)
    recording.until("the first report", "SELECT count(*) FROM report")
    target.ask(f"run {ALL} {STAY}")
    target.ask(f"spawn {BRIEF}")
    return recording, target


def made_at(line):
    return (f"FROM goroutines g JOIN places p ON p.id = g.place JOIN sites s ON s.id = p.site "
            f"JOIN frames f ON f.id = s.created_by WHERE f.line = {line}")


@case
def every_goroutine_is_in_it(t):
    recording, target = recorded(t)
    line, spawned = COUNTS.line(MADE)[1], COUNTS.line(SPAWNED)[1]
    recording.until("all of them, while it is written",
                    f"SELECT count(*) = {ALL} {made_at(line)}")
    code, said = recording.finish()
    check_equal(code, 0, said)
    check("goroutines" in said and recording.path in said, said)
    check_equal(os.listdir(os.path.dirname(recording.path)), ["recording.db"], "files")
    check_equal(os.stat(recording.path).st_mode & 0o777, 0o600, "mode")
    for where, ended, alive in ((line, ALL - STAY, STAY), (spawned, BRIEF, 0)):
        got = recording.ask(f"SELECT count(lived_ns), count(*) - count(lived_ns) {made_at(where)}")
        check_equal(got, [(ended, alive)], f"ended and alive of line {where}")
    attached, = recording.ask("SELECT attached_ns FROM targets")
    early = recording.has(f"SELECT count(*) {made_at(line)} AND (begin_ns < {attached[0]} "
                          "OR lived_ns < 0 OR NOT created)")
    check_equal(early, 0, "created before they could be")
    # All of those that stay are parked at the same line until the end.
    blocked = recording.ask(f"SELECT DISTINCT (SELECT line FROM frames WHERE id = s.blocked_at), "
                            f"s.wait_reason {made_at(line)} AND lived_ns IS NULL")
    check_equal(blocked, [(COUNTS.line("blocked:run")[1], "chan receive")], "where they stand")
    check_equal(recording.ask("SELECT sum(count) FROM losses WHERE kind = 'events'"), [(0,)], "lost")
    last = f"(SELECT max(time_ns) FROM populations WHERE site = o.site)"
    population = recording.ask(
        f"SELECT sum(o.goroutines) FROM populations o JOIN sites s ON s.id = o.site JOIN frames f "
        f"ON f.id = s.created_by WHERE f.line = {line} AND o.time_ns = {last}")
    check_equal(population, [(STAY,)], "population")
    check(recording.has("SELECT count(*) > 0 FROM memory WHERE rss_bytes > 0 AND gc_cycles >= 0"),
          "memory")
    check(target.alive(), "the target is gone")


@case
def it_is_read_wherever_it_is(t):
    """While it is written, in a folder that is another user's, by a link to it; nothing is made beside it."""
    recording, _ = recorded(t)
    home, links = os.path.dirname(recording.path), t.directory()
    recording.until("all of them", f"SELECT count(*) = {ALL} {made_at(COUNTS.line(MADE)[1])}")
    os.chown(home, 65534, 65534)
    os.chmod(home, 0o700)
    link = os.path.join(links, "link")
    os.symlink(recording.path, link)
    before = sorted(os.listdir(home))
    code, out, err = run(t, "report", link, "--format", "folded")
    check_equal((code, err), (0, ""), "report by a link")
    # Those that a report has just seen come are not at their places yet.
    check("main.worker" in out or "main.run" in out, f"what is in its journal is not told: {out}")
    check_equal(sorted(os.listdir(home)), before, "files")
    check_equal(os.listdir(links), ["link"], "files beside the link")
    recording.finish()
    report = json.dumps(json_of(t, link))
    # What comes by a pipe comes when it does.
    piped = 'gleakd=$1; shift; { sleep 0.5; cat; } | "$gleakd" "$@"'
    for words in (("report", "-"), ("diff", "-", recording.path)):
        done = subprocess.run(["sh", "-c", piped, "sh", binary(t), *words], input=report, capture_output=True,
                              text=True, timeout=60)
        check_equal((done.returncode, done.stderr), (0, ""), f"{words[0]} of a pipe")
    reader, writer = os.pipe()
    with open(writer, "w", encoding="utf-8") as file:
        threading.Thread(target=lambda: (file.write(report), file.close())).start()
        done = subprocess.run([binary(t), "report", f"/dev/fd/{reader}", "--format", "folded"], pass_fds=[reader],
                              capture_output=True, text=True, timeout=60)
    os.close(reader)
    check("main.worker" in done.stdout, f"report of a pipe by its name: {done.stdout}{done.stderr}")


def json_of(t, path, **options):
    code, out, err = run(t, "report", path, "--format", "json", **options)
    check_equal(code, 0, err)
    report = json.loads(out)
    check_schema(report)
    return report


def differences(got, wanted, where=""):
    """Where two JSON values differ."""
    if type(got) is not type(wanted):
        return [f"{where}: {got!r} for {wanted!r}"]
    if isinstance(got, dict):
        keys = sorted(set(got) | set(wanted))
        return [d for k in keys for d in differences(got.get(k), wanted.get(k), f"{where}.{k}")]
    if isinstance(got, list) and len(got) == len(wanted):
        return [d for i, (a, b) in enumerate(zip(got, wanted)) for d in differences(a, b, f"{where}[{i}]")]
    return [] if got == wanted else [f"{where}: {got!r} for {wanted!r}"]


@case
def reports_of_it_are_those_of_the_watch(t):
    """Made by somebody without privileges, to whom the process is nothing."""
    recording, target = recorded(t)
    line = COUNTS.line(MADE)
    recording.until("a report with all", f"SELECT count(*) = {STAY} {made_at(line[1])} "
                                         "AND lived_ns IS NULL")
    code, said = recording.finish()
    check_equal(code, 0, said)
    target.end()
    os.chmod(recording.path, 0o644)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    report = json_of(t, recording.path, prefix=nobody)
    stored = json.loads(recording.has("SELECT json FROM report"))
    for name in ("scheduling_series", "stuck_calls"):
        report["targets"][0].pop(name)
    series = report["targets"][0].pop("memory_series")
    check_equal(len(series), int(recording.has("SELECT count(*) FROM memory")), "moments of memory")
    check(all(m["heap_in_use_bytes"] for m in series), f"memory: {series[:3]}")
    check_equal(differences(report, stored), [], "the report")
    check_equal(total(sites(report, line), "goroutines"), STAY, "goroutines")
    # A report in JSON is shown likewise, and is the same.
    kept = os.path.join(os.path.dirname(recording.path), "report.json")
    with open(kept, "w", encoding="utf-8") as file:
        json.dump(report, file)
    check_equal(differences(json_of(t, kept), stored), [], "the report in JSON")
    for pair in ((recording.path, kept), (kept, recording.path)):
        code, out, err = run(t, "diff", *pair, "--error-exitcode", "10", prefix=nobody)
        check_equal(code, 0, err)
        check("Nothing has changed" in out, out)
    for path in (recording.path, kept):
        code, text, err = run(t, "report", path, "--all", prefix=nobody)
        check_equal(code, 0, err)
        check("main.worker" in text and f"pid {target.pid}" in text, text)
        code, folded, err = run(t, "report", path, "--format", "folded")
        check_equal(code, 0, err)
        ours = [l for l in folded.splitlines() if "main.worker" in l]
        check_equal(sum(int(l.rsplit(" ", 1)[1]) for l in ours), STAY, "folded")
        code, page, err = run(t, "report", path, "--format", "html")
        check_equal(code, 0, err)
        check(page.startswith("<!doctype html>") and "main.worker" in page, page[:200])
        profile = path + ".pb.gz"
        code, _, err = run(t, "report", path, "--format", "pprof", "-o", profile)
        check_equal(code, 0, err)
        top = subprocess.run([go_command(), "tool", "pprof", "-traces", profile],
                             capture_output=True, text=True, env=dict(os.environ, HOME="/root"))
        check(f"{STAY}" in top.stdout and "main.worker" in top.stdout, top.stdout + top.stderr)


def packets(trace):
    """The packets of a Perfetto trace: field 1, each with its length."""
    at = 0
    while at < len(trace):
        check_equal(trace[at], 0x0A, "tag of a packet")
        at, length, shift = at + 1, 0, 0
        while True:
            byte = trace[at]
            length |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        yield trace[at:at + length]
        at += length
    check_equal(at, len(trace), "end of the trace")


@case
def a_trace_for_perfetto(t):
    recording, _ = recorded(t)
    line = COUNTS.line(MADE)[1]
    recording.until("all of them", f"SELECT count(*) = {STAY} {made_at(line)} AND lived_ns IS NULL")
    code, said = recording.finish()
    check_equal(code, 0, said)
    path = recording.path + ".pftrace"
    code, _, err = run(t, "report", recording.path, "--format", "perfetto", "-o", path)
    check_equal(code, 0, err)
    with open(path, "rb") as file:
        all_packets = list(packets(file.read()))
    goids = [g for g, in recording.ask(f"SELECT goid {made_at(line)} AND lived_ns IS NULL")]
    for goid in goids:
        name = f"goroutine {goid} ".encode()
        check_equal(sum(name in p for p in all_packets), 1, f"tracks of goroutine {goid}")
    for name in (b"RSS", b"heap in use", b"[chan receive]"):
        check(any(name in p for p in all_packets), f"{name} is not there")
    kept = os.path.join(os.path.dirname(recording.path), "report.json")
    with open(kept, "w", encoding="utf-8") as file:
        file.write(recording.has("SELECT json FROM report"))
    # Of a report there is what was at that moment: no lives, but where they stand.
    code, _, err = run(t, "report", kept, "--format", "perfetto", "-o", path)
    check_equal(code, 0, err)
    with open(path, "rb") as file:
        of_report = list(packets(file.read()))
    check(any(b"main.worker" in p for p in of_report), "no stacks of the report")
    check(not any(f"goroutine {goids[0]} ".encode() in p for p in of_report), "lives of a report")


HEAP_GRAPH = b"\xc2\x03"  # tag of TracePacket.heap_graph: field 56, with a length


@case
def who_holds_the_heap_and_what_is_open(t):
    target = start(t, RESOURCES)
    target.ask("open file 7")
    recording = Recording(t, target)
    recording.until("that seven files are open",
                    "SELECT count(*) FROM resource_points p JOIN resources r ON r.id = p.resource WHERE "
                    "r.kind = 'file' AND r.held_by = 'main.files[…].file' AND p.outstanding = 7")
    check(recording.has("SELECT count(*) FROM memory WHERE gc_pause_ns IS NOT NULL"), "pauses")
    code, said = recording.finish()
    check_equal(code, 0, said)
    report, = json_of(t, recording.path)["targets"]
    check(any(holder["path"] == "main.files" for holder in report["holders"]), f"{report['holders']}")
    check_equal([r["outstanding"] for r in report["resources"] if r["kind"] == "file"], [7], "files")
    path = recording.path + ".pftrace"
    code, _, err = run(t, "report", recording.path, "--format", "perfetto", "-o", path)
    check_equal(code, 0, err)
    with open(path, "rb") as file:
        graphs = [p for p in packets(file.read()) if HEAP_GRAPH in p and b"main.files" in p]
    check_equal(len(graphs), 1, "graphs of the heap")


@case
def the_heap_is_not_read_when_it_is_not_wanted(t):
    target = start(t, RESOURCES)
    target.ask("open file 7")
    recording = Recording(t, target, "--no-heap")
    recording.until("the first report", "SELECT count(*) FROM report")
    code, said = recording.finish()
    check_equal(code, 0, said)
    check_equal(recording.ask("SELECT count(*) FROM resource_points"), [(0,)], "what is open")
    report, = json_of(t, recording.path)["targets"]
    check("holders" not in report and "resources" not in report, f"{list(report)}")


@case
def it_is_whole_after_kill_9(t):
    recording, target = recorded(t)
    line = COUNTS.line(MADE)[1]
    recording.until("all of them", f"SELECT count(*) = {ALL} {made_at(line)}")
    recording.process.kill()
    recording.process.communicate()
    check_equal(recording.ask("PRAGMA integrity_check"), [("ok",)], "the file")
    check_equal(recording.ask("SELECT value FROM meta WHERE key = 'complete'"), [(0,)], "complete")
    check_equal(total(sites(json_of(t, recording.path), COUNTS.line(MADE)), "goroutines") in
                (0, STAY), True, "goroutines")
    code, text, err = run(t, "report", recording.path)
    check_equal(code, 0, err)
    check(f"pid {target.pid}" in text, text)
    check(target.alive(), "the target is gone")


@case(is_long=True)
def the_file_has_a_limit(t):
    target = start(t, COUNTS)
    recording = Recording(t, target, "--max-size", "1M")
    recording.until("the first report", "SELECT count(*) FROM report")
    left_out = "SELECT count FROM losses WHERE kind = 'lives left out' AND count"
    spawned = 0
    # Where gleakd has to wait for a processor, some of the events are lost.
    while spawned < 8 * 20011 or (spawned < 80 * 20011 and not recording.has(left_out)):
        target.ask("spawn 20011", 60)
        spawned += 20011
    recording.until("that something was left out", left_out)
    target.ask(f"run {ALL} {STAY}")
    code, said = recording.finish()
    check_equal(code, 0, said)
    check("left out" in said, said)
    # Commits come once a second: what came since the last one may be beyond it.
    check(os.path.getsize(recording.path) < 12 << 20, f"{os.path.getsize(recording.path)} bytes")
    report = json_of(t, recording.path)
    check_equal(total(sites(report, COUNTS.line(MADE)), "goroutines"), STAY, "goroutines")
    out = recording.has("SELECT count FROM losses WHERE kind = 'lives left out'")
    kept = recording.has("SELECT count(*) FROM goroutines")
    lost = recording.has("SELECT sum(count) FROM losses WHERE kind = 'events'") or 0
    check(out + kept + lost >= spawned, f"{out} left out, {kept} kept, {lost} events lost of {spawned}")


@case
def what_is_there_is_not_written_over(t):
    target = start(t, COUNTS)
    path = os.path.join(t.directory(), "mine")
    with open(path, "w", encoding="utf-8") as file:
        file.write("what I wrote")
    code, _, err = run(t, "record", "--pid", str(target.pid), "-o", path)
    check_equal(code, 1, err)
    check("exists" in err, err)
    with open(path, encoding="utf-8") as file:
        check_equal(file.read(), "what I wrote", "the file")
    code, _, err = run(t, "record", "--pid", str(target.pid))
    check_equal(code, 2, err)
    code, _, err = run(t, "record", "--pid", str(os.getpid()), "-o", path + ".db")
    check_equal(code, 3, err)
    check_equal(os.listdir(os.path.dirname(path)), ["mine"], "what is left of a recording of nothing")
    link = os.path.join(t.directory(), "link")
    os.symlink(path + ".new", link)
    code, _, err = run(t, "record", "--pid", str(target.pid), "-o", link)
    check_equal(code, 1, err)
    check(not os.path.exists(path + ".new"), "the link was followed")


@case
def what_is_no_recording_is_refused_in_words(t):
    path = os.path.join(t.directory(), "other.db")
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE report (json)")
    database.close()
    for name, says in ((path, "no recording"), ("/dev/null", "no JSON"),
                       ("/nonexistent", "No such file"), ("/etc/passwd", "no JSON")):
        code, out, err = run(t, "report", name)
        check_equal((code, out), (1, ""), err)
        check(says in err and name in err, err)
    code, _, err = run(t, "report")
    check_equal(code, 2, err)


@case
def who_called_a_library_is_in_it(t):
    """Nothing of a site tells when it is seen first: it is added when some have come."""
    target = start(t, CALLS)
    recording = Recording(t, target)
    recording.until("it is attached", "SELECT count(*) FROM sites")
    target.ask("forget 29")
    _, line = CALLS.line("call: forget")
    recording.until("the line", "SELECT count(*) FROM sites s JOIN frames f ON f.id = s.called_from "
                                f"WHERE f.function = 'main.forget' AND f.line = {line}")
    code, said = recording.finish()
    check_equal(code, 0, said)
    check_equal(recording.has("SELECT count(*) FROM sites s JOIN frames f ON f.id = s.created_by "
                              "WHERE f.function LIKE 'main.%' AND s.called_from IS NOT NULL"), 0,
                "sites that the program created itself")


@case
def a_difference_is_found_and_fails_a_build(t):
    target = start(t, COUNTS)
    target.ask(f"run {ALL} 7")
    folder = t.directory()
    paths = [os.path.join(folder, name) for name in ("old.json", "new.json")]
    for path, more in zip(paths, (0, STAY)):
        if more:
            target.ask(f"run {more} {more}")
        code, out, err = run(t, "--pid", str(target.pid), "--once", "--json")
        check_equal(code, 0, err)
        with open(path, "w", encoding="utf-8") as file:
            file.write(out)
    code, out, err = run(t, "diff", *paths, "--json")
    check_equal(code, 0, err)
    changed = json.loads(out)["changed_sites"]
    grown = [c for c in changed if at(c["created_by"], COUNTS.line(MADE))]
    check_equal([(c["change"], c["goroutines_before"], c["goroutines"]) for c in grown],
                [("grew", 7, 7 + STAY)], "the site")
    code, out, err = run(t, "diff", *paths)
    check_equal(code, 0, err)
    check("grew" in out and "main.run" in out, out)
    # The same, leaking in the new one.
    with open(paths[1], encoding="utf-8") as file:
        report = json.load(file)
    for site in sites(report, COUNTS.line(MADE)):
        site["verdict"], site["confidence"], site["why"] = "leaking", 0.9, ["it does"]
    with open(paths[1], "w", encoding="utf-8") as file:
        json.dump(report, file)
    code, out, err = run(t, "diff", *paths, "--error-exitcode", "10")
    check_equal(code, 10, err)
    check("leaking" in out and "Worse: 1" in out, out)
    code, out, err = run(t, "diff", paths[1], paths[1], "--error-exitcode", "10")
    check_equal(code, 0, err)
    check("Nothing has changed" in out, out)
    code, out, err = run(t, "diff", paths[1])
    check_equal(code, 2, err)


@case
def what_did_not_get_on(t):
    """A call that a thread stays in is one row, however many censuses see it; so are waits, by census."""
    fifo = os.path.join(t.directory(), "fifo")
    os.mkfifo(fifo)
    t.defer(os.close, os.open(fifo, os.O_RDWR))
    target = Target(t, [SCHEDULING.build()], env=dict(os.environ, GOMAXPROCS="1"))
    target.answer("ready")
    for command in (f"read {fifo}", "busy 2", "tick 7"):
        target.ask(command)
    recording = Recording(t, target)
    stuck = f"FROM stuck_calls WHERE call LIKE 'read(%{fifo})'"
    recording.until("the call, seen for seven seconds", f"SELECT count(*) {stuck} AND lasted_ns > 7e9")
    recording.until("waits", "SELECT max(over_10ms) > min(over_10ms) FROM scheduling")
    code, said = recording.finish()
    check_equal(code, 0, said)
    check_equal(recording.has(f"SELECT count(*) {stuck}"), 1, "rows of the call")
    report, = json_of(t, recording.path)["targets"]
    call, = (call for call in report["stuck_calls"] if fifo in call["call"])
    check(call["seconds"] > 7 and call["goid"] and call["thread"] != target.pid, f"the call: {call}")
    last = report["scheduling_series"][-1]
    check_equal(last["latency_over_10ms"], report["scheduling"]["latency_over_10ms"], "waits at the end")
    code, out, err = run(t, "report", recording.path)
    check(code == 0 and "scheduling of scheduling" in out and fifo in out.split("scheduling of scheduling")[1],
          f"{out}{err}")
    path = recording.path + ".pftrace"
    code, _, err = run(t, "report", recording.path, "-f", "perfetto", "-o", path)
    check_equal(code, 0, err)
    with open(path, "rb") as file:
        found = list(packets(file.read()))
    check_equal(sum(b"read(" in p and fifo.encode() in p for p in found), 1, "slices of the call")
    check(any(b"latency_over_10ms" in p for p in found), "the counter")


@case
def traces_that_do_not_fit(t):
    recording, _ = recorded(t)
    code, said = recording.finish()
    check_equal(code, 0, said)
    old = os.path.join(t.directory(), "old.out")
    with open(old, "wb") as file:
        file.write(b"go 1.22 trace\0\0\0")
    out = recording.path + ".pftrace"
    for words, exit_code, says in (
            (("-f", "perfetto", "--with-trace", old, "-o", out), 3, "build the program with that or a later one"),
            (("-f", "perfetto", "--with-trace", recording.path, "-o", out), 1, "no execution trace of Go"),
            (("-f", "html", "--with-trace", old, "-o", out), 2, "--with-trace is about --format perfetto")):
        code, _, err = run(t, "report", recording.path, *words)
        check_equal(code, exit_code, f"{words}: {err}")
        check(says in err and not os.path.exists(out), f"{words}: {err}")


@case
def one_of_a_process_that_ends_says_so(t):
    recording, target = recorded(t)
    target.send("quit")
    code, said = recording.finish(None)
    check_equal(code, 0, said)
    check(said.endswith("ended: target exited\n"), said)


@case(is_long=True, waits=True)
def which_lines_open_what_is_recorded(t):
    """Who opens things is watched from the first look on, and known at the second, ten seconds later."""
    target = start(t, RESOURCES)
    target.ask("leak file 40")
    recording = Recording(t, target, "--probe-opens", "always")
    recording.until("the line that opens files",
                    "SELECT count(*) > 0 FROM resource_openers o JOIN resources r ON r.id = o.resource "
                    "JOIN frames f ON f.id = o.opened_at WHERE r.kind = 'file' AND o.opened > 10 "
                    "AND f.function = 'main.openFile'", seconds=100)
    code, said = recording.finish()
    check_equal(code, 0, said)
    report, = json_of(t, recording.path)["targets"]
    opened = {o["opened_at"]["function"] for r in report["resources"]
              if r["kind"] == "file" for o in r["openers"] if o["opened_at"]}
    check_equal(opened, {"main.openFile"}, "in the report")
    page = recording.path + ".html"
    code, _, err = run(t, "report", recording.path, "--format", "html", "-o", page)
    check_equal(code, 0, err)
    with open(page, encoding="utf-8") as file:
        check("main.openFile" in file.read(), "in the page")
