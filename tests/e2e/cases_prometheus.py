# SPDX-License-Identifier: Apache-2.0
"""Metrics in a file, as node_exporter and Prometheus see them, and what is shipped for them."""

import filecmp
import glob
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from harness import ROOT, Skip, case, check, check_equal, until
from packages import prepared, program as tool
from programs import Program, Target, start
from tracer import Gleakd, run

SHIPPED = os.path.join(ROOT, "deploy", "prometheus")
GOLDEN = os.path.join(ROOT, "tests", "golden", "output")
DEMO = Program("demo", strip=True)
COUNTS = Program("counts")
LEAKS = ("chan send", "mutex", "select")


prepared("prometheus", "prometheus-node-exporter")


def promtool(t, *args, **options):
    done = subprocess.run([tool("promtool", "prometheus"), *args], capture_output=True, text=True,
                          timeout=60, **options)
    t.note(f"$ promtool {' '.join(args)} -> {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode, (done.stdout + done.stderr).strip()


def check_metrics(t, path):
    """promtool's parser and its lint."""
    with open(path, encoding="utf-8") as file:
        code, said = promtool(t, "check", "metrics", stdin=file)
    check(code == 0 and not said, f"{os.path.basename(path)}: {said}")


# --- what is shipped ------------------------------------------------------------------------------


def jsonnet():
    path = shutil.which("jsonnet")
    if not path:
        raise Skip("jsonnet (package jsonnet)")
    return path


@case
def recorded_files_pass_promtool(t):
    """The golden files of the unit tests, hostile names among them."""
    files = sorted(glob.glob(os.path.join(GOLDEN, "*.prom")))
    check(len(files) >= 3, f"golden files: {files}")
    for path in files:
        check_metrics(t, path)


@case
def promtool_refuses_what_is_wrong(t):
    """What the case above rests on."""
    with open(os.path.join(GOLDEN, "leaks.prom"), encoding="utf-8") as file:
        text = file.read()
    lacking = text.replace("# HELP gleakd_goroutines ", "# ")
    code, said = promtool(t, "check", "metrics", input=lacking)
    check_equal(code, 3, f"exit code without a help text ({said})")
    code, said = promtool(t, "check", "metrics", input=text.replace("\"} 1715", "} 1715"))
    check_equal(code, 1, f"exit code for a value without end ({said})")


@case
def rules_pass_promtool(t):
    """Checked, and tested with recorded series: who is alerted, when, and who is not."""
    for args in (("check", "rules", "gleakd.rules.yml"),
                 ("test", "rules", "gleakd.rules.test.yml")):
        code, said = promtool(t, *args, cwd=SHIPPED)
        check(code == 0 and "SUCCESS" in said, f"{' '.join(args)}: {said}")


@case
def plain_files_are_those_of_the_mixin(t):
    """Nobody has changed one without the other."""
    jsonnet()
    folder = t.directory()
    made = subprocess.run([os.path.join(SHIPPED, "generate.sh"), folder], capture_output=True,
                          text=True, timeout=60)
    check(made.returncode == 0, made.stderr)
    for name in ("gleakd.rules.yml", "dashboards/gleakd.json"):
        same = filecmp.cmp(os.path.join(folder, name), os.path.join(SHIPPED, name), shallow=False)
        check(same, f"{name} is not what generate.sh makes of the mixin")


@case
def mixin_can_be_configured(t):
    """With selectors and other times it is still made of valid rules."""
    code = """
        local mixin = (import 'mixin.libsonnet') + { _config+:: {
          gleakdSelector: 'job="node"', nodeExporterSelector: 'job="node"', leakFor: '1m' } };
        { groups: mixin.prometheusAlerts.groups + mixin.prometheusRules.groups,
          dashboard: std.toString(mixin.grafanaDashboards) }"""
    made = subprocess.run(
        [jsonnet(), "-J", os.path.join(SHIPPED, "mixin"), "-e", code],
        capture_output=True, text=True, timeout=60)
    check(made.returncode == 0, made.stderr)
    made = json.loads(made.stdout)
    check_rules(t, {"groups": made["groups"]})
    for rule in [r for g in made["groups"] for r in g["rules"]]:
        check('job="node"' in rule["expr"], f"without selector: {rule['expr']}")
    check("gleakd_goroutines{job=\\\"node\\\"" in made["dashboard"], "dashboard without selector")


def check_rules(t, rules):
    """JSON is YAML."""
    path = os.path.join(t.directory(), "rules.yml")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(rules, file)
    code, said = promtool(t, "check", "rules", path)
    check(code == 0, said)


def exported():
    """Names of all metrics that there are."""
    names = set()
    for golden in ("leaks.prom", "memory.prom"):
        with open(os.path.join(GOLDEN, golden), encoding="utf-8") as file:
            names |= {re.split(r"[{ ]", line)[0] for line in file if not line.startswith("#")}
    return names


def check_known(expression):
    for name in re.findall(r"\bgleakd_\w+", re.sub(r'"[^"]*"', "", expression)):
        check(name in exported(), f"there is no metric {name}: {expression}")


def dashboard():
    with open(os.path.join(SHIPPED, "dashboards", "gleakd.json"), encoding="utf-8") as file:
        return json.load(file)


@case
def shipped_expressions_are_valid(t):
    """Every query of the dashboard parses; it and every rule ask for metrics that exist."""
    queries = [q["expr"] for p in dashboard()["panels"] for q in p.get("targets", [])]
    check(len(queries) > 20, f"{len(queries)} queries")
    plain = [re.sub(r"\$\w+", ".*", q.replace("$__rate_interval", "5m")) for q in queries]
    check_rules(t, {"groups": [{"name": "queries", "rules": [
        {"record": f"query:{i}", "expr": q} for i, q in enumerate(plain)]}]})
    with open(os.path.join(SHIPPED, "gleakd.rules.yml"), encoding="utf-8") as file:
        rules = [line for line in file if "description" not in line and "record" not in line]
    for expression in plain + rules:
        check_known(re.sub(r"\w+:[\w:]+", "", expression))


@case
def dashboard_is_well_formed(t):
    """Panels have numbers, titles, words, room of their own, a data source that can be chosen."""
    board = dashboard()
    panels = board["panels"]
    check_equal(len({p["id"] for p in panels}), len(panels), "different panel numbers")
    cells = set()
    for p in panels:
        check(p["title"], f"panel {p['id']} without title")
        at = p["gridPos"]
        check(at["x"] + at["w"] <= 24, f"{p['title']} is too wide")
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"])
               for y in range(at["y"], at["y"] + at["h"])}
        check(not own & cells, f"{p['title']} covers another panel")
        cells |= own
        if p["type"] == "row":
            continue
        check(p["description"], f"{p['title']} has no description")
        for q in [p, *p["targets"]]:
            check_equal(q["datasource"], {"type": "prometheus", "uid": "${datasource}"}, p["title"])
        check_equal([q["refId"] for q in p["targets"]],
                    [chr(ord("A") + i) for i in range(len(p["targets"]))], p["title"])
    variables = [v["name"] for v in board["templating"]["list"]]
    check_equal(variables, ["datasource", "instance", "groupname"], "variables")
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(panels))) - {"__rate_interval"}
    check_equal(used, set(variables), "variables in use")


