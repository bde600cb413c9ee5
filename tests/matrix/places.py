# SPDX-License-Identifier: Apache-2.0
"""The matrix program where a Go runtime is not that of a plain executable, or not named as one."""

import os
import shutil
import subprocess
import time

import cell
import kinds
from cases_unharmed import whatever_a_process_does_to_itself
from harness import Failed, Skip
from programs import SOURCES, Program, Target, go_command, go_environment, go_version

# Where versions of the runtime matter: the first, the one that ends goroutines in gdestroy, the last two.
VERSIONS = ("1.18.10", "1.22.12", "1.26.8", "1.27.1")
LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")


def build(version, name, *flags, package="./matrix", cgo=False):
    """With Go's own cache: versions this far apart do not share much."""
    path = os.path.join(kinds.DIRECTORY, f"{version}-{name}")
    go_version(version)
    kinds.run([go_command(), "build", "-buildvcs=false", "-o", path, *flags, package],
              dict(go_environment(version), CGO_ENABLED=str(int(cgo))))
    return path


def library(version, mode, suffix):
    return build(version, mode + suffix, "-buildmode=" + mode, "-tags=library", cgo=True)


def compile_host(version, archive=None):
    """The program in C, linked with the archive or without."""
    if not shutil.which("gcc"):
        raise Skip("gcc")
    path = os.path.join(kinds.DIRECTORY, f"host-{version}" if archive else "host")
    linked = ["-DARCHIVE", archive, "-lpthread"] if archive else []
    kinds.run(["gcc", "-O1", "-o", path, os.path.join(SOURCES, "matrix", "host", "main.c"),
               *linked, "-ldl"], dict(os.environ))
    return path


class Place:
    """
    A row. `launch(case, version)` starts the program and returns it with its runtime's file, or None when
    it has checked all there is.
    """

    def __init__(self, name, launch, says=None, held=False):
        self.name, self.launch, self.says, self.held = name, launch, says, held
        self.pgo = self.garble = False


def run(case, argv, file=None, **env):
    return cell.ready(Target(case, argv, env=dict(cell.environment(), **env))), file


def main_ended(case, version):
    return run(case, [build(version, "plain")], MATRIX_GOEXIT="1")


def archive(case, version):
    return run(case, [compile_host(version, library(version, "c-archive", ".a"))])


def shared(case, version):
    path = library(version, "c-shared", ".so")
    return run(case, [compile_host(version), path], path)


def two(case, version):
    """
    Another file is another runtime. They have one handler of SIGURG, the later one's, so that the other
    cannot stop goroutines which never call anything: there are none of those.
    """
    path, other = library(version, "c-shared", ".so"), os.path.join(case.directory(), "other.so")
    shutil.copy(path, other)
    return run(case, [compile_host(version), path, other], path, MATRIX_STILL="1")


def plugin(case, version):
    opener = build(version, "opener", package="./matrix/opener", cgo=True)
    return run(case, [opener, library(version, "plugin", ".so")])


def loader(case, version):
    found = next((path for path in LOADERS if os.path.exists(path)), None)
    if not found:
        raise Skip("ld.so")
    path = build(version, "cgo-dynamic", cgo=True)
    return run(case, [found, path], path)


def memfd(case, version):
    """/proc/PID/exe leads to a file without a name."""
    held = os.memfd_create("matrix", 0)
    try:
        with open(build(version, "plain"), "rb") as file:
            shutil.copyfileobj(file, os.fdopen(os.dup(held), "wb"))
        return run(case, [f"/proc/{os.getpid()}/fd/{held}"])
    finally:
        os.close(held)


def plain(case, version):
    return run(case, [build(version, "plain")])


def traps(case, version):
    """Another program: what that does has to be counted, and must not harm it."""
    whatever_a_process_does_to_itself(case, Program("traps", go=version))
    return None


def named(text):
    return lambda case, version: run(case, [build(version, "says-" + text, f"-ldflags=-X=runtime.buildVersion={text}")])


PLACES = (
    Place("main has ended (`runtime.Goexit`)", main_ended),
    Place("c-archive in a C program", archive),
    Place("c-shared in a C program", shared),
    Place("c-shared, two of them", two),
    Place("plugin", plugin),
    Place("started through ld.so", loader),
    Place("without a file (memfd)", memfd),
    Place("stopped (SIGSTOP) while it is read", plain, held=True),
    Place("system calls, traps and code taken over", traps),
    Place("version `1.26.8`", named("1.26.8"), says="1.26.8"),
    Place("version `weird`", named("weird"), says="weird"),
)


def check(makecase, version, place):
    outcome = cell.Outcome(version, place)
    begin = time.monotonic()
    case = makecase(f"{version} {place.name}")
    with case.stack:
        try:
            started = place.launch(case, version)
            if started:
                target, file = started
                target.held = place.held
                cell.check_target(case, target, version, outcome, file=file, named=place.says)
            outcome.state = "passed"
        except Failed as failure:
            outcome.notes.append(str(failure))
        except Skip as skip:
            outcome.state = "skipped"
            outcome.notes.append(f"needs {skip}")
        except (OSError, subprocess.SubprocessError) as problem:
            outcome.notes.append(str(problem))
    outcome.seconds = time.monotonic() - begin
    return outcome
