#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of CONTRIBUTING.md that no other tool knows: sizes, arrows between folders, licence lines,
banned functions, promises without tests. Prints one line per finding; exit code 1 when there are any."""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as makefile:
    FOLDERS = re.search(r"^FOLDERS := (.*)$", makefile.read(), re.MULTILINE).group(1).split()
# Parts of a folder that build on each other, in that order.
SUBFOLDERS = {
    "heap": "runtime spans types mark goroutines roots scan samples paths ways view resources".split(),
}
MAX_FILE, MAX_FUNCTION = 600, 80
# Of a line that is a comment; clang-format has the rest.
MAX_COMMENT = 120
# What keeps the privileges is to be read in an hour: lines of code of these together (docs/broker.md).
BROKER = [f"user/broker/{name}.c" for name in
          "check server server_identity server_probes copies watch run".split()]
MAX_BROKER = 1200
BANNED = "strcpy strcat sprintf vsprintf gets strtok atoi atol atoll atof system popen".split()
BANNED_CALL = re.compile(r"(?<![\w>.])(" + "|".join(BANNED) + r")\s*\(")
EXIT_CALL = re.compile(r"(?<![\w>.])exit\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
# What is an enumeration stays one: a word is what it is shown as, not what it is compared by.
FACT_AS_WORD = re.compile(r'strn?(?:case)?cmp\s*\([^;]*"(?:active|idle|growing|suspected|stuck|leaking|full|lifecycle|census)"')
# `dir/file.ext` in a page.
NAMED_PATH = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.\w+)`")
UNIT_TEST = re.compile(r"^(?:Parameterized)?Test\((?:struct \w+ \*\w+, )?(\w+), (\w+)", re.MULTILINE)
CASE = re.compile(r"^@case\w*(?:\(.*?\))?\n(?:# .*\n)*def (\w+)\(", re.MULTILINE | re.DOTALL)
# Data, licences, prose and formats without comments carry no licence line of their own.
UNMARKED = re.compile(
    r"(\.(tsv|json|md|txt|golden|bin|gz|sum|service|rules|png|svg|[1-9])|LICENSE[^/]*|COPYING[^/]*)$"
    r"|^tests/golden/|^deploy/|^vmlinux/.*\.h$|(^|/)(\.gitignore|go\.mod)$"
)


def sources():
    """Files of the tree: what git knows, and what it would add."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True,
    )
    if listed.returncode == 0:
        return [f for f in sorted(set(listed.stdout.splitlines()))
                if os.path.isfile(os.path.join(ROOT, f))]
    found = []
    for folder, names, files in os.walk(ROOT):
        names[:] = [n for n in names if n not in (".git", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
    return sorted(found)


def blank(match):
    """Spaces in place of what was matched, lines kept."""
    return re.sub(r"[^\n]", " ", match.group(0))


def without_comments(text):
    """C with comments and the insides of strings blanked out."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.DOTALL)


def long_functions(text):
    """(line, length) of functions over the limit: a body begins with { in column 0 after code."""
    begin = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            begin = number
        elif line.startswith("}") and begin:
            # From the opening brace to the closing one.
            if number - begin + 1 > MAX_FUNCTION:
                yield begin, number - begin + 1
            begin = None


def arrows(path, text):
    """Includes that point to a folder on the right."""
    match = re.match(r"(?:user|tests/unit)/(\w+)/", path)
    if not match or match.group(1) not in FOLDERS:
        return
    own = FOLDERS.index(match.group(1))
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        folder = include.group(1).split("/")[0] if include else ""
        if folder in FOLDERS and FOLDERS.index(folder) > own:
            yield number, f"{match.group(1)}/ may not include {include.group(1)}"


def arrows_within(path, text):
    """Includes of a subfolder that point to one on the right of the same folder."""
    match = re.match(r"(?:user|tests/unit)/(\w+)/(\w+)/", path)
    order = SUBFOLDERS.get(match.group(1), []) if match else []
    if not order:
        return
    if match.group(2) not in order:
        yield 1, f"{match.group(2)}/ has no place in the order of {match.group(1)}/"
        return
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        parts = include.group(1).split("/") if include else []
        if parts[:1] == [match.group(1)] and parts[1] in order[order.index(match.group(2)) + 1:]:
            yield number, f"{match.group(1)}/{match.group(2)}/ may not include {include.group(1)}"


def check_c(path, text):
    code = without_comments(text)
    lines = text.splitlines()
    if len(lines) > MAX_FILE and not path.startswith("vmlinux/"):
        yield MAX_FILE, f"{len(lines)} lines, more than {MAX_FILE}"
    for begin, length in long_functions(code):
        yield begin, f"a function of {length} lines, more than {MAX_FUNCTION}"
    yield from arrows(path, text)
    yield from arrows_within(path, text)
    if path.startswith("user/"):
        for match in FACT_AS_WORD.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, "a verdict or mode compared as a word"
    for number, line in enumerate(code.splitlines(), 1):
        width = len(lines[number - 1].expandtabs(8))
        if width > MAX_COMMENT and not line.strip() and not path.startswith("tests/"):
            yield number, f"a comment of {width} columns, more than {MAX_COMMENT}"
        banned = BANNED_CALL.search(line)
        if banned:
            yield number, f"{banned.group(1)}() is banned"
        if path.startswith("user/") and not path.endswith("main.c") and EXIT_CALL.search(line):
            yield number, "exit() outside main.c"


def folder_order():
    """docs/architecture.md shows the folders in the order that is built."""
    path = "docs/architecture.md"
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        lines = file.read().splitlines()
    for order in (FOLDERS, *SUBFOLDERS.values()):
        if not any(line.split() == order for line in lines):
            yield path, 1, "does not show the folders in the order that is built: " + " ".join(order)


def broker_size():
    """The broker's own code: lines that are neither blank, nor comments, nor includes."""
    total = 0
    for path in BROKER:
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            lines = without_comments(file.read()).splitlines()
        total += sum(bool(line.strip()) and not line.startswith("#include") for line in lines)
    if total > MAX_BROKER:
        yield "user/broker", 0, f"the broker has {total} lines of code, more than {MAX_BROKER}"


def named_paths():
    """Files that the pages about the code name in backquotes exist."""
    tops = {path.split("/")[0] for path in sources() if "/" in path}
    for page in ("docs/architecture.md", "docs/changing.md"):
        with open(os.path.join(ROOT, page), encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                for path in NAMED_PATH.findall(line):
                    if path.split("/")[0] in tops and not os.path.isfile(os.path.join(ROOT, path)):
                        yield page, number, f"there is no {path}"


def known_tests():
    """Names as tests/run has them: unit.FOLDER.SUITE.NAME, FILE.CASE; the fuzz targets are in tests/fuzz/."""
    for path in sources():
        unit = re.match(r"tests/unit/(\w+)/.*\.c$", path)
        cases = re.match(r"tests/e2e/cases_(\w+)\.py$", path)
        target = re.match(r"tests/fuzz/targets/(\w+)\.c$", path)
        if target:
            yield f"fuzz.{target.group(1)}"
        if not unit and not cases:
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            text = file.read()
        if unit:
            yield from (f"unit.{unit.group(1)}.{suite}.{name}" for suite, name in UNIT_TEST.findall(text))
        else:
            yield from (f"{cases.group(1)}.{name}" for name in CASE.findall(text))


def is_there(word, tests):
    """Whether what SECURITY.md names in its column of tests can be run."""
    if word.startswith("make "):
        return any(re.search(rf"^{word[5:]}:", open(os.path.join(ROOT, path), encoding="utf-8").read(), re.M)
                   for path in sources() if path == "Makefile" or path.endswith(".mk"))
    if word.startswith("*"):
        return any(name.split(".")[-2].endswith(word[1:]) for name in tests if name.startswith("unit."))
    if "/" in word:
        return os.path.exists(os.path.join(ROOT, word))
    name = word.removesuffix(".*") if "." in word else f"fuzz.{word}"
    return any(test == name or test.startswith(name + ".") for test in tests)


def promises():
    """Each promise of SECURITY.md names tests that exist, and each hostile case holds a promise."""
    page, tests, named = "SECURITY.md", set(known_tests()), set()
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|") or len(cells) != 3 or cells[0] in ("promise", "way", "---"):
            continue
        words = re.findall(r"`([^`]+)`", cells[2])
        named.update(words)
        if not words:
            yield page, number, "a promise that no test holds"
        for word in words:
            if not is_there(word, tests):
                yield page, number, f"there is no test {word}"
    for test in sorted(tests):
        if test.startswith("hostile.") and test not in named:
            yield page, 1, f"no promise names {test}"


def check(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        raw = file.read()
    if b"\0" in raw[:4096]:
        return
    text = raw.decode(errors="replace")
    head = "\n".join(text.splitlines()[:5])
    if not UNMARKED.search(path) and "SPDX-License-Identifier:" not in head:
        yield 1, "no SPDX line in the first five"
    if path.startswith("bpf/") and path.endswith(".c") and "GPL-2.0" not in head:
        yield 1, "BPF programs are GPL-2.0 OR BSD-2-Clause"
    if path.endswith((".c", ".h")):
        yield from check_c(path, text)
    elif path.endswith((".py", ".sh", ".go")) and len(text.splitlines()) > MAX_FILE:
        yield MAX_FILE, f"{len(text.splitlines())} lines, more than {MAX_FILE}"
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip() and not path.startswith("tests/golden/"):
            yield number, "blanks at the end of the line"


def main():
    findings = [(p, n, words) for p in sources() for n, words in check(p)]
    findings += folder_order()
    findings += broker_size()
    findings += named_paths()
    findings += promises()
    for path, number, words in findings:
        print(f"{path}:{number}: {words}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
