# SPDX-License-Identifier: Apache-2.0
"""What gleakd cannot watch: the documented exit code and words a user can act on."""

import os
import random
import re
import shutil
import stat
import struct
import subprocess

from harness import VERSIONS, Skip, case, cases_for, check, check_equal, until
from programs import Program, Target, start
from tracer import Gleakd, binary, needs_tracing, run

COUNTS = Program("counts")
TOO_OLD = Program("counts", "1.17.13")
OLD_STRIPPED = Program("counts", "1.19.13", strip=True)
NARROW = Program("counts", arch="386")
FAILURE, USAGE, UNSUPPORTED, DENIED = 1, 2, 3, 4


def refused(t, code, words, *args, **options):
    """gleakd ends by itself with this code, and says so on stderr in a few lines."""
    got, out, err = run(t, *args, **options)
    check_equal(got, code, f"exit code of {' '.join(args)} ({err.strip()})")
    check(re.search(words, err, re.IGNORECASE), f"{words!r} is not in {err.strip()!r}")
    check(0 < len(err.splitlines()) <= 6, f"{len(err.splitlines())} lines of error")
    check("Sanitizer" not in err, err)
    check_equal(out, "", "stdout")


@cases_for(
    {
        "letters": ["--pid", "abc"],
        "empty": ["--pid", ""],
        "zero": ["--pid", "0"],
        "negative": ["--pid", "-5"],
        "huge": ["--pid", "99999999999999999999"],
        "trailing": ["--pid", "12x"],
        "no value": ["--pid"],
        "unknown": ["--pid", "1", "--frobnicate"],
        "interval": ["--pid", "1", "--interval", "soon"],
        "zero interval": ["--pid", "1", "--interval", "0"],
        "duration": ["--pid", "1", "--duration", "-3s"],
        "min-age": ["--pid", "1", "--min-age", "5parsecs"],
        "mode": ["--pid", "1", "--mode", "everything"],
        "ring": ["--pid", "1", "--ring-bytes", "1000"],
        "stray": ["--pid", "1", "stray"],
        "fail-on": ["--pid", "1", "--error-exitcode", "9", "--fail-on", "leaking|stuck"],
        "fail-on alone": ["--pid", "1", "--fail-on", "stuck"],
        "error-exitcode": ["--pid", "1", "--error-exitcode", "256"],
        "no findings": ["--pid", "1", "--error-exitcode", "0"],
        "empty allow": ["--pid", "1", "--allow", ""],
        "empty state": ["--pid", "1", "--state="],
        "explain as json": ["--pid", "1", "--explain", "3fa9", "--json"],
        "explain stars": ["--pid", "1", "--explain", "*a*b*c*d*e*f*g*h*"],
        "explain long": ["--pid", "1", "--explain", "x" * 513],
    }
)
def usage(t, args):
    refused(t, USAGE, "gleakd", *args)


@case
def help_and_version(t):
    for option in ("--help", "--version"):
        code, out, _ = run(t, option)
        check_equal(code, 0, f"exit code of {option}")
        check("gleakd" in out, f"{option} says {out!r}")
    _, out, _ = run(t, "help", "watch")
    for option in ("--pid", "--json", "--once", "--interval", "--duration", "--min-age", "--allow",
                   "--explain", "--state", "--fail-on", "--error-exitcode", "--json-schema"):
        check(option in out, f"help lacks {option}")
    check(all(len(line) <= 100 for line in out.splitlines()), "help is wider than 100 columns")


@case
def no_such_process(t):
    needs_tracing()
    gone = subprocess.Popen(["true"])
    gone.wait()
    refused(t, FAILURE, r"no such process|does not exist|no process", "--pid", str(gone.pid))


@case
def zombie(t):
    needs_tracing()
    dead = subprocess.Popen(["true"])
    t.defer(dead.wait)
    os.waitid(os.P_PID, dead.pid, os.WEXITED | os.WNOWAIT)
    code, _, err = run(t, "--pid", str(dead.pid))
    check(code in (FAILURE, UNSUPPORTED), f"exit code {code}")
    check(err, "not a word")


@case
def kernel_thread(t):
    needs_tracing()
    with open("/proc/2/comm", encoding="utf-8") as comm:
        if comm.read().strip() != "kthreadd":
            raise Skip("a kernel thread in sight", always=True)
    refused(t, UNSUPPORTED, "kernel thread|no executable|not a Go", "--pid", "2")


