# SPDX-License-Identifier: Apache-2.0
"""What the virtual machine boots into: gleakd, Python and the test programs, as one cpio archive.

Everything of this machine is at the path that it has here, so that nothing has to be told where it is. Python
comes as compiled modules: a kernel need not keep the times that would tell that they are current.
"""

import glob
import os
import py_compile
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile

import nfs

from harness import ROOT, Failed, Skip
from programs import MACHINE

HERE = os.path.dirname(os.path.abspath(__file__))
# Imported when they are first used, by what checks.py imports.
LATE = ("concurrent.futures.thread", "encodings.ascii", "encodings.latin_1", "encodings.idna",
        "stringprep", "unicodedata")


class Archive:
    """A cpio archive in the "newc" format (Documentation/driver-api/early-userspace)."""

    def __init__(self, file):
        self.file, self.inode, self.folders, self.names = file, 0, {""}, set()

    def _entry(self, name, mode, data, device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        self.file.write(b"070701" + b"".join(b"%08X" % field for field in fields))
        self.file.write(encoded + b"\0" * (-(110 + len(encoded)) % 4))
        self.file.write(data + b"\0" * (-len(data) % 4))

    def folder(self, name):
        if name in self.folders:
            return
        self.folder(os.path.dirname(name))
        self.folders.add(name)
        self._entry(name, stat.S_IFDIR | 0o755, b"")

    def add(self, path, data, mode=0o644):
        name = path.lstrip("/")
        if name in self.names:
            return
        self.names.add(name)
        self.folder(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def copy(self, source, path=None):
        with open(source, "rb") as file:
            executable = os.stat(source).st_mode & 0o111
            self.add(path or source, file.read(), 0o755 if executable else 0o644)

    def console(self):
        """The first process has its words on it, before anything is mounted."""
        self.folder("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1))

    def close(self):
        self._entry("TRAILER!!!", 0, b"")


def add_program(archive, userland, path):
    add_file(archive, userland, userland.at(path), path)


def add_file(archive, userland, source, path):
    """A program or a library with what it loads."""
    archive.copy(source, path)
    for library in userland.libraries(source):
        archive.copy(userland.at(library), library)


def modules():
    """Files of the Python modules that the guest imports, as Python itself tells."""
    names = ("guest", *LATE, *{name for name in sys.modules if name.startswith("cases_")})
    code = (f"import sys; sys.path[:0] = {[HERE, os.path.join(ROOT, 'tests', 'e2e')]!r}\n"
            f"import {', '.join(names)}\n"
            "print(*{m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)},"
            " sep='\\n')")
    said = subprocess.run([sys.executable, "-I", "-B", "-c", code], capture_output=True, text=True)
    if said.returncode:
        raise Failed(f"the guest's modules cannot be imported: {said.stderr}")
    return said.stdout.split()


def add_python(archive, userland):
    add_program(archive, userland, userland.python)
    here = sysconfig.get_path("stdlib")
    names = {"os.py"}  # by which Python knows its folder
    for source in modules():
        if source.startswith(ROOT):
            archive.copy(source)
        else:
            names.add(os.path.relpath(source, here))
    folder = userland.at(userland.stdlib)
    if not userland.same_version:
        names |= set(glob.glob("**/*.py", root_dir=folder, recursive=True))
    for name in sorted(names):
        add_module(archive, userland, folder, name)


def add_module(archive, userland, folder, name):
    path = os.path.join(userland.stdlib, name)
    if name.endswith(".so"):
        # "_ctypes.cpython-311-x86_64-linux-gnu.so"; one that is not there is part of Python itself.
        for found in glob.glob(name.partition(".")[0] + ".*.so", root_dir=folder):
            add_program(archive, userland, os.path.join(userland.stdlib, found))
    elif not os.path.exists(os.path.join(folder, name)):
        return
    elif userland.same_version:
        archive.add(path + "c", compiled(os.path.join(folder, name), path))
    else:
        archive.copy(os.path.join(folder, name), path)


def compiled(source, name):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "module.pyc")
        py_compile.compile(source, path, dfile=name, doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        with open(path, "rb") as file:
            return file.read()


def add_go_program(archive, program, arch):
    """
    At the path that it has where it is not for another architecture, with its sources, in which checks look
    for lines. What cannot be built, the checks miss.
    """
    try:
        built = program.on(arch) if program.arch == MACHINE else program
        archive.copy(built.build(), program.path)
    except Skip as skip:
        print(f"not built: {program.name} needs {skip}", file=sys.stderr)
    folder = os.path.join(ROOT, "tests", "programs", program.name)
    for name in os.listdir(folder):
        if name.endswith(".go"):
            archive.copy(os.path.join(folder, name))


def write_modules(base, path, kernel):
    """At `path` the archive at `base`, with a kernel's modules behind it, which are an archive of their own."""
    shutil.copyfile(base, path)
    with open(path, "ab") as file:
        # Each archive begins at a multiple of four bytes.
        file.write(b"\0" * (-file.tell() % 4))
        archive = Archive(file)
        for module in sorted(os.listdir(kernel.modules)):
            archive.copy(os.path.join(kernel.modules, module), os.path.join(nfs.MODULES, module))
        archive.close()


def write(path, userland, tools, programs):
    """
    The archive with these Programs of tests/programs; `tools`: gleakd and what belongs to it, by where in the
    machine's build folder they are to be.
    """
    userland.prepare()
    with open(path + ".new", "wb") as file:
        archive = Archive(file)
        archive.console()
        archive.copy(os.path.join(HERE, "init"), "/init")
        archive.copy(userland.at(userland.busybox()), "/bin/busybox")
        for name, source in tools.items():
            add_file(archive, userland, source, os.path.join(ROOT, "build", name))
        add_python(archive, userland)
        for tool in userland.tools():
            add_program(archive, userland, tool)
        for program in programs:
            add_go_program(archive, program, userland.arch)
        archive.close()
    os.replace(path + ".new", path)