# --- the file -------------------------------------------------------------------------------------


def metrics(path):
    """{series: value} of a file; the file may be replaced at any time but is always whole."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    check(text.endswith("\n"), "half a file")
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if not line.startswith("#")}


@case
def textfile_is_written_replaced_and_removed(t):
    """Right figures, readable for all whatever the umask, renewed at every report, then gone."""
    target = start(t, COUNTS)
    folder = t.directory()
    path = os.path.join(folder, "gleakd.prom")
    old = os.umask(0o077)
    try:
        g = Gleakd(t, target.pid, "--interval", "500ms", "--textfile", path)
    finally:
        os.umask(old)
    g.report()
    until("the file", lambda: os.path.exists(path))
    check_equal(stat.S_IMODE(os.stat(path).st_mode), 0o644, "mode")
    check_metrics(t, path)
    labels = f'{{groupname="{os.path.basename(COUNTS.path)}"}}'
    created, alive = "gleakd_goroutines_created_total" + labels, "gleakd_goroutines" + labels
    before = metrics(path)
    check_equal(before["gleakd_target_processes" + labels], 1, "processes")
    target.ask("shape chanreceive 37")

    def renewed():
        now = metrics(path)
        return now[created] >= before[created] + 37 and now[alive] >= before[alive] + 37

    until("37 more goroutines", renewed)
    check_equal(os.listdir(folder), ["gleakd.prom"], "files")
    g.interrupt()
    check_equal(os.listdir(folder), [], "files after an orderly end")


@case
def textfile_survives_kill(t):
    """Killed, gleakd leaves the last whole file; the next one takes over what lies around."""
    target = start(t, COUNTS)
    folder = t.directory()
    path = os.path.join(folder, "gleakd.prom")
    g = Gleakd(t, target.pid, "--interval", "200ms", "--textfile", path)
    g.report()
    until("the file", lambda: os.path.exists(path))
    g.process.send_signal(signal.SIGKILL)
    g.process.wait()
    check_metrics(t, path)
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        file.write("half a li")
    again = Gleakd(t, target.pid, "--interval", "200ms", "--textfile", path)
    again.report()
    until("the leftover is gone", lambda: os.listdir(folder) == ["gleakd.prom"])
    again.interrupt()
    check_equal(os.listdir(folder), [], "files after an orderly end")


@case
def textfile_that_would_not_be_read(t):
    """Refused before anything is attached."""
    target = start(t, COUNTS)
    code, _, said = run(t, "--pid", str(target.pid), "--once", "--textfile", "/tmp/gleakd.txt")
    check_equal(code, 2, "exit code")
    check(".prom" in said, said)


# --- end to end -----------------------------------------------------------------------------------


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def daemon(t, argv):
    """A process of others, and its last words if the case fails."""
    log = open(os.path.join(t.directory(), "log"), "w+", encoding="utf-8")
    process = subprocess.Popen(argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def end():
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.seek(0)
        t.note(os.path.basename(argv[0]) + ": " + log.read()[-2000:])
        log.close()

    t.defer(end)
    return process


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, OSError):
        return None


def node_exporter(t, folder):
    """Debian's own, with nothing but the textfile collector: HOST:PORT."""
    address = f"127.0.0.1:{free_port()}"
    daemon(t, [tool("prometheus-node-exporter", "prometheus-node-exporter"),
               "--collector.disable-defaults", "--collector.textfile",
               f"--collector.textfile.directory={folder}", f"--web.listen-address={address}"])
    until("node_exporter answers", lambda: get(f"http://{address}/metrics"), seconds=20)
    return address


