# SPDX-License-Identifier: Apache-2.0
"""What gleakd says of the same goroutines, and how that differs from what they are."""

from collections import Counter

from dump import Goroutine, cut, is_console, plain, word

# Whoever runs has no stack to be read from outside, and runs on between the two looks.
RUNS = ("running", "runnable", "")


def _frame(frame):
    # The runtime prints this one by the name of what people call (traceback.go printFuncName).
    name = "panic" if frame["function"] == "runtime.gopanic" else plain(frame["function"])
    return (name, frame["file"], frame["line"])


def goroutines(target):
    """A Goroutine for each member of each site, without the target's console."""
    found = []
    for site in target["sites"]:
        frames = [_frame(f) for f in site["stack"]]
        if is_console(site["start_function"]) or any(is_console(f[0]) for f in frames):
            continue
        creator = _frame(site["created_by"]) if site["created_by"] else None
        one = Goroutine(word(site["wait_reason"]), cut(frames), creator)
        found += [one] * site["goroutines"]
    return found


def _comparable(g):
    return Goroutine("runs", (), g.creator) if g.state in RUNS else g


def differences(truth, seen):
    """(goroutine, how many more the runtime has than gleakd) for all that are not as many."""
    counts = Counter(map(_comparable, truth))
    counts.subtract(Counter(map(_comparable, seen)))
    return [(g, n) for g, n in counts.items() if n]


def describe(g):
    frames = " < ".join(f"{f[0]} {f[1].rsplit('/', 1)[-1]}:{f[2]}" for f in g.frames[:12])
    creator = f"{g.creator[0]} {g.creator[1].rsplit('/', 1)[-1]}:{g.creator[2]}" if g.creator \
        else "nobody"
    return f"[{g.state}] {frames or '-'} by {creator}"


def explain(found):
    """Words for differences, the runtime's view first."""
    lines = []
    for g, n in sorted(found, key=lambda pair: (str(pair[0].creator), -pair[1])):
        whose = "only the runtime" if n > 0 else "only gleakd"
        lines.append(f"{whose} has {abs(n)}: {describe(g)}")
    return lines
