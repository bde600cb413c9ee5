# SPDX-License-Identifier: Apache-2.0
"""The page of --html in a real browser: it renders without a complaint, and what can be done works."""

import json
import os
import re

from browser import Browser
from cases_scheduling import fifo, held_back
from harness import case, check, check_equal
from programs import Program, start
from tracer import needs_tracing, run

COUNTS = Program("counts")
DRAWN = """
const canvas = document.querySelector(arguments[0]);
const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const colors = new Set();
for (let i = 0; i < pixels.length; i += 4)
	colors.add(pixels[i] << 16 | pixels[i + 1] << 8 | pixels[i + 2]);
return colors.size;
"""


def page(t, *more):
    """The page about a watch of a program that leaks 149 goroutines more and more."""
    needs_tracing()
    target = start(t, COUNTS)
    target.ask("run 151 149")
    path = os.path.join(t.directory(), "page.html")
    code, _, err = run(t, "--pid", str(target.process.pid), "--interval", "300ms", "--min-age", "500ms",
                       "--duration", "3s", "--html", path, *more)
    check_equal(code, 0, f"exit code ({err})")
    return path


@case
def it_shows_what_was_found_and_can_be_used(t):
    browser = Browser(t)
    browser.open(page(t))
    check_equal(browser.text("h2")[:9], ["Findings", "By place over time", "Lives of goroutines", "Flame graph",
                                         "What holds the memory", "Who allocates", "What is open", "How long they live",
                                         "All places"],
                "sections")
    check(any("149" in text for text in browser.text("tbody tr")), "no row with 149 goroutines")
    for section in ("#time canvas", "#lives canvas", "#flames canvas"):
        check(browser.run(DRAWN, section) > 4, f"{section} is empty")

    # The table: search, order, one row in full.
    rows = len(browser.text("tbody tr.row"))
    browser.type("#search", "main.worker")
    found = browser.text("tbody tr.row")
    check(0 < len(found) < rows and all("main.worker" in row for row in found), f"{found}")
    browser.click("tbody tr.row")
    check("main.run" in browser.text("tr.more")[0], "the row's details")
    browser.click("th:nth-child(2) button")
    check_equal(browser.run("return document.querySelector('th:nth-child(2)').getAttribute('aria-sort')"),
                "ascending", "order by goroutines")

    # Zoom by dragging, and back.
    whole = browser.run("return [axis.from, axis.to]")
    browser.drag("#time canvas", 0.4, 0.7)
    zoomed = browser.run("return [axis.from, axis.to]")
    check(whole[0] < zoomed[0] < zoomed[1] < whole[1], f"{whole} -> {zoomed}")
    browser.press("\ue00c0")
    check_equal(browser.run("return [axis.from, axis.to]"), whole, "all of the time again")
    browser.hover("#time canvas", 0.95)
    check("main.worker" in browser.text(".tip")[0], f"tip: {browser.text('.tip')}")
    browser.click("#time .legend button")
    check_equal(browser.run("return document.querySelectorAll('#time .legend button.off').length > 0"), True,
                "one place alone")

    # The flame graph: open, search, keys.
    browser.hover("#flames canvas", 0.3, 0.01)
    check("all" in browser.text(".tip")[0], f"tip: {browser.text('.tip')}")
    browser.type("#flames input", "worker")
    check("match the search" in browser.text("#flames p")[0], f"{browser.text('#flames p')}")
    browser.run("document.querySelector('#flames canvas').focus()")
    browser.press("\ue015\ue007")  # down, Enter
    check("main." in browser.text("#flames p code")[0], f"{browser.text('#flames p')}")
    browser.press("\ue00c")
    check_equal(browser.text("#flames p code")[0], "all", "Escape shows all")

    # Keys of the page; both themes.
    before = browser.run("return document.documentElement.dataset.theme")
    browser.run("document.activeElement.blur()")
    browser.press("t")
    check(browser.run("return document.documentElement.dataset.theme") != before, "the other theme")
    browser.press("?")
    check_equal(browser.run("return document.querySelector('dialog').open"), True, "keys are told")
    check_equal(browser.console(), [], "console")


@case
def of_a_recording_each_life_is_there(t):
    needs_tracing()
    target = start(t, COUNTS)
    target.ask("run 151 149")
    folder = t.directory()
    recording, path = os.path.join(folder, "it.db"), os.path.join(folder, "it.html")
    code, _, err = run(t, "record", "--pid", str(target.process.pid), "-o", recording, "-d", "3s")
    check_equal(code, 0, f"exit code of record ({err})")
    code, _, err = run(t, "report", recording, "-f", "html", "-o", path)
    check_equal(code, 0, f"exit code of report ({err})")
    browser = Browser(t)
    browser.open(path)
    check("lives were recorded" in " ".join(browser.text("#lives p")), f"{browser.text('#lives p')}")
    lives = browser.run("return DATA.timeline.targets[0].lives.goid.length")
    check(lives >= 149, f"{lives} lives")
    check(browser.run(DRAWN, "#lives canvas") > 4, "lives are drawn")
    check_equal(browser.console(), [], "console")


