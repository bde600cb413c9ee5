# SPDX-License-Identifier: Apache-2.0
"""One cell of the matrix: one program, built one way by one Go, and what gleakd says of it."""

import contextlib
import json
import os
import re
import signal
import time

import dump
import kinds
import seen
import tracer
from harness import Failed, Skip, check, check_equal, until
from programs import Target

# Prime, so that no rounding or batch size makes it by accident; more than any batch of goids.
BURST = 1009
SITE = re.compile(r"debug: site (create|exit|park) \S+ 0x[0-9a-f]+ (emulated|single-step)")
PROBED = ("create", "exit", "park")
UNSUPPORTED = 3  # exit code


class Outcome:
    """What a cell came to. `word` goes into the table; `notes` are its reasons."""

    def __init__(self, version, kind):
        self.version, self.kind = version, kind
        # passed, failed, refused (as it should be), absent (there is no such build), skipped
        self.state = "failed"
        self.notes, self.classes, self.how, self.goroutines = [], "", "", 0
        self.seconds = 0.0


def environment():
    """Of a module that says "go 1.18", newer Gos keep old timers, which a bubble does not like."""
    return dict(os.environ, GODEBUG="asynctimerchan=0")


def start(case, path):
    return ready(Target(case, [path], env=environment()))


def ready(target):
    target.held = False  # whether it is stopped while it is read
    target.ways = target.answer("ready", 60).split()[1:]
    return target


def runtime_view(case, target):
    path = os.path.join(case.directory(), "goroutines")
    target.ask("dump " + path)
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return dump.parse(file.read())


def once(case, target, file=None):
    """The only target, or that of the runtime in a file."""
    code, out, err = tracer.run(case, "--pid", str(target.pid), "--once", "--json")
    check_equal(code, 0, "exit code of --once: " + err.strip())
    report = json.loads(out)
    tracer.check_schema(report)
    return next(x for x in report["targets"] if file is None or x["runtime"]["file"] == file)


def thread_states(pid):
    states = set()
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/stat", encoding="utf-8") as file:
            states.add(file.read().rsplit(")", 1)[1].split()[0])
    return states


@contextlib.contextmanager
def stopped(target):
    os.kill(target.pid, signal.SIGSTOP)
    try:
        until("all threads are stopped", lambda: thread_states(target.pid) == {"T"})
        yield
    finally:
        os.kill(target.pid, signal.SIGCONT)


def check_stacks(case, target, version, outcome, file=None, named=None):
    """gleakd and the runtime on the same goroutines, frame by frame."""
    truth = runtime_view(case, target)
    if target.held:
        with stopped(target):
            got = once(case, target, file)
        check_equal(got["run_state"], "stopped", "run_state")
    else:
        got = once(case, target, file)
    named = named or "go" + version
    # Experiments follow: "go1.26.8 X:nogreenteagc", with a dash in later versions.
    check(got["go_version"] == named or re.match(re.escape(named) + "[ -]X:", got["go_version"]),
          f"go_version {got['go_version']!r} instead of {named!r}")
    losses = {k: v for k, v in got["losses"].items() if v}
    check(not losses, f"losses {losses}")
    outcome.how, outcome.goroutines = got["how"], len(truth)
    different = seen.differences(truth, seen.goroutines(got))
    check(not different, f"{len(different)} kinds of goroutines differ:\n" +
          "\n".join(seen.explain(different)))
    check_equal(got["goroutines"]["alive"], len(truth) + 1, "goroutines alive, with the console")


def check_counts(case, target, outcome, file=None):
    """A burst is counted to the last goroutine, and what is probed is known."""
    gleakd = tracer.Gleakd(case, target.pid, "--mode", "full", "--max-overhead", "0",
                           "-v", "-v", "--interval", "1s")
    gleakd.report("the first report")
    target.ask(f"burst {BURST}")
    targets = gleakd.interrupt()["targets"]
    final = next(x for x in targets if file is None or x["runtime"]["file"] == file)
    found = dict(SITE.search(line).groups() for line in gleakd.errors if SITE.search(line))
    outcome.classes = " ".join(f"{e}={found.get(e, 'none')}" for e in PROBED)
    if outcome.kind.pgo and "inlined" in (final["mode_reason"] or ""):
        # A profile can leave no place to probe; what counts is that it is said.
        check_equal(final["mode"], "census", "mode")
        outcome.notes.append("no events, by census alone: " + final["mode_reason"])
        return
    check_equal(final["mode"], "full", f"mode ({final['mode_reason']})")
    totals, losses = final["goroutines"], {k: v for k, v in final["losses"].items() if v}
    made = [s for s in final["sites"] if (s["start_function"] or "").endswith(".short")]
    got = (tracer.total(made, "created"), tracer.total(made, "exited"), totals["created"],
           totals["exited"], losses)
    check_equal(got, (BURST, BURST, BURST, BURST, {}),
                "created and exited by main.burst, created and exited in all, losses")


def check_refusal(case, path, outcome):
    """gleakd says that it cannot read this program, and why, and what is to blame."""
    target = Target(case, [path], env=environment())
    code, _, err = tracer.run(case, "--pid", str(target.pid), "--once", "--json")
    check_equal(code, UNSUPPORTED, f"exit code on a garbled program ({err.strip()})")
    check("garble" in err, f"garble is not named: {err.strip()}")
    outcome.notes.append("refused: " + err.strip().rsplit(": ", 1)[-1])


def check_variant(case, version, kind, variant, profile, outcome):
    path = kinds.build(version, kind, variant, profile)
    case.defer(os.unlink, path)
    if kind.garble:
        return check_refusal(case, path, outcome)
    check_target(case, start(case, path), version, outcome, variant)


def check_target(case, target, version, outcome, variant="", file=None, named=None):
    problems = []
    for step in (lambda: check_stacks(case, target, version, outcome, file, named),
                 lambda: check_counts(case, target, outcome, file)):
        try:
            step()
        except Failed as failure:
            problems.append(str(failure))
    if problems:
        raise Failed("\n".join(f"{variant + ': ' if variant else ''}{p}" for p in problems))


def check_cell(make_case, version, kind, profile):
    """Runs one cell; `make_case` gives a Case, whose clean-up ends what it started."""
    outcome = Outcome(version, kind)
    begin = time.monotonic()
    try:
        variants = kind.variants(version)
        passed = []
        for variant in variants:
            case = make_case(f"{version} {kind.name} {variant}".strip())
            with case.stack:
                try:
                    check_variant(case, version, kind, variant, profile, outcome)
                    passed.append(variant)
                except Failed as failure:
                    outcome.notes.append(str(failure))
        outcome.state = "passed" if len(passed) == len(variants) else "failed"
        if kind.garble and outcome.state == "passed":
            outcome.state = "refused"
    except Skip as skip:
        outcome.state = "absent" if skip.always else "skipped"
        outcome.notes.append(f"needs {skip}")
    outcome.seconds = time.monotonic() - begin
    return outcome
