# SPDX-License-Identifier: Apache-2.0
"""Servers that we did not write."""

import json
import os

from common import port_answers, until
from loads import Server, bursts, crowd, growth, late, plateau, post, ramp, steps, waves, web


class Etcd(Server):
    name = "etcd"
    about = "watches on own and shared connections, leases kept alive, puts; streams of its gateway"
    debian, program = "etcd-server", "usr/bin/etcd"
    loader = "loadgrpc"
    quick = True

    def argv(self, place):
        client, peer = place.url("", "main"), place.url("", "peer")
        return [place.binary, "--data-dir", place.folder + "/data",
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--initial-cluster", "default=" + peer, "--logger", "zap", "--log-level", "warn",
                "--unsafe-no-fsync"]

    def crowds(self, place):
        to = place.address()
        return [
            crowd("etcd-put", to, waves(12), every=3, body="x" * 200),
            crowd("etcd-put", to, bursts(10), every=1, conn="shared", body="y"),
            crowd("etcd-watch", to, ramp(40)),
            crowd("etcd-watch", to, plateau(30), life=20),
            crowd("etcd-watch", to, growth(6), conn="shared", streams=8),
            crowd("etcd-lease", to, ramp(80), conn="shared"),
            crowd("etcd-lease", to, steps(20)),
        ]


