# SPDX-License-Identifier: Apache-2.0
"""What a run found, for those who come after it: the exit status, known cases that are silenced, one
site explained, the schema, and what is remembered for the next gleakd."""

import json
import os
import shutil
import signal
import subprocess

from harness import Skip, case, cases_for, check, check_equal
from programs import Program, Target, start
from tracer import Gleakd, binary, flagged, needs_tracing, run, sites

DEMO = Program("demo")
COUNTS = Program("counts")
FAILURE, USAGE, FOUND = 1, 2, 42
SHORT = ("--interval", "500ms", "--min-age", "2s")


def demo(t, *args):
    target = Target(t, [DEMO.build(), "-for", "90s", *args])
    target.answer("ready")
    return target


def stuck_counts(t, kind="nilreceive"):
    """A program with three goroutines that nothing can wake any more."""
    target = start(t, COUNTS)
    target.ask(f"shape {kind} 3")
    return target


def watch_text(t, target, *args, seconds="6s"):
    return run(t, "--pid", str(target.pid), *SHORT, "--duration", seconds, *args, seconds=30)


def write(t, text, name="list"):
    path = os.path.join(t.directory(), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


# --- exit status ----------------------------------------------------------------------------------


@case
def leaks_make_the_exit_code(t):
    target = demo(t)
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "4s", "--error-exitcode", str(FOUND))
    g.report("a leak", lambda r: any(s["verdict"] == "leaking" for s in flagged(r)), seconds=35)
    g.process.send_signal(signal.SIGINT)
    check_equal(g.finish(), FOUND, "exit code")
    check(g.reports[-1]["final"] and flagged(g.reports[-1]), "the last report shows the leak")


@case
def a_healthy_service_exits_with_0(t):
    target = demo(t, "-healthy")
    code, _, err = watch_text(t, target, "--error-exitcode", str(FOUND), seconds="12s")
    check_equal(code, 0, f"exit code ({err})")


@case
def without_an_exit_code_findings_are_no_failure(t):
    target = stuck_counts(t)
    code, out, err = watch_text(t, target, "--json")
    check_equal(code, 0, f"exit code ({err})")
    check(flagged(json.loads(out.splitlines()[-1])), "something was found")


@cases_for({words: (words, code) for words, code in (
    ("leaking", 0), ("stuck", FOUND), ("leaking,stuck", FOUND))})
def fail_on(t, given):
    """Three goroutines that are stuck, and do not leak."""
    words, wanted = given
    target = stuck_counts(t)
    code, _, err = watch_text(t, target, "--error-exitcode", str(FOUND), "--fail-on", words)
    check_equal(code, wanted, f"exit code ({err})")


@case
def targets_that_cannot_be_watched_keep_their_code(t):
    needs_tracing()
    gone = subprocess.Popen(["true"])
    gone.wait()
    code, _, _ = run(t, "--pid", str(gone.pid), "--error-exitcode", str(FOUND))
    check_equal(code, FAILURE, "exit code of a failure")


# --- known cases ----------------------------------------------------------------------------------


@case
def known_cases_are_silenced(t):
    target = stuck_counts(t)
    file, line = COUNTS.line("blocked:nilreceive")
    known = write(t, f"# known\n{file}:{line} made on purpose (TEST-1)\nno.such.thing never\n")
    findings = ("--error-exitcode", str(FOUND))
    code, _, err = watch_text(t, target, *findings)
    check_equal(code, FOUND, f"exit code without a list ({err})")
    code, _, err = watch_text(t, target, *findings, "--allow", known, "-v")
    check_equal(code, 0, f"exit code with it ({err})")
    check("line 3: nothing matched no.such.thing" in err, f"unused patterns: {err!r}")
    check("line 2" not in err, f"a pattern that was used: {err!r}")


@cases_for({
    "no reason": ("a.b fine\nmain.main\n", "line 2: a pattern without a reason"),
    "stars": ("*a*b*c*d*e*f*g*h* much\n", "line 1: more than 8 '*'"),
    "long": ("x" * 5000 + " why\n", "line 1: longer than 4096 bytes"),
    "binary": ("main.main\0 why\n", "line 1: a NUL byte"),
})
def bad_lists(t, given):
    text, words = given
    needs_tracing()
    code, out, err = run(t, "--pid", str(os.getpid()), "--allow", write(t, text))
    check_equal((code, out), (FAILURE, ""), f"exit code and stdout ({err})")
    check(words in err, f"{words!r} is not in {err!r}")


@case
def no_list(t):
    needs_tracing()
    code, _, err = run(t, "--pid", str(os.getpid()), "--allow", "/nonexistent/list")
    check_equal(code, FAILURE, "exit code")
    check("/nonexistent/list: No such file" in err, err)


