# SPDX-License-Identifier: Apache-2.0
"""What the goroutines of the standard library mean that a program's forgetfulness leaves behind."""

import json

from harness import cases_for, check, check_equal
from programs import Program, start
from tracer import check_schema, needs_tracing, run

LIBRARIES = {
    "go1.18.10": Program("libraries", "1.18.10"),
    "go1.19.13": Program("libraries", "1.19.13"),
    "go1.20.14": Program("libraries", "1.20.14", strip=True),
    "go1.23.12": Program("libraries", "1.23.12"),
    "local": Program("libraries", strip=True),
    "go1.27.1": Program("libraries", "1.27.1", pie=True),
}

FORGOTTEN = {  # command: (how many, words of the meaning, how many more of them come along)
    "unread": (5, "HTTP client: a response whose body", 0),
    "idle": (7, "HTTP client: a connection that is idle", 13),  # and those of unanswered
    "unread2": (11, "HTTP/2 client: a stream that is open", 0),
    "unanswered": (13, "HTTP client: waits for the server to answer", 0),
    "opened": (17, "database/sql: one for each sql.Open", 3),  # three other commands open one
    "unfinished": (19, "neither committed nor rolled back", 0),
    "rows": (23, "database/sql: Rows", 0),
    "exhausted": (29, "SetMaxOpenConns", 0),
    "parents": (31, "context: a context whose parent", 0),
    "notified": (37, "signal.NotifyContext", 0),
    "commands": (41, "not waited for", 0),
    "outputs": (43, "copies the output of a command", 0),
    "pipes": (47, "waits for the reading end", 0),
    "readers": (53, "waits for the writing end", 0),
    "timers": (59, "time.AfterFunc", 0),
}


def once(t, target):
    """The sites of one report."""
    code, out, _ = run(t, "--pid", str(target.pid), "--once", "--json")
    check_equal(code, 0, "exit code")
    report = json.loads(out)
    check_schema(report)
    return report["targets"][0]["sites"]


def with_meaning(sites, words):
    return [s for s in sites if words in (s["meaning"] or "")]


@cases_for(LIBRARIES)
def each_is_named(t, program):
    """One site for each way of forgetting something, with its number and its meaning."""
    needs_tracing()
    target = start(t, program)
    for command, (number, _, _) in FORGOTTEN.items():
        target.ask(f"{command} {number}")
    # Goroutines get to where they wait in their own time.
    wanted = {command: [number + more] for command, (number, _, more) in FORGOTTEN.items()}

    def counts():
        sites = once(t, target)
        return {command: [s["goroutines"] for s in with_meaning(sites, words)]
                for command, (_, words, _) in FORGOTTEN.items()}

    got = counts()
    for _ in range(20):
        if got == wanted:
            break
        got = counts()
    check_equal(got, wanted, "goroutines by meaning")


@cases_for({"local": LIBRARIES["local"]})
def own_code_has_no_meaning(t, program):
    """Where a line of the program says it, nothing is put in words."""
    needs_tracing()
    target = start(t, program)
    target.ask("unread 3")
    for site in once(t, target):
        own = site["blocked_at"] and site["blocked_at"]["function"].startswith("main.")
        check(not (own and site["meaning"]), f"own code with a meaning: {site}")
        check(own or site["meaning"] or not site["blocked_at"], f"nothing is said about: {site}")