@case
def not_a_go_program(t):
    needs_tracing()
    sleep = subprocess.Popen(["/bin/sleep", "60"])
    t.defer(sleep.wait)
    t.defer(sleep.kill)
    refused(t, UNSUPPORTED, r"not a Go program|Go", "--pid", str(sleep.pid))


@case(tier=VERSIONS)
def too_old_go(t):
    needs_tracing()
    target = start(t, TOO_OLD)
    refused(t, UNSUPPORTED, r"1\.17", "--pid", str(target.pid))
    target.ask("spawn 11")


@case
def unknown_newer_go(t):
    """A version that does not exist yet, as patched into the build info of a real program."""
    needs_tracing()
    with_dwarf = claiming_to_be_new(t, COUNTS)
    target = Target(t, [with_dwarf])
    target.answer("ready")
    final = Gleakd(t, target.pid, "--once").final()["targets"][0]
    check_equal(final["go_version"][:8], "go1.99.9", "version")
    check("DWARF" in final["how"], f"how: {final['how']}")
    check(final["goroutines"]["alive"] > 0, "goroutines are seen")


@case(tier=VERSIONS)
def unknown_newer_go_without_dwarf(t):
    """No layout is taken on trust: the newest one is tried, and this program's is another."""
    needs_tracing()
    target = Target(t, [claiming_to_be_new(t, OLD_STRIPPED)])
    target.answer("ready")
    refused(t, UNSUPPORTED, r"1\.99", "--pid", str(target.pid))


def claiming_to_be_new(t, program):
    path = os.path.join(t.directory(), "future")
    shutil.copy(program.build(), path)
    with open(path, "r+b") as file:
        image = file.read()
        at = image.find(b"\xff Go buildinf:")
        check(at > 0, "no build info in the program")
        name = re.match(rb"go1\.\d+(\.\d+)?", image[at + 33:at + 53])
        check(name, "no inline version in the build info")
        file.seek(at + 33)
        file.write(b"go1.99.9".ljust(len(name.group(0)), b"0")[:len(name.group(0))])
    return path


@case
def thirty_two_bits(t):
    needs_tracing()
    path = NARROW.build()
    try:
        target = Target(t, [path])
        target.answer("ready")
    except OSError:
        raise Skip("a kernel that runs 32-bit programs", always=True) from None
    refused(t, UNSUPPORTED, r"386|32.bit|i386|architecture", "--pid", str(target.pid))


@case
def no_privilege(t):
    """As nobody, on root's process and on nobody's own: which capability is missing is said."""
    needs_tracing()
    if not shutil.which("setpriv"):
        raise Skip("setpriv (util-linux)")
    folder = t.directory()
    tool = shutil.copy(binary(t), os.path.join(folder, "gleakd"))
    program = shutil.copy(COUNTS.build(), os.path.join(folder, "counts"))
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    roots = start(t, COUNTS)
    own = Target(t, [*nobody, program])
    own.answer("ready")
    for target in (roots, own):
        refused(t, DENIED, r"CAP_\w+", "--pid", str(target.pid), prefix=nobody, path=tool)
        target.ask("spawn 11")


@case
def root_is_not_told_to_use_sudo(t):
    """A container that keeps CAP_SYS_PTRACE from root: what is missing is said, and where to give it."""
    needs_tracing()
    if not shutil.which("setpriv"):
        raise Skip("setpriv (util-linux)")
    program = shutil.copy(COUNTS.build(), os.path.join(t.directory(), "counts"))
    other = Target(t, ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program])
    other.answer("ready")
    code, _, err = run(t, "--pid", str(other.pid), "--once",
                       prefix=["setpriv", "--bounding-set", "-sys_ptrace"])
    check_equal(code, DENIED, f"exit code ({err})")
    check("CAP_SYS_PTRACE" in err and "container or service" in err and "sudo" not in err, err)


@case
def root_is_told_what_else_it_can_be(t):
    needs_tracing()
    try:
        os.readlink("/proc/1/exe")
        raise Skip("a process that not even root may read", always=True)
    except PermissionError:
        pass
    code, _, err = run(t, "--pid", "1", "--once")
    check_equal(code, DENIED, f"exit code ({err})")
    check("although gleakd has the capabilities" in err and "sudo" not in err, err)