class Prometheus(Server):
    name = "prometheus"
    about = "scrapes of more and more targets, range queries, reloads, slow readers"
    debian, program = "prometheus", "usr/bin/prometheus"
    attach = "middle"

    def config(self, place):
        return ("global: {scrape_interval: 3s, scrape_timeout: 2s}\n"
                "scrape_configs:\n"
                "- job_name: self\n"
                f"  static_configs: [{{targets: ['{place.address()}']}}]\n"
                "- job_name: many\n"
                f"  file_sd_configs: [{{files: ['{place.folder}/targets.json'], "
                "refresh_interval: 5s}]\n")

    def targets(self, place, number):
        hosts = [f"127.0.{i // 200}.{i % 200 + 2}:{place.port()}" for i in range(number)]
        place.file("targets.json", json.dumps([{"targets": hosts}]))

    def argv(self, place):
        self.targets(place, 1)
        path = place.file("prometheus.yml", self.config(place))
        return [place.binary, "--config.file", path, "--web.listen-address",
                f"0.0.0.0:{place.port()}", "--storage.tsdb.path", place.folder + "/data",
                "--web.enable-lifecycle", "--log.level", "warn"]

    def tend(self, place, percent):
        self.targets(place, int(min(percent, 70) * 0.8) + 1)
        if int(percent) % 20 < 2:
            post(place.url("/-/reload"))

    def crowds(self, place):
        query = "/api/v1/query_range?query=up&start=1&end=2&step=1"
        return [
            web(place, "/api/v1/query?query=count(go_goroutines)", waves(20), every=1, conn="own"),
            web(place, query, plateau(4), every=1, conn="shared"),
            web(place, "/metrics", ramp(30), every=3, conn="own", rude=True),
            web(place, "/metrics", plateau(10), every=2, conn="fresh", rate=8000),
            crowd("raw", place.address(), growth(30), hello="GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                  every=30),
        ]


class NodeExporter(Server):
    name = "node_exporter"
    about = "scrapes: now and then, many at a time, read slowly, broken off"
    debian, program = "prometheus-node-exporter", "usr/bin/prometheus-node-exporter"
    attach = "middle"

    def argv(self, place):
        return [place.binary, "--web.listen-address", place.address(), "--log.level", "error",
                "--no-collector.systemd"]

    def crowds(self, place):
        return [
            web(place, "/metrics", plateau(3), every=5, conn="own"),
            web(place, "/metrics", bursts(15), every=3, conn="fresh"),
            web(place, "/metrics", ramp(20), every=10, conn="own", rate=6000, rude=True),
            crowd("raw", place.address(), growth(40), hello="GET /metrics HTTP/1.1\r\n",
                  trickle=True, every=20),
        ]


class Caddy(Server):
    name = "caddy"
    about = "files, a reverse proxy with delays, server-sent events and web sockets behind it"
    go = "github.com/caddyserver/caddy/v2/cmd/caddy@v2.9.1"
    helpers = ("go-httpbin",)
    quick = True

    def helper_argv(self, place):
        return [[place.helper("go-httpbin"), "-host", "127.0.0.1", "-port",
                 str(place.port("back")), "-max-duration", "120s", "-srv-read-timeout", "120s"]]

    def argv(self, place):
        place.file("files/big", "0123456789abcdef" * (1 << 20))
        place.file("files/index.html", "<p>hello")
        path = place.file("Caddyfile", "{\n\tadmin off\n\tauto_https off\n\tpersist_config off\n"
                          "\tservers {\n\t\tprotocols h1 h2c\n\t}\n}\n"
                          f"http://{place.address()} {{\n"
                          f"\thandle_path /back/* {{\n\t\treverse_proxy {place.address('back')}\n"
                          "\t}\n\thandle {\n"
                          f"\t\troot * {place.folder}/files\n\t\tfile_server\n\t}}\n}}\n")
        return [place.binary, "run", "--config", path, "--adapter", "caddyfile"]

    def crowds(self, place):
        return [
            web(place, "/", waves(30), every=0.5, conn="own"),
            web(place, "/big", ramp(25), every=1, conn="own", rate=40000, rude=True),
            web(place, "/back/delay/8", ramp(60), every=1, conn="own"),
            web(place, "/back/sse?count=400&duration=100s&delay=0s", ramp(40), kind="stream",
                conn="own", rude=True),
            web(place, "/back/websocket/echo", growth(60), kind="ws", say="ping", every=20),
            web(place, "/back/bytes/2000", bursts(60), every=0.5, conn="own"),
            web(place, "/back/post", plateau(10), kind="upload", method="POST", rate=300),
            web(place, "/big", ramp(60), every=1, conn="h2", rate=20000),
            web(place, "/big", growth(40), every=1, conn="h2", rate=10),
            crowd("raw", place.address(), growth(60), hello="GET / HTTP/1.1\r\nHost: slow\r\n",
                  trickle=True, every=30),
        ]


class Httpbin(Server):
    name = "go-httpbin"
    about = "long polls, drips, server-sent events, web sockets, bodies sent byte by byte"
    go = "github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.18.3"
    attach = "middle"

    def argv(self, place):
        return [place.binary, "-host", "127.0.0.1", "-port", str(place.port()),
                "-max-duration", "300s", "-srv-read-timeout", "120s"]

    def crowds(self, place):
        return [
            web(place, "/delay/60", growth(80), every=1, conn="own"),
            web(place, "/delay/200", ramp(50), every=1, conn="own", rude=True),
            web(place, "/drip?duration=90s&numbytes=90&delay=0s", steps(40), every=1, conn="own"),
            web(place, "/sse?count=100&duration=100s&delay=1s", waves(40), kind="stream",
                conn="own"),
            web(place, "/websocket/echo", late(80), kind="ws", say="hello", every=15),
            web(place, "/post", ramp(20), kind="upload", method="POST", rate=100, rude=True),
            web(place, "/get", bursts(40), every=0.3, conn="fresh"),
        ]


class Nats(Server):
    name = "nats-server"
    about = "subscribers that come and stay, publishers, slow consumers, JetStream consumers"
    go = "github.com/nats-io/nats-server/v2@v2.11.10"
    quick = True

    def argv(self, place):
        return [place.binary, "-a", "127.0.0.1", "-p", str(place.port()), "-js",
                "-sd", place.folder + "/js", "-m", str(place.port("monitor"))]

    def create(self, what, subject, settings):
        text = json.dumps(settings, separators=(",", ":"))
        length = len(text.replace("$W", "000000"))
        return f"PUB $JS.API.{what}.CREATE.{subject} _INBOX.$N {length}\r\n{text}\r\n"

    def crowds(self, place):
        hello = 'CONNECT {"verbose":false}\r\nSUB _INBOX.$N 9\r\n'
        stream = self.create("STREAM", "EV", {
            "name": "EV", "subjects": ["ev.>"], "storage": "file", "max_msgs": 10000})
        consumer = self.create("CONSUMER", "EV", {"stream_name": "EV", "config": {
            "ack_policy": "explicit", "deliver_subject": "push.$W",
            "inactive_threshold": 5 * 10**9}})
        to = place.address()
        return [
            crowd("raw", to, plateau(1), hello=hello + stream, say="PUB ev.a 5\r\nhello\r\n",
                  every=0.2),
            crowd("raw", to, waves(20), hello=hello, say="PUB news.$R 2\r\nhi\r\n", every=1),
            crowd("raw", to, ramp(100), hello=hello + "SUB news.* 1\r\n", every=60, rude=True),
            crowd("raw", to, growth(80), hello=hello + "SUB rare.> 1\r\n", every=60),
            crowd("raw", to, plateau(20), hello=hello + "SUB news.> 1\r\n", rate=200, life=30),
            crowd("raw", to, steps(24), hello=hello + "SUB push.$W 1\r\n" + consumer, every=30,
                  life=60),
            crowd("raw", to, bursts(50), hello=hello, say="PUB ev.b 3\r\nabc\r\n", every=1),
        ]


class RouteGuide(Server):
    name = "grpc route_guide"
    about = "bidirectional streams, many of them on few connections, that stay open for minutes"
    go = ("google.golang.org/grpc/examples/route_guide/server"
          "@v0.0.0-20260825154716-030ee8becb20")
    loader = "loadgrpc"
    quick = True

    def argv(self, place):
        return [place.binary, "-port", str(place.port())]

    def crowds(self, place):
        to = place.address()
        return [
            crowd("route-list", to, waves(10), every=1, conn="own"),
            crowd("route-list", to, bursts(20), every=0.5, conn="shared"),
            crowd("route-chat", to, ramp(60), every=5, say="hi", conn="own"),
            crowd("route-chat", to, ramp(70), every=20, say="hi", conn="shared"),
            crowd("route-chat", to, growth(40), every=600, say="hi", conn="shared"),
            crowd("route-chat", to, plateau(30), every=2, say="hi", conn="shared", life=20),
        ]


class Coredns(Server):
    name = "coredns"
    about = "queries over UDP and TCP, a forwarder with an upstream that does not answer"
    go = "github.com/coredns/coredns@v1.12.4"
    attach = "middle"

    def argv(self, place):
        path = place.file("Corefile", f"""
good.test:{place.port()} {{
    bind 127.0.0.1
    template IN A {{
        answer "{{{{ .Name }}}} 5 IN A 127.0.0.1"
    }}
}}
.:{place.port()} {{
    bind 127.0.0.1
    cache 5
    forward . 127.0.0.1:{place.port("dead")} 127.0.0.1:{place.port("dead2")} {{
        health_check 1s
    }}
    prometheus {place.address("metrics")}
    health {place.address("health")}
    reload 5s
}}
""")
        return [place.binary, "-conf", path]

    def crowds(self, place):
        to = place.address()
        return [
            crowd("dns", to, waves(30), say="a$R.good.test", every=0.3),
            crowd("dns", to, ramp(60), say="b.good.test", every=5, conn="own"),
            crowd("dns", to, growth(30), say="x$R.dead.test", every=2),
            crowd("dns", to, bursts(40), say="y$R.dead.test", every=1, conn="own"),
            crowd("raw", to, ramp(30), hello="\x00", every=30, rude=True),
            web(place, "/metrics", plateau(3), name="metrics", every=3, conn="own"),
        ]


class Alertmanager(Server):
    name = "alertmanager"
    about = "a goroutine for each group of alerts; more and more groups fire, then all resolve"
    go = "github.com/prometheus/alertmanager/cmd/alertmanager@v0.27.0"

    def argv(self, place):
        path = place.file("alertmanager.yml", "route: {receiver: none, group_by: ['...'], "
                          "group_wait: 1s, group_interval: 10s, repeat_interval: 1h, routes: "
                          "[{match: {kind: rare}, group_interval: 5m}]}\n"
                          "receivers: [{name: none}]\n")
        return [place.binary, "--config.file", path, "--storage.path", place.folder + "/data",
                "--web.listen-address", place.address(), "--cluster.listen-address=",
                "--log.level", "error"]

    def tend(self, place, percent):
        """80 alerts, one after the other, which are all over when 80 % of the time are."""
        firing, ends = int(1.2 * min(percent, 65)) + 1, "2999-01-01T00:00:00Z"
        if percent > 83:
            return  # to say it again would make a new group of it
        if percent > 80:
            firing, ends = 80, "2001-01-01T00:00:00Z"
        alerts = [{"labels": {"alertname": "disk", "host": f"h{i}",
                              "kind": "rare" if i % 2 else "often"}, "endsAt": ends}
                  for i in range(firing)]
        post(place.url("/api/v2/alerts"), json.dumps(alerts).encode(),
             **{"Content-Type": "application/json"})

    def crowds(self, place):
        return [
            web(place, "/api/v2/alerts", waves(10), every=1, conn="own"),
            web(place, "/api/v2/status", ramp(30), every=10, conn="own", rude=True),
            web(place, "/metrics", bursts(15), every=1, conn="fresh"),
        ]


class Toxiproxy(Server):
    name = "toxiproxy"
    about = "proxied connections that are slowed down, held open, or never answered"
    # It sends for ever when the connection was closed meanwhile: by the heap nobody can receive.
    leaks = ("github.com/Shopify/toxiproxy/v2/toxics.(*LatencyToxic).",)
    go = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0"
    helpers = ("go-httpbin",)

    def argv(self, place):
        return [place.binary, "-host", "127.0.0.1", "-port", str(place.port())]

    helper_argv = Caddy.helper_argv

    def prepare(self, place):
        for name in ("plain", "slow", "held"):
            post(place.url("/proxies"), json.dumps({
                "name": name, "listen": place.address(name),
                "upstream": place.address("back")}).encode())
        for name, kind, attributes in (("slow", "latency", {"latency": 3000, "jitter": 500}),
                                       ("held", "timeout", {"timeout": 0})):
            post(place.url(f"/proxies/{name}/toxics"), json.dumps(
                {"name": "t", "type": kind, "attributes": attributes}).encode())

    def crowds(self, place):
        return [
            web(place, "/bytes/100", waves(30), name="plain", every=0.5, conn="own"),
            web(place, "/bytes/9000", ramp(60), name="slow", every=2, conn="own", rude=True),
            web(place, "/get", ramp(60), name="held", every=5, conn="own", rude=True),
            web(place, "/websocket/echo", growth(60), name="plain", kind="ws", say="x", every=30),
            web(place, "/get", bursts(50), name="slow", every=1, conn="fresh"),
        ]


class VictoriaMetrics(Server):
    name = "victoria-metrics"
    about = "inserts and queries over many connections, bounded concurrency inside"
    debian, program = "victoria-metrics", "usr/bin/victoria-metrics"
    attach = "middle"

    def argv(self, place):
        return [place.binary, "-httpListenAddr", place.address(), "-storageDataPath",
                place.folder + "/data", "-loggerLevel", "ERROR", "-memory.allowedBytes", "200MB",
                "-graphiteListenAddr", place.address("graphite")]

    def crowds(self, place):
        line = "eval,client=$N value=$R\n"
        return [
            web(place, "/write", waves(30), method="POST", body=line, every=0.5, conn="own"),
            web(place, "/api/v1/query_range?query=eval_value&step=1s", ramp(15), every=2,
                conn="own", rude=True),
            web(place, "/api/v1/export?match=eval_value", plateau(4), every=5, conn="own",
                rate=2000),
            crowd("raw", place.address("graphite"), growth(60), say="a.b$N $R\n", every=10),
            web(place, "/write", bursts(60), method="POST", body=line, every=0.3, conn="fresh"),
        ]


class Syncthing(Server):
    name = "syncthing"
    about = "long polls for events, a folder that changes, peers that cannot be reached"
    debian, program = "syncthing", "usr/bin/syncthing"
    attach = "middle"

    def argv(self, place):
        """With a configuration that lets nothing leave this machine, not even at first."""
        off = ("globalAnnounceEnabled", "localAnnounceEnabled", "relaysEnabled", "natEnabled",
               "crashReportingEnabled", "startBrowser")
        options = "".join(f"<{name}>false</{name}>" for name in off)
        place.file("config.xml", '<configuration version="35"><options>'
                   f"<listenAddress>tcp://{place.address('sync')}</listenAddress>{options}"
                   "<urAccepted>-1</urAccepted><autoUpgradeIntervalH>0</autoUpgradeIntervalH>"
                   "</options></configuration>")
        return [place.binary, "serve", "--no-browser", "--no-restart", "--no-upgrade",
                "--home", place.folder, "--gui-address", place.address(), "--gui-apikey", "eval"]

    def environment(self, place):
        # Without STMONITORED the process that is started only watches over another one.
        return dict(super().environment(place), STNODEFAULTFOLDER="1", STMONITORED="yes")

    def ready(self, place):
        until("syncthing listens", lambda: port_answers(place.port()), 90)

    def prepare(self, place):
        os.makedirs(place.folder + "/shared", exist_ok=True)
        self.call(place, "folders", {"id": "eval", "path": place.folder + "/shared",
                                     "rescanIntervalS": 20})

    def call(self, place, what, settings, method="POST"):
        post(place.url("/rest/config/" + what), json.dumps(settings).encode(), method,
             **{"X-API-Key": "eval"})

    def tend(self, place, percent):
        place.file(f"shared/file{int(percent) % 40}", "x" * int(1000 * percent))

    def crowds(self, place):
        key = {"X-API-Key": "eval"}
        return [
            web(place, "/rest/events?since=0&timeout=60", ramp(50), headers=key, every=1,
                conn="own", rude=True),
            web(place, "/rest/events?events=FolderErrors&timeout=60", growth(30), headers=key,
                every=1, conn="own"),
            web(place, "/rest/system/status", waves(10), headers=key, every=1, conn="own"),
        ]


class Hugo(Server):
    name = "hugo server"
    about = "live reload over web sockets, a site that is rebuilt again and again"
    go = "github.com/gohugoio/hugo@v0.139.0"

    def argv(self, place):
        place.file("site/config.toml", 'baseURL = "http://127.0.0.1/"\ntitle = "eval"\n')
        place.file("site/layouts/index.html", "<html><body>{{ len .Site.Pages }}</body></html>")
        place.file("site/layouts/_default/single.html", "<html><body>{{ .Content }}</body></html>")
        place.file("site/content/first.md", "---\ntitle: first\n---\nhello")
        return [place.binary, "server", "--source", place.folder + "/site", "--port",
                str(place.port()), "--bind", "127.0.0.1", "--noHTTPCache", "--renderToMemory"]

    def tend(self, place, percent):
        number = int(percent) // 3
        place.file(f"site/content/page{number}.md", f"---\ntitle: page{number}\n---\n{percent}")

    def crowds(self, place):
        hello = '{"command":"hello","protocols":["http://livereload.com/protocols/official-7"]}'
        return [
            web(place, "/livereload", growth(40), kind="ws", hello=hello, every=60),
            web(place, "/livereload", ramp(40), kind="ws", hello=hello, every=60, rude=True),
            web(place, "/first/", waves(20), every=1, conn="own"),
        ]


SERVERS = [
    Etcd(), Caddy(), Nats(), RouteGuide(), Prometheus(), NodeExporter(), Httpbin(), Coredns(),
    Alertmanager(), Toxiproxy(), VictoriaMetrics(), Syncthing(), Hugo(),
]