LANES = """return lanesOf({sites: [], gone: [], recorded: DATA.timeline.targets[0]}).map(
	(lane) => [lane.name, lane.lines.map((line) => line.name)]);"""
LANE = 56  # pixels; the same in charts.js


@case
def what_does_not_get_on_has_lanes(t):
    """Late goroutines, a group that holds them back, a thread that stays in a call: lanes and a band, on one axis."""
    needs_tracing()
    _, target = held_back(t, 7)
    path = fifo(t, "read")
    t.defer(os.close, os.open(path, os.O_RDWR))
    target.ask(f"read {path}")
    target.ask("lock 3")
    recording, html = (os.path.join(t.directory(), name) for name in ("it.db", "it.html"))
    for words in (("record", "--pid", str(target.pid), "-o", recording, "-d", "11s", "--interval", "1s"),
                  ("report", recording, "-f", "html", "-o", html)):
        code, _, err = run(t, *words)
        check_equal(code, 0, f"{words}: {err}")
    browser = Browser(t, height=1500)
    browser.open(html)
    lanes = dict(browser.run(LANES))
    check("waits of more than 10 ms" in lanes["late for a processor"], f"{lanes}")
    check("throttled since the look before" in lanes["without a processor"], f"{lanes}")
    check_equal(lanes["threads that block"], ["in system calls or in C", "locked to goroutines"], "threads")
    check(browser.run(DRAWN, "#lives canvas") > 4, "they are drawn")
    height = browser.run("return document.querySelector('#lives canvas').getBoundingClientRect().height")

    def tip_at(y):
        browser.hover("#lives canvas", 0.9, y / height)
        return browser.text(".tip")[0]

    names = list(lanes)
    for i, name in enumerate(names):
        said = tip_at((i + 0.5) * LANE)
        check(said.startswith(name) and all(line in said for line in lanes[name]), f"{name}: {said!r}")
    calls = [tip_at(y) for y in range(len(names) * LANE + 20, int(height) - 30, 5)]
    check(any(path in said and "thread" in said for said in calls), f"the call: {calls}")
    whole = browser.run("return [axis.from, axis.to]")
    browser.drag("#lives canvas", 0.5, 0.8)
    zoomed = browser.run("return [axis.from, axis.to]")
    check(whole[0] < zoomed[0] < zoomed[1] < whole[1], f"{whole} -> {zoomed}")
    check(tip_at(0.5 * LANE).startswith(names[0]), "zoomed")
    browser.screenshot(os.path.join(t.directory(), "lanes.png"))
    check_equal(browser.console(), [], "console")


HOSTILE = "</script><img src=x onerror=document.title='owned'><b>"


@case
def hostile_names_are_text(t):
    """What a report may say in the worst case: the page's own script gets it as text."""
    path = page(t)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    target = data["report"]["targets"][0]
    target["comm"] = target["exe"] = HOSTILE
    for site in target["sites"]:
        site["wait_reason"] = HOSTILE
        for frame in [*site["stack"], site["blocked_at"], site["created_by"]]:
            if frame:
                frame["function"] = frame["file"] = HOSTILE
    quoted = json.dumps(data).replace("<", "\\u003c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r'(id="data">).*?(</script>)', lambda m: m.group(1) + quoted + m.group(2), text,
                          count=1, flags=re.S))
    browser = Browser(t)
    browser.open(path)
    check(HOSTILE in browser.text("h1")[0], f"{browser.text('h1')}")
    check_equal(browser.run("return document.querySelectorAll('img, b:not(.figure b):not(.tip b):not(.bars b)')"
                            ".length"), 0, "elements that a name has made")
    check("owned" not in browser.run("return document.title").replace(HOSTILE, ""), "a name ran")
    check_equal(browser.console(), [], "console")


