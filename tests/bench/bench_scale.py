# SPDX-License-Identifier: Apache-2.0
"""Many processes at once: memory, processor time and the length of a round, with all probes that
the governor allows."""

import os
import re
import shutil
import subprocess
import time

from harness import Skip, check, until
from programs import Program, start
from tracer import binary
from tracers import gleakd_cpu_ns, rss_bytes

CROWD = Program("crowd")
INTERVAL = 10
# Processes, goroutines of each, what else is looked at.
SIZES = ((50, 1_000, ""), (50, 1_000, "--resources"), (200, 10_000, ""))
# A goroutine has a stack of 2 KiB at least, and more around it.
BYTES_EACH = 4500
# gleakd's own pages, and what it may keep of each goroutine.
BASE_BYTES, GOROUTINE_BYTES = 20e6, 64


def metric(path, name):
    with open(path, encoding="utf-8") as file:
        found = re.search(rf"^{re.escape(name)} (\S+)$", file.read(), re.MULTILINE)
    check(found, f"no {name} in the metrics")
    return float(found.group(1))


def one_size(case, results, size, seconds):
    processes, goroutines, more = size
    with open("/proc/meminfo", encoding="utf-8") as info:
        free = int(re.search(r"MemAvailable:\s+(\d+)", info.read()).group(1)) * 1024
    wanted = processes * goroutines * BYTES_EACH
    if free < wanted:
        raise Skip(f"{wanted >> 20} MiB of free memory")
    folder = case.directory()
    path, metrics = os.path.join(folder, "crowd"), os.path.join(folder, "gleakd.prom")
    shutil.copy(CROWD.build(), path)
    targets = [start(case, CROWD, str(goroutines), path=path) for _ in range(processes)]
    begin = time.monotonic()
    # As the service runs it: metrics are all that is written.
    gleakd = subprocess.Popen(
        [binary(case), "--only", f"exe:{path}", "--config", "/dev/null", "--interval",
         f"{INTERVAL}s", "--textfile", metrics, *more.split()],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    case.defer(gleakd.kill)
    all_of_them = 'gleakd_targets{state="attached"}'
    until("all are watched",
          lambda: os.path.exists(metrics) and metric(metrics, all_of_them) == processes, 120)
    label = f"{processes} processes of {goroutines:,}{' with ' + more if more else ''}"
    results.add(f"{label}: until all are watched", time.monotonic() - begin, "s")
    # The governor has made up its mind, and the histories have their first steps.
    time.sleep(3 * INTERVAL)
    before, begin = gleakd_cpu_ns(gleakd.pid), time.monotonic()
    time.sleep(seconds)
    share = (gleakd_cpu_ns(gleakd.pid) - before) / 1e9 / (time.monotonic() - begin)
    small = processes == SIZES[0][0]
    results.add(f"{label}: processor time", 100 * share, "% of a core",
                at_most=1 if small else None)
    results.add(f"{label}: RSS", rss_bytes(gleakd.pid) / 1e6, "MB",
                at_most=(BASE_BYTES + GOROUTINE_BYTES * processes * goroutines) / 1e6)
    results.add(f"{label}: a round", metric(metrics, "gleakd_cycle_duration_seconds"), "s")
    begin = time.monotonic()
    gleakd.terminate()
    gleakd.wait(60)
    results.add(f"{label}: until all are let go", time.monotonic() - begin, "s")
    for target in targets:
        target.process.kill()


def scale(case, results, options):
    for size in SIZES[:1] if options.quick else SIZES:
        one_size(case, results, size, INTERVAL * (1 if options.quick else 4))