@case
def an_allow_list_that_nobody_writes(t):
    """A FIFO holds nobody up; one that somebody writes to is read to its end."""
    needs_tracing()
    path = os.path.join(t.directory(), "fifo")
    os.mkfifo(path)
    code, _, err = run(t, "--pid", str(os.getpid()), "--once", "--allow", path)
    check_equal(code, FAILURE, f"exit code; {err}")
    check("did not come to an end within 5 s" in err, err)
    writer = subprocess.Popen(["sh", "-c", f"echo '# nothing is known' > '{path}'"])
    t.defer(writer.kill)
    target = start(t, COUNTS)
    code, _, err = run(t, "--pid", str(target.pid), "--once", "--allow", path)
    check_equal(code, 0, f"exit code; {err}")
    check_equal(writer.wait(10), 0, "the writer")


# --- one site -------------------------------------------------------------------------------------


@case
def one_site_is_explained(t):
    target = stuck_counts(t)
    place = COUNTS.line("made:nilreceive"), COUNTS.line("blocked:nilreceive")
    final = Gleakd(t, target.pid, "--once").final()
    wanted = sites(final, *place)[0]["id"]
    others = {s["id"] for s in sites(final)} - {wanted}
    pattern = f"{place[1][0]}:{place[1][1]}"
    for site in (wanted, wanted[:4].upper(), pattern):
        code, out, err = run(t, "--pid", str(target.pid), "--once", "--explain", site)
        check_equal(code, 0, f"exit code ({err})")
        check(wanted in out, f"--explain {site}: {out!r}")
        check(not any(other in out for other in others), f"other sites with {site}: {out!r}")
        check("\x1b" not in out, "control sequences in a pipe")


@case
def sites_that_nobody_can_mean(t):
    target = stuck_counts(t)
    final = Gleakd(t, target.pid, "--once").final()
    largest = max(sites(final), key=lambda s: s["goroutines"])["id"]
    # Without --once as well, and then at once: nothing would come of waiting.
    for how in (["--once"], []):
        code, out, _ = run(t, "--pid", str(target.pid), *how, "--explain", "no.such.function")
        check_equal(code, USAGE, "exit code")
        check("no site matches 'no.such.function'" in out and largest in out, out)
    for kind in ("chanreceive", "select", "mutex", "cond"):
        target.ask(f"shape {kind} 2")
    for how in (["--once"], [], ["--duration", "1h"]):
        code, out, _ = run(t, "--pid", str(target.pid), *how, "--explain", "main.*")
        check_equal(code, USAGE, "exit code")
        check("sites match 'main.*'" in out and largest in out, out)


def read_until(stream, text):
    """Reads lines until one has the text; the case's own deadline ends it otherwise."""
    lines = []
    while not any(text in line for line in lines):
        lines.append(stream.readline())
        check(lines[-1], f"it ended without {text!r}: {lines}")


@case
def into_a_pipe_an_explanation_goes_at_once(t):
    """And once more at the end, with what was learned meanwhile."""
    target = stuck_counts(t)
    place = COUNTS.line("blocked:nilreceive")
    name = sites(Gleakd(t, target.pid, "--once").final(), None, place)[0]["id"]
    g = subprocess.Popen([binary(t), "--pid", str(target.pid), "--explain", f"{place[0]}:{place[1]}"],
                         stdout=subprocess.PIPE, text=True)
    t.defer(g.wait)
    t.defer(g.kill)
    read_until(g.stdout, name)
    g.send_signal(signal.SIGINT)
    rest = g.stdout.read()
    check_equal(g.wait(10), 0, "exit code")
    check(name in rest, rest)


@case
def a_part_of_a_function_is_enough(t):
    target = stuck_counts(t)
    place = COUNTS.line("blocked:nilreceive")
    site = sites(Gleakd(t, target.pid, "--once").final(), None, place)[0]
    part = site["blocked_at"]["function"].removeprefix("main.")[1:]
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--explain", part)
    check(code in (0, USAGE) and site["id"] in out, f"--explain {part}: {out} {err}")


