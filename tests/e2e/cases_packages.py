# SPDX-License-Identifier: Apache-2.0
"""Servers as Debian ships them: no flag, no harm, every request answered while under load."""

import http.client
import json
import os
import socket
import threading

from harness import case, check, check_equal, until
from packages import prepared, unpacked
from programs import Target
from tracer import Gleakd, flagged

prepared("prometheus", "etcd-server")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def request(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def answers(port, path):
    def ask():
        try:
            return request(port, "GET", path)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    return ask


class Load:
    """Clients that ask one after the other, and count what they got."""

    def __init__(self, case, ask, clients=4):
        self.stop = threading.Event()
        self.answered, self.failed = 0, []
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self._client, args=(ask, i), daemon=True)
            for i in range(clients)
        ]
        for thread in self.threads:
            thread.start()
        case.defer(self.end)

    def _client(self, ask, number):
        turn = 0
        while not self.stop.is_set():
            turn += 1
            try:
                status, body = ask(number, turn)
                problem = None if status == 200 else f"status {status}: {body[:80]!r}"
            except (OSError, http.client.HTTPException) as error:
                problem = repr(error)
            with self.lock:
                self.answered += problem is None
                if problem:
                    self.failed.append(problem)

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(15)


def watch_under_load(t, target, ask, at_least=10):
    """Twelve seconds with an age limit of three: long enough for every timer of a server's start."""
    load = Load(t, ask)
    until("the load runs", lambda: load.answered > 20)
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "3s", "--duration", "12s", "--mode",
               "full", "--max-overhead", "0")
    final = g.final(seconds=30)
    load.end()
    t.note(f"{load.answered} requests answered, {len(load.failed)} failed")
    check_equal(load.failed[:3], [], "failed requests")
    for r in g.reports:
        wrong = [(s["verdict"], s["wait_reason"], s["blocked_at"], s["why"]) for s in flagged(r)]
        check_equal(wrong, [], "flagged")
    seen = final["targets"][0]
    check_equal(seen["mode"], "full", "mode")
    check(seen["goroutines"]["alive"] > at_least, f"alive {seen['goroutines']}")
    check_equal(seen["losses"]["events"], 0, "lost events")
    check(target.alive(), "the server runs on")


@case(alone=True)
def prometheus(t):
    folder = unpacked("prometheus")
    data, port = t.directory(), free_port()
    config = os.path.join(data, "prometheus.yml")
    with open(config, "w", encoding="utf-8") as file:
        file.write("global: {scrape_interval: 1s}\nscrape_configs:\n  - job_name: self\n"
                   f"    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n")
    target = Target(t, [
        os.path.join(folder, "usr/bin/prometheus"), f"--config.file={config}",
        f"--storage.tsdb.path={data}/data", f"--web.listen-address=127.0.0.1:{port}",
    ])
    until("prometheus is ready", answers(port, "/-/ready"), 30)
    paths = ("/api/v1/query?query=up", "/metrics",
             "/api/v1/query?query=sum(rate(prometheus_http_requests_total[10s]))",
             "/api/v1/targets", "/api/v1/label/__name__/values")
    watch_under_load(t, target, lambda n, turn: request(port, "GET", paths[turn % len(paths)]))


@case(alone=True)
def etcd(t):
    folder = unpacked("etcd-server")
    data, port, peer = t.directory(), free_port(), free_port()
    client, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    target = Target(t, [
        os.path.join(folder, "usr/bin/etcd"), "--data-dir", data + "/data",
        "--listen-client-urls", client, "--advertise-client-urls", client,
        "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers,
        "--initial-cluster", f"default={peers}", "--unsafe-no-fsync",
    ])
    until("etcd is healthy", answers(port, "/health"), 30)

    def ask(number, turn):
        key = "Z2xlYWtk"  # base64
        if turn % 2:
            return request(port, "POST", "/v3/kv/range", json.dumps({"key": key}))
        return request(port, "POST", "/v3/kv/put", json.dumps({"key": key, "value": key}))

    watch_under_load(t, target, ask)
