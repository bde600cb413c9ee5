# SPDX-License-Identifier: Apache-2.0
"""The Go runtime's own word on goroutines that leak: its test programs, the table of its test, and
the text of its goroutineleak profile."""

import collections
import json
import os
import re

import common

# The newest of the series whose runtime has the profile without an experiment (1.27 on).
GO = "go1.27.4"
PROGRAMS = "src/runtime/testdata/testgoroutineleakprofile"
TABLE = "src/runtime/goroutineleakprofile_test.go"
FOLDERS = ("", "goker")


class Scenario:
    """One leaking program.

    simple    run as the runtime's test runs it: on one processor, so that it always leaks. The
              others leak when somebody comes in between: that takes several, whatever the machine
    expected  patterns of what may leak, of that test's table; None: it is not in there
    """

    def __init__(self, name, program, simple, expected):
        self.name, self.program, self.simple, self.expected = name, program, simple, expected

    def environment(self):
        return dict(os.environ, GODEBUG="asyncpreemptoff=1", GOMAXPROCS="1" if self.simple else "4")


def table(root):
    """{name: (simple, [pattern, ...])} of the runtime's test."""
    with open(os.path.join(root, TABLE), encoding="utf-8") as file:
        text = re.sub(r"^\s*//.*$", "", file.read(), flags=re.MULTILINE)
    found = {}
    pieces = re.split(r'make(Flaky|)Test\("(\w+)"', text)
    for flaky, name, rest in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
        found[name] = (not flaky, re.findall(r"`([^`]+)`", rest))
    return found


def _write_if_other(path, text):
    """Keeps the file's time where nothing changed: go's cache goes by it."""
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


DRIVER = os.path.join(common.HERE, "leakdriver", "driver.go")


def _sources(source):
    """[(name, text), ...] of their package with the driver's `pprof` in place of the import, and
    without a main() of its own; their lines stay where they are."""
    for name in sorted(os.listdir(source)):
        if not name.endswith(".go"):
            continue
        with open(os.path.join(source, name), encoding="utf-8") as file:
            text = file.read().replace('\t"runtime/pprof"\n', "\n")
        if name == "main.go":
            text = text.replace("func main() {", "func theirMain() {")
        yield name, text


def _overlay(options, source):
    """A file for go build -overlay: their package with our driver."""
    label = os.path.basename(source)
    replace = {os.path.join(source, "driver.go"): DRIVER}
    for name, text in _sources(source):
        ours = options.cache("leaking", label, name)
        _write_if_other(ours, text)
        replace[os.path.join(source, name)] = ours
    path = options.cache("leaking", label + ".json")
    _write_if_other(path, json.dumps({"Replace": replace}, indent=1))
    return path


def tree():
    """The folder of the toolchain that has the programs."""
    root = common.go("env", "GOROOT", toolchain=GO)
    if not os.path.isdir(os.path.join(root, PROGRAMS)):
        raise common.Unfinished(f"{GO} comes without {PROGRAMS}")
    return root


def _listed(options, known, program):
    """[Scenario, ...] that a program has."""
    with common.Process([program, "list"], options.cache("leaking", "list")) as lister:
        lister.wait(10)
    return [Scenario(name, program, *known.get(name, (False, None)))
            for name in common.tail(lister.output, 100_000).split()]


def build(options):
    """[Scenario, ...] by name, built from the toolchain's own tree."""
    root = tree()
    known = table(root)
    scenarios = []
    for folder in FOLDERS:
        source = os.path.join(root, PROGRAMS, folder).rstrip("/")
        program = options.cache("leaking", "leaks-" + (folder or "simple"))
        # A toolchain lies in the module cache, whose files go refuses to overlay: let it think that
        # the cache is elsewhere. The programs import nothing but the standard library.
        common.go("build", "-buildvcs=false", "-overlay", _overlay(options, source), "-o", program,
                  ".", toolchain=GO, cwd=source, command=os.path.join(root, "bin", "go"),
                  GOMODCACHE=options.cache("leaking", "modcache"), GOFLAGS="")
        scenarios += _listed(options, known, program)
    return sorted(scenarios, key=lambda s: s.name)


