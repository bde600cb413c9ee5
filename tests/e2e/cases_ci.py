# SPDX-License-Identifier: Apache-2.0
"""What CI reads of reports that are kept: every shape of them, hostile names among them."""

import glob
import json
import os

from ci_formats import annotation, annotations, check_junit, violations
from harness import ROOT, Failed, case, cases_for, check, check_equal
from tracer import run

REPORTS = {os.path.basename(path).removesuffix(".json"): path
           for path in glob.glob(os.path.join(ROOT, "tests", "golden", "output", "*.json"))
           if not path.endswith("/list.json")}
WRITTEN = os.path.join(ROOT, "tests", "golden", "output", "leaks.junit.xml")


def converted(t, path, kind):
    code, out, err = run(t, "report", path, "--format", kind)
    check_equal((code, err), (0, ""), f"gleakd report {path}")
    return out


def kept(t, text, name="leaks.xml"):
    path = os.path.join(t.directory(), name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def twins(t):
    """A report in which two places in the code have all their names in common."""
    with open(REPORTS["leaks"], encoding="utf-8") as file:
        report = json.loads(file.read())
    sites = report["targets"][0]["sites"]
    sites[1:1] = [dict(sites[0], id=f"0000000{i}") for i in (1, 2)]
    return kept(t, json.dumps(report) + "\n", "twins.json")


@cases_for(REPORTS)
def junit_fits_its_schema(t, path):
    check_junit(kept(t, converted(t, path, "junit")))


@case
def junit_of_two_places_with_one_name(t):
    suite, = check_junit(kept(t, converted(t, twins(t), "junit")))
    names = [c.get("name") for c in suite.findall("testcase")]
    check_equal(names[1:3], [f"{names[0]}, number 2", f"{names[0]}, number 3"], "names")


@case
def mistakes_in_junit_are_found(t):
    """The check itself."""
    with open(WRITTEN, encoding="utf-8") as file:
        text = file.read()
    check_junit(WRITTEN)
    first = text[text.index("    <testcase"):text.index("</testcase>") + len("</testcase>\n")]
    for old, new in {first: first + first, ' tests="6"': "", "</properties>": "</properties><other/>",
                     'timestamp="2026-01-02T03:04:05"': 'timestamp="2026-01-02T03:04:05Z"',
                     ' time="42.040"': ' time="-1"', "<testcase ": '<testcase status="run" ',
                     ' type="leaking"': "", "<system-err></system-err>": ""}.items():
        check(old in text, old)
        check(violations(kept(t, text.replace(old, new, 1))), f"{new[:60]!r} was not found")
    wrong = kept(t, text.replace('failures="3"', 'failures="2"', 1))
    try:
        check_junit(wrong)
    except Failed:
        return
    check(False, "counts that do not add up were not found")


@cases_for(REPORTS)
def annotations_are_commands(t, path):
    told = annotations(converted(t, path, "github"))
    check_equal(sum(a["level"] == "notice" for a in told),
                sum(1 for target in json.load(open(path, encoding="utf-8"))["targets"] if target),
                "one notice for each process")
    for one in told:
        check(one["level"] == "notice" or one.get("title"), f"without a title: {one}")


@case
def annotations_say_what_the_report_says(t):
    told = annotations(converted(t, REPORTS["leaks"], "github"))
    with open(REPORTS["leaks"], encoding="utf-8") as file:
        sites = json.load(file)["targets"][0]["sites"]
    suspects = [s for s in sites if s["verdict"] in ("leaking", "stuck", "growing", "suspected")]
    found = [a for a in told if a["level"] != "notice"]
    check_equal(len(found), len(suspects), "annotations")
    for one, site in zip(found, suspects):
        check_equal(one["level"], "error" if site["verdict"] in ("leaking", "stuck") else "warning", site["id"])
        check(f"\nsite        {site['id']}\n" in one["message"], one["message"])
        check(one["message"].startswith(site["verdict"] + ", "), one["message"])


@case
def mistakes_in_annotations_are_found(t):
    """The check itself."""
    annotation("::error file=a%2Cb.go,line=3,title=x%3A y::100 %25 sure%0Aof it")
    for line in ("", "error::x", "::error::", "::failure title=a::b", "::error file=a.go,line=0::b",
                 "::error line=3::b", "::error title=a,b::c", "::error title=a:b::c", "::error::100 % sure",
                 "::error title=a,title=b::c", "::error::a%3Ab", "::error title=::b", "::error colour=red::b"):
        try:
            annotation(line)
        except Failed:
            continue
        check(False, f"{line!r} was not found")
