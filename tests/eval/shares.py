# SPDX-License-Identifier: Apache-2.0
"""Part 8: who allocates most, of programs without a profile, against builds of them in which each allocation is one.

Nothing in these servers asks for a heap profile, so that the linker leaves profiling out, and gleakd sees their
allocations by probes in windows. The same source built with the tag `sampled` has MemProfileRate = 1 and writes its
own profile. Both serve the same clients, who do the same things in turn at whatever pace: what a site allocates
is the same part of all in both.
"""

import json
import os
import shutil
import signal
import subprocess
import sys

import common

sys.path.insert(0, os.path.join(os.path.dirname(common.HERE), "e2e"))

import heap_profiles  # noqa: E402

SOURCES = os.path.join(common.HERE, "shares")
SECONDS, QUICK_SECONDS = 40, 20
WARM_SECONDS = 5
BUDGET = "20%"
TOP = 10
FAR = 0.10
LEAST = 0.001  # of all bytes: a server may have fewer places than ten

SERVERS = {
    "go-httpbin": ("httpbin", "JSON, XML, gzip, streams, bytes over HTTP",
                   lambda port: ["-host", "127.0.0.1", "-port", str(port), "-log-level", "OFF"]),
    "goproxy": ("proxy", "an HTTP proxy between clients and a server of ours", None),
    "mochi-mqtt": ("mqtt", "publishing to rooms with two subscribers each, some of it retained", None),
    "redcon": ("redis", "set, get and del in pipelines of five", None),
}
QUICK = ("go-httpbin",)

ABOUT = {"text": [
    "Servers without a heap profile in them, whose allocations gleakd sees by probes in windows (`memory.source` has to "
    f"say so): {SECONDS} s at `--max-overhead {BUDGET}`, under eight clients. Against them stand builds of the same "
    "source with MemProfileRate = 1, under the same clients, and what their own profile has more after that time. A "
    f"site is the innermost line that is not the runtime's; of the {TOP} that allocate most in the latter, as far as they have {LEAST:.1%} of the bytes, the part of "
    f"all bytes has to be within {FAR:.0%} of it. What comes from a sync.Pool (bytes.growSlice of mochi-mqtt's, "
    "net/http's buffers) is allocated when the pool is empty, which it is more or less often in a program that takes "
    "a sample of each allocation: there the two builds differ.",
]}


# --- programs -------------------------------------------------------------------------------------


def build(options):
    """{name of a folder: (without a profile, with each allocation in it)}, and the clients."""
    # Sums are not kept with us: modules come through the proxy, into a copy.
    folder = options.cache("shares-source", "go.mod")[:-len("/go.mod")]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(SOURCES, folder)
    programs = {}
    for name in (*(server[0] for server in SERVERS.values()), "load"):
        programs[name] = []
        for tags in (("",) if name == "load" else ("", "sampled")):
            path = options.cache(f"shares-{name}{tags}")
            common.go("build", "-mod=mod", "-buildvcs=false", "-tags", tags, "-o", path, "./" + name,
                      cwd=folder, CGO_ENABLED="0")
            programs[name].append(path)
    return programs


# --- one of them ----------------------------------------------------------------------------------


