# SPDX-License-Identifier: Apache-2.0
"""`gleakd dump`: the runtime's own dump letter by letter, and what reads such dumps reads it."""

import os
import re
import subprocess

from cases_goroutines import AT_WORK, ROSTER, told
from harness import VERSIONS, Skip, case, cases_for, check, check_equal
from programs import SOURCES, Program, Target, go_command, go_environment, start
from terminal import Terminal
from tracer import run

COUNTS = Program("counts")

HEAD = re.compile(r"goroutine (\d+) \[")


def dumped(t, *args):
    code, out, err = run(t, "dump", *args)
    check_equal(code, 0, f"exit code ({err})")
    return out


def by_goid(text):
    """{goid: record}, arguments and what a dump from outside cannot have left out."""
    records = {}
    for record in filter(None, text.strip().split("\n\n")):
        lines = record.split("\n")
        lines[0] = re.sub(r" \(scan\)", "", lines[0])
        lines[0] = re.sub(r", synctest (bubble|group) \d+", ", synctest bubble", lines[0])
        for i, line in enumerate(lines[1:], 1):
            if line and line[0] != "\t" and not line.startswith("created by "):
                lines[i] = line[:line.rindex("(")] + "(...)"
        records[int(HEAD.match(record).group(1))] = "\n".join(lines)
    return records


def is_at_work(record):
    return any(f"\n{function}(" in record for function in AT_WORK)


@cases_for(ROSTER)
def is_the_runtimes_own(t, program):
    """All that the runtime says the same of before and after, from the number to the last offset."""
    env = dict(os.environ)
    if program.minor() >= 27:
        # The programs' go.mod names an old Go, for which the runtime leaves its labels out.
        env["GODEBUG"] = "tracebacklabels=1"
    target = Target(t, [program.build()], env=env)
    target.answer("ready", 60)
    before = by_goid(told(t, target, "dump"))
    ours = by_goid(dumped(t, "--pid", str(target.pid)))
    after = by_goid(told(t, target, "dump"))
    check_equal(set(ours), set(before) & set(after), "goroutines")
    still = {g for g, r in before.items() if after.get(g) == r and not is_at_work(r)}
    check(len(still) >= len(before) - 8, f"only {len(still)} of {len(before)} stood still")
    for goid in still:
        check(ours[goid] == before[goid], f"{ours[goid]}\ninstead of\n{before[goid]}")


@case
def conditions_and_counts(t):
    """1009 wait in a channel; numbers, functions and reasons choose among them."""
    target = start(t, COUNTS)
    target.ask("run 1009 1009")
    pid = str(target.pid)
    everyone = by_goid(dumped(t, pid))
    waiting = by_goid(dumped(t, pid, "--reason", "chan rec*", "--state", "waiting"))
    check(len(waiting) in (1009, 1010), f"{len(waiting)} wait in a channel")
    first = min(waiting)
    check_equal(by_goid(dumped(t, pid, "--goid", str(first))), {first: waiting[first]}, "one")
    check(len(everyone) > len(waiting), "the rest waits in a channel as well")
    check_equal(dumped(t, pid, "--func", "no such function"), "", "none")
    folded = dumped(t, pid, "--folded", "--reason", "chan receive").splitlines()
    check_equal(sum(int(line.rsplit(" ", 1)[1]) for line in folded), len(waiting), "folded")


def readers(t):
    """A program that reads dumps with libraries of others, which come through the module proxy."""
    path = os.path.join(t.directory(), "dumpreaders")
    built = subprocess.run([go_command(), "build", "-buildvcs=false", "-o", path, "."],
                           cwd=os.path.join(SOURCES, "dumpreaders"), env=go_environment("local"),
                           capture_output=True, text=True)
    if "dial tcp" in built.stderr or "no such host" in built.stderr:
        raise Skip("Go modules of others")
    check_equal(built.returncode, 0, built.stderr)
    return path


@case(tier=VERSIONS)
def what_reads_the_runtimes_dumps_reads_it(t):
    reader = readers(t)
    target = start(t, COUNTS)
    target.ask("run 1009 1009")
    text = dumped(t, str(target.pid))
    records = by_goid(text)
    waiting = sum("[chan receive" in record for record in records.values())
    frames = sum(record.count("(...)\n") for record in records.values())
    check(waiting >= 1009, f"{waiting} wait in a channel")
    read = subprocess.run([reader], input=text, capture_output=True, text=True, check=True).stdout
    for line in read.splitlines():
        check_equal(line.split()[1:], [str(n) for n in (len(records), waiting, frames, 0)], line)
    check_equal([line.split()[0] for line in read.splitlines()], ["gostackparse", "panicparse"],
                "who read it")


@case
def as_a_profile(t):
    """What `go tool pprof` counts, by state and by label."""
    target = start(t, COUNTS)
    target.ask("run 1009 1009")
    path = os.path.join(t.directory(), "goroutines.pb.gz")
    everyone = by_goid(dumped(t, str(target.pid)))
    check_equal(dumped(t, str(target.pid), "--pprof", path), "", "what is shown beside it")
    told_of = subprocess.run([go_command(), "tool", "pprof", "-top", "-unit=count", path],
                             capture_output=True, text=True, check=True, env=go_environment("local"))
    check(f" of {len(everyone)} total" in told_of.stdout, told_of.stdout)
    check(" 1009 " in told_of.stdout, f"none of 1009: {told_of.stdout}")
    tags = subprocess.run([go_command(), "tool", "pprof", "-tags", path], capture_output=True,
                          text=True, check=True, env=go_environment("local")).stdout
    for key in ("state", "reason", "verdict"):
        check(f" {key}: Total " in tags, f"no {key} in {tags}")


@case
def on_a_terminal_in_groups(t):
    target = start(t, COUNTS)
    target.ask("run 1009 1009")
    screen = Terminal(t, "dump", str(target.pid), "--reason", "chan receive").rest()
    check(re.search(r"1,0(09|10) goroutines", screen), f"not in groups: {screen}")
    check("No leak found" not in screen, "a dump judges nothing")


@case
def words_that_make_no_sense(t):
    for arguments, word in ((("1", "--goid", "x"), "--goid"), ((), "gleakd dump shop"),
                            (("1", "--state", "asleep"), "waiting")):
        code, _, err = run(t, "dump", *arguments)
        check_equal(code, 2, f"exit code of {arguments}")
        check(word in err, f"{word!r} is not in {err!r}")