@case
def node_exporter_reads_recorded_files(t):
    """Every series of the golden files arrives, with its value, whatever the names in it."""
    folder = t.directory()
    address = node_exporter(t, folder)
    for source in sorted(glob.glob(os.path.join(GOLDEN, "*.prom"))):
        shutil.copy(source, os.path.join(folder, "gleakd.prom"))
        wanted = {labelled(s): v for s, v in metrics(source).items()}
        text = get(f"http://{address}/metrics")
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("gleakd_")]
        got = {labelled(series): float(value) for series, value in lines}
        check_equal(got, wanted, os.path.basename(source))
        check("\nnode_textfile_scrape_error 0\n" in text, f"{source}: node_exporter complains")


def labelled(series):
    """A series without the order of its labels, and without those that say nothing."""
    labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', series)
    return series.split("{")[0], frozenset((name, value) for name, value in labels if value)


def shortened_rules(path):
    """The shipped rules with an hour of 20 seconds, but nothing shorter than 4."""

    def shorten(match):
        seconds = int(match.group(2)) * {"s": 1, "m": 60, "h": 3600}[match.group(3)]
        return f"{match.group(1)}{max(seconds // 180, 4)}s"

    with open(os.path.join(SHIPPED, "gleakd.rules.yml"), encoding="utf-8") as file:
        text, n = re.subn(r'(\[|\bfor: "?)(\d+)([smh])\b', shorten, file.read())
    check(n >= 8, f"only {n} times in the rules")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Prometheus:
    """Scrapes every second; {name of the instance: HOST:PORT}."""

    def __init__(self, t, instances):
        folder = t.directory()
        shortened_rules(os.path.join(folder, "rules.yml"))
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s",
                       "evaluation_interval": "1s"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [{"job_name": "node", "static_configs": [
                {"targets": [address], "labels": {"instance": name}}
                for name, address in instances.items()]}],
        }
        with open(os.path.join(folder, "prometheus.yml"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        self.base = f"http://127.0.0.1:{free_port()}"
        daemon(t, [tool("prometheus", "prometheus"),
                   f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address={self.base.removeprefix('http://')}", "--log.level=warn"])
        until("Prometheus is ready", lambda: get(self.base + "/-/ready"), seconds=60)

    def query(self, expression):
        """[(labels, value)] now."""
        answer = get(self.base + "/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(answer) if answer else {"status": "no answer"}
        check_equal(answer["status"], "success", f"status of {expression}")
        return [(r["metric"], float(r["value"][1])) for r in answer["data"]["result"]]


def watched(t, program, *args):
    """A service, gleakd with its file, and a node_exporter that reads it."""
    target = Target(t, [program, "-for", "150s", *args])
    target.answer("ready")
    folder = t.directory()
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "4s", "--textfile",
               os.path.join(folder, "gleakd.prom"))
    g.report()
    return g, folder, node_exporter(t, folder)


@case
def alert_fires_for_the_leaking_service_only(t):
    """Two hosts, a leaking service on one, a healthy one on the other; then an orderly stop."""
    tool("prometheus", "prometheus")
    tool("prometheus-node-exporter", "prometheus-node-exporter")
    program = DEMO.build()
    leaky, folder, leaky_address = watched(t, program)
    _, _, healthy_address = watched(t, program, "-healthy")
    server = Prometheus(t, {"leaky": leaky_address, "healthy": healthy_address})
    places = {"{0}:{1}".format(os.path.basename(file), line)
              for file, line in (DEMO.line(f"leak: {kind}") for kind in LEAKS)}

    def blocked_at():
        found = server.query('gleakd_leak_site_goroutines{instance="leaky"} > 0')
        return {labels["blocked_at"] for labels, _ in found}

    until("all three leaks have series", lambda: blocked_at() == places, seconds=60)
    firing = 'ALERTS{alertname="GoroutineLeakSuspected", alertstate="firing", instance="%s"}'
    alerts = until("the alert fires", lambda: server.query(firing % "leaky"), seconds=45)
    check_equal(alerts[0][0]["groupname"], os.path.basename(program), "groupname")
    check_healthy(server)
    leaky.interrupt()
    check_equal(os.listdir(folder), [], "files after an orderly end")
    until("its series and alerts end", lambda: not server.query(
        '{__name__=~"gleakd_.*|ALERTS", instance="leaky", alertname!="GleakdStale"}'))
    check_equal(server.query('ALERTS{alertname="GleakdStale"}'), [], "stale")
    errors = server.query("max_over_time(node_textfile_scrape_error[5m])")
    check_equal([value for _, value in errors], [0, 0], "files that node_exporter could not read")


def check_healthy(server):
    """Seen all the time, never accused."""
    count = 'min_over_time(gleakd_goroutines{instance="healthy"}[1m])'
    check([v for _, v in server.query(count) if v > 20], "the healthy service has no series")
    suspected = 'max_over_time(gleakd_suspected_leaked_goroutines{instance="healthy"}[5m])'
    check_equal([v for _, v in server.query(suspected)], [0], "suspected in the healthy service")
    alerts = 'count_over_time(ALERTS{alertname=~"Gorout.*", instance="healthy"}[5m])'
    check_equal(server.query(alerts), [], "alerts of the healthy service")
