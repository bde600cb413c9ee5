#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a static gleakd consists of, as CycloneDX 1.5: the archives of which the linker's map says that members were
taken, and the Debian packages that these come from.

	tools/sbom.py PROGRAM MAP VERSION ARCH
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import uuid

# The names of Debian's copyright files that SPDX has by another one.
SPDX = {"LGPL-2.1": "LGPL-2.1-only", "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-2": "LGPL-2.0-only",
        "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later", "GPL-3+": "GPL-3.0-or-later",
        "LGPL-3+": "LGPL-3.0-or-later", "BSD-2-clause": "BSD-2-Clause", "Expat": "MIT"}
KNOWN = set(SPDX.values()) | {"Zlib", "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def archives(path):
    """Of which the map names members that were included: "/usr/lib/.../libelf.a(elf_begin.o)"."""
    found = set()
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(("Discarded input sections", "Memory Configuration", "Allocating common")):
                break
            match = re.match(r"(\S+\.a)\(\S+\)", line)
            if match:
                found.add(os.path.realpath(match.group(1)))
    if not found:
        sys.exit(f"sbom: {path} names no archive: is it a map of the linker's?")
    return sorted(found)


def query(*args):
    """The first line; a package that is installed for two architectures has two, which are the same."""
    done = subprocess.run(["dpkg-query", *args], capture_output=True, text=True)
    return done.stdout.split("\n")[0] if done.returncode == 0 else ""


def package_of(path):
    """The package that a file is of: also where /lib is a link to /usr/lib."""
    for candidate in (path, path.removeprefix("/usr")):
        owner = query("-S", candidate).rsplit(": ", 1)[0]
        if owner:
            return owner.split(", ")[0]
    return ""


def license_of(package):
    """What the machine-readable copyright file says of all files but Debian's own; None: it is none, or says more."""
    try:
        with open(f"/usr/share/doc/{package.split(':')[0]}/copyright", encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return None
    stanzas = re.findall(r"^Files:\s*((?:.+\n)+)", text, re.M)
    names = {match.group(1) for stanza in stanzas if not stanza.startswith("debian/")
             if (match := re.search(r"^License:\s*(.+)$", stanza, re.M))}
    name = names.pop() if len(names) == 1 else None
    name = SPDX.get(name, name)
    return name if name in KNOWN else None


def component(name, version, arch, license_name, files):
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B').replace(':', '%3A')}?arch={arch}"
    made = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "properties": [{"name": "gleakd:archive", "value": f"{os.path.basename(f)} sha256:{sha256(f)}"}
                           for f in files]}
    if license_name:
        made["licenses"] = [{"license": {"id": license_name}}]
    return made


def components(paths, arch):
    """One for each source package: what is linked is a part of that, by whatever name it is installed."""
    by_source, ours, strangers = {}, [], []
    for path in paths:
        if "/build/" in path and not path.startswith("/usr"):
            ours.append(path)
            continue
        package = package_of(path)
        told = query("-W", "-f", "${source:Package}\t${source:Version}\n", package) if package else ""
        if not told:
            strangers.append(path)
            continue
        by_source.setdefault(tuple(told.split("\t")), []).append((package, path))
    if strangers:
        sys.exit(f"sbom: of no Debian package: {' '.join(strangers)}")
    made = [component(name, version, arch, license_of(found[0][0]), [path for _, path in found])
            for (name, version), found in sorted(by_source.items())]
    if any(os.path.basename(path) == "zydis.a" for path in ours):
        # Compiled from its source package (tools/zydis-source.sh), of the version that is installed.
        for package in ("libzydis-dev", "libzycore-dev"):
            told = query("-W", "-f", "${source:Package}\t${source:Version}\n", package)
            name, version = told.split("\t") if told else (package, "unknown")
            made.append(component(name, version, arch, license_of(package) or "MIT", []))
    return made


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    program, linker_map, version, arch = sys.argv[1:]
    digest = sha256(program)
    parts = components(archives(linker_map), arch)
    ref = f"pkg:generic/gleakd@{version}?arch={arch}"
    bom = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        # The same for the same program.
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": ref, "name": "gleakd", "version": version, "purl": ref,
            "hashes": [{"alg": "SHA-256", "content": digest}],
            "licenses": [{"expression": "Apache-2.0 AND (GPL-2.0-only OR BSD-2-Clause)"}]}},
        "components": parts,
        "dependencies": [{"ref": ref, "dependsOn": [p["bom-ref"] for p in parts]}],
    }
    json.dump(bom, sys.stdout, indent=2, ensure_ascii=True)
    print()


if __name__ == "__main__":
    main()
