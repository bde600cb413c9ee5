# SPDX-License-Identifier: Apache-2.0
"""The matrix as a page of documentation."""

import re

import kinds
import places

INTRODUCTION = """\
# What works with which Go

Written by `make matrix`; do not edit. Each cell is one program ({program}), built by
one version of Go in one way, run, and watched by gleakd. ✓ means that all of this was so:

- gleakd names the version of Go;
- it shows exactly the goroutines that the program's own `pprof.Lookup("goroutine")` with `debug=2`
  shows: as many of each, in the same state, with the same creator and the same frames (function,
  file and line, inlined ones included; of deep stacks the 50 innermost);
- with events attached (`--mode full`), the creations and ends of {burst} goroutines are counted to
  the last one, with nothing lost and nothing repaired.

The goroutines wait in channels (nil ones too), selects, `sync.Mutex`, `sync.RWMutex`,
`sync.WaitGroup`, `sync.Cond`, `sync.Once`, timers, tickers, contexts, sockets and blocking system
calls; in deep recursion, generic and inlined functions, method values, closures, deferred calls,
after panics and faults; in coroutines of `iter.Pull` (from Go 1.23 on) and bubbles of
`testing/synctest` (from 1.25 on, with the experiment from 1.24 on); with cgo in C, in Go that C has
called, and on a thread that C has made. Of those that run only creator and number are compared:
they run on between two looks.
"""

NOTATION = """\
Three views of one thing are compared as equal: a traceback writes the type arguments of a generic
function as `[...]`, calls `runtime.gopanic` "panic", and adds "(durable)", the time and the bubble
to a state; and it ends in `runtime.goexit` where it has nothing else to show.
"""


PLACES = """
## Where the runtime is

The same program, with cgo where that is needed, in the versions of Go between which runtimes differ in how they
begin and end goroutines. ✓ means the same; of two runtimes in one process it is said of the one that is busy, with
the other beside it. Where system calls, traps and code are taken over, another program (`tests/programs/traps`)
does that, and ✓ means that its goroutines were counted to the last one and that it went on unharmed.

"""


def _cell(outcome, notes):
    if outcome is None:
        return ""
    if outcome.state == "passed" and not outcome.notes:
        return "✓"
    reason = "; ".join(outcome.notes)
    if reason not in notes:
        notes.append(reason)
    if outcome.state == "passed":
        return f"✓ [{notes.index(reason) + 1}]"
    mark = "–" if outcome.state in ("absent", "refused", "skipped") else "**no**"
    return f"{mark} [{notes.index(reason) + 1}]"


def _row(cells):
    return "| " + " | ".join(cells) + " |\n"


def _grid(versions, columns, cell, title="build"):
    out = _row([title] + [v.rsplit(".", 1)[0] for v in versions])
    out += _row(["---"] * (len(versions) + 1))
    for kind in columns:
        out += _row([kind.name] + [cell(v, kind) for v in versions])
    return out


def _sites(outcome):
    """ "emulated" where all three are; else each by its first letters. """
    if not outcome or not outcome.classes:
        return ""
    classes = [c.split("=")[1] for c in outcome.classes.split()]
    return classes[0] if len(set(classes)) == 1 else " ".join(c.split("-")[0] for c in classes)


def _reason(note):
    # One line, without what differs from run to run.
    return re.sub(r"\s+", " ", note).replace(kinds.ROOT + "/", "").replace("|", "\\|")[:600]


def _places(outcomes, by_cell):
    rows = [p for p in places.PLACES if any(o.kind.name == p.name for o in outcomes)]
    versions = [v for v in places.VERSIONS if any((v, p.name) in by_cell for p in rows)]
    notes = []
    text = PLACES + _grid(versions, rows, lambda v, p: _cell(by_cell.get((v, p.name)), notes),
                          "where the runtime is")
    return text + "".join(f"\n[{i}] {_reason(note)}\n" for i, note in enumerate(notes, 1))


def write(path, outcomes, burst, seconds):
    """Writes the page about all outcomes of a full run."""
    by_cell = {(o.version, o.kind.name): o for o in outcomes}
    versions = [v for v in kinds.VERSIONS if any(o.version == v for o in outcomes)]
    columns = [k for k in kinds.KINDS if any(o.kind.name == k.name for o in outcomes)]
    notes = []
    text = INTRODUCTION.format(program="`tests/programs/matrix`", burst=burst)
    text += "\n## Versions and builds\n\n"
    text += "Versions: " + ", ".join("go" + v for v in versions) + ".\n\n"
    text += _grid(versions, columns, lambda v, k: _cell(by_cell.get((v, k.name)), notes))
    text += "\n" + "".join(f"[{i}] {_reason(note)}\n\n" for i, note in enumerate(notes, 1))
    text += "Experiments (`GOEXPERIMENT`), each a binary of its own: "
    experiments = sorted(kinds.EXPERIMENTS.items())
    text += "; ".join(f"1.{m}: {', '.join(names)}" for m, names in experiments) + ".\n"
    text += _places(outcomes, by_cell)
    text += "\n## Where the probes are\n\nThe kind of instruction that creation, exit and park are "
    text += "probed at; see docs/architecture.md.\n\n"
    text += _grid(versions, columns, lambda v, k: _sites(by_cell.get((v, k.name))))
    passed = sum(o.state == "passed" for o in outcomes)
    failed = sum(o.state == "failed" for o in outcomes)
    text += f"\n## Notes\n\n{NOTATION}\n{passed} cells passed, {failed} failed, "
    text += f"{len(outcomes) - passed - failed} are refused, do not exist or could not be built;\n"
    text += f"{max(o.goroutines for o in outcomes)} goroutines compared in the largest cell.\n"
    text += f"The run took {seconds / 60:.0f} minutes.\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
