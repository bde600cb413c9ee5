# SPDX-License-Identifier: Apache-2.0
"""What a Go program says of its own goroutines (pprof debug=2), in a form that can be compared."""

import re
from collections import namedtuple

# state: the runtime's word; frames: ((function, file, line), ...) innermost first; creator: one or
# None.
Goroutine = namedtuple("Goroutine", "state frames creator")

HEAD = re.compile(r"^goroutine \d+ (?:gp=\S+ m=\S+ (?:mp=\S+ )?)?\[(.*)\]:$")
PLACE = re.compile(r"^\t(.*):(\d+)(?: \+0x[0-9a-f]+)?$")
ELIDED = re.compile(r"^\.\.\.(?:(\d+)|additional) frames elided\.\.\.$")

# Of a deep stack the runtime leaves out the middle, or in old versions the end, and gleakd the end.
# All have as many innermost frames as this (traceback.go tracebackInnerFrames).
HALF = 50


def word(state):
    """ "sleep (durable), 2 minutes, synctest bubble 1" is a "sleep". """
    state = state.split(",")[0]
    for suffix in (" (scan)", " (durable)", " (leaked)", " (synctest)"):
        if state.endswith(suffix):
            state = state[: -len(suffix)]
    return state


def plain(function):
    """The name without what differs between views: type arguments are "[...]" in a traceback."""
    out, depth = [], 0
    for i, c in enumerate(function):
        # "[]" is part of a type, and there is none outside the brackets of type arguments.
        if c == "[":
            depth += 1
            if depth == 1:
                out.append("[...]")
        elif c == "]":
            depth -= 1
        elif depth == 0:
            out.append(c)
    return "".join(out)


def _called(line):
    """ "main.f(0x1, {...})" or "main.(*T).m(...)" without its arguments. """
    depth = 0
    for i in range(len(line) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(line[i], 0)
        if depth == 0:
            return plain(line[:i])
    return plain(line)


def _frames(lines):
    frames, creator = [], None
    i = 0
    while i < len(lines):
        place = PLACE.match(lines[i + 1]) if i + 1 < len(lines) else None
        if ELIDED.match(lines[i]) or not place:
            frames.append(("...", "", 0))
            i += 1
            continue
        where = (place.group(1), int(place.group(2)))
        if lines[i].startswith("created by "):
            name = lines[i][len("created by "):].split(" in goroutine ")[0]
            creator = (plain(name), *where)
        else:
            frames.append(("panic" if lines[i].startswith("panic(") else _called(lines[i]), *where))
        i += 2
    return frames, creator


def cut(frames):
    """The part of a deep stack that every version's traceback and gleakd both have."""
    frames = tuple(frames)
    return frames[:HALF]


def is_console(function):
    """In a plugin "main" is a path."""
    return function is not None and function.endswith(".console")


def parse(text):
    """All goroutines of a dump but the one that wrote it."""
    goroutines = []
    for record in text.strip().split("\n\n"):
        lines = record.split("\n")
        head = HEAD.match(lines[0])
        if not head:
            raise ValueError(f"not a goroutine: {lines[0]!r}")
        frames, creator = _frames(lines[1:])
        if any(is_console(f[0]) for f in frames):
            continue
        # Outermost of all, and shown only where there is nothing else to show.
        if frames and frames[-1][0] == "runtime.goexit":
            frames.pop()
        goroutines.append(Goroutine(word(head.group(1)), cut(frames), creator))
    return goroutines
