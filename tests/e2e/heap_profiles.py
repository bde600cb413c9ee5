# SPDX-License-Identifier: Apache-2.0
"""What stands in a heap profile, as `go tool pprof` reads it."""

import os
import re
import subprocess

from programs import go_command

CALL = re.compile(r"(\S.*?) (\S+):(\d+):\d+ s=\d+")
NUMBERED = re.compile(r" *(\d+): 0x[0-9a-f]+ M=\d+ (.*)")


def raw(path):
    """Its text, with all stacks and values."""
    done = subprocess.run([go_command(), "tool", "pprof", "-raw", path], capture_output=True,
                          text=True, timeout=120, env=dict(os.environ, HOME="/root"), check=True)
    return done.stdout


def calls_of(text):
    """{number of a location: [(function, line), ...], innermost first}."""
    calls, number = {}, 0
    for line in text.splitlines():
        numbered = NUMBERED.match(line)
        if numbered:
            number = int(numbered[1])
            calls[number] = []
        call = CALL.match(numbered[2] if numbered else line.strip())
        if call:
            # Tracebacks, and gleakd, leave out what a generic function is made for.
            function = re.sub(r"\[.*\]", "[...]", call[1])
            calls[number].append((function, int(call[3])))
    return calls


def samples(path, within=""):
    """{(stack of (function, line), bytes of an object): values}, where a function that begins so is in it."""
    before, _, rest = raw(path).partition("\nLocations\n")
    calls = calls_of(rest.partition("\nMappings")[0])
    found, stack, values = {}, (), []
    for line in before.partition("Samples:\n")[2].splitlines()[1:]:
        label = re.match(r" +bytes:\[(\d+)\]", line)
        # A label with a text: gleakd's have the type.
        if not label and re.match(r" +\w+:\[", line):
            continue
        if not label:
            numbers, _, locations = line.partition(":")
            stack = tuple(sum((calls[int(i)] for i in locations.split()), []))
            values = [int(value) for value in numbers.split()]
        elif any(function.startswith(within) for function, _ in stack):
            # Several places in the machine code may be one line.
            sums = found.setdefault((stack, int(label[1])), [0] * len(values))
            found[stack, int(label[1])] = [a + b for a, b in zip(sums, values)]
    return found
