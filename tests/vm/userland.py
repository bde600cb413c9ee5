# SPDX-License-Identifier: Apache-2.0
"""Python, busybox and libraries of the virtual machine: this machine's, or Debian's of another architecture."""

import glob
import os
import re
import shutil
import subprocess
import sys
import sysconfig

from debian import FOLDER, Source
from harness import Failed, Skip
from programs import MACHINE

# What busybox lacks; the check that misses one says so.
TOOLS = ("setpriv",)


def asked(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout


class Own:
    """What is installed here, at the paths that it has here."""

    arch = MACHINE
    python, stdlib = sys.executable, sysconfig.get_path("stdlib")
    same_version = True  # of Python, as the one that runs this

    def at(self, path):
        return os.path.realpath(path) if path == self.python else path

    def prepare(self):
        if not shutil.which("ldd"):
            raise Skip("ldd (libc-bin)")

    def libraries(self, program):
        """What the dynamic linker loads for a file of a program, itself included."""
        said = asked("ldd", program)
        missing = re.findall(r"(\S+) => not found", said)
        if missing:
            raise Failed(f"{program} needs {', '.join(missing)}")
        return re.findall(r"(/\S+) \(0x", said)

    def busybox(self):
        for path in ("/bin/busybox", "/usr/bin/busybox"):
            if os.access(path, os.X_OK) and "=>" not in asked("ldd", path):
                return path
        raise Skip("busybox-static")

    def tools(self):
        return [path for path in map(shutil.which, TOOLS) if path]


class Unpacked:
    """Packages of Debian 12's, unpacked below build/vm."""

    version = "3.11"
    packages = ("busybox-static", "libbz2-1.0", "libc6", "libcap-ng0", "libexpat1", "libffi8", "liblzma5",
                "libssl3", "util-linux", "zlib1g",
                "python3.11-minimal", "libpython3.11-minimal", "libpython3.11-stdlib",
                # Of a gleakd that is not static.
                "libbpf1", "libdw1", "libelf1", "libjansson4", "libncursesw6", "libprotobuf-c1", "libsqlite3-0",
                "libtinfo6", "libzstd1", "libzycore1.4", "libzydis4.0")
    python, stdlib = "/usr/bin/python" + version, "/usr/lib/python" + version
    same_version = sys.version_info[:2] == (3, 11)

    def __init__(self, arch, triplet, loader):
        self.arch, self.triplet, self.loader = arch, triplet, loader
        self.root = os.path.join(FOLDER, "root-" + arch)

    def at(self, path):
        return self.root + path

    def prepare(self):
        if os.path.exists(self.root):
            return
        source = Source("userland-" + self.arch, ["bookworm", "bookworm-security"], self.arch)
        source.update()
        source.unpack(self.packages, self.root + ".new")
        os.rename(self.root + ".new", self.root)

    def libraries(self, program):
        found, todo = [], [program]
        while todo:
            said = asked("readelf", "--wide", "--dynamic", todo.pop())
            for name in re.findall(r"\(NEEDED\).*\[(.*)\]", said):
                path = self.library(name)
                if path not in found:
                    found.append(path)
                    todo.append(self.at(path))
        return [*found, self.loader] if found else []

    def library(self, name):
        for folder in ("/lib/" + self.triplet, "/usr/lib/" + self.triplet, "/lib"):
            if os.path.exists(self.at(os.path.join(folder, name))):
                return os.path.join(folder, name)
        raise Failed(f"no library {name} among packages of Debian's for {self.arch}")

    def busybox(self):
        return next(path for path in ("/bin/busybox", "/usr/bin/busybox")
                    if os.path.exists(self.at(path)))

    def tools(self):
        return [found.removeprefix(self.root) for name in TOOLS
                for found in glob.glob(f"{self.root}/**/bin/{name}", recursive=True)]


def of(arch):
    if arch == MACHINE:
        return Own()
    if arch == "arm64":
        return Unpacked(arch, "aarch64-linux-gnu", "/lib/ld-linux-aarch64.so.1")
    raise Skip(f"packages for {arch}")