@case
def what_is_to_be_explained_may_come_later(t):
    """With a --duration it is waited for."""
    target = start(t, COUNTS)
    place = COUNTS.line("blocked:nilreceive")
    g = subprocess.Popen([binary(t), "--pid", str(target.pid), "--interval", "200ms", "--duration", "1m",
                          "--explain", f"{place[0]}:{place[1]}"],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    t.defer(g.wait)
    t.defer(g.kill)
    Gleakd(t, target.pid, "--interval", "200ms").report("some rounds", lambda r: r["targets"][0][
        "observed_seconds"] > 1)
    check(g.poll() is None, "it did not wait")
    target.ask("shape nilreceive 3")
    read_until(g.stdout, f"{place[0].split('/')[-1]}:{place[1]}")
    g.send_signal(signal.SIGINT)
    g.communicate(timeout=10)
    check_equal(g.returncode, 0, "exit code")


# --- schema ---------------------------------------------------------------------------------------


@case
def schema_is_json(t):
    for args in (["--json-schema"], ["--json", "--json-schema", "--pid", "1"]):
        code, out, err = run(t, *args)
        check_equal((code, err), (0, ""), "exit code and stderr")
        schema = json.loads(out)
        check("json-schema.org" in schema.get("$schema", ""), f"{str(schema)[:100]}")


# --- memory ---------------------------------------------------------------------------------------


@case
def state_goes_on_after_a_restart(t):
    target = start(t, COUNTS)
    path = os.path.join(t.directory(), "state")
    g = Gleakd(t, target.pid, *SHORT, "--state", path)
    g.report()
    target.ask("spawn 211")
    g.report("its goroutines", lambda r: r["targets"][0]["goroutines"]["created"] >= 211)
    g.interrupt()
    check_equal(os.stat(path).st_mode & 0o7777, 0o600, "mode")
    check_equal(os.listdir(os.path.dirname(path)), ["state"], "what is left there")
    created = Gleakd(t, target.pid, "--once", "--state", path).final()["targets"][0]["goroutines"]
    check(created["created"] >= 211, f"remembered: {created}")


@cases_for({
    "text": b"something else\n",
    "empty": b"",
    "cut": None,
    "new": b"gleakd\x1a\n\xff\xff\xff\xff" + bytes(60),
})
def unusable_state_is_told_and_replaced(t, content):
    target = start(t, COUNTS)
    path = os.path.join(t.directory(), "state")
    watch = ("--pid", str(target.pid), "--once", "--json", "--state", path)
    if content is None:
        run(t, *watch)
        with open(path, "rb") as file:
            content = file.read()[:-3]
    with open(path, "wb") as file:
        file.write(content)
    code, out, err = run(t, *watch)
    check_equal(code, 0, f"exit code ({err})")
    check("starting afresh" in err and path in err, f"a message: {err!r}")
    check(json.loads(out)["final"], "a report")
    code, _, err = run(t, *watch)
    check_equal((code, err), (0, ""), "exit code and stderr of the next run")


@cases_for({"missing": "missing/state", "folder": ".", "below a file": "file/state"})
def state_that_cannot_be_kept(t, name):
    needs_tracing()
    path = os.path.join(os.path.dirname(write(t, "", "file")), name)
    code, out, err = run(t, "--pid", str(os.getpid()), "--state", path)
    check_equal((code, out), (FAILURE, ""), f"exit code and stdout ({err})")
    check("state" in err and path in err, err)


@case
def devices_and_links_are_not_replaced(t):
    needs_tracing()
    link = os.path.join(t.directory(), "link")
    os.symlink("/dev/null", link)
    for path in ("/dev/null", link):
        code, _, err = run(t, "--pid", str(os.getpid()), "--state", path)
        check_equal(code, FAILURE, f"exit code of {path} ({err})")
    check(os.path.islink(link), "the link is there")
    check(os.stat("/dev/null").st_mode & 0o170000 == 0o020000, "/dev/null is a device")


def tiny_disk(t):
    """A file system with room for one page of data."""
    needs_tracing()
    folder = t.directory()
    if not shutil.which("mount"):
        raise Skip("mount (util-linux)")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "gleakd-test", folder],
                          capture_output=True, text=True)
    if done.returncode:
        raise Skip("the right to mount", always=True)
    t.defer(subprocess.run, ["umount", "-l", folder])
    return folder


@case
def full_and_read_only_disks(t):
    """The run is of use all the same; what was saved before stays."""
    target = start(t, COUNTS)
    folder = tiny_disk(t)
    path = os.path.join(folder, "state")
    for words, prepare in (
        ("No space left", lambda: None),
        ("Read-only file system", lambda: subprocess.run(
            ["mount", "-o", "remount,ro", folder], check=True)),
    ):
        prepare()
        before = os.path.exists(path) and open(path, "rb").read()
        code, out, err = run(t, "--pid", str(target.pid), "--once", "--json", "--state", path)
        check_equal(code, FAILURE, f"exit code ({err})")
        check(words in err and path in err, f"{words!r} is not in {err!r}")
        check(json.loads(out)["final"], "the report is there")
        check_equal(os.listdir(folder), ["state"], "files left")
        check(not before or open(path, "rb").read() == before, "the old file has changed")
