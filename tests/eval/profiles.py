# SPDX-License-Identifier: Apache-2.0
"""Part 7: where memory is allocated, against the servers' own heap profiles, under load.

Each server is asked for its own profile (/debug/pprof/heap?gc=1), then gleakd reads its memory, then it is asked
again, while clients come and go. What was allocated at a place only ever grows: of every stack gleakd's figure has
to lie between the two. What is in use goes up and down: of the ten stacks with most gleakd's figure has to lie
between the two as well, or off by no more than a quarter or three samples.
"""

import os
import subprocess
import sys
import time
import urllib.request

import common
import healthy
from loads import Server, bursts, plateau, ramp, waves, web

sys.path.insert(0, os.path.join(os.path.dirname(common.HERE), "e2e"))

import heap_profiles  # noqa: E402
import real  # noqa: E402

SECONDS, QUICK_SECONDS = 60, 30
ASKED_AT = 50  # percent of the load
SIDE_BY_SIDE = 2
TOP = 10
ROUNDED = 4  # both cut off after a multiplication, once for each of a few buckets
SAMPLE = 512 << 10
FAR = 0.25
PATH = "/debug/pprof/heap?gc=1"

ABOUT = {"text": [
    "Servers that others wrote, stripped as Debian packages are or as `go build` leaves them, with clients that come "
    "and go. `gleakd heap --pprof` reads their samples between two of their own heap profiles, each after "
    "a collection. "
    "Of each stack and size, what was allocated must be at least what the first profile has and at most what the "
    "second has, and no stack of the first may be missing, nor one be there that the second does not have "
    f"(tolerance: {ROUNDED} objects, for rounding). In use goes up and down: of the {TOP} stacks with most, gleakd's "
    f"figure lies between the two profiles, or is off by less than {FAR:.0%} or three samples; how many of them do is "
    "in the note, and is no part of the verdict, because a profile shows the last collection and gleakd what is there now.",
    "Every Go minor version, with and without symbols: `tests/run --tier versions allocations.the_same_as`, where all "
    "figures of a small program that rests are equal.",
]}


# --- servers --------------------------------------------------------------------------------------


class Plain:
    """Its profile is where everything else is."""

    def profile(self, place):
        return place.url(PATH)


class Etcd(Plain, real.Etcd):
    def argv(self, place):
        return [*super().argv(place), "--enable-pprof"]


class Caddy(real.Caddy):
    def argv(self, place):
        argv = super().argv(place)
        with open(argv[3], encoding="utf-8") as file:
            text = file.read()
        place.file("Caddyfile", text.replace("admin off", "admin " + place.address("admin")))
        return argv

    def profile(self, place):
        return place.url(PATH, "admin")


class Nats(real.Nats):
    def argv(self, place):
        return [*super().argv(place), "--profile", str(place.port("profile"))]

    def profile(self, place):
        return place.url(PATH, "profile")


class Coredns(real.Coredns):
    def argv(self, place):
        argv = super().argv(place)
        with open(argv[2], encoding="utf-8") as file:
            text = file.read()
        place.file("Corefile", text.replace("    reload 5s\n", "    reload 5s\n    pprof " +
                                            place.address("profile") + "\n"))
        return argv

    def profile(self, place):
        return place.url(PATH, "profile")


class Syncthing(real.Syncthing):
    def environment(self, place):
        return dict(super().environment(place), STPROFILER=place.address("profile"))

    def profile(self, place):
        return place.url(PATH, "profile")


class Prometheus(Plain, real.Prometheus):
    pass


class NodeExporter(Plain, real.NodeExporter):
    pass


class Alertmanager(Plain, real.Alertmanager):
    pass


class VictoriaMetrics(Plain, real.VictoriaMetrics):
    pass


class Pushgateway(Plain, Server):
    name = "pushgateway"
    about = "metrics pushed by many jobs, and scraped"
    debian, program = "prometheus-pushgateway", "usr/bin/prometheus-pushgateway"

    def argv(self, place):
        return [place.binary, "--web.listen-address", place.address(), "--log.level", "error"]

    def crowds(self, place):
        return [web(place, "/metrics/job/a$N", waves(20), method="POST", every=0.5, conn="own",
                    body="eval_value{client=\"$N\"} 1\n"),
                web(place, "/metrics", ramp(10), every=1, conn="own")]


class Blackbox(Plain, Server):
    name = "blackbox_exporter"
    about = "probes of itself over HTTP"
    debian, program = "prometheus-blackbox-exporter", "usr/bin/prometheus-blackbox-exporter"

    def argv(self, place):
        path = place.file("blackbox.yml", "modules: {http_2xx: {prober: http, timeout: 2s}}\n")
        return [place.binary, "--config.file", path, "--web.listen-address", place.address(),
                "--log.level", "error"]

    def crowds(self, place):
        probe = f"/probe?module=http_2xx&target={place.address()}/metrics"
        return [web(place, probe, waves(15), every=0.5, conn="own"),
                web(place, "/metrics", bursts(10), every=1, conn="fresh")]


class Influx(Plain, Server):
    name = "influxdb"
    about = "points written and queried"
    debian, program = "influxdb", "usr/bin/influxd"

    def argv(self, place):
        folder = place.folder
        path = place.file("influx.conf", f"""
reporting-disabled = true
bind-address = "{place.address('backup')}"
[meta]
dir = "{folder}/meta"
[data]
dir = "{folder}/data"
wal-dir = "{folder}/wal"
[http]
bind-address = "{place.address()}"
log-enabled = false
""")
        return [place.binary, "run", "-config", path]

    def prepare(self, place):
        with urllib.request.urlopen(place.url("/query?q=create+database+eval"), b"", 20):
            pass

    def crowds(self, place):
        return [web(place, "/write?db=eval", waves(20), method="POST", every=0.3, conn="own",
                    body="eval,client=$N value=$R\n"),
                web(place, "/query?db=eval&q=select+mean(value)+from+eval", plateau(5), every=1,
                    conn="own")]


