# SPDX-License-Identifier: Apache-2.0
"""Gets the servers: programs out of Debian packages, Go packages at a fixed version, our own.

Nothing is installed on the machine: everything goes to build/eval/cache and stays there.
"""

import glob
import os
import shutil
import subprocess

import common

HERE = os.path.dirname(os.path.abspath(__file__))


class Missing(Exception):
    """What cannot be had here, for a skip by name."""


def run(argv, cwd=None, seconds=300):
    try:
        done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, timeout=seconds)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{argv[0]}: {error}") from None
    return done


def debian(options, package, program):
    """The path of a program from a Debian package, which is unpacked and not installed."""
    folder = options.cache("debian", package, "x")[:-2]
    path = os.path.join(folder, program)
    if os.path.exists(path):
        return path
    os.makedirs(folder, exist_ok=True)
    if run(["apt-get", "download", package], folder).returncode:
        run(["apt-get", "update"])
        if run(["apt-get", "download", package], folder).returncode:
            raise Missing(f"Debian package {package}")
    for archive in glob.glob(os.path.join(folder, "*.deb")):
        run(["dpkg-deb", "-x", archive, folder])
        os.remove(archive)
    if not os.path.exists(path):
        raise Missing(f"{program} in Debian package {package}")
    return path


def go_package(options, name, package):
    """The path of a program built from package@version.

    In a module of its own: `go install` refuses what has `replace` in its go.mod.
    """
    path = options.cache("bin", name.replace(" ", "-"))
    mark = path + ".version"
    if os.path.exists(path) and os.path.exists(mark):
        with open(mark, encoding="utf-8") as file:
            if file.read() == package:
                return path
    folder = options.cache("src", name.replace(" ", "-"), "go.mod")[:-len("/go.mod")]
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    import_path = package.split("@")[0]
    try:
        common.go("mod", "init", "eval/server", cwd=folder)
        common.go("get", package, cwd=folder, GOFLAGS="-mod=mod")
        common.go("build", "-p", "2", "-o", path, import_path, cwd=folder, seconds=1200,
                  GOFLAGS="-mod=mod", CGO_ENABLED="0")
    except common.Unfinished as problem:
        print(f"   {package}: {problem}", flush=True)
        raise Missing(package) from None
    with open(mark, "w", encoding="utf-8") as file:
        file.write(package)
    return path


def ours(options, folder, package="."):
    """The path of a program in tests/eval/healthy/FOLDER; go's own cache knows what is new."""
    source = os.path.join(HERE, folder)
    path = options.cache("bin", folder if package == "." else f"{folder}-{package}")
    try:
        common.go("build", "-buildvcs=false", "-o", path, "./" + package, cwd=source,
                  CGO_ENABLED="0")
    except common.Unfinished as problem:
        print(f"   {folder}: {problem}", flush=True)
        raise Missing(f"tests/eval/healthy/{folder}, which needs modules or a newer Go") from None
    return path


def server(options, wanted):
    """The path of a Server's program."""
    if wanted.debian:
        return debian(options, wanted.debian, wanted.program)
    if wanted.go:
        return go_package(options, wanted.name, wanted.go)
    return ours(options, "own", wanted.own)
