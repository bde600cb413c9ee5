# SPDX-License-Identifier: Apache-2.0
"""What is opened and not closed (docs/resources.md): public bug reports, and servers that close all they open.

Programs of reports/ leak what a public report describes, as reported and repaired; of the leak the kind and the
line that opens it have to be told, and of the repaired nothing. Servers of the part healthy run under their loads:
whatever any report of gleakd resources calls growing there is a false alarm.
"""

import os
import tempfile

import common
import healthy
import reports

WATCH = 96  # seconds: nine looks
FEWEST_LOOKS = 5  # for a verdict
SAME_TIME = 4
SERVERS = ("etcd", "prometheus", "caddy", "nats-server")
FAILSAFE = "github.com/failsafe-go/failsafe-go"

ABOUT = {"text": [
    f"`gleakd resources --duration` of {WATCH} s. A leak has to be called `growing`, with its kind and with a line of "
    "it in the stack that opens it; nothing in the repaired programs, and nothing in servers under load, may be called "
    "so in a single report. Of a leak it is told after how long it was said first, with that line: looks are "
    f"{WATCH // 8} s apart, and five are the fewest for a verdict.",
]}


class Leak(reports.Report):
    """A report of what is not closed: of which kind, and a beginning of the function that opens it."""

    def __init__(self, kind, opened, *arguments, **more):
        super().__init__(*arguments, **more)
        self.kind, self.opened = kind, opened


def known(name, kind, opened):
    found = next(r for r in reports.REPORTS if r.name == name)
    return Leak(kind, opened, name, found.report, found.requires, found.leaked, found.repaired,
                found.helpers, about=found.about)


LEAKS = [
    Leak("context", FAILSAFE, "failsafe", "failsafe-go/failsafe-go#134", {FAILSAFE: "v0.9.5"},
         (FAILSAFE,), {FAILSAFE: "v0.9.6"},
         about="contexts of calls within their time limit: 5 per s"),
    known("grpc_conn", "context", "google.golang.org/grpc"),
    known("ssh_client", "net.Conn", "main.job"),
    known("mongo", "context", "go.mongodb.org/mongo-driver/"),
    known("exec_wait", "file", "main."),
]


class Looker(common.Gleakd):
    """gleakd resources of a process."""

    def __init__(self, options, pid, name, seconds):
        super().__init__(options, pid, name, "--duration", f"{seconds}s", command=("resources",))
        self.growing = []  # (seconds of observation, line), of all reports

    def ever_growing(self):
        """Of each kind and holder the line when it was growing last."""
        return list({(line["kind"], *line["held_by"][:1]): line
                     for _, line in self.growing}.values())

    def first_told(self, leak):
        return min((seconds for seconds, line in self.growing if is_told(leak, line)),
                   default=self.observed())

    def _take(self, report):
        super()._take(report)
        self.growing += [(self.observed(), line) for line in self.report.get("resources", ())
                         if line["verdict"] == "growing"]


def words(line):
    at = common.place(line["opened_at"])
    return (f"{line['outstanding']} {line['kind']} held by {(line['held_by'] or ['?'])[0]}" +
            (f", opened at {at[2]} ({at[0]}:{at[1]})" if at else ""))


def is_told(leak, line):
    names = [f["function"] for f in (line["opened_at"], *line["stack"]) if f]
    return line["kind"] == leak.kind and any(n.startswith(leak.opened) for n in names)


def judge(leak, name, leaks, looker):
    grown = looker.ever_growing()
    told = [line for line in grown if is_told(leak, line)]
    if leaks:
        status = "ok" if told else "miss"
    else:
        status = "false alarm" if grown else "ok"
    note = [f"{leak.report}: {leak.about}"] if leaks else []
    note += [words(line) for line in (told or grown)[:2]]
    return common.Result(
        "resources", name, "growing" if leaks else "quiet", "growing" if grown else "quiet", status,
        ". ".join(note), looker.first_told(leak), {"group": "as reported" if leaks else "repaired"})


def run_report(options, leak, variant):
    name, requires, asked, leaks = variant
    base = options.path("resources", name)[:-len(name)]
    program = reports.build(options, leak, requires, name)
    with tempfile.TemporaryDirectory(prefix="resources-") as folder:
        env = dict(os.environ, FOLDER=folder, **({"REPAIRED": "1"} if asked else {}))
        with common.Process([program], base + name + ".out", env=env, stdin=True,
                            errors=base + name + ".said", nice=10) as target:
            common.until(f"{name} ready", lambda: "ready" in common.tail(target.output), 60)
            with Looker(options, target.pid, os.path.join("resources", name), WATCH) as looker:
                looker.wait_until("the last look", lambda g: g.final, WATCH + 120)
                return judge(leak, name, leaks, looker)


class ServerRun(healthy.Run):
    """A server of the part healthy, looked at from its start on or from the middle of its load."""

    def path(self, suffix):
        return self.options.path("resources", healthy.file_name(self.server) + suffix)

    def watch(self, pid):
        name = os.path.join("resources", healthy.file_name(self.server))
        # Longer than its load by a look, of which there are eight in that time.
        watcher = Looker(self.options, pid, name, self.seconds * 9 // 8)
        self.processes.append(watcher)
        return watcher

    def result(self):
        self.begin()
        self.go_on()
        counted = self.counted()
        self.watcher.interrupt()
        grown = self.watcher.ever_growing()
        looks = self.watcher.report["resource_looks"]
        if not grown and looks["looks"] < FEWEST_LOOKS:
            raise common.Unfinished(f"{looks['looks']} looks, too few for a verdict")
        note = [f"{self.server.about}; {counted['requests']:,} requests; {looks['looks']} looks, "
                f"{looks['openings']['seen']} openings seen"]
        return common.Result(
            "resources", self.server.name, "quiet", "growing" if grown else "quiet",
            "false alarm" if grown else "ok",
            ". ".join(note + [words(line) for line in grown]),
            self.watcher.observed(),
            {"group": "servers"})


def run_server(options, server, loaders, binaries):
    binary = binaries[server.name]
    if isinstance(binary, healthy.install.Missing) or server.loader not in loaders:
        return common.Result("resources", server.name, "quiet", "", "skip",
                             f"cannot be had here: {binary}", extra={"group": "servers"})
    run = ServerRun(options, server, loaders, binaries)
    try:
        return run.result()
    finally:
        run.end()


def side_by_side(jobs, options):
    def one(job):
        name, leaks, function = job
        try:
            result = function()
        except (common.Unfinished, OSError) as problem:
            result = common.Result("resources", name, "growing" if leaks else "quiet", "",
                                   "unfinished", str(problem))
        print(f"{result.status:12} {name}: {result.note}", flush=True)
        return result

    return common.side_by_side(one, jobs, min(SAME_TIME, options.jobs))


def run(options):
    variants = [(leak, v) for leak in LEAKS for v in reports.variants(leak) if options.wanted(v[0])]
    servers = [s for s in healthy.EVERY_SERVER if s.name in SERVERS and options.wanted(s.name)]
    if options.quick:
        variants, servers = variants[:2], servers[:1]
    loaders = healthy.build_loaders(options) if servers else {}
    binaries = healthy.get_binaries(options, servers) if servers else {}
    jobs = [(v[0], v[3], lambda leak=leak, v=v: run_report(options, leak, v))
            for leak, v in variants]
    jobs += [(s.name, False, lambda s=s: run_server(options, s, loaders, binaries))
             for s in servers]
    return side_by_side(jobs, options)
