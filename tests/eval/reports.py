# SPDX-License-Identifier: Apache-2.0
"""Part 6: leaks of well-known libraries, as public bug reports describe them (docs/public-reports.md).

Each program of reports/ is built with the library at its faulty version, around it the healthy service of
reports/service. It runs as reported and repaired, each under gleakd with its defaults. The leak has to be
told within two minutes; nothing else may be flagged, and nothing at all in the repaired ones.
"""

import glob
import os
import re
import shutil
import statistics
import tempfile

import common

SOURCES = os.path.join(common.HERE, "reports")
WATCH = 135  # seconds
WITHIN = 120
SAME_TIME = 12  # programs; each has gleakd, and some a peer
SSH, GRPC = "golang.org/x/crypto", "google.golang.org/grpc"
OTEL = "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"


class Report:
    """A public report, and what of it leaks.

    name      of the line, and of the program's folder
    report    where it was reported
    requires  {module: version}
    leaked    beginnings of names of functions: a site with one of them is of the leak; (): none does
    repaired  version of the library that has no leak, or True: the program does not, when asked; or False
    helpers   files of reports/service that it needs
    go        line of its go.mod
    about     in words, for the table
    stuck     a fixed set waits: that is what it has to be called
    untold    why an alarm cannot be avoided
    program   folder, where that is not the name
    """

    def __init__(self, name, report, requires, leaked, repaired=True, helpers=(), go="1.25",
                 about="", untold="", program="", stuck=False):
        self.name, self.report, self.requires, self.leaked = name, report, requires, leaked
        self.repaired, self.helpers, self.go, self.about = repaired, helpers, go, about
        self.untold, self.program, self.stuck = untold, program or name, stuck


REPORTS = [
    Report("ssh_spin", "grafana/pdc-agent#320", {SSH: "v0.52.0"}, ("main.keepAlive",),
           {SSH: "v0.53.0"}, ("ssh",), about="ssh.SendRequest spins: 1 per 9 s, running"),
    Report("ssh_client", "kubernetes/kubernetes#33472", {SSH: "v0.53.0"}, (SSH + "/ssh.",),
           helpers=("ssh",), about="ssh.Client not closed: 6 per 0.7 s"),
    Report("otelgrpc", "opentelemetry-go-contrib#839", {OTEL: "v0.20.0", GRPC: "v1.37.0"},
           (OTEL + ".", "main.connect.StreamClientInterceptor"), helpers=("grpc",),
           about="streams not received to their end: 2 per s"),
    Report("memdb", "hashicorp/consul#15010", {"github.com/hashicorp/go-memdb": "v1.3.3"},
           ("github.com/hashicorp/go-memdb.",), {"github.com/hashicorp/go-memdb": "v1.3.4"},
           about="WatchSet.watchMany: 36 per 0.5 s"),
    Report("elastic", "olivere/elastic#1137", {"github.com/olivere/elastic": "v6.2.7+incompatible"},
           ("github.com/olivere/elastic.",), about="a client per search: 2 per 1.2 s"),
    Report("sarama", "IBM/sarama#2679", {"github.com/IBM/sarama": "v1.40.1"},
           ("github.com/IBM/sarama.",), about="AsyncProducer not closed: 9 per 1.5 s"),
    Report("mongo", "dapr/components-contrib#3538", {"go.mongodb.org/mongo-driver": "v1.16.1"},
           ("go.mongodb.org/mongo-driver/",), about="client of a failed ping: 4 per 2 s"),
    Report("exec_wait", "golang/go#23019", {}, ("main.hook", "os/exec."),
           about="Wait and a grandchild: 2 per 1.5 s"),
    Report("fifo", "containerd/fifo#56", {"github.com/containerd/fifo": "v1.1.0"},
           ("github.com/containerd/fifo.",), about="a fifo that nobody opens: 2 per s"),
    Report("grpc_conn", "pingcap/br#5", {GRPC: "v1.66.0"}, (GRPC + "/", GRPC + "."),
           helpers=("grpc",), about="grpc.ClientConn per call: 5 per s"),
    Report("docker", "fsouza/go-dockerclient#1133",
           {"github.com/fsouza/go-dockerclient": "v1.12.0"},
           ("github.com/fsouza/go-dockerclient.", "main.task"), stuck=True,
           about="deadlock: 2, and 1 per 20 s behind them"),
    Report("redis", "redis/go-redis#1029", {"github.com/go-redis/redis": "v6.15.2+incompatible"},
           (), False, about="no leak: reapers that end within a minute"),
    Report("redis_old_timers", "redis/go-redis#1029",
           {"github.com/go-redis/redis": "v6.15.2+incompatible"}, (), False, go="1.21",
           program="redis", about="the same with go 1.21 in go.mod (asynctimerchan=1)"),
    Report("contexts", "hashicorp/consul#9647", {}, (), False,
           about="no leak: watchers of 60 s each, from the start of the watch on",
           untold="the first has not left yet; the alarm ends when a fifth have"),
]
ABOUT = {"text": [
    "Programs that leak as a public report describes, each with the library at its faulty version, within a "
    f"healthy service, watched from the first second for {WATCH} s. In the repaired ones nothing leaks.",
]}


# --- programs -------------------------------------------------------------------------------------


