# SPDX-License-Identifier: Apache-2.0
"""The Go programs that gleakd is let loose on: building them, starting them, talking to them."""

import os
import queue
import re
import shutil
import signal
import subprocess
import threading

import harness
from harness import EVERYDAY, ROOT, SLOW, VERSIONS, Failed, Skip, check

SOURCES = os.path.join(ROOT, "tests", "programs")
BUILT = os.path.join(ROOT, "build", "programs")


# As Go calls this machine.
MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


def go_command():
    """sudo's PATH lacks the usual place of a Go that was not installed by apt."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and os.access(candidate, os.X_OK):
            return candidate
    raise Skip("a go command")


def go_environment(version, arch=MACHINE):
    env = dict(os.environ, CGO_ENABLED="0", GOARCH=arch, GOFLAGS="-mod=mod", GOWORK="off")
    env["GOTOOLCHAIN"] = "local" if version == "local" else "go" + version
    env.setdefault("HOME", "/root")
    env["TZ"] = "UTC"
    return env


def go_version(version):
    """The exact version, or Skip when this machine cannot get it."""
    if version != "local" and harness.running_tier() == EVERYDAY:
        raise Failed(f"a case that needs go{version} belongs to the tier {VERSIONS!r}")
    return harness.once(f"fetching go{version}", _go_version, version)


def _go_version(version):
    got = subprocess.run(
        [go_command(), "version"], env=go_environment(version), capture_output=True, text=True
    )
    match = re.search(r"\bgo(\d+\.\d+(\.\d+)?)\b", got.stdout)
    if got.returncode or not match or version not in ("local", match.group(1)):
        raise Skip(f"toolchain go{version}")
    return match.group(1)


# Where versions of the runtime matter: the first one, the one with gdestroy, this machine's and the last.
RUNTIME_VERSIONS = ("local", "1.18.10", "1.22.12", "1.27.1")

# What unit tests read: programs that print what the Go runtime says about their own code.
UNIT_BINARIES = os.path.join(ROOT, "build", "tests", "binaries")
UNIT_VERSIONS = ("1.19.13", "local", "1.27.1")
UNIT_KINDS = {  # name: (environment, options of go build)
    "static": ({"CGO_ENABLED": "0"}, []),
    "stripped": ({"CGO_ENABLED": "0"}, ["-ldflags=-s -w"]),
    "pie": ({"CGO_ENABLED": "0"}, ["-buildmode=pie"]),
    "cgo": ({"CGO_ENABLED": "1"}, []),
    "cgopie": ({"CGO_ENABLED": "1"}, ["-buildmode=pie"]),
    "arm64": ({"CGO_ENABLED": "0", "GOARCH": "arm64"}, []),
}


def build_unit_binary(version, kind):
    """UNIT_BINARIES/VERSION-KIND/prog, and expected.txt with what it printed where it can run."""
    harness.once(f"building frames-{version}-{kind}", _build_unit_binary, version, kind)


def _build_unit_binary(version, kind):
    extra, options = UNIT_KINDS[kind]
    folder = os.path.join(UNIT_BINARIES, f"{go_version(version)}-{kind}")
    program, expected = (os.path.join(folder, name) for name in ("prog", "expected.txt"))
    os.makedirs(folder, exist_ok=True)
    built = subprocess.run(
        [go_command(), "build", "-buildvcs=false", *options, "-o", program, "."],
        cwd=os.path.join(SOURCES, "frames"),
        env=dict(go_environment(version), **extra),
        capture_output=True,
        text=True,
    )
    if built.returncode:
        raise Failed(f"frames, {version}-{kind}: {built.stderr.strip()}")
    if "GOARCH" in extra:
        return
    if os.path.exists(expected) and os.path.getmtime(expected) >= os.path.getmtime(program):
        return
    said = subprocess.run([program], capture_output=True, check=True).stdout
    with open(expected, "wb") as file:
        file.write(said)


class Program:
    """One program as built by one toolchain in one way."""

    def __init__(self, name, go="local", strip=False, pie=False, arch=MACHINE, says="", mode="",
                 cgo=False, linkname=False):
        """`says`: the version that it gives as its own; `mode`: "plugin", "c-shared", ...; `linkname`: it
        refers to variables of the runtime, which since Go 1.23 the linker has to be told."""
        self.name, self.go, self.strip, self.pie, self.arch = name, go, strip, pie, arch
        self.says, self.mode, self.cgo = says, mode, cgo or bool(mode)
        self.linkname = linkname
        kind = ("-stripped" if strip else "") + ("-pie" if pie else "")
        kind += "-says" + says if says else ""
        kind += "" if arch == MACHINE else "-" + arch
        kind += {"": "", "c-archive": ".a"}.get(mode, ".so")
        self.path = os.path.join(BUILT, f"{name.replace('/', '-')}-go{go}{kind}")
        harness.to_prepare(f"building {os.path.basename(self.path)}", self.build,
                           harness.tier_of(self))

    def build(self):
        """Its path; built once in a run, where go's own cache decides what that means."""
        version = go_version(self.go)
        return harness.once(f"building {os.path.basename(self.path)}", self._build, version)

    def _build(self, version):
        command = [go_command(), "build", "-o", self.path]
        # A tree that belongs to somebody else must not stop root from building.
        command += [] if version.startswith("1.17") else ["-buildvcs=false"]
        command += ["-buildmode=" + (self.mode or "pie")] if self.mode or self.pie else []
        flags = ["-s", "-w"] if self.strip else []
        flags += ["-X=runtime.buildVersion=" + self.says] if self.says else []
        flags += ["-checklinkname=0"] if self.linkname and self.minor() >= 23 else []
        command += ["-ldflags=" + " ".join(flags)] if flags else []
        command.append("./" + self.name)
        env = dict(go_environment(self.go, self.arch), CGO_ENABLED=str(int(self.cgo)))
        if self.cgo and not shutil.which("gcc"):
            raise Skip("gcc")
        if self.cgo and self.arch != MACHINE:
            raise Skip(f"a C compiler for {self.arch}")
        built = subprocess.run(command, cwd=SOURCES, env=env, capture_output=True, text=True)
        if built.returncode:
            raise Failed(f"{' '.join(command)}: {built.stderr.strip()}")
        return self.path

    def on(self, arch):
        """The same program for another architecture."""
        return Program(self.name, self.go, self.strip, self.pie, arch, self.says, self.mode, self.cgo,
                       self.linkname)

    def minor(self):
        """26 of go1.26.8; of the machine's own Go too, which may be any."""
        return int(go_version(self.go).split(".")[1])

    def line(self, marker):
        """("counts/main.go", 44) for a marker comment such as "made:run" or "leak: mutex"."""
        found = []
        folder = os.path.join(SOURCES, self.name)
        for file in sorted(f for f in os.listdir(folder) if f.endswith(".go")):
            with open(os.path.join(folder, file), encoding="utf-8") as text:
                for number, line in enumerate(text, 1):
                    if re.search(r"//\s*" + re.escape(marker) + r"\s*$", line):
                        found.append((f"{self.name}/{file}", number))
        check(len(found) == 1, f"marker {marker!r} of {self.name}: {found}")
        return found[0]


