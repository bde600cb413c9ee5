# SPDX-License-Identifier: Apache-2.0
"""What people see: lines in a pipe, a screen on a terminal."""

import json
import os
import re
import stat
import subprocess
import time

from harness import case, cases_for, check, check_equal, until
from programs import Program, start
from terminal import ESCAPE, Shell, Terminal, plain_environment
from tracer import binary, needs_tracing, run

COUNTS = Program("counts", strip=True)
NO_PROFILE = Program("memory")


def on_terminal(t, args, columns, env, until_text, seconds=15):
    """Runs gleakd on a pseudo-terminal until a text appears, then Ctrl-C; returns all it wrote."""
    terminal = Terminal(t, *args, columns=columns, rows=40, env=env)
    terminal.until(repr(until_text), lambda _: until_text in ESCAPE.sub("", terminal.text()),
                   seconds)
    terminal.end()
    # Messages of its own are not part of what is laid out.
    return re.sub(r"(?m)^gleakd: .*$", "", terminal.text())


def drawn_lines(text):
    """Lines of frames and of the last report, without messages, which may be of any length."""
    return [line for line in re.split(r"[\r\n]+", ESCAPE.sub("", text))
            if not line.startswith("gleakd: ")]


def leaky(t):
    target = start(t, COUNTS)
    target.ask("run 1009 503")
    return target


@cases_for({"100": 100, "80": 80, "200": 200})
def terminal_never_wraps(t, columns):
    target = leaky(t)
    text = on_terminal(
        t, ["--pid", str(target.pid), "--interval", "300ms", "--min-age", "1s"], columns,
        plain_environment(COLUMNS=str(columns)), "chan receive",
    )
    check("\x1b[" in text, "nothing but plain text on a terminal")
    for line in drawn_lines(text):
        check(len(line) <= columns, f"{len(line)} columns: {line!r}")


@case
def no_color_is_respected(t):
    target = leaky(t)
    args = ["--pid", str(target.pid), "--interval", "300ms"]
    text = on_terminal(t, args, 100, plain_environment(NO_COLOR="1"), "chan receive")
    colors = [m for m in re.findall(r"\x1b\[([0-9;]*)m", text)
              if any(30 <= int(n or 0) <= 49 or 90 <= int(n or 0) <= 107 for n in m.split(";"))]
    check_equal(colors, [], "colours in spite of NO_COLOR")


@case
def pipe_gets_plain_lines(t):
    """A leak in words: how many, since when, how fast, why, made where, blocked where."""
    needs_tracing()
    target = leaky(t)
    target.feed("run 17 13", every=0.2)
    code, out, err = run(t, "--pid", str(target.pid), "--interval", "500ms", "--duration", "8s",
                         "--min-age", "1s", env=plain_environment(), text=False)
    check_equal(code, 0, f"exit code ({err})")
    check(b"\x1b" not in out and b"\r" not in out, "control characters in a pipe")
    text = out.decode()
    summary = text[text.rindex("gleakd  "):]
    rate = re.search(r"created [\d,]+ \(([\d.,]+)/s\)", summary)
    check(rate, f"no rate of creations in:\n{summary}")
    # Seventeen each fifth of a second, over the whole watch; asking takes its time. So many stay that what they
    # wait for, which the program still has, is no pool's.
    check(20 < float(rate.group(1)) < 100, f"{rate.group(1)} a second created in:\n{summary}")
    check("e+" not in text, f"a number that nobody reads in:\n{text}")
    check_equal(text.count("\nsite      "), 1, "explanations of what a site is")
    for what, pattern in {
        "the target": rf"{target.pid}.*go1\.",
        "flagged": r"leaking",
        "blocked at": rf"main\.worker\b.*main\.go:{COUNTS.line('blocked:run')[1]}\b",
        "created at": rf"main\.run\b.*main\.go:{COUNTS.line('made:run')[1]}\b",
        "the wait reason": r"chan receive",
        "growth": r"/min\b|a minute|per minute",
    }.items():
        check(re.search(pattern, text), f"{what} ({pattern}) is not in:\n{text}")
    check(re.search(r"^LEAKING .*chan receive .*/min", summary, re.M), f"not named at the end: {summary}")


