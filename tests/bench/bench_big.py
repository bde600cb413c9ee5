# SPDX-License-Identifier: Apache-2.0
"""Attaching to a big binary: caddy, built once from the module proxy into build/bench/."""

import os
import statistics
import subprocess
import time

from harness import ROOT, Skip, check
from programs import Target, go_command, go_environment
from tracer import Gleakd
from tracers import rss_bytes

MODULE = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.10.0"
FOLDER = os.path.join(ROOT, "build", "bench")


def caddy():
    path = os.path.join(FOLDER, "caddy")
    if not os.path.exists(path):
        env = dict(go_environment("local"), GOBIN=FOLDER, GOTOOLCHAIN="auto")
        built = subprocess.run([go_command(), "install", MODULE], env=env, cwd="/",
                               capture_output=True, text=True)
        if built.returncode:
            raise Skip(f"caddy ({(built.stderr.strip().splitlines() or ['?'])[-1]})")
    return path


def big_binary(case, results, options):
    path = caddy()
    results.add("caddy: size of the binary", os.path.getsize(path) / 1e6, "MB")
    home = case.directory()
    target = Target(case, [path, "respond", "--listen", "127.0.0.1:0", "hello"],
                    env=dict(os.environ, HOME=home, XDG_DATA_HOME=home, XDG_CONFIG_HOME=home))
    target.answer("Server address")
    times, resident = [], []
    for _ in range(2 if options.quick else options.repetitions):
        begin = time.monotonic()
        g = Gleakd(case, target.pid, "--interval", "500ms")
        first = g.report()
        times.append(time.monotonic() - begin)
        check(first["targets"][0]["goroutines"]["alive"] > 3, "caddy's goroutines are seen")
        g.report("a second report", lambda r: len(g.reports) > 1)
        resident.append(rss_bytes(g.process.pid))
        g.interrupt()
    results.raw["caddy"] = dict(first_report_seconds=times, rss=resident)
    results.add("caddy: first table", statistics.median(times), "s", at_most=1)
    results.add("caddy: RSS of gleakd", statistics.median(resident) / 1e6, "MB")
