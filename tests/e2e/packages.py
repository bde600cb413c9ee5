# SPDX-License-Identifier: Apache-2.0
"""Programs of other shops, unpacked below build/packages. Nothing is installed, so nothing starts."""

import glob
import os
import shutil
import subprocess
import tarfile

import harness
from harness import ROOT, Skip

PACKAGES = os.path.join(ROOT, "build", "packages")


def unpacked(package):
    """The files of a package of Debian's."""
    return harness.once(f"fetching {package}", _unpacked, package)


def program(name, package):
    """Path of a program: as it is installed here, or from its package.

    Which may have been split since: promtool has a package of its own in Debian 13.
    """
    found = shutil.which(name) or os.path.join(unpacked(package), "usr", "bin", name)
    return found if os.path.exists(found) else os.path.join(unpacked(name), "usr", "bin", name)


def npm_package(name):
    """The files of a package of the npm registry."""
    return harness.once(f"fetching {name}", _npm_package, name)


def prepared(*packages, tier=harness.EVERYDAY):
    """Fetches them before the tests of a tier begin."""
    for package in packages:
        fetch = npm_package if "@" in package else unpacked
        harness.to_prepare(f"fetching {package}", lambda p=package, f=fetch: f(p), tier)


def _unpacked(package):
    folder = os.path.join(PACKAGES, package)
    if os.path.isdir(folder):
        return folder
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Skip(f"Debian's package {package}")
    os.makedirs(PACKAGES, exist_ok=True)
    if problem := _download(package):
        # Images of machines come without apt's lists.
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True)
        problem = _download(package)
    if problem:
        raise Skip(f"Debian's package {package} ({problem[-1:]})")
    (archive,) = glob.glob(os.path.join(PACKAGES, package + "_*.deb"))
    subprocess.run(["dpkg-deb", "-x", archive, folder + ".new"], check=True)
    os.unlink(archive)
    os.rename(folder + ".new", folder)
    return folder


def _download(package):
    """What apt says against it; nothing when it is there."""
    got = subprocess.run(["apt-get", "download", "-qq", package], cwd=PACKAGES,
                         capture_output=True, text=True)
    return (got.stderr.strip() or "no word").splitlines() if got.returncode else None


def _npm_package(name):
    folder = os.path.join(PACKAGES, name.strip("@").replace("/", "-"))
    if os.path.isdir(folder):
        return folder
    if not shutil.which("npm"):
        raise Skip("npm", always=True)
    os.makedirs(PACKAGES, exist_ok=True)
    got = subprocess.run(["npm", "pack", "--silent", name], cwd=PACKAGES, capture_output=True,
                         text=True)
    if got.returncode:
        raise Skip(f"npm package {name} ({got.stderr.strip().splitlines()[-1:]})", always=True)
    archive = os.path.join(PACKAGES, got.stdout.strip().splitlines()[-1])
    with tarfile.open(archive) as tar:
        tar.extractall(folder + ".new")
    os.unlink(archive)
    os.rename(folder + ".new", folder)
    return folder
