# SPDX-License-Identifier: Apache-2.0
"""What a release has beside the program: the RPM, and what the program consists of."""

import json
import os
import re
import shutil
import subprocess

from harness import ROOT, Skip, case, check, check_equal
from tracer import binary

EPOCH = "1764460800"


def needs(*tools):
    for tool in tools:
        if not shutil.which(tool):
            raise Skip(tool)


def said(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    check_equal(done.returncode, 0, f"{' '.join(command)}: {done.stderr}")
    return done.stdout


@case
def rpm(t):
    """Made of what `make install` leaves; with the program that is there, as the static one is made elsewhere."""
    needs("rpmbuild", "rpm")
    folder = t.directory()
    staged = os.path.join(folder, "root")
    said("make", "-s", "install", f"DESTDIR={staged}", "PREFIX=/usr",
         "UNIT_DIR=/usr/lib/systemd/system", f"B={os.path.dirname(binary(t))}", cwd=ROOT)
    said("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {folder}/top", "--define",
         f"_rpmdir {folder}", "--define", "_rpmfilename gleakd.rpm", "--define", f"staged {staged}",
         "--define", "upstream 1.2.3", "--define", f"docs {ROOT}",
         os.path.join(ROOT, "deploy/rpm/gleakd.spec"),
         env=dict(os.environ, SOURCE_DATE_EPOCH=EPOCH))
    package = os.path.join(folder, "gleakd.rpm")
    files = said("rpm", "-qlp", package).split()
    for name in ("/usr/sbin/gleakd", "/usr/lib/systemd/system/gleakd.service",
                 "/usr/share/man/man8/gleakd-run.8", "/etc/gleakd/gleakd.conf",
                 "/usr/share/doc/gleakd/repairs.md"):
        check(name in files, f"{name} is not in {files}")
    check_equal(said("rpm", "-qcp", package).split(), ["/etc/gleakd/gleakd.conf"], "configuration")
    asked = [line for line in said("rpm", "-qp", "--requires", package).splitlines()
             if not line.startswith(("rpmlib(", "/bin/sh", "config("))]
    check_equal(asked, [], "asked of the system")
    scripts = said("rpm", "-qp", "--scripts", package)
    check("daemon-reload" in scripts and " start " not in scripts and " enable " not in scripts, scripts)
    check_equal(said("rpm", "-qp", "--qf", "%{VERSION} %{BUILDTIME}", package), f"1.2.3 {EPOCH}", "head")
    # A root that has nothing, not even a shell for the scripts.
    root = os.path.join(folder, "empty")
    os.mkdir(root)
    said("rpm", "--force-debian", "--root", root, "--install", "--nodeps", "--noscripts", package)
    check(said(os.path.join(root, "usr/sbin/gleakd"), "version").startswith("gleakd "), "version")
    for name in files:
        check(os.path.lexists(root + name), f"{name} is not in it")


@case
def what_a_program_consists_of(t):
    needs("gcc", "dpkg-query")
    folder = t.directory()
    program, linker_map = os.path.join(folder, "program"), os.path.join(folder, "map")
    with open(os.path.join(folder, "main.c"), "w", encoding="utf-8") as file:
        file.write("#include <zlib.h>\n#include <stdio.h>\n"
                   "int main(void) { puts(zlibVersion()); return 0; }\n")
    said("gcc", "-static", f"-Wl,-Map={linker_map}", "-o", program,
         os.path.join(folder, "main.c"), "-lz")
    bom = json.loads(said(os.path.join(ROOT, "tools/sbom.py"), program, linker_map, "1.2.3", "amd64"))
    check_equal((bom["bomFormat"], bom["specVersion"]), ("CycloneDX", "1.5"), "format")
    names = {c["name"]: c for c in bom["components"]}
    check({"glibc", "zlib"} <= set(names), f"components {set(names)}")
    version = said("dpkg-query", "-W", "-f", "${source:Version}\n", "zlib1g-dev").split("\n")[0]
    check_equal(names["zlib"]["version"], version, "zlib")
    check(re.fullmatch(r"libz\.a sha256:[0-9a-f]{64}", names["zlib"]["properties"][0]["value"]), "archive")
    refs = [c["bom-ref"] for c in bom["components"]]
    check_equal(len(set(refs)), len(refs), "references")
    check_equal(bom["dependencies"], [{"ref": bom["metadata"]["component"]["bom-ref"],
                                       "dependsOn": refs}], "dependencies")
    done = subprocess.run([os.path.join(ROOT, "tools/sbom.py"), program, program, "1", "amd64"],
                          capture_output=True, text=True)
    check(done.returncode and "names no archive" in done.stderr, done.stderr)