def go_mod(report, requires):
    lines = [f"module example.org/{report.name.replace('_', '-')}", f"go {report.go}"]
    return "\n".join(lines + [f"require {m} {v}" for m, v in requires.items()]) + "\n"


def build(options, report, requires, name):
    """The program with these versions, from a folder of its own."""
    folder = options.cache("reports", name, "main.go")[:-len("/main.go")]
    files = glob.glob(os.path.join(SOURCES, report.program, "*.go"))
    files += [os.path.join(SOURCES, "service", helper + ".go")
              for helper in ("service", *report.helpers)]
    for file in files:
        shutil.copy(file, folder)
    with open(os.path.join(folder, "go.mod"), "w", encoding="utf-8") as file:
        file.write(go_mod(report, requires))
    program = os.path.join(folder, name)
    common.go("build", "-mod=mod", "-buildvcs=false", "-o", program, ".", cwd=folder,
              CGO_ENABLED="0")
    return program


def variants(report):
    """[(name, versions, whether the program is asked not to leak, whether it leaks)]."""
    found = [(report.name, report.requires, False, bool(report.leaked))]
    if report.repaired is True:
        found.append((report.name + "_repaired", report.requires, True, False))
    elif report.repaired:
        found.append((report.name + "_repaired", report.repaired, False, False))
    return found


# --- what happened --------------------------------------------------------------------------------


def is_of_leak(site, report):
    frames = [site["created_by"], site["blocked_at"], *site["stack"]]
    names = [frame["function"] for frame in frames if frame] + [site["start_function"]]
    return any(name.startswith(report.leaked) for name in names)


def judge(report, name, leaks, gleakd):
    alarms = gleakd.alarms()
    told = [(t, s) for t, s in alarms if leaks and is_of_leak(s, report)]
    others = [(t, s) for t, s in alarms if not leaks or not is_of_leak(s, report)]
    expected = "quiet" if not leaks else "stuck" if report.stuck else "leaking"
    flagged = {s["id"] for _, s in told}
    note = [f"{report.report}: {report.about}" if leaks or not report.leaked else ""]
    if told:
        at_end = [s for s in gleakd.sites if s["id"] in flagged and s["verdict"] in common.ALARMS]
        note.append(f"{len(flagged)} place{'s' * (len(flagged) > 1)}, "
                    f"{len(at_end)} of them at the end")
    note += [f"{t:.0f} s {common.describe(s)}" for t, s in others[:3]]
    got = common.verdict_class((told or others)[0][1]["verdict"]) if told or others else "quiet"
    if told and at_end:
        got = min((s["verdict"] for s in at_end), key=common.CLASSES.index)
    if others:
        status, seconds = "untold" if report.untold else "false alarm", others[0][0]
        note.append(report.untold)
    elif leaks:
        seconds = told[0][0] if told else None
        status = "ok" if told and seconds <= WITHIN else "miss"
    else:
        status, seconds = "ok", gleakd.observed()
    return common.Result("reports", name, expected, got, status,
                         ". ".join(text for text in note if text), seconds,
                         {"group": "as reported" if leaks or not report.leaked else "repaired",
                          "leaks": leaks})


def watch(options, report, name, program, asked, leaks):
    base = os.path.join("reports", name)
    with tempfile.TemporaryDirectory(prefix="reports-") as folder:
        env = dict(os.environ, FOLDER=folder, **({"REPAIRED": "1"} if asked else {}))
        with common.Process([program], options.path(base + ".out"), env=env, stdin=True,
                            errors=options.path(base + ".said"), nice=10) as target:
            common.until(f"{name} ready", lambda: "ready" in common.tail(target.output), 60)
            with common.Gleakd(options, target.pid, base) as gleakd:
                gleakd.started(60)
                gleakd.wait_until("the end of the watch",
                                  lambda g: g.observed() >= WATCH or not target.alive(),
                                  WATCH + 120)
                if not target.alive():
                    raise common.Unfinished(f"the program ended early: {target.said(300)}")
                return judge(report, name, leaks, gleakd)


def run_one(options, job):
    report, (name, requires, asked, leaks) = job
    try:
        program = build(options, report, requires, name)
        result = watch(options, report, name, program, asked, leaks)
    except common.Unfinished as problem:
        result = common.Result("reports", name, "leaking" if leaks else "quiet", "", "unfinished",
                               str(problem))
    when = "" if result.seconds is None else f" ({result.seconds:.0f} s)"
    print(f"{result.status:12} {name}{when}: {result.note}", flush=True)
    return result


def run(options):
    ABOUT["go"] = re.search(r"go\d[\w.]*", common.go("version")).group(0)
    jobs = [(report, variant) for report in REPORTS for variant in variants(report)
            if options.wanted(variant[0])]
    if options.quick:
        jobs = [job for job in jobs if job[0].name in ("ssh_client", "sarama", "docker")]
    results = common.side_by_side(lambda job: run_one(options, job), jobs,
                                  min(SAME_TIME, options.jobs))
    every = common.with_kept(options, "reports", results)
    times = [r.seconds for r in every if r.extra.get("leaks") and r.seconds is not None]
    if times:
        ABOUT["text"] = [ABOUT["text"][0], f"Of {len(times)} leaks that were told, the median was "
                         f"told after {statistics.median(times):.0f} s, the last after "
                         f"{max(times):.0f} s."]
    return results