SERVERS = [Prometheus(), Etcd(), Caddy(), Nats(), NodeExporter(), Alertmanager(), Coredns(),
           VictoriaMetrics(), Syncthing(), Pushgateway(), Blackbox(), Influx()]
QUICK = ("etcd", "node_exporter")


# --- one of them ----------------------------------------------------------------------------------


class Run(healthy.Run):
    """Its load as for the healthy ones; instead of a watcher, the profiles in the middle of it."""

    def __init__(self, options, server, loaders, binaries):
        super().__init__(options, server, loaders, binaries)
        self.seconds = QUICK_SECONDS if options.quick else SECONDS

    def path(self, suffix):
        return self.options.path("profiles", healthy.file_name(self.server) + suffix)

    def watch(self, pid):
        return None

    def own(self, suffix):
        path = self.path(suffix)
        with urllib.request.urlopen(self.server.profile(self.place), timeout=60) as answer, \
                open(path, "wb") as file:
            file.write(answer.read())
        return path

    def go_on(self):
        begin = time.monotonic()
        while time.monotonic() - begin < self.seconds * ASKED_AT / 100:
            if not self.target.alive() or not self.load.alive():
                raise common.Unfinished("the server or the load ended early; see its .log")
            self.tend(100 * (time.monotonic() - begin) / self.seconds)
            self.load.wait(self.seconds / 60)
        paths = [self.own(".before.pb.gz"), self.path(".gleakd.pb.gz")]
        done = subprocess.run([self.options.gleakd(), "heap", str(self.target.pid), "--pprof",
                               paths[1]], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise common.Unfinished(f"gleakd heap: {done.stderr.strip()[-300:]}")
        # What is allocated is published two collections later.
        for _ in range(2):
            self.own(".after.pb.gz")
        paths.append(self.own(".after.pb.gz"))
        return [heap_profiles.samples(path) for path in paths]

    def result(self):
        self.begin()
        return judge(self.server, *self.go_on())


# --- judged ---------------------------------------------------------------------------------------


def out_of_bounds(before, ours, after):
    """[what is wrong with a stack, ...]; values are objects and bytes allocated, objects and bytes in use."""
    wrong = []
    for key in before.keys() | ours.keys():
        least, got, most = (found.get(key, (0, 0, 0, 0)) for found in (before, ours, after))
        slack = ROUNDED, ROUNDED * key[1]
        if any(not low - more <= value <= high + more
               for low, value, high, more in zip(least[:2], got[:2], most[:2], slack)):
            where = next((f for f, _ in key[0] if not f.startswith("runtime.")), "runtime")
            wrong.append(f"{where}, {key[1]} bytes: {got[:2]}, not {least[:2]} to {most[:2]}")
    return wrong


def near(before, ours, after):
    """How many of the stacks with most in use are between the two, or nearly."""
    top = sorted(before, key=lambda key: before[key][3], reverse=True)[:TOP]
    good = 0
    for key in top:
        low, high = sorted((before[key][3], after.get(key, (0, 0, 0, 0))[3]))
        slack = max(FAR * high, 3 * max(SAMPLE, key[1]))
        good += low - slack <= ours.get(key, (0, 0, 0, 0))[3] <= high + slack
    return good, len(top)


def judge(server, before, ours, after):
    wrong = out_of_bounds(before, ours, after)
    good, top = near(before, ours, after)
    same = sum(before[key][:2] == after.get(key, (0, 0))[:2] for key in before)
    total = [sum(values[1] for values in found.values()) / 1e6 for found in (before, ours, after)]
    in_use = [sum(values[3] for values in found.values()) / 1e6 for found in (before, ours, after)]
    note = (f"{server.about}; {len(ours)} stacks, {same} of them nothing happened at meanwhile; allocated "
            f"{total[0]:,.1f} ≤ {total[1]:,.1f} ≤ {total[2]:,.1f} MB; in use {in_use[0]:,.1f}, "
            f"{in_use[1]:,.1f}, {in_use[2]:,.1f} MB, {good} of the first {top} stacks")
    if wrong:
        note += f"; {len(wrong)} out of bounds: " + " / ".join(wrong[:3])
    return common.Result("profiles", server.name, "", "", "miss" if wrong else "ok", note,
                         extra={"judged": []})


def run_one(options, server, loaders, binaries):
    missing = [binaries[name] for name in (server.name, *server.helpers)
               if isinstance(binaries[name], healthy.install.Missing)]
    if missing or server.loader not in loaders:
        return common.Result("profiles", server.name, "", "", "skip",
                             f"cannot be had here: {missing[0] if missing else server.loader}",
                             extra={"judged": []})
    one = Run(options, server, loaders, binaries)
    try:
        return one.result()
    except (common.Unfinished, OSError, subprocess.TimeoutExpired) as problem:
        return common.Result("profiles", server.name, "", "", "unfinished", str(problem),
                             extra={"judged": []})
    finally:
        one.end()


def run(options):
    servers = [s for s in SERVERS if options.wanted(s.name) and
               (not options.quick or s.name in QUICK)]
    loaders = healthy.build_loaders(options)
    binaries = healthy.get_binaries(options, servers, (*SERVERS, *healthy.EVERY_SERVER))

    def one(server):
        result = run_one(options, server, loaders, binaries)
        print(f"   {result.name}: {result.status}; {result.note}", flush=True)
        return result

    return common.side_by_side(one, servers, min(SIDE_BY_SIDE, options.jobs))