def build_with(options, toolchain):
    """The same programs as an older Go builds them, whose tree does not have them: from copies."""
    root = tree()
    known = table(root)
    scenarios = []
    for folder in FOLDERS:
        label = folder or "simple"
        copies = options.cache("leaking", toolchain, label, "go.mod")[:-len("/go.mod")]
        series = re.match(r"go(1\.\d+)", toolchain).group(1)
        _write_if_other(os.path.join(copies, "go.mod"), f"module leaks\n\ngo {series}\n")
        with open(DRIVER, encoding="utf-8") as driver:
            sources = [("driver.go", driver.read())]
        sources += _sources(os.path.join(root, PROGRAMS, folder))
        for name, text in sources:
            _write_if_other(os.path.join(copies, name), text)
        program = options.cache("leaking", f"leaks-{label}-{toolchain}")
        # By their names: Go 1.19 fails to find the package in this folder.
        common.go("build", "-buildvcs=false", "-o", program, *(name for name, _ in sources),
                  toolchain=toolchain, cwd=copies, GOFLAGS="")
        scenarios += _listed(options, known, program)
    return sorted(scenarios, key=lambda s: s.name)


def not_seen(scenario, goroutines):
    """Patterns of leaks which the runtime's test is sure of and this profile does not have."""
    leaks = [f"{g.frames[-1].function.removeprefix('main.')}() [{g.reason}]"
             for g in goroutines if g.leaked and g.frames]
    sure = scenario.expected if scenario.simple else []
    return [pattern for pattern in sure if not any(re.match(pattern, leak) for leak in leaks)]


# --- the profile ----------------------------------------------------------------------------------

Goroutine = collections.namedtuple("Goroutine", "goid reason leaked frames created")
Frame = collections.namedtuple("Frame", "function file line")

# "goroutine 7 gp=.. [chan receive (leaked), 2 minutes, locked to thread]:"
_HEADER = re.compile(r"^goroutine (\d+)\b.*?\[(.*)\]:$")
_PLACE = re.compile(r"^\t(.*):(\d+)(?: \+0x[0-9a-f]+)?$")


def parse(text):
    """[Goroutine, ...] of a profile's text."""
    found = []
    for block in text.split("\n\n"):
        lines = block.strip("\n").split("\n")
        header = _HEADER.match(lines[0])
        if header:
            found.append(_parse_one(header, lines[1:]))
    return found


def _parse_one(header, lines):
    # Reasons may have brackets and no commas: "chan send (nil chan) (leaked), 5 minutes".
    state = header.group(2).split(", ")[0]
    leaked = state.endswith(" (leaked)")
    frames, created = [], None
    for function, where in zip(lines[0::2], lines[1::2]):
        at = _PLACE.match(where)
        if not at:
            continue
        file, line = os.path.basename(at.group(1)), int(at.group(2))
        if function.startswith("created by "):
            name = re.sub(r" in goroutine \d+$", "", function[len("created by "):])
            created = Frame(name, file, line)
        else:
            frames.append(Frame(re.sub(r"\([^()]*\)$", "", function), file, line))
    return Goroutine(int(header.group(1)), state.removesuffix(" (leaked)"), leaked, frames, created)


def blocking_frame(goroutine):
    """The line of the program's own on which it waits; else the innermost outside the runtime."""
    for frame in goroutine.frames:
        if frame.function.startswith("main."):
            return frame
    for frame in goroutine.frames:
        if not re.match(r"(runtime|sync|internal/\w+|time|context)\.", frame.function):
            return frame
    return goroutine.frames[0] if goroutine.frames else None


Key = collections.namedtuple("Key", "reason file line created_file created_line")


def key_of_goroutine(goroutine):
    at, created = blocking_frame(goroutine), goroutine.created
    return Key(goroutine.reason, at.file if at else "", at.line if at else 0,
               created.file if created else "", created.line if created else 0)


def key_of_site(site):
    at, created = common.place(site["blocked_at"]), common.place(site["created_by"])
    return Key(site["wait_reason"], at[0] if at else "", at[1] if at else 0,
               created[0] if created else "", created[1] if created else 0)


def leaks(goroutines):
    """{Key: number} of the leaked ones."""
    return collections.Counter(key_of_goroutine(g) for g in goroutines if g.leaked)


def ours(key):
    """Whether it is the driver that waits there, or that has just made it."""
    return key.file == "driver.go" or key.file == "" and key.created_file in ("", "driver.go")
