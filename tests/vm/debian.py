# SPDX-License-Identifier: Apache-2.0
"""Packages of Debian's of any architecture, fetched by apt and unpacked; nothing is installed.

apt keeps its lists and what it fetched in build/vm/apt, and reads sources of ours: the machine's
own stay as they are.
"""

import glob
import os
import re
import shutil
import subprocess

from harness import ROOT, Skip

FOLDER = os.path.join(ROOT, "build", "vm")
APT = os.path.join(FOLDER, "apt")
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECONDS = 300


def archives():
    """Where this machine's apt gets Debian from: the archive's address by its last folder."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"],
                          capture_output=True, text=True, check=True).stdout
    return {uri.rstrip("/").rpartition("/")[2]: uri for uri in told.split()}


class Source:
    """Packages of some suites for an architecture."""

    def __init__(self, name, suites, arch):
        self.base, self.suites, self.arch = os.path.join(APT, name), suites, arch

    def line(self, suite, known):
        name = "debian-security" if suite.endswith("-security") else "debian"
        if name not in known:
            raise Skip(f"an archive {name} among apt's sources")
        return f"deb [arch={self.arch} signed-by={KEYS}] {known[name]} {suite} main\n"

    def apt(self, program, *arguments):
        options = {
            "Dir::Etc::sourcelist": os.path.join(self.base, "sources.list"),
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State::lists": os.path.join(self.base, "lists"),
            # What is installed here is of no interest.
            "Dir::State::status": "/dev/null",
            "Dir::Cache": self.base,
            "APT::Architecture": self.arch,
            "APT::Architectures": self.arch,
            "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "APT::Sandbox::User": "root",
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        done = subprocess.run([program, *given, *arguments], capture_output=True, text=True,
                              cwd=self.base, timeout=SECONDS, env=dict(os.environ, LC_ALL="C"))
        if done.returncode:
            raise Skip(f"Debian's archive ({program} {arguments[0]}: "
                       f"{done.stderr.strip()[-200:]})")
        return done.stdout

    def update(self):
        for program in ("apt-get", "dpkg-deb"):
            if not shutil.which(program):
                raise Skip(f"{program}, which fetches packages of Debian's")
        if not os.path.exists(KEYS):
            raise Skip(f"{KEYS} (package debian-archive-keyring)")
        shutil.rmtree(self.base, ignore_errors=True)
        for folder in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(self.base, folder), exist_ok=True)
        with open(os.path.join(self.base, "sources.list"), "w", encoding="utf-8") as file:
            known = archives()
            file.writelines(self.line(suite, known) for suite in self.suites)
        self.apt("apt-get", "update", "-q")

    def newest(self, pattern):
        """Of the packages whose names fit, the one with the highest numbers in its name."""
        said = self.apt("apt-cache", "search", "--names-only", f"^{pattern}$")
        names = [line.split()[0] for line in said.splitlines() if line.strip()]
        if not names:
            raise Skip(f"a package {pattern} in {', '.join(self.suites)}")
        return max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])

    def unpack(self, packages, folder):
        self.apt("apt-get", "download", "-q", *packages)
        for package in glob.glob(os.path.join(self.base, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
            os.unlink(package)
