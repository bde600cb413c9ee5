# SPDX-License-Identifier: Apache-2.0
"""Part 8: who allocates most, of programs without a profile, against builds of them in which each allocation is one.

Nothing in these servers asks for a heap profile, so that the linker leaves profiling out, and gleakd sees their
allocations by probes in windows. The same source built with the tag `sampled` has the MemProfileRate that it is told
and writes its own profile. All serve the same clients, who do the same things in turn at whatever pace: what a site
allocates is the same part of all, unless a profile changes what the program does. So there are four of them, two with
each allocation in it and two that disturb little, and where these do not agree nobody knows.
"""

import json
import math
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
PROFILE_SECONDS, QUICK_PROFILE_SECONDS = 18, 10
WARM_SECONDS = 4
RATES = (1, 8192, 1, 8192)  # MemProfileRate of each of the profiles
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
    "Servers without a heap profile in them, whose allocations gleakd sees by probes in windows (`memory.source` has "
    f"to say so): {SECONDS} s at `--max-overhead {BUDGET}`, under eight clients. Against them stand four builds of "
    "the same source, one after the other, under the same clients, two with MemProfileRate = "
    f"{RATES[0]} and two with {RATES[1]}, and what their own profiles have more after {PROFILE_SECONDS} s. A site is "
    f"the innermost line that is not the runtime's; of the {TOP} that allocate most by these, as far as they have "
    f"{LEAST:.1%} of the bytes, the part of all bytes has to be within {FAR:.0%} of their mean. Where the two with "
    f"each allocation in it, or these and the other two, are further apart than {FAR:.0%}, the place is told and not "
    "judged, and others' parts are of all without it: what comes from a sync.Pool (bytes.growSlice of mochi-mqtt's, "
    "net/http's buffers) is allocated when the pool is empty, which it is more often in a program that each allocation "
    "slows.",
    "The last line says how often the difference was within the error that gleakd tells (`alloc_relative_error`), "
    "with that of the profiles' mean in it, and without: two of three should be, and 95 of 100 within twice that.",
]}


# --- programs -------------------------------------------------------------------------------------


def build(options):
    """{name of a folder: (without a profile, with one)}, and the clients."""
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

    def __init__(self, options, name, program, load, kind, rate=0):
        folder, _, arguments = SERVERS[name]
        port = common.free_port()
        address = f"127.0.0.1:{port}"
        path = options.path("shares", f"{name}.{kind}")
        self.profile = path + ".pb.gz"
        self.server = common.Process([program, *(arguments(port) if arguments else [address])], path + ".log",
                                     env=dict(os.environ, PROFILE=self.profile, RATE=str(rate)))
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


def by_site(path, rate):
    """{(function, line): (bytes allocated, how far off that may be, squared)}, but for the writing of the profile."""
    found = {}
    for (stack, size), values in heap_profiles.samples(path).items():
        if any(function.startswith("gleakd.test/shares/sampled.") for function, _ in stack):
            continue
        site = innermost(stack)
        sampled = -math.expm1(-size / rate) if rate > 1 else 1
        square = values[0] * size * size * (1 - sampled) / sampled
        found[site] = tuple(a + b for a, b in zip(found.get(site, (0, 0)), (values[1], square)))
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
                        square + (site["alloc_bytes"] * site["alloc_relative_error"]) ** 2)
    return found, target["allocating"]


def by_profile(options, name, program, load, seconds, rate):
    """As by_site(): what there is more of after that time."""
    with Pair(options, name, program, load, f"sampled{rate}", rate) as pair:
        found = []
        for number in (1, 2):
            path = f"{pair.profile}.{number}"
            if os.path.exists(path):
                os.unlink(path)
            pair.server.send_signal(signal.SIGUSR1)
            common.until(f"the profile of {name}", lambda path=path: os.path.exists(path), 60)
            found.append(by_site(path, rate))
            if number == 1:
                pair.rest(seconds)
    return {site: tuple(b - a for a, b in zip(found[0].get(site, (0, 0)), values))
            for site, values in found[1].items()}


# --- judged ---------------------------------------------------------------------------------------


class Place:
    """A site by all profiles, and by gleakd. What is disputed counts for nothing in what all have together."""

    def __init__(self, site, profiles, ours, disputed):
        parts = [without(profile, disputed, site) for profile in profiles]
        self.site = site
        self.part = sum(part for part, _ in parts) / len(parts)
        # As far as they differ, and by chance at least.
        spread = sum((part - self.part) ** 2 for part, _ in parts) / (len(parts) - 1) / len(parts)
        chance = sum(square for _, square in parts) / len(parts) ** 2
        self.unsure = max(spread, chance) ** 0.5 / self.part
        part, square = without(ours, disputed, site)
        self.off = part / self.part - 1
        self.error = square ** 0.5 / part if part else 0
        full, sparse = ([part for (part, _), rate in zip(parts, RATES) if rate == wanted]
                        for wanted in RATES[:2])
        self.full_apart = (max(full) - min(full)) / self.part
        self.rates_apart = (sum(sparse) / len(sparse) - sum(full) / len(full)) / self.part
        self.apart = max(self.full_apart, abs(self.rates_apart))

    def is_far(self):
        return abs(self.off) > FAR

    def both(self):
        """The error of the difference."""
        return math.hypot(self.error, self.unsure)

    def short(self):
        return f"{self.site[0].split('/')[-1]} (of {self.part:.1%}) {self.off:+.1%} ±{self.error:.1%}"

    def told_apart(self):
        return (f"{self.site[0].split('/')[-1]} (of {self.part:.1%}): sparse profiles {self.rates_apart:+.0%} beside "
                f"full ones, gleakd {self.off:+.0%} ±{self.error:.0%} beside their mean")

    def __str__(self):
        return (f"{self.part:6.1%} ±{self.unsure:.1%} (full {self.full_apart:.1%} apart, sparse "
                f"{self.rates_apart:+.1%})  {self.off:+6.1%} ±{self.error:.1%}  {self.site[0]}:{self.site[1]}")