class Pair:
    """A server under its clients."""

    def __init__(self, options, name, program, load, kind):
        folder, _, arguments = SERVERS[name]
        port = common.free_port()
        address = f"127.0.0.1:{port}"
        path = options.path("shares", f"{name}.{kind}")
        self.profile = path + ".pb.gz"
        self.server = common.Process([program, *(arguments(port) if arguments else [address])], path + ".log",
                                     env=dict(os.environ, PROFILE=self.profile))
        common.until(f"{name} listens", lambda: common.port_answers(port), 30)
        self.load = common.Process([load, folder, address], path + ".load.log")
        self.rest(WARM_SECONDS)

    def rest(self, seconds):
        if self.load.wait(seconds) is not None or not self.server.alive():
            raise common.Unfinished(f"the server or its clients ended: {self.load.said(300)} {self.server.said(300)}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.load.stop()
        self.server.stop()


def innermost(stack):
    """The line that is not the runtime's."""
    return next((call for call in stack if not call[0].startswith(("runtime.", "internal/runtime/"))),
                ("runtime", 0))


def by_site(path):
    """{(function, line): bytes allocated}, but for the writing of the profile."""
    found = {}
    for (stack, _), values in heap_profiles.samples(path).items():
        if any(function.startswith("gleakd.test/shares/sampled.") for function, _ in stack):
            continue
        site = innermost(stack)
        found[site] = found.get(site, 0) + values[1]
    return found


def by_windows(options, name, program, load, seconds):
    """{(function, line): (bytes allocated, the square of what they may be off by)}, and who told it."""
    with Pair(options, name, program, load, "windows") as pair:
        done = subprocess.run([options.gleakd(), "heap", str(pair.server.pid), "--duration", f"{seconds}s",
                               "--max-overhead", BUDGET, "--by", "type", "--json"],
                              capture_output=True, text=True, timeout=seconds + 60, check=False)
        if done.returncode:
            raise common.Unfinished(f"gleakd heap: {done.stderr.strip()[-300:]}")
        pair.rest(0.1)
    target = json.loads(done.stdout.splitlines()[-1])["targets"][0]
    if target["memory"]["source"] != "allocation_windows":
        raise common.Unfinished(f"its allocations were not seen in windows: {target['memory']}")
    found = {}
    for site in target["alloc_sites"]:
        place = innermost((frame["function"], frame["line"]) for frame in site["stack"])
        size, square = found.get(place, (0, 0))
        found[place] = (size + site["alloc_bytes"],
                        square + (site["alloc_bytes"] * site["relative_error"]) ** 2)
    return found, target["allocating"]


def by_profile(options, name, program, load, seconds):
    with Pair(options, name, program, load, "sampled") as pair:
        found = []
        for number in (1, 2):
            path = f"{pair.profile}.{number}"
            pair.server.send_signal(signal.SIGUSR1)
            common.until(f"the profile of {name}", lambda path=path: os.path.exists(path), 60)
            found.append(by_site(path))
            if number == 1:
                pair.rest(seconds)
        return {site: size - found[0].get(site, 0) for site, size in found[1].items()}


# --- judged ---------------------------------------------------------------------------------------


def judge(name, ours, theirs, allocating):
    all_ours, all_theirs = sum(size for size, _ in ours.values()), sum(theirs.values())
    top = [site for site in sorted(theirs, key=theirs.get, reverse=True)[:TOP]
           if theirs[site] >= LEAST * all_theirs]
    off, error = {}, {}
    for site in top:
        size, square = ours.get(site, (0, 0))
        off[site] = size / all_ours / (theirs[site] / all_theirs) - 1
        error[site] = square ** 0.5 / max(size, 1)
        print(f"      {theirs[site] / all_theirs:6.1%} {off[site]:+6.1%} ±{error[site]:.1%}  {site[0]}:{site[1]}",
              flush=True)
    wrong = [site for site in top if abs(off[site]) > FAR]
    unsure = [site for site in wrong if abs(off[site]) < FAR + 2 * error[site]]
    part = sum(theirs[site] for site in top) / all_theirs
    note = (f"{SERVERS[name][1]}; {len(top) - len(wrong)} of the first {len(top)} sites, which have {part:.0%} of "
            f"{all_theirs / 1e9:.2f} GB; in the middle {sorted(map(abs, off.values()))[len(off) // 2]:.1%}; "
            f"{allocating['attached_seconds']:.1f} of {allocating['watched_seconds']:.0f} s in {allocating['windows']} "
            "windows")
    if wrong:
        note += (f"; beyond, {len(unsure)} of them within twice their own error: " +
                 ", ".join(f"{site[0].split('/')[-1]} (of {theirs[site] / all_theirs:.1%}) {off[site]:+.1%} "
                           f"±{error[site]:.1%}" for site in wrong))
    return common.Result("shares", name, "", "", "miss" if wrong else "ok", note, extra={"judged": []})


def run_one(options, name, programs, load, seconds):
    try:
        ours, allocating = by_windows(options, name, programs[0], load, seconds)
        return judge(name, ours, by_profile(options, name, programs[1], load, seconds),
                     allocating)
    except (common.Unfinished, OSError, subprocess.SubprocessError) as problem:
        return common.Result("shares", name, "", "", "unfinished", str(problem), extra={"judged": []})


def run(options):
    programs = build(options)
    results = []
    for name, (folder, _, _) in SERVERS.items():
        if options.wanted(name) and (not options.quick or name in QUICK):
            results.append(run_one(options, name, programs[folder], programs["load"][0],
                                   QUICK_SECONDS if options.quick else SECONDS))
            print(f"   {name}: {results[-1].status}; {results[-1].note}", flush=True)
    return results
