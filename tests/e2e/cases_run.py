# SPDX-License-Identifier: Apache-2.0
"""`gleakd run`: a program that gleakd starts, from its first goroutine to its end; and what CI reads of it."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

from ci_formats import annotations, check_junit
from harness import Skip, case, cases_for, check, check_equal
from programs import Program
from terminal import Shell
from tracer import binary, needs_tracing, run

DEMO = Program("demo")
SIGNALS = Program("signals")
COUNTS = {"static": Program("counts"), "pie": Program("counts", strip=True, pie=True),
          "cgo": Program("counts", cgo=True)}
SHORT = ("--interval", "500ms", "--min-age", "1s")
FOUND, NOT_JUDGED = 10, 5
NOBODY = 65534


def gleakd_run(t, *args, asked="", seconds=60, env=None, prefix=()):
    """(exit code, stdout, stderr) of `gleakd run` whose program reads `asked`."""
    done = subprocess.run([*prefix, binary(t), "run", *args], input=asked, capture_output=True,
                          text=True, timeout=seconds, env=env)
    t.note(f"$ gleakd run {' '.join(args)} -> {done.returncode}\n{done.stderr}")
    return done.returncode, done.stdout, done.stderr


def report_of(path):
    with open(path, encoding="utf-8") as file:
        return json.loads(file.read().splitlines()[-1])


def begin(t, *args, **options):
    """A `gleakd run` that goes on, and its program's pid."""
    process = subprocess.Popen([binary(t), "run", *args], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    t.defer(process.kill)
    ready = process.stdout.readline()
    check(ready.startswith("ready"), f"the program said {ready!r}")
    return process, int(ready.split()[1])


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def made_at(target, stay):
    """How many came from the go statement of which so many stay, wherever they were seen: not all wait yet at the end."""
    lines = {}
    for site in target["sites"]:
        if site["created_by"]:
            alive, created = lines.get(site["created_by"]["line"], (0, 0))
            lines[site["created_by"]["line"]] = alive + site["goroutines"], created + site["created"]
    made, = (created for alive, created in lines.values() if alive == stay)
    return made


@cases_for({name: program for name, program in COUNTS.items()})
def every_goroutine_from_the_first_on(t, program):
    """211 + 1009 goroutines in the program's first moments; none of them is missed."""
    needs_tracing()
    path = os.path.join(t.directory(), "report.json")
    code, out, err = gleakd_run(t, "--max-overhead", "0", "--format", "json", "--report", path,
                                *SHORT, "--", program.build(),
                                asked="run 211 53\nspawn 1009\nquit\n")
    check_equal(code, NOT_JUDGED, f"exit code of a moment ({err})")
    check(out.startswith("ready"), "its output is its own")
    target = report_of(path)["targets"][0]
    # main is one of them, which nobody creates.
    check(target["goroutines"]["created"] in (1220, 1221), str(target["goroutines"]))
    check_equal(made_at(target, 53), 211, "created at made:run")
    check_equal(target["losses"]["events"], 0, "events lost")


def run_stuck(t, *args, prefix=()):
    """A run of a program with three goroutines that nothing can wake: (exit code, stderr)."""
    out, err = (open(os.path.join(t.directory(), name), "w+", encoding="utf-8") for name in ("out", "err"))
    with out, err:
        process = subprocess.Popen(
            [*prefix, binary(t), "run", "--duration", "5s", *SHORT, *args, "--",
             COUNTS["static"].build()], stdin=subprocess.PIPE, stdout=out, stderr=err, text=True)
        t.defer(process.kill)
        # It ends with its stdin, which stays open.
        process.stdin.write("shape nilreceive 3\n")
        process.stdin.flush()
        code = process.wait(timeout=90)
        err.seek(0)
        said = err.read()
    t.note(f"$ gleakd run {' '.join(args)} -> {code}\n{said}")
    return code, said


@case
def a_finding_fails_it_and_is_told_to_ci(t):
    needs_tracing()
    junit = os.path.join(t.directory(), "leaks.xml")
    source = os.path.realpath(os.path.dirname(__file__) + "/../programs")
    code, err = run_stuck(t, "--format", "junit", "--report", junit, "--source", source, "--user",
                          str(NOBODY))
    check_equal(code, FOUND, f"exit code ({err})")
    failures = check_junit(junit).findall("testsuite/testcase/failure")
    check_equal([f.get("type") for f in failures], ["stuck"], "failures")
    text = failures[0].text
    check("3 goroutines, chan receive (nil chan)" in failures[0].get("message"), text)
    check("docs/repairs.md#nil-channel" in text, text)
    check("source      counts/shapes.go\n" in text, f"lines of code: {text}")
    check(re.search(r"^> +\d+  .*<-", text, re.M), f"the line: {text}")


@case
def annotations_have_paths_of_the_checkout(t):
    """Of a report that another run has left."""
    needs_tracing()
    path = os.path.join(t.directory(), "report.json")
    code, err = run_stuck(t, "--format", "json", "--report", path)
    check_equal(code, FOUND, f"exit code ({err})")
    env = dict(os.environ, GITHUB_WORKSPACE=os.path.realpath(os.path.dirname(__file__) + "/../.."))
    code, out, err = run(t, "report", path, "--format", "github", env=env)
    check_equal(code, 0, err)
    error, = (a for a in annotations(out) if a["level"] == "error")
    check_equal(error["file"], "tests/programs/counts/shapes.go", "file")
    check_equal(int(error["line"]), COUNTS["static"].line("blocked:nilreceive")[1], "line")
    code, out, err = run(t, "report", path, "--format", "junit")
    check_equal(code, 0, err)
    check_equal(len(ET.fromstring(out).findall("testsuite/testcase/failure")), 1, "failures")


@cases_for({"fine": ("quit\n", 0, NOT_JUDGED), "failed": ("no such command\n", 1, 1)})
def an_early_end(t, given):
    asked, status, wanted = given
    needs_tracing()
    code, _, err = gleakd_run(t, "--duration", "60s", *SHORT, "--", COUNTS["static"].build(),
                              asked=asked)
    check_equal(code, wanted, f"exit code ({err})")
    check(f"has ended with exit status {status}" in err, err)
    check("more is watched" not in err, err)
    if not status:
        check("before --duration 1m was over" in err, err)


@case
def what_is_no_go_program(t):
    code, out, err = gleakd_run(t, "--", "/bin/sh", "-c", "echo mine; exit 3")
    check_equal((code, out), (3, "mine\n"), f"a shell ({err})")
    path = os.path.join(t.directory(), "nothing.xml")
    code, _, err = gleakd_run(t, "--format", "junit", "--report", path, "--", "/bin/true")
    check_equal(code, NOT_JUDGED, f"nothing was watched ({err})")
    errors = check_junit(path).findall("testsuite/testcase/error")
    check_equal([e.get("message") for e in errors],
                ["/bin/true has ended before it was a running Go program"], "what CI is told")
    code, _, err = gleakd_run(t, "--format", "github", "--", "/bin/true")
    error, = annotations("".join(line + "\n" for line in err.splitlines() if line.startswith("::")))
    check_equal((code, error["level"], error["title"]), (NOT_JUDGED, "error", "gleakd: nothing could be judged"),
                err)
    code, _, err = gleakd_run(t, "--", "/nonexistent")
    check_equal(code, 2, err)
    check("cannot run /nonexistent: No such file or directory" in err, err)


@case
def it_has_the_rights_of_who_asked(t):
    if os.geteuid() != 0:
        raise Skip("root")
    script = "id -u; id -g; grep CapEff /proc/self/status; echo $HOME"
    asked = ["--", "/bin/sh", "-c", script]
    for args, env in ((["--user", "nobody"], None),
                      ([], dict(os.environ, SUDO_UID=str(NOBODY), SUDO_GID=str(NOBODY)))):
        _, out, err = gleakd_run(t, *args, *asked, env=env)
        uid, gid, caps = out.split("\n")[:3]
        check_equal((uid, gid), (str(NOBODY), str(NOBODY)), f"who it is ({err})")
        check_equal(int(caps.split()[1], 16), 0, "capabilities")
        check(f"runs as nobody (uid {NOBODY})" in err, err)
    env = {k: v for k, v in os.environ.items() if not k.startswith("SUDO_")}
    _, out, err = gleakd_run(t, *asked, env=env)
    check(out.startswith("0\n") and "runs as root" in err, f"{out} {err}")


@case
def without_root(t):
    """The whole of it as nobody, who may read his own child."""
    if os.geteuid() != 0:
        raise Skip("root, to become somebody without")
    code, err = run_stuck(t, "--mode", "census",
                          prefix=["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
                                  "--clear-groups"])
    check_equal(code, FOUND, f"exit code ({err})")


@case
def signals_reach_the_program(t):
    needs_tracing()
    process, pid = begin(t, *SHORT, "--", DEMO.build(), "-for", "90s")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    check("requests answered" in out, f"it ended as it does after SIGTERM ({err})")
    check(gone(pid), "it is gone")


PASSED_ON = {"usr1": (signal.SIGUSR1, "user defined signal 1"), "usr2": (signal.SIGUSR2, "user defined signal 2"),
             "quit": (signal.SIGQUIT, "quit")}
ENDING = {"int": (signal.SIGINT, "interrupt"), "term": (signal.SIGTERM, "terminated"),
          "hup": (signal.SIGHUP, "terminated")}


@cases_for(PASSED_ON)
def a_signal_for_the_program_alone(t, given):
    """To gleakd, and then to all of its group, as a terminal and timeout(1) do: each is one for the program."""
    number, word = given
    needs_tracing()
    process, pid = begin(t, *SHORT, "--", SIGNALS.build(), start_new_session=True)
    process.send_signal(number)
    check_equal(process.stdout.readline(), f"got {word}\n", "to gleakd alone")
    check(not gone(pid) and process.poll() is None, "both go on")
    out, err = process.communicate("quit\n", timeout=30)
    check_equal((out, process.returncode), ("", NOT_JUDGED), f"what came after it ({err})")


@cases_for(ENDING)
def a_signal_that_ends_both(t, given):
    number, word = given
    needs_tracing()
    process, pid = begin(t, *SHORT, "--", SIGNALS.build())
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    check_equal((out, gone(pid)), (f"got {word}\n", True), f"what it got ({err})")


@case
def a_signal_to_the_whole_group(t):
    """As timeout(1) gives it: a program that takes the second SIGTERM for haste has one."""
    needs_tracing()
    process, pid = begin(t, *SHORT, "--", SIGNALS.build(), start_new_session=True)
    os.killpg(process.pid, signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    check_equal((out, gone(pid)), ("got terminated\n", True), f"what it got ({err})")


@case
def keys_of_a_terminal(t):
    """Ctrl-\\ and Ctrl-C go to all that runs there: each reaches the program once."""
    shell = Shell(t, shlex.join([binary(t), "run", *SHORT, "--", SIGNALS.build()]))
    shell.until("ready ")
    shell.type("\x1c")
    shell.until("got quit")
    shell.type("\x03")
    # The terminal ends with all that is written to it.
    with contextlib.suppress(OSError):
        shell.until("what nobody writes", 30)
    check_equal(shell.process.wait(30), NOT_JUDGED, "exit code")
    shown = shell.written.decode(errors="replace")
    check_equal((shown.count("got quit"), shown.count("got interrupt")), (1, 1), shown)


# As kernel.yama.ptrace_scope 3 and many a container's seccomp profile answer: "no ptrace(2)".
FORBID_TRACING = """
import ctypes, os, struct, sys
def bpf(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
number = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
program = bpf(0x20, 0, 0, 0) + bpf(0x15, 0, 1, number) + bpf(0x06, 0, 0, 0x00050001) + bpf(0x06, 0, 0, 0x7fff0000)
text = ctypes.create_string_buffer(program)
class Filter(ctypes.Structure): _fields_ = [("n", ctypes.c_ushort), ("at", ctypes.c_void_p)]
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(22, 2, ctypes.byref(Filter(4, ctypes.addressof(text))), 0, 0): sys.exit("no seccomp")
os.execvp(sys.argv[1], sys.argv[1:])
"""


@case
def where_tracing_is_forbidden(t):
    """It is told, and the program is watched from its first moments on instead of from its first goroutine."""
    needs_tracing()
    code, said = run_stuck(t, prefix=(sys.executable, "-c", FORBID_TRACING))
    check("runs before it is watched, as the kernel does not let it be held: Operation not permitted" in said, said)
    check_equal(code, FOUND, f"exit code ({said})")


@case
def a_gleakd_that_is_killed_leaves_nothing(t):
    needs_tracing()
    process, pid = begin(t, *SHORT, "--", DEMO.build(), "-for", "90s")
    process.kill()
    process.wait(timeout=10)
    deadline = time.monotonic() + 20
    while not gone(pid):
        check(time.monotonic() < deadline, "the program is still there")
        time.sleep(0.1)


@case
def a_script_that_becomes_the_program(t):
    needs_tracing()
    path = os.path.join(t.directory(), "start.sh")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"#!/bin/sh\nexec {COUNTS['static'].build()}\n")
    os.chmod(path, 0o755)
    report = os.path.join(t.directory(), "report.json")
    gleakd_run(t, "--max-overhead", "0", "--format", "json", "--report", report, "--", path,
               asked="run 101 7\nquit\n")
    check_equal(made_at(report_of(report)["targets"][0], 7), 101, "created at made:run")
