# SPDX-License-Identifier: Apache-2.0
"""The page of all results: figures by class, then every program. Without a date, so that the same
results give the same page."""

import common

TITLES = {
    "leaking": "Leaking programs of the Go source tree",
    "healthy": "Healthy servers",
    "hard": "Hard cases",
    "proof": "What the heap proves",
    "racing": "What the heap must not say",
    "memory": "Memory that grows",
    "profiles": "Where memory is allocated",
    "shares": "Where memory is allocated, without samples",
    "reports": "Public reports",
    "resources": "Opened and not closed",
}


def summary(results):
    """"70 ok, 2 miss, 1 flaky"."""
    counts = {status: sum(r.status == status for r in results) for status in common.STATUSES}
    return ", ".join(f"{n} {status}" for status, n in counts.items() if n) or "nothing"


def share(part, whole):
    return f"{100 * part / whole:.1f} % ({part:,} of {whole:,})" if whole else "–"


def markdown(head, rows):
    """The lines of a table, all columns but the last as wide as they have to be."""
    cells = [[str(c).replace("|", "\\|").replace("\n", " ") for c in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    widths[-1] = max(3, len(head[-1]))

    def line(row):
        return "| " + " | ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() + " |"

    return [line(cells[0]), "|" + "|".join("-" * (w + 2) for w in widths) + "|",
            *(line(row) for row in cells[1:])]


def by_class(results):
    """{(expected class, got class): sites}."""
    counts = {}
    for result in results:
        for expected, got, n, _ in result.judged():
            counts[expected, got] = counts.get((expected, got), 0) + n
    return counts


def untold_by_class(results):
    """{(expected class, got class): sites} of what cannot be told from outside."""
    counts = {}
    for result in results:
        for expected, got, n, untold in result.judged():
            if untold:
                counts[expected, got] = counts.get((expected, got), 0) + n
    return counts


def class_rows(results):
    counts, untold = by_class(results), untold_by_class(results)
    rows = []
    for name in common.CLASSES:
        expected = sum(n for (e, _), n in counts.items() if e == name)
        got = sum(n for (_, g), n in counts.items() if g == name)
        right = counts.get((name, name), 0)
        hidden = sum(n for (e, _), n in untold.items() if e == name)
        as_others = ", ".join(f"{n:,} as {g or 'nothing'}" for (e, g), n in sorted(counts.items())
                              if e == name and g != name)
        # Somebody healthy in a class beside somebody untold is no error of that class.
        precise = got if name != "quiet" else got - sum(
            n for (e, g), n in untold.items() if g == name and e != name)
        rows.append([label(name), expected, share(right, expected),
                     share(right, expected - hidden), share(right, precise), as_others or "–"])
    return rows


def label(name):
    return "idle, active" if name == "quiet" else name


CLASS_HEAD = ["class", "sites", "recall", "recall without what cannot be told", "precision",
              "the others came"]


def status_rows(parts):
    rows = []
    for part, results in parts:
        counts = [sum(r.status == s for r in results) for s in common.STATUSES]
        rows.append([TITLES[part], len(results), *counts])
    return rows


def seconds(value):
    return "" if value is None else f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def program_lines(results):
    rows = [[r.name, label(r.expected), label(r.got), r.status, seconds(r.seconds), r.note]
            for r in results]
    return markdown(["program", "expected", "got", "", "after", "note"], rows)


def part_lines(part, kept, results):
    lines = [f"## {TITLES[part]}", ""]
    for text in kept["about"].get("text", []):
        lines += [text, ""]
    lines += [f"{len(results)} lines: {summary(results)}.", ""]
    for table in kept["about"].get("tables", []):
        lines += [table["title"], "", *markdown(table["head"], table["rows"]), ""]
    groups = {}
    for result in results:
        groups.setdefault(result.extra.get("group", ""), []).append(result)
    for group, members in groups.items():
        shown = [r for r in members if r.status != "ok" or not r.extra.get("brief")]
        lines += [f"### {group}", ""] if group else []
        lines += [*program_lines(shown), ""] if shown else []
        if len(shown) < len(members):
            lines += [f"{len(members) - len(shown)} {'others' if shown else 'programs'}: ok.", ""]
    return lines


def machine_line(kept):
    machine, about = kept["machine"], kept["about"]
    go = f", {about['go']}" if "go" in about else ""
    return (f"Linux {machine['kernel']} {machine['machine']}, {machine['processors']} processors, "
            f"{machine['memory_gib']} GiB{go}")


def page(options):
    """The page of all parts that have been run."""
    kept = [(part, common.load(options, part)) for part in common.PARTS]
    kept = [(part, k) for part, k in kept if k]
    parts = [(part, common.loaded_results(k)) for part, k in kept]
    every = [result for _, results in parts for result in results]
    lines = ["# Evaluation", "",
             "Made by `make eval`" + (" (a few programs only)" if options.quick else "") + ".", ""]
    if not every:
        return "\n".join(lines + ["No part has been run.", ""])
    machines = {}
    for part, k in kept:
        machines.setdefault(machine_line(k), []).append(TITLES[part].lower())
    lines += [f"- {line}: {', '.join(names)}" for line, names in machines.items()] + [""]
    lines += ["## By class", "", *markdown(CLASS_HEAD, class_rows(every)), ""]
    lines += ["## By part", "",
              *markdown(["part", "lines", *common.STATUSES], status_rows(parts)), ""]
    for (part, k), (_, results) in zip(kept, parts):
        lines += part_lines(part, k, results)
    return "\n".join(lines).rstrip() + "\n"