def edited(path, change):
    """The page again, whose data change() has changed."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    change(data["report"]["targets"][0])
    quoted = json.dumps(data).replace("<", "\\u003c")
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r'(id="data">).*?(</script>)', lambda m: m.group(1) + quoted + m.group(2), text,
                          count=1, flags=re.S))
    return path


@case
def who_allocates_and_when_memory_will_be_growing(t):
    frame = {"function": "main.fill", "file": "/src/fill.go", "line": 22, "module": None}
    group = {"name": "tenant=red", "goid": None, "goroutines": 3, "alloc_bytes": 9_100_000_000,
             "alloc_objects": 67_339_896, "alloc_bytes_per_second": 302e6, "relative_error": 0.012,
             "in_use_bytes": 37_000_000, "in_use_objects": 300, "start_function": None,
             "created_by": frame, "allocated_at": frame}
    site = {"id": "0badcafe", "in_use_bytes": 4_000_000, "in_use_objects": 10, "alloc_bytes": 5_000_000,
            "alloc_objects": 20, "relative_error": 0.1, "growth_bytes_per_minute": 1e6,
            "alloc_bytes_per_second": None, "verdict": "steady", "why": [], "due": "2026-12-01T10:14:05Z",
            "type": "main.row", "allocated_at": frame, "stack": [frame], "held_by": ["main.rows"], "silenced": None}

    def change(target):
        target["alloc_sites"] = [site]
        target["allocating"] = {"by": "label", "source": "allocation_windows", "missing": None,
                                "sample_rate_bytes": None, "watched_seconds": 30, "attached_seconds": 0.4,
                                "windows": 40, "hits": 1000, "lost": 0, "refused": 0, "cost_seconds": 0.1,
                                "groups": [group, {**group, "name": None, "allocated_at": None}]}

    browser = Browser(t)
    browser.open(edited(page(t), change))
    rows = browser.text("#allocating tbody tr")
    check_equal(len(rows), 2, "sets of labels")
    for words in ("tenant=red", "9.1 GB ±1 %", "302 MB/s", "67,339,896", "37 MB", "main.fill"):
        check(words in rows[0], f"{words}: {rows[0]}")
    check("(no labels)" in rows[1], rows[1])
    card = next(text for text in browser.text("#findings .card") if "memory" in text)
    for words in ("RISES", "due at 10:14:05 UTC if it goes on", "main.rows"):
        check(words in card, f"{words}: {card}")
    check_equal(browser.console(), [], "console")


@case
def many_places_and_lives(t):
    """Of a hundred thousand goroutines at 5,000 places, with 20,000 lives: it is there within seconds."""
    path = page(t)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S).group(1))
    target, lives = data["report"]["targets"][0], 20000
    site = max(target["sites"], key=lambda site: site["goroutines"])
    target["sites"] = [{**site, "id": f"{i:08x}", "goroutines": 20,
                        "verdict": "leaking" if i < 7 else "idle"} for i in range(5000)]
    timeline = data["timeline"]["targets"][0]
    like = timeline["sites"][0]
    timeline["sites"] = [{**like, "id": f"{i:08x}"} for i in range(5000)]
    timeline["all_lives"] = 10_000_000
    seconds = data["timeline"]["seconds"]
    timeline["lives"] = {"goid": list(range(lives)), "site": [i % 97 for i in range(lives)],
                         "begin": [seconds * (i % 1009) / 1009 for i in range(lives)],
                         "end": [seconds * min(1, (i % 1009) / 1009 + (i % 13) / 13) for i in range(lives)],
                         "flags": [i % 4 for i in range(lives)]}
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r'(id="data">).*?(</script>)',
                          lambda m: m.group(1) + json.dumps(data) + m.group(2), text, count=1, flags=re.S))
    browser = Browser(t)
    browser.open(path)
    check("5,000 of 5,000 places" in browser.text("#table p")[0], f"{browser.text('#table p')}")
    check_equal(len(browser.text("tbody tr.row")), 300, "rows that are made")
    check("10,000,000 lives were recorded" in " ".join(browser.text("#lives p")), "all lives are told of")
    milliseconds = browser.run("const begin = performance.now(); axis.show(axis.end / 3, axis.end / 2);"
                               "return performance.now() - begin")
    t.note(f"a zoom takes {milliseconds:.0f} ms; drawn {browser.run('return performance.now()'):.0f} ms")
    check(browser.run(DRAWN, "#lives canvas") > 4, "lives are drawn")
    check_equal(browser.console(), [], "console")


@case
def a_file_that_cannot_be_written(t):
    needs_tracing()
    target = start(t, COUNTS)
    code, _, err = run(t, "--pid", str(target.process.pid), "--once", "--html", "/nonexistent/page.html")
    check(code == 1 and "--html: /nonexistent/page.html: " in err, f"{code} {err}")


@case
def what_is_open_and_never_closed(t):
    needs_tracing()
    target = start(t, Program("resources"))
    target.ask("leak file 100")
    path = os.path.join(t.directory(), "page.html")
    code, _, err = run(t, "resources", "--pid", str(target.process.pid), "--duration", "12s", "--html", path)
    check_equal(code, 0, f"exit code ({err})")
    browser = Browser(t)
    browser.open(path)
    check(any("file" in text and "main.files" in text for text in browser.text("#findings article")),
          f"{browser.text('#findings article')}")
    check(any("main.files" in text for text in browser.text("#open tbody tr")), f"{browser.text('#open')}")
    browser.click("#time .tools button:nth-child(2)")
    check(any("file, main.files" in text for text in browser.text("#time .legend button")),
          f"{browser.text('#time .legend')}")
    check(browser.run(DRAWN, "#time canvas") > 4, "it is drawn over time")
    check_equal(browser.console(), [], "console")
