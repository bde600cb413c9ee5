# SPDX-License-Identifier: Apache-2.0
"""JUnit's XML and GitHub's workflow commands, read as strictly as anybody reads them."""

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

from harness import ROOT, Failed, Skip, check, check_equal

SCHEMA = os.path.join(ROOT, "tests", "junit.xsd")


def violations(path):
    """What xmllint says against tests/junit.xsd; "" where the file fits."""
    if not shutil.which("xmllint"):
        raise Skip("xmllint (libxml2-utils)")
    done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", SCHEMA, path],
                          capture_output=True, text=True, errors="replace")
    if done.returncode not in (0, 1, 3, 4):
        raise Failed(f"xmllint: exit code {done.returncode}: {done.stderr}")
    return "" if done.returncode == 0 else done.stderr


def check_junit(path):
    """By the schema, and what no schema can say: that counts add up. The element testsuites."""
    check_equal(violations(path), "", "against tests/junit.xsd")
    suites = ET.parse(path).getroot()
    counted = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for suite in suites:
        for name, of in counted.items():
            check_equal(int(suite.get(name)), len(suite.findall(f"testcase/{of}")), name)
        check_equal(int(suite.get("tests")), len(suite.findall("testcase")), "tests")
    for name in ("tests", *counted):
        check_equal(int(suites.get(name)), sum(int(s.get(name)) for s in suites), f"{name} in all")
    return suites


# --- workflow commands ----------------------------------------------------------------------------
#
# "::NAME KEY=VALUE,KEY=VALUE::MESSAGE". A value ends with "," or "::", a message with its line; what would end
# it is written as %25 (%), %0D, %0A, and in values %3A (:) and %2C (,).

LEVELS = ("error", "warning", "notice")
NUMBERS = ("line", "endLine", "col", "endColumn")
KEYS = ("title", "file", *NUMBERS)
ESCAPED = {"%25": "%", "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def unescaped(text, known):
    for found in re.findall(r"%.{0,2}", text, re.S):
        check(found in known, f"{found!r} in {text[:200]!r}")
    return re.sub(r"%..", lambda found: ESCAPED[found[0]], text)


def annotation(line):
    """{"level", "message", and its keys} of one line, which has to be a command."""
    match = re.fullmatch(r"::([a-z]+)(?: ([^\r\n]*?))?::([^\r\n]*)", line)
    check(match and match[1] in LEVELS, f"a workflow command: {line[:200]!r}")
    told = {"level": match[1], "message": unescaped(match[3], ("%25", "%0D", "%0A"))}
    for pair in filter(None, (match[2] or "").split(",")):
        key, equals, value = pair.partition("=")
        check(equals and key in KEYS and key not in told, f"a key of a command: {pair!r}")
        told[key] = unescaped(value, ESCAPED)
        check(":" not in value and value, f"a value of a command: {pair!r}")
        if key in NUMBERS:
            check(re.fullmatch("[1-9][0-9]*", value), f"a number: {pair!r}")
    check(told["message"], f"no message: {line!r}")
    check("line" not in told or "file" in told, f"a line of no file: {line!r}")
    return told


def annotations(text):
    """Those of all lines; no line is anything else."""
    check(text.endswith("\n"), f"it ends within a line: {text[-80:]!r}")
    return [annotation(line) for line in text[:-1].split("\n")]