def without(sizes, disputed, site):
    """The part of one of all but those that are disputed, itself aside, and how far off it may be, squared."""
    size_of_all = sum(size for other, (size, _) in sizes.items() if other == site or other not in disputed)
    size, square = sizes.get(site, (0, 0))
    return size / size_of_all, square / size_of_all ** 2


def first_places(ours, profiles):
    """Those of which profiles tell the same, and those that are disputed, which may be what makes others differ."""
    sizes = [sum(size for size, _ in profile.values()) for profile in profiles]
    mean = {}
    for profile, size_of_all in zip(profiles, sizes):
        for site, (size, _) in profile.items():
            mean[site] = mean.get(site, 0) + size / size_of_all / len(profiles)
    first = [site for site in sorted(mean, key=mean.get, reverse=True)[:TOP] if mean[site] >= LEAST]
    disputed = []
    while True:
        places = [Place(site, profiles, ours, disputed) for site in first if site not in disputed]
        worst = max(places, key=lambda place: place.apart, default=None)
        if not worst or worst.apart <= FAR:
            return places, [Place(site, profiles, ours, disputed) for site in disputed]
        disputed.append(worst.site)


def judge(name, ours, profiles, allocating):
    places, disputed = first_places(ours, profiles)
    for place in places + disputed:
        print(f"      {place}{' DISPUTED' if place in disputed else ''}", flush=True)
    wrong = [place for place in places if place.is_far()]
    middle = sorted(abs(place.off) for place in places)
    size_of_all = sum(size for profile in profiles for size, _ in profile.values())
    of_these = sum(profile.get(place.site, (0, 0))[0] for profile in profiles for place in places)
    note = (f"{SERVERS[name][1]}; {len(places) - len(wrong)} of the first {len(places)} sites, which have "
            f"{of_these / size_of_all:.0%} of {size_of_all / 1e9:.2f} GB"
            f"{f'; in the middle {middle[len(middle) // 2]:.1%}' if middle else ''}; "
            f"{allocating['attached_seconds']:.1f} of {allocating['watched_seconds']:.0f} s in {allocating['windows']} "
            "windows")
    if wrong:
        note += "; beyond: " + ", ".join(place.short() for place in wrong)
    if disputed:
        note += "; not judged: " + ", ".join(place.told_apart() for place in disputed)
    return common.Result("shares", name, "", "", "miss" if wrong else "ok", note,
                         extra={"judged": []}), places


def run_one(options, name, programs, load):
    seconds, of_profile = (QUICK_SECONDS, QUICK_PROFILE_SECONDS) if options.quick else (SECONDS, PROFILE_SECONDS)
    try:
        ours, allocating = by_windows(options, name, programs[0], load, seconds)
        return judge(name, ours, [by_profile(options, name, programs[1], load, of_profile, rate) for rate in RATES],
                     allocating)
    except (common.Unfinished, OSError, subprocess.SubprocessError) as problem:
        return common.Result("shares", name, "", "", "unfinished", str(problem), extra={"judged": []}), []


# What a standard error promises.
WITHIN, WITHIN_TWICE = 2 / 3, 0.95


def judge_errors(places):
    """Whether the errors are as large as the differences."""
    n = len(places)
    once = sum(abs(place.off) <= place.both() for place in places)
    twice = sum(abs(place.off) <= 2 * place.both() for place in places)
    own = [sum(abs(place.off) <= times * place.error for place in places) for times in (1, 2)]
    ok = once >= WITHIN * n and twice >= WITHIN_TWICE * n
    note = (f"of {n} places {once} differ by no more than the error, {twice} by no more than twice that; {own[0]} and "
            f"{own[1]} by gleakd's own error alone, without the profiles'")
    return common.Result("shares", "all, by their errors", "", "", "ok" if ok else "miss", note,
                         extra={"judged": []})


def run(options):
    programs = build(options)
    results, all_places = [], []
    for name, (folder, _, _) in SERVERS.items():
        if options.wanted(name) and (not options.quick or name in QUICK):
            result, places = run_one(options, name, programs[folder], programs["load"][0])
            results.append(result)
            all_places += places
            print(f"   {name}: {result.status}; {result.note}", flush=True)
    if all_places and not options.quick:
        results.append(judge_errors(all_places))
        print(f"   {results[-1].name}: {results[-1].status}; {results[-1].note}", flush=True)
    return results
