# SPDX-License-Identifier: Apache-2.0
"""Everything that is written as JSON is as data/report.schema.json says, and holds nothing else."""

import copy
import functools
import json
import os

from harness import ROOT, Skip, case, check, check_equal
from programs import Program, start
from tracer import Gleakd, needs_tracing, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

COUNTS = Program("counts")
ENDS = Program("ends")  # locks and channels whose holders are known
SCHEMA = os.path.join(ROOT, "data", "report.schema.json")


def load():
    if not jsonschema:
        raise Skip("python3-jsonschema")
    with open(SCHEMA, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def close(part):
    """Makes a field that is not described an error, in all of a schema."""
    if isinstance(part, dict):
        if "properties" in part:
            part["additionalProperties"] = False
        for value in part.values():
            close(value)
    elif isinstance(part, list):
        for value in part:
            close(value)
    return part


@functools.lru_cache
def validator(definition=None, closed=True):
    """For one of $defs, or for a document of any kind."""
    schema = load()
    if definition:
        schema = {**schema, "$ref": f"#/$defs/{definition}"}
        schema.pop("oneOf")
    return jsonschema.Draft202012Validator(close(schema) if closed else schema)


def check_valid(definition, document):
    """Against its own definition, for the sake of what is said when it is not, and against all."""
    for error in validator(definition).iter_errors(document):
        path = "/".join(str(step) for step in error.absolute_path)
        check(False, f"{definition} {path}: {error.message[:300]}")
    check(validator().is_valid(document), f"not exactly one of report and list: {definition}")


def check_confidence(report):
    """What JSON Schema cannot say: who has a confidence, and that its weights make it."""
    for site in report["targets"][0]["sites"]:
        suspect = site["verdict"] not in ("idle", "active")
        check_equal(site["confidence"] is not None, suspect, f"confidence of {site['verdict']}")
        weights = site["evidence"]["weights"]
        check_equal(bool(weights), suspect, f"weights of {site['verdict']}")
        if suspect:
            total = sum(weight["decibans"] for weight in weights)
            made = min(1 / (1 + 10 ** (-total / 10)), 0.99)
            check(abs(made - site["confidence"]) < 0.011, f"{site['confidence']} of {weights}")


def once(t, target, *args):
    needs_tracing()
    code, out, _ = run(t, "--pid", str(target.pid), "--once", "--json", *args)
    check_equal(code, 0, "exit code")
    check_equal(out.count("\n"), 1, "lines")
    return json.loads(out)


@case
def one_report(t):
    load()
    target = start(t, COUNTS)
    target.ask("shape mutex 3")
    report = once(t, target)
    check_valid("report", report)
    check_confidence(report)


@case
def what_members_hold(t):
    load()
    report = once(t, start(t, ENDS), "--all")
    held = {lock["kind"] for site in report["targets"][0]["sites"] for lock in site["holds"]}
    check_equal(held, {"channel", "mutex"}, "kinds of what is held")
    check_valid("report", report)


@case(waits=True)
def every_line_of_a_watch(t):
    """With a leak in it, so that evidence has something in all of its fields."""
    load()
    target = start(t, COUNTS)
    gleakd = Gleakd(t, target.pid, "--interval", "300ms", "--min-age", "1s")
    gleakd.report()

    def leaks(report):
        target.ask("run 7 5")
        return any(s["verdict"] == "leaking" for s in report["targets"][0]["sites"])

    gleakd.report("a leak", leaks, 30)
    gleakd.interrupt()
    check(len(gleakd.reports) > 3, f"{len(gleakd.reports)} reports")
    for report in gleakd.reports:
        check_valid("report", report)
        check_confidence(report)
    found = [s for r in gleakd.reports for s in r["targets"][0]["sites"]
             if s["verdict"] == "leaking"]
    for field in ("population", "cohorts", "survivors", "weights"):
        check(any(s["evidence"][field] for s in found), f"no leaking site ever had {field}")


@case
def goroutines(t):
    load()
    target = start(t, COUNTS)
    target.ask("run 11 7")
    report = once(t, target, "--goroutines", "--all")
    check(len(report["targets"][0]["goroutine_list"]) > 7, "no goroutines")
    check_valid("report", report)


@case
def processes(t):
    load()
    start(t, COUNTS)
    code, out, _ = run(t, "list", "--json")
    check_equal(code, 0, "exit code")
    document = json.loads(out)
    check(document["processes"], "no process")
    check_valid("list", document)


@case
def printed_as_it_is(t):
    code, out, err = run(t, "--json-schema", text=False)
    check_equal(code, 0, "exit code")
    check_equal(err, b"", "stderr")
    with open(SCHEMA, "rb") as file:
        check(out == file.read(), f"not data/report.schema.json: {out[:200]}")


def wrong_ones(report):
    places = (
        (), ("targets", 0), ("targets", 0, "losses"), ("targets", 0, "sites", 0),
        ("targets", 0, "sites", 0, "evidence"),
    )  # fmt: skip
    for path in places:
        for name in ("less", "more"):
            wrong = copy.deepcopy(report)
            part = wrong
            for step in path:
                part = part[step]
            if name == "less":
                del part[next(iter(part))]
            else:
                part["from_the_future"] = 1
            yield wrong, f"{name} in {path}"


@case
def strict_enough(t):
    """What these cases rely on: that a wrong report is found out, and a newer one is not wrong."""
    load()
    target = start(t, COUNTS)
    report = once(t, target)
    check_valid("report", report)
    for wrong, name in wrong_ones(report):
        check(not validator("report").is_valid(wrong), f"valid: {name}")
    newer = copy.deepcopy(report)
    newer["targets"][0]["sites"][0]["from_the_future"] = 1
    check(validator("report", closed=False).is_valid(newer), "a newer report is not valid")
