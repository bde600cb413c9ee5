# SPDX-License-Identifier: Apache-2.0
"""What the virtual machine boots into: gleakd, Python and the test programs, as one cpio archive.

Everything is at the path that it has here, so that nothing has to be told where it is. Python comes
as compiled modules: a kernel need not keep the times that would tell that they are current.
"""

import os
import py_compile
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile

from harness import ROOT, Failed, Skip

HERE = os.path.dirname(os.path.abspath(__file__))
STDLIB = sysconfig.get_path("stdlib")
# Imported when they are first used, by what checks.py imports.
LATE = ("concurrent.futures.thread", "encodings.ascii", "encodings.latin_1", "encodings.idna",
        "stringprep", "unicodedata")

# What busybox lacks; the check that misses one says so.
TOOLS = ("setpriv",)


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


def libraries(program):
    """What the dynamic linker loads for a program, itself included."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True).stdout
    missing = re.findall(r"(\S+) => not found", said)
    if missing:
        raise Failed(f"{program} needs {', '.join(missing)}")
    return re.findall(r"(/\S+) \(0x", said)


def add_program(archive, source, path=None):
    archive.copy(source, path)
    for library in libraries(source):
        archive.copy(library)


def modules():
    """Files of the Python modules that the guest imports, as Python itself tells."""
    names = ("guest", *LATE)
    code = (f"import sys; sys.path[:0] = {[HERE, os.path.join(ROOT, 'tests', 'e2e')]!r}\n"
            f"import {', '.join(names)}\n"
            "print(*{m.__file__ for m in sys.modules.values() if getattr(m, '__file__', None)},"
            " sep='\\n')")
    said = subprocess.run([sys.executable, "-I", "-B", "-c", code], capture_output=True, text=True)
    if said.returncode:
        raise Failed(f"the guest's modules cannot be imported: {said.stderr}")
    return said.stdout.split()


def add_python(archive):
    add_program(archive, os.path.realpath(sys.executable), sys.executable)
    # Python knows its folder by os.py.
    for source in sorted({os.path.join(STDLIB, "os.py"), *modules()}):
        if source.endswith(".so"):
            add_program(archive, source)
        elif source.startswith(ROOT):
            archive.copy(source)
        else:
            archive.add(source + "c", compiled(source))


def compiled(source):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "module.pyc")
        py_compile.compile(source, path, dfile=source, doraise=True,
                           invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        with open(path, "rb") as file:
            return file.read()


def is_static(path):
    return "=>" not in subprocess.run(["ldd", path], capture_output=True, text=True).stdout


def busybox():
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.access(path, os.X_OK) and is_static(path):
            return path
    raise Skip("busybox-static")


def add_go_program(archive, program):
    """Its sources too, in which checks look for lines. What cannot be built, the checks miss."""
    try:
        archive.copy(program.build())
    except Skip as skip:
        print(f"not built: {program.name} needs {skip}", file=sys.stderr)
    folder = os.path.join(ROOT, "tests", "programs", program.name)
    for name in os.listdir(folder):
        if name.endswith(".go"):
            archive.copy(os.path.join(folder, name))


def write(path, gleakd, programs):
    """The archive with this gleakd and these Programs of tests/programs."""
    if not shutil.which("ldd"):
        raise Skip("ldd (libc-bin)")
    with open(path + ".new", "wb") as file:
        archive = Archive(file)
        archive.console()
        archive.copy(os.path.join(HERE, "init"), "/init")
        archive.copy(busybox(), "/bin/busybox")
        add_program(archive, gleakd, os.path.join(ROOT, "build", "gleakd"))
        add_python(archive)
        for tool in TOOLS:
            if shutil.which(tool):
                add_program(archive, shutil.which(tool))
        for program in programs:
            add_go_program(archive, program)
        archive.close()
    os.replace(path + ".new", path)