def buildinfo_of(version, rng, size=200):
    """A build info section that claims a version, followed by noise."""
    return (
        b"\xff Go buildinf:\x08\x02".ljust(32, b"\0")
        + bytes([len(version)])
        + version.encode()
        + rng.randbytes(size)
    )


@cases_for({str(seed): seed for seed in range(6)})
def hostile_binary(t, seed):
    """A C program that claims to be Go, with noise where Go's tables should be."""
    needs_tracing()
    if not shutil.which("objcopy"):
        raise Skip("objcopy (binutils)")
    rng = random.Random(seed)
    folder = t.directory()
    parts = {
        "buildinfo": buildinfo_of("go1.26.8" if seed % 2 else "go1.19.13", rng),
        # pclntab: right magic, then lengths and offsets far outside.
        "pclntab": struct.pack("<IBBBB", 0xFFFFFFF1, 0, 0, 1, 8)
        + (b"\xff" * 64 if seed % 3 == 0 else rng.randbytes(4096)),
    }
    command = ["objcopy"]
    for name, content in parts.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
        section = {"buildinfo": ".go.buildinfo", "pclntab": ".gopclntab"}[name]
        command += ["--add-section", f"{section}={os.path.join(folder, name)}"]
        command += ["--set-section-flags", f"{section}=contents,alloc,load,readonly,data"]
    path = os.path.join(folder, "claimant")
    subprocess.run([*command, "/bin/sleep", path], check=True, stderr=subprocess.DEVNULL)
    if seed == 5:  # and a cut one: the running image is mapped, the sections are cut off
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize("/bin/sleep") - 700)
    sleep = subprocess.Popen([path, "60"])
    t.defer(sleep.wait)
    t.defer(sleep.kill)
    code, out, err = run(t, "--pid", str(sleep.pid), "--once", "--json")
    check(code in (FAILURE, UNSUPPORTED), f"exit code {code}: {err}")
    check(err.strip() and not out, f"stdout {out!r}, stderr {err!r}")
    check(sleep.poll() is None, "the target was harmed")


@case
def lying_executable_name(t):
    """Names with escape sequences and quotes come out harmless."""
    path = os.path.join(t.directory(), 'we\x1b[31mird"\n')
    shutil.copy(COUNTS.build(), path)
    target = Target(t, [path])
    target.answer("ready")
    needs_tracing()
    code, out, err = run(t, "--pid", str(target.pid), "--once")
    check_equal(code, 0, f"exit code ({err})")
    check("\x1b" not in out + err, "an escape sequence got through")


@case
def fifos_that_nobody_is_at_the_other_end_of(t):
    """Whatever option names one: gleakd says so, and does not wait for anybody."""
    needs_tracing()
    target = start(t, COUNTS)
    pid = str(target.pid)
    path = os.path.join(t.directory(), "fifo")
    os.mkfifo(path)
    nobody = "nobody reads the FIFO"
    refused(t, USAGE, "is not a regular file", "--pid", pid, "--once", "--config", path)
    refused(t, FAILURE, "takes a regular file", "--pid", pid, "--once", "--state", path)
    refused(t, FAILURE, nobody, "--pid", pid, "--once", "--report", path)
    refused(t, FAILURE, nobody, "--pid", pid, "--duration", "1s", "--html", path)
    refused(t, FAILURE, nobody, "heap", pid, "--pprof", path)
    refused(t, FAILURE, nobody, "dump", pid, "--pprof", path)
    refused(t, FAILURE, "exists", "record", pid, "-o", path, "--duration", "1s")
    refused(t, FAILURE, "Not a directory", "--pid", pid, "--once", "--source", path)
    refused(t, FAILURE, "Not a directory", "--only", f"pid:{pid}", "--duration", "1s", "--evidence", path)
    check(stat.S_ISFIFO(os.stat(path).st_mode), "it is still there")
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE, text=True) as reader:
        t.defer(reader.kill)
        until("it is read, and gleakd writes to it", lambda: run(
            t, "--pid", pid, "--once", "--report", path)[0] == 0)
        check("goroutines" in reader.communicate(timeout=20)[0], "the report")