@case
def verbose_shows_the_whole_stack(t):
    target = leaky(t)
    target.ask("shape mutex 3")
    args = ["--pid", str(target.pid), "--once", "-v", "--all"]
    code, out, err = run(t, *args, env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    for function in ("sync.(*Mutex).Lock", "main.mutexLock", "main.worker"):
        check(function in out, f"{function} is not in:\n{out}")


@case
def nothing_found_is_said(t):
    target = start(t, COUNTS)
    code, out, err = run(t, "--pid", str(target.pid), "--interval", "500ms", "--duration", "2s",
                         env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    check(re.search(r"\bno\b.*(leak|suspect|flag)", out, re.IGNORECASE), f"summary:\n{out}")


@case
def first_words_within_two_seconds(t):
    needs_tracing()
    target = leaky(t)
    begin = time.monotonic()
    process = subprocess.Popen([binary(t), "--pid", str(target.pid)], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=plain_environment())
    t.defer(process.stdout.close)
    t.defer(process.wait)
    t.defer(process.kill)
    first = until("a first line", process.stdout.readline, 2.5)
    took = time.monotonic() - begin
    check(took <= 2, f"{first!r} after {took:.2f} s")


@case
def into_a_pipe_nothing_is_cut(t):
    """Every one of a hundred goroutines is named, and no mark says that something was left out."""
    target = start(t, COUNTS)
    for _ in range(97):
        target.ask("run 3 1")
    args = ["--pid", str(target.pid), "--once", "--goroutines"]
    code, out, err = run(t, *args, env=plain_environment(LC_ALL="C.UTF-8"))
    check_equal(code, 0, f"exit code ({err})")
    check("\u2026" not in out, f"cut:\n{out}")
    code, listed, err = run(t, *args, "--json", env=plain_environment())
    check_equal(code, 0, f"exit code ({err})")
    goids = {g["goid"] for g in json.loads(listed)["targets"][0]["goroutine_list"]}
    named = set()
    for first, last in re.findall(r"\b(\d+)(?:-(\d+))?\b", out):
        if int(first) in goids:
            named.update(range(int(first), int(last or first) + 1))
    check(goids <= named, f"not named: {sorted(goids - named)[:20]}")


@case
def plain_ascii_in_a_locale_without_utf8(t):
    target = leaky(t)
    args = ["--pid", str(target.pid), "--interval", "300ms", "--all"]
    text = on_terminal(t, args, 66, plain_environment(LC_ALL="C"), "chan receive")
    check(text.isascii(), f"{sorted(set(c for c in text if not c.isascii()))} in {text[-900:]!r}")
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--explain", "*main.worker*",
                         env=plain_environment(LC_ALL="POSIX", LANG="en_US.UTF-8"))
    check_equal(code, 0, f"exit code ({err})")
    check("#####" in out, f"no bar in:\n{out}")
    check(out.isascii(), f"{sorted(set(c for c in out if not c.isascii()))} in:\n{out}")


@case
def columns_are_respected(t):
    """$COLUMNS makes a terminal's lines shorter, and says where sentences in a pipe are folded."""
    target = leaky(t)
    args = ["--pid", str(target.pid), "--interval", "300ms", "--min-age", "1s"]
    text = on_terminal(t, args, 120, plain_environment(COLUMNS="70"), "chan receive")
    widest = max(map(len, drawn_lines(text)))
    check_equal(widest <= 70, True, f"{widest} columns")
    explain = ["--pid", str(target.pid), "--once", "--explain", "*main.worker*"]
    for columns in (70, 150):  # what is far to the right gets 40 columns in any case
        code, out, err = run(t, *explain, env=plain_environment(COLUMNS=str(columns)))
        check_equal(code, 0, f"exit code ({err})")
        sentences = [line for line in out.splitlines() if line.startswith("  ") and "/" not in line]
        widest = max(map(len, sentences))
        check(columns - 20 < widest <= columns, f"{widest} columns of {columns}:\n{out}")


@case
def names_can_be_copied_and_ids_are_there_on_a_narrow_terminal(t):
    """What a narrow terminal shows of a name is the name, or its beginning, and finds the site."""
    target = leaky(t)
    target.ask("shape mutex 3")
    args = ["--pid", str(target.pid), "--interval", "300ms", "--all"]
    text = ESCAPE.sub("", on_terminal(t, args, 60, plain_environment(), "mutexLock"))
    row = re.search(r"^ *([0-9a-f]{8}) .* (main\.\w+)\u2026?\r?$", text, re.MULTILINE)
    check(row, f"no row with an id and a name in {text[-900:]!r}")
    for pattern in (row.group(1), f"{row.group(2)}*"):
        code, out, err = run(t, "--pid", str(target.pid), "--once", "--explain", pattern,
                             env=plain_environment())
        check_equal(code, 0, f"exit code ({err})")
        check(row.group(1) in out, f"{pattern} does not find {row.group(1)}:\n{out}")


@case
def ctrl_c_with_a_reader_keeps_the_summary(t):
    """Ctrl-C ends cat, too: what it can no longer take goes to the terminal."""
    target = leaky(t)
    command = (f"trap : INT; {binary(t)} --pid {target.pid} --interval 300ms --min-age 1s | cat; "
               f"echo ended")
    shell = Shell(t, command)
    shell.until("not flagged")
    shell.type("\x03")
    text = shell.until("ended\r")
    check("looked at" in text and "interrupted" in text, f"no summary in {text[-900:]!r}")


@case
def who_reads_only_the_beginning_gets_no_more(t):
    """What head does not read is not written to the terminal instead."""
    target = leaky(t)
    shell = Shell(t, f"{binary(t)} --pid {target.pid} --once --all | head -1; echo ended")
    text = shell.until("ended\r")
    check("gleakd  " in text, f"{text!r}")
    check("looked at" not in text, f"more than a line: {text!r}")


# --- files that options name ----------------------------------------------------------------------


def failing(t):
    """Commands that fail at various moments, and the option that names a file for what they do not write."""
    one, other = start(t, NO_PROFILE), start(t, COUNTS)
    folder = t.directory()
    broken = os.path.join(folder, "broken.json")
    with open(broken, "w", encoding="utf-8") as file:
        file.write('{"targets": [')
    code, out, err = run(t, "--pid", str(one.pid), "--once", "--json")
    check_equal(code, 0, err)
    report = os.path.join(folder, "report.json")
    with open(report, "w", encoding="utf-8") as file:
        file.write(out)
    nobody = str(2 ** 22 - 1)  # above PID_MAX_LIMIT no process is
    return ((["heap", str(one.pid), "--pprof"], "with --duration"),
            (["heap", nobody, "--pprof"], nobody), (["heap", nobody, "--html"], nobody),
            (["heap", str(one.pid), str(other.pid), "--pprof"], "name one process"),
            (["dump", str(one.pid), str(other.pid), "--pprof"], "name one process"),
            (["--pid", nobody, "--once", "--report"], nobody), (["--pid", nobody, "--once", "--html"], nobody),
            (["prove", nobody, "--html"], nobody), (["record", nobody, "-o"], nobody),
            (["report", report, "-f", "pprof", "--memory", "-o"], "is not in it"),
            (["report", broken, "-f", "html", "-o"], broken),
            (["run", "--report", "FILE", "--", "/nonexistent/program"], "/nonexistent/program"),
            (["run", "--html", "FILE", "--", "/nonexistent/program"], "/nonexistent/program"))


@case(seconds=240)
def what_was_there_stays_when_a_command_fails(t):
    """And nothing is left where there was nothing."""
    needs_tracing()
    folder = t.directory()
    path = os.path.join(folder, "file")
    for args, words in failing(t):
        args = [path if word == "FILE" else word for word in args] + ([] if "FILE" in args else [path])
        for before in (None, "something"):
            if before:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(before)
            code, _, err = run(t, *args)
            check(code != 0, f"{args} did not fail")
            check(words in err or (before and args[0] == "record"), f"{args}: {err}")
            check_equal(os.listdir(folder), ["file"] if before else [], f"left by {args}")
            if before:
                with open(path, encoding="utf-8") as file:
                    check_equal(file.read(), before, f"after {args}")
                os.unlink(path)


@case
def files_take_the_place_of_those_that_were_there(t):
    """Whole, for whom they were, and where the name leads to."""
    needs_tracing()
    pid = str(start(t, COUNTS).pid)
    folder = t.directory()
    path, link = os.path.join(folder, "report"), os.path.join(folder, "link")
    with open(path, "w", encoding="utf-8") as file:
        file.write("x" * 100_000)
    os.chmod(path, 0o604)
    code, _, err = run(t, "--pid", pid, "--once", "--json", "--report", path)
    check_equal(code, 0, err)
    check(json.load(open(path, encoding="utf-8"))["final"], "the report, and nothing behind it")
    check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o604, "who may read it")
    os.symlink(path, link)
    code, _, err = run(t, "--pid", pid, "--once", "--html", link)
    check_equal(code, 0, err)
    check(os.path.islink(link), "the link is one")
    check(open(path, encoding="utf-8").read().startswith("<!"), "the page is where it leads to")
    check_equal(sorted(os.listdir(folder)), ["link", "report"], "left")