class Target:
    """A running program which obeys lines on its stdin and answers each with a line."""

    def __init__(self, case, argv, env=None, cwd=None):
        self.process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=cwd,
            text=True,
            bufsize=1,
            start_new_session=True,
        )
        self.case = case
        case.defer(self.end)
        self.pid = self.process.pid
        self.lines = queue.Queue()
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        self.errors = []
        threading.Thread(target=self._read_errors, daemon=True).start()

    def _read(self, stream):
        for line in stream:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _read_errors(self):
        for line in self.process.stderr:
            if len(self.errors) < 200:
                self.errors.append(line.rstrip("\n"))

    def answer(self, begins, seconds=30):
        try:
            line = self.lines.get(timeout=seconds * SLOW)
        except queue.Empty:
            raise Failed(f"target {self.pid} said nothing for {seconds} s") from None
        if line is None:
            raise Failed(f"target {self.pid} ended: {' / '.join(self.errors[:3])}")
        check(line.startswith(begins), f"target said {line!r} instead of {begins!r}")
        return line

    def send(self, command):
        try:
            self.process.stdin.write(command + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"target {self.pid} ended before {command!r}") from None

    def ask(self, command, seconds=30):
        self.send(command)
        return self.answer("ok " + command.split()[0], seconds)

    def feed(self, *commands, every):
        """Asks all of that every so many seconds, until the case ends or what it returns is called. Nobody else
        may ask meanwhile."""
        stop = threading.Event()

        def go_on():
            while not stop.wait(every):
                for command in commands:
                    self.ask(command)

        feeder = threading.Thread(target=go_on)
        feeder.start()
        self.case.defer(feeder.join)
        self.case.defer(stop.set)
        return stop.set

    def alive(self):
        return self.process.poll() is None

    def end(self):
        """With whatever it has started, which would hold the pipes."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except (BrokenPipeError, OSError, ValueError):
                pass


def start(case, program, *args, path=None):
    """Starts a Program and waits until it says that it is ready."""
    target = Target(case, [path or program.build(), *args])
    target.ready = target.answer("ready")
    return target
