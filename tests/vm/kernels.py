# SPDX-License-Identifier: Apache-2.0
"""Kernels of Debian's, fetched by apt and unpacked below build/vm; nothing is installed.

apt keeps its lists and what it fetched in build/vm/apt, and reads sources of ours: the machine's
own stay as they are.
"""

import glob
import os
import re
import shutil
import subprocess

from harness import ROOT, Failed, Skip

FOLDER = os.path.join(ROOT, "build", "vm")
APT = os.path.join(FOLDER, "apt")
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
SECONDS = 300


class Kernel:
    """A series of kernels. `probes`: whether gleakd is to work in full there, or to refuse."""

    def __init__(self, name, suites, package, *, probes=True):
        self.name, self.suites, self.package, self.probes = name, suites, package, probes
        self.image = os.path.join(FOLDER, "vmlinuz-" + name)

    def fetched(self):
        """Path of the kernel's image; from the network the first time."""
        if not os.path.exists(self.image):
            fetch(self)
        return self.image


# Cloud kernels need no module for what is in a virtual machine.
KERNELS = [
    Kernel("5.10", ["bullseye", "bullseye-security"],
           r"linux-image-5\.10\.0-[0-9]+-cloud-amd64", probes=False),
    Kernel("6.1", ["bookworm", "bookworm-security"], r"linux-image-6\.1\.0-[0-9]+-cloud-amd64"),
    Kernel("6.12", ["trixie", "trixie-security"],
           r"linux-image-6\.12\.[0-9.]+\+deb13[0-9.]*-cloud-amd64"),
    Kernel("6.18", ["trixie-backports"], r"linux-image-6\.18\.[0-9]+\+deb13[0-9.]*-cloud-amd64"),
    Kernel("newest", ["trixie-backports"], r"linux-binary-[0-9.]+\+deb13[0-9.]*-cloud-amd64"),
]


def archives():
    """Where this machine's apt gets Debian from: the archive's address by its last folder."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"],
                          capture_output=True, text=True, check=True).stdout
    return {uri.rstrip("/").rpartition("/")[2]: uri for uri in told.split()}


def source_line(suite, known):
    name = "debian-security" if suite.endswith("-security") else "debian"
    if name not in known:
        raise Skip(f"an archive {name} among apt's sources")
    return f"deb [arch=amd64 signed-by={KEYS}] {known[name]} {suite} main\n"


def apt(kernel, program, *arguments, cwd=None):
    base = os.path.join(APT, kernel.name)
    options = {
        "Dir::Etc::sourcelist": os.path.join(base, "sources.list"),
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": os.path.join(base, "lists"),
        "Dir::Cache": base,
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "APT::Sandbox::User": "root",
    }
    given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    done = subprocess.run([program, *given, *arguments], capture_output=True, text=True, cwd=cwd,
                          timeout=SECONDS, env=dict(os.environ, LC_ALL="C"))
    if done.returncode:
        raise Skip(f"Debian's archive ({program} {arguments[0]}: {done.stderr.strip()[-200:]})")
    return done.stdout


def newest_package(kernel):
    said = apt(kernel, "apt-cache", "search", "--names-only", f"^{kernel.package}$")
    names = [line.split()[0] for line in said.splitlines() if line.strip()]
    if not names:
        raise Skip(f"a package {kernel.package} in {', '.join(kernel.suites)}")
    return max(names, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])


def fetch(kernel):
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            raise Skip(f"{program}, which fetches kernels of Debian's")
    if not os.path.exists(KEYS):
        raise Skip(f"{KEYS} (package debian-archive-keyring)")
    base = os.path.join(APT, kernel.name)
    shutil.rmtree(base, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial"):
        os.makedirs(os.path.join(base, folder), exist_ok=True)
    with open(os.path.join(base, "sources.list"), "w", encoding="utf-8") as file:
        known = archives()
        file.writelines(source_line(suite, known) for suite in kernel.suites)
    apt(kernel, "apt-get", "update", "-q")
    apt(kernel, "apt-get", "download", "-q", newest_package(kernel), cwd=base)
    package, = glob.glob(os.path.join(base, "*.deb"))
    unpacked = os.path.join(base, "unpacked")
    subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True)
    # /boot/vmlinuz-VERSION, since Linux 6.19 /usr/lib/modules/VERSION/vmlinuz.
    images = glob.glob(os.path.join(unpacked, "**", "vmlinuz*"), recursive=True)
    if len(images) != 1:
        raise Failed(f"images in {os.path.basename(package)}: {images}")
    os.rename(images[0], kernel.image)
    shutil.rmtree(unpacked)
    os.unlink(package)
