# SPDX-License-Identifier: Apache-2.0
"""The versions of Go and the ways to build a program that the matrix is made of."""

import os
import shutil
import subprocess

from harness import ROOT, Failed, Skip
from programs import SOURCES, go_command, go_environment, go_version

# The last patch release of every minor that gleakd reads; the newest that can be had here.
VERSIONS = ("1.18.10", "1.19.13", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13", "1.25.7",
            "1.26.8", "1.27.1")

# Experiments which change something that gleakd reads, and which that version has (see
# src/internal/goexperiment/flags.go).
EXPERIMENTS = {
    18: ("unified",),
    19: ("unified",),
    20: ("arenas", "pagetrace"),
    21: ("loopvar", "pagetrace"),
    22: ("noallocheaders", "noexectracer2", "newinliner"),
    23: ("aliastypeparams", "newinliner"),
    24: ("synctest", "noswissmap", "nospinbitmutex"),
    25: ("greenteagc", "jsonv2"),
    26: ("nogreenteagc", "goroutineleakprofile", "sizespecializedmalloc", "runtimesecret"),
    27: ("nogreenteagc", "nosizespecializedmalloc", "runtimesecret", "runtimefreegc"),
}

FIRST_PGO = 21
# Garble works with the compilers that it was made for. It overwrites the version and enciphers the
# function table's addresses: what it leaves is to be refused in words.
GARBLE = {23: "v0.14.2", 24: "v0.14.2", 25: "v0.15.0", 26: "v0.16.0"}
DIRECTORY = os.path.join(ROOT, "build", "matrix")


def minor(version):
    return int(version.split(".")[1])


class Kind:
    """One way of building. `flags` go to go build; `after` is done to the file."""

    def __init__(self, name, flags=(), cgo=False, experiments=False, after=None, garble=False,
                 pgo=False):
        self.name, self.flags, self.cgo, self.after = name, flags, cgo, after
        self.experiments, self.garble, self.pgo = experiments, garble, pgo

    def variants(self, version):
        """Names of the binaries that one cell consists of; raises Skip where there is none."""
        if self.pgo and minor(version) < FIRST_PGO:
            raise Skip("a Go that builds with profiles, from 1.21 on", always=True)
        if self.garble and minor(version) not in GARBLE:
            raise Skip("a garble for this Go", always=True)
        return EXPERIMENTS[minor(version)] if self.experiments else ("",)


KINDS = (
    Kind("plain"),
    Kind("-s -w", ("-ldflags=-s -w",)),
    Kind("strip", after=("strip",)),
    Kind("trimpath", ("-trimpath",)),
    Kind("pie", ("-buildmode=pie",)),
    Kind("pie -s -w", ("-buildmode=pie", "-ldflags=-s -w")),
    Kind("cgo", cgo=True),
    Kind("cgo pie", ("-buildmode=pie", "-ldflags=-linkmode=external"), cgo=True),
    Kind("cgo static", ("-ldflags=-linkmode=external -extldflags=-static",), cgo=True),
    Kind("cgo strip", cgo=True, after=("strip",)),
    Kind("race", ("-race",), cgo=True),
    Kind("pgo", pgo=True),
    Kind("experiments", experiments=True),
    Kind("garble", garble=True),
)


def environment(version, kind, variant=""):
    """Each version has a cache of its own: some of the old ones cannot read a newer one's."""
    env = go_environment(version)
    env["GOCACHE"] = os.path.join(DIRECTORY, f"gocache-{version}")
    env["CGO_ENABLED"] = "1" if kind.cgo else "0"
    if variant:
        env["GOEXPERIMENT"] = variant
    return env


def run(command, env, cwd=SOURCES):
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        words = " ".join((done.stderr or done.stdout).split())
        raise Failed(f"{' '.join(command[:3])}: {words[-300:]}")
    return done.stdout


def garble_command(version, env):
    """Builds garble through the module proxy with the Go that it is to obfuscate for."""
    bin_dir = os.path.join(DIRECTORY, f"garble-{version}")
    path = os.path.join(bin_dir, "garble")
    if not os.path.exists(path):
        module = "mvdan.cc/garble@" + GARBLE[minor(version)]
        try:
            run([go_command(), "install", module], dict(env, GOBIN=bin_dir, GOFLAGS=""))
        except Failed as failure:
            raise Skip(f"{module} for go{version} ({str(failure)[-160:]})", always=True) from None
    return path


def build(version, kind, variant="", profile=None):
    """Builds the matrix program and returns its path."""
    go_version(version)
    env = environment(version, kind, variant)
    name = "-".join([version, kind.name, variant]).replace(" ", "_").strip("-")
    path = os.path.join(DIRECTORY, name)
    tool = [go_command()]
    if kind.garble:
        tool = [garble_command(version, env)]
        env["PATH"] = os.path.dirname(go_command()) + ":" + env.get("PATH", "")
    flags = [f"-pgo={profile}"] if kind.pgo else list(kind.flags)
    try:
        run([*tool, "build", "-buildvcs=false", "-o", path, *flags, "./matrix"], env)
    except Failed as failure:
        # It patches the toolchain, which not every installation of one lets it do.
        if kind.garble:
            raise Skip(f"a garble that builds here ({failure})", always=True) from None
        raise
    if kind.after:
        if not shutil.which(kind.after[0]):
            raise Skip(kind.after[0])
        run([*kind.after, path], env)
    return path
