# SPDX-License-Identifier: Apache-2.0
"""One site for one line, in whatever number of copies the compiler makes of it."""

import json

from harness import cases_for, check, check_equal
from programs import Program, start
from tracer import at, check_schema, needs_tracing, run

PLACES = {
    "go1.18.10": Program("places", "1.18.10"),
    "go1.21.13": Program("places", "1.21.13", strip=True),
    "local": Program("places", strip=True),
    "go1.27.1": Program("places", "1.27.1", pie=True),
}

MADE = {  # marker of the `go` statement: {marker of the line it blocks in: goroutines by site}
    "generic": {"generic": [23]},
    "inlined": {"inlined": [29]},
    "recursion": {"recursion": [31]},
    "method": {"method": [17]},
    "promoted": {"method": [19]},
    "closure": {"closure": [37]},
    "oneline": {"oneline": [7, 7]},  # two statements
    "reasons": {"reasons": [11, 12]},  # two reasons
    "locks": {"lock1": [3], "lock2": [5], "group": [33]},
}


def sites_of(t, program):
    target = start(t, program)
    code, out, _ = run(t, "--pid", str(target.pid), "--once", "--json")
    check_equal(code, 0, "exit code")
    report = json.loads(out)
    check_schema(report)
    return [s for s in report["targets"][0]["sites"] if s["created_by"]]


def grouped(program, sites):
    """{marker: {marker: goroutines by site}} as MADE has it."""
    out = {}
    for made, blocked in MADE.items():
        mine = [s for s in sites if at(s["created_by"], program.line(f"made:{made}"))]
        out[made] = {
            line: sorted(s["goroutines"] for s in mine
                         if at(s["blocked_at"], program.line(f"blocked:{line}")))
            for line in blocked
        }
    return out


@cases_for(PLACES)
def one_line_is_one_site(t, program):
    needs_tracing()
    sites = sites_of(t, program)
    for _ in range(20):  # until all have got to where they wait
        if grouped(program, sites) == MADE:
            break
        sites = sites_of(t, program)
    check_equal(grouped(program, sites), MADE, "goroutines by site")
    check_equal(len(sites), sum(len(v) for b in MADE.values() for v in b.values()), "sites")


@cases_for({"local": PLACES["local"]})
def ids_are_the_same_in_every_run(t, program):
    needs_tracing()

    def ids():
        return {s["id"]: s["goroutines"] for s in sites_of(t, program)}

    first = ids()
    check(len(first) > 10, f"sites {first}")
    check_equal(ids(), first, "ids and numbers of a second run")
