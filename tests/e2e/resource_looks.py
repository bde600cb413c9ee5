# SPDX-License-Identifier: Apache-2.0
"""Programs that open things, looks at what they have open, and what is to be found."""

import json

from harness import check, check_equal
from programs import Program
from tracer import check_schema, run

PROGRAM = Program("resources")
VERSION_PROGRAMS = {
    f"go{version}": Program("resources", version)
    for version in ("1.18.10", "1.22.12", "1.23.12", "1.26.11", "1.27.1")
}
STRIPPED_PROGRAMS = {
    f"go{version}": Program("resources", version, strip=True, pie=True)
    for version in ("1.18.10", "1.22.12", "1.27.1")
}
# By the names that the program and gleakd have for them; each opened as often as no other.
OPENED = {
    "file": ("file", 7, "main.files[…].file"),
    "root": ("file", 53, "main.roots[…].root"),
    "conn": ("net.Conn", 11, "main.clients[…].conn.conn.fd"),
    "listener": ("listener", 5, "main.listeners[…].fd"),
    "process": ("process", 13, "main.children[…].Process"),
    "context": ("context", 17, None),
    "db": ("sql.DB", 3, "main.databases[…]"),
    "rows": ("sql.Rows", 19, "main.results[…]"),
    "stmt": ("sql.Stmt", 23, "main.statements[…]"),
    "tx": ("sql.Tx", 29, "main.pending[…]"),
    "body": ("http body", 31, "main.bodies[…].Body"),
    "body2": ("http body", 37, "main.bodies[…].Body"),
    "timer": ("timer", 41, None),
    "after": ("timer", 43, None),
    "ticker": ("ticker", 47, None),
}
# The line that opens each, by the program's functions.
OPENERS = {
    "file": ("file", "main.openFile"),
    "root": ("file", "main.openRoot"),
    "conn": ("net.Conn", "main.openConn"),
    "listener": ("listener", "main.openListener"),
    "process": ("process", "main.openProcess"),
    "context": ("context", "main.openContext"),
    "db": ("sql.DB", "main.open"),
    "rows": ("sql.Rows", "main.openRows"),
    "stmt": ("sql.Stmt", "main.openStmt"),
    "tx": ("sql.Tx", "main.openTx"),
    "sqlconn": ("sql.Conn", "main.openSQLConn"),
    "body": ("http body", "main.get"),
    "body2": ("http body", "main.get"),
    "timer": ("timer", "main.openTimer"),
    "after": ("timer", "main.openAfter"),
    "ticker": ("ticker", "main.openTicker"),
}
# What versions have that the first did not.
SINCE = {"root": 24}
SQL_CONNECTIONS = 2
SECONDS = 16


def of_version(program, kinds):
    """Those of the kinds that a program of its version can open."""
    return {name: kind for name, kind in kinds.items() if program.minor() >= SINCE.get(name, 0)}


def looks(t, pid, *arguments):
    """What is open, by each report."""
    code, out, said = run(t, "resources", "--pid", str(pid), "--json", *arguments, seconds=60)
    check_equal(code, 0, f"exit code; {said}")
    reports = [json.loads(line) for line in out.splitlines()]
    check_schema(reports[-1])
    return [report["targets"][0] for report in reports]


def look(t, pid, *arguments):
    return looks(t, pid, *arguments)[-1]


def outstanding(target):
    """{kind: how many}"""
    counts = {}
    for r in target["resources"]:
        counts[r["kind"]] = counts.get(r["kind"], 0) + r["outstanding"]
    return counts


def openers(found):
    """{(kind, function): how many are open}"""
    counts = {}
    for r in found["resources"]:
        for o in r["openers"]:
            if o["opened_at"]:
                key = r["kind"], o["opened_at"]["function"]
                counts[key] = counts.get(key, 0) + o["outstanding"]
    return counts


def growing_kinds(t, *targets):
    """Of each of them {kind} of what is said to grow in one of the last reports."""
    for seconds in (SECONDS * 3 // 2, SECONDS * 4):
        code, out, said = run(t, "resources", *(str(target.pid) for target in targets), "--json",
                              "--duration", f"{seconds}s", "--probe-opens", "never",
                              seconds=4 * seconds + 60)
        check_equal(code, 0, f"exit code; {said}")
        reports = [json.loads(line) for line in out.splitlines()]
        counts = [found["resource_looks"]["looks"] for found in reports[-1]["targets"]]
        # On a busy machine a look takes longer than there is from one to the next.
        if min(counts) >= 6:
            break
    check(min(counts) >= 5, f"too few looks for a verdict: {counts}")
    return [{r["kind"] for report in reports[-3:] for found in report["targets"]
             if found["pid"] == target.pid for r in found["resources"]
             if r["verdict"] == "growing"} for target in targets]
