# SPDX-License-Identifier: Apache-2.0
"""The target is never harmed, whatever it does to its own system calls, traps and code."""

from harness import cases_for, check_equal
from image import changed
from programs import Program, start
from tracer import Gleakd, sites, total

VERSIONS = ("1.18.10", "1.22.12", "local", "1.27.1")
TRAPS = {version: Program("traps", go=version) for version in VERSIONS}

# As tests/programs/traps tells. Some stay for the rest of its life: they come last.
WAYS = ("sud", "notsc", "breakpoint", "step", "writable", "remap", "locked", "execonly", "fork", "vfork",
        "errno", "kill", "trap")


def mapped_for_probes(pid):
    """What kernels map into a process for probes, and leave there."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return [line.split()[-1] for line in maps if "[uprobes" in line]


@cases_for(TRAPS)
def whatever_a_process_does_to_itself(t, program):
    target = start(t, program)
    # Up to Go 1.21 whatever thread makes another one reads the counter (src/runtime/proc.go mcommoninit).
    ways = [way for way in WAYS if way != "notsc" or program.go != "1.18.10"]
    for way in ways:
        target.ask(f"{way} 11")  # not for gleakd to be blamed for
    g = Gleakd(t, target.pid, "--mode", "full", "--interval", "300ms")
    g.report()
    for way in ways:
        target.ask(f"{way} 101")
    made, number = program.line("made:spawn"), 101 * len(ways)
    g.report("all are counted", lambda r: total(sites(r, made), "exited") == number)
    final = g.interrupt()
    check_equal(total(sites(final, made), "created"), number, "created")
    check_equal(final["targets"][0]["mode"], "full", "mode")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
    check_equal(mapped_for_probes(target.pid), [], "mappings that stay behind")
    for way in ways:
        target.ask(f"{way} 11")
    target.process.stdin.close()
    check_equal(target.process.wait(10), 0, "its exit code")
