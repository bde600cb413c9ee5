# SPDX-License-Identifier: Apache-2.0
"""What gleakd writes for programs of others, opened by them."""

import functools
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import urllib.error

from browser import Browser
from harness import VERSIONS, case, check, check_equal, until
from packages import npm_package, prepared
from programs import Program, go_command, go_environment, start
from tracer import run

COUNTS, ALLOCATIONS = Program("counts"), Program("allocations")
SPEEDSCOPE = "speedscope@1.25.0"
PARKED, NODES = 1009, 400_009  # 25 MB of them: some fifty samples

prepared(SPEEDSCOPE)


def written(t, source, name, *arguments):
    """A file of `gleakd report`."""
    path = os.path.join(os.path.dirname(source), name)
    code, _, err = run(t, "report", source, *arguments, "-o", path)
    check_equal(code, 0, f"exit code of report {' '.join(arguments)} ({err})")
    return path


def json_file(t, *arguments):
    path = os.path.join(t.directory(), "report.json")
    code, out, err = run(t, *arguments, "--json")
    check_equal(code, 0, f"exit code of {' '.join(arguments)} ({err})")
    with open(path, "w", encoding="utf-8") as file:
        file.write(out)
    return path


def of_goroutines(t):
    """A report on 1009 goroutines that wait at one place."""
    target = start(t, COUNTS)
    target.ask(f"run {PARKED} {PARKED}")
    return json_file(t, "--pid", str(target.pid), "--once")


def of_memory(t):
    target = start(t, ALLOCATIONS)
    target.ask(f"fill nodes {NODES}")
    target.ask("collect")
    return json_file(t, "heap", str(target.pid))


def pprof(t, *arguments):
    got = subprocess.run([go_command(), "tool", "pprof", *arguments], capture_output=True, text=True,
                         timeout=100, env={**go_environment("local"), "PPROF_TMPDIR": t.directory()})
    check_equal(got.returncode, 0, f"go tool pprof {' '.join(arguments)}: {got.stderr}")
    return got.stdout


@case
def memory_of_a_report(t):
    """What is in use where, for pprof and for flame graphs."""
    source = of_memory(t)
    with open(source, encoding="utf-8") as file:
        sites = json.load(file)["targets"][0]["alloc_sites"]
    bytes_of = sum(site["in_use_bytes"] for site in sites)
    check(bytes_of > 0, f"nothing is in use: {sites}")
    path = written(t, source, "memory.pb.gz", "-f", "pprof", "--memory")
    top = pprof(t, "-top", "-unit=B", "-nodefraction=0", path)
    check(re.search(rf" of {bytes_of}B? total", top), f"not {bytes_of}: {top}")
    check("main.newNode" in top, top)
    allocated = pprof(t, "-top", "-unit=B", "-sample_index=alloc_space", path)
    check(f" of {sum(site['alloc_bytes'] for site in sites)}B" in allocated, allocated)
    check(" type: Total " in pprof(t, "-tags", path), "no types")
    with open(written(t, source, "memory.folded", "-f", "folded", "--memory"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    check_equal(sum(int(line.rsplit(" ", 1)[1]) for line in lines), bytes_of, "bytes in folded stacks")
    for arguments, words in ((("-f", "html", "--memory"), "--format pprof and folded"),
                             (("--memory",), "--format pprof and folded")):
        code, _, err = run(t, "report", source, *arguments)
        check(code == 2 and words in err, f"{arguments}: {code}, {err}")
    code, _, err = run(t, "report", of_goroutines(t), "-f", "pprof", "--memory", "-o", path)
    check(code == 1 and "where process" in err and "is not in it" in err, f"{code}, {err}")
    check_equal(pprof(t, "-top", "-unit=B", "-nodefraction=0", path), top, "what was in the file before")


@case
def all_views_of_go_tool_pprof(t):
    path = written(t, of_goroutines(t), "goroutines.pb.gz", "-f", "pprof")
    check(re.search(rf"^ +{PARKED} .* main\.worker$", pprof(t, "-top", path), re.M), pprof(t, "-top", path))
    check(re.search(rf"^ +{PARKED} +main\.worker$", pprof(t, "-traces", path), re.M), pprof(t, "-traces", path))
    check(f"{PARKED} " in pprof(t, "-tags", path), pprof(t, "-tags", path))
    check("Showing nodes accounting for 0" in pprof(t, "-top", "-diff_base", path, path), "differs from itself")
    # It does not tell which port it got, had it the choice.
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    ui = subprocess.Popen([go_command(), "tool", "pprof", f"-http={address}", "-no_browser", path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
                          env={**go_environment("local"), "PPROF_TMPDIR": t.directory()})
    t.defer(ui.wait)
    t.defer(os.killpg, ui.pid, 9)
    check(any("Serving web UI" in line for line in ui.stderr), "its web UI does not start")
    browser = Browser(t)
    for view in ("top", "flamegraph"):
        browser.ask("POST", "/url", {"url": f"http://{address}/ui/{view}"})
        until(f"main.worker in {view} of the web UI",
              lambda: "worker" in browser.run("return document.body.innerText"), 60)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def served(t, folder):
    """The folder as http://127.0.0.1:PORT."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    t.defer(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def alert_of(browser):
    try:
        return browser.ask("GET", "/alert/text")
    except urllib.error.HTTPError:
        return ""


@case(tier=VERSIONS)
def speedscope(t):
    """Its own page, which shows the profile's name once it has it, and an alert where it has not."""
    folder = os.path.join(t.directory(), "speedscope")
    shutil.copytree(os.path.join(npm_package(SPEEDSCOPE), "package", "dist", "release"), folder)
    goroutines, memory = of_goroutines(t), of_memory(t)
    files = [written(t, goroutines, "goroutines.pb.gz", "-f", "pprof"),
             written(t, goroutines, "goroutines.folded", "-f", "folded"),
             written(t, memory, "memory.pb.gz", "-f", "pprof", "--memory"),
             written(t, memory, "memory.folded", "-f", "folded", "--memory")]
    with open(os.path.join(t.directory(), "none"), "w", encoding="utf-8") as file:
        file.write("this is none\n")
    base, browser = served(t, folder), Browser(t)

    def show(path):
        name = os.path.basename(path)
        shutil.copy(path, folder)
        browser.ask("POST", "/url", {"url": "about:blank"})
        browser.ask("POST", "/url", {"url": f"{base}/index.html#profileURL=/{name}&title={name}"})

    for path in files:
        show(path)
        until(f"speedscope shows {path}",
              lambda: "Left Heavy" in browser.run("return document.body ? document.body.innerText : ''"), 60)
        check_equal(browser.run("return document.title"), f"{os.path.basename(path)} - speedscope", "title")
        browser.press("3")  # the table of functions
        function = "main.newNode" if "memory" in path else "main.worker"
        until(f"{function} is in the table", lambda f=function: f in browser.run("return document.body.innerText"), 30)
    show(file.name)
    until("speedscope has an alert for what is none", lambda: "nrecognized format" in alert_of(browser), 60)
