# SPDX-License-Identifier: Apache-2.0
"""The rows of data/meanings.tsv, held against the libraries' own sources."""

import json
import os
import re
import subprocess

from harness import ROOT, Skip, case, cases_for, check, check_equal, once

# Versions of each module in which its rows are looked for. A name that went away is in an older one.
MODULES = {
    "cloud.google.com/go/pubsub": ["v1.45.1", "v2.0.0"],
    "github.com/ClickHouse/clickhouse-go": ["v2.30.0", "v2.51.0", "v2.13.4"],
    "github.com/DataDog/datadog-go": ["v5.5.0", "v5.9.1"],
    "github.com/IBM/sarama": ["v1.43.3", "v1.40.1"],
    "github.com/Shopify/sarama": ["v1.38.1", "v1.30.0"],
    "github.com/allegro/bigcache": ["v3.1.0"],
    "github.com/aws/aws-sdk-go-v2/feature/s3/manager": ["v1.17.41", "v1.23.24", "v1.11.21"],
    "github.com/coder/websocket": ["v1.8.12", "v1.8.15"],
    "github.com/containerd/fifo": ["v1.1.0"],
    "github.com/dgraph-io/badger": ["v4.3.1", "v4.9.6"],
    "github.com/dgraph-io/ristretto": ["v0.1.1", "v2.2.0"],
    "github.com/docker/docker":
        ["v27.3.1+incompatible", "v28.5.0+incompatible", "v20.10.27+incompatible"],
    "github.com/eclipse/paho.mqtt.golang": ["v1.5.0", "v1.5.1", "v1.4.3"],
    "github.com/elastic/go-elasticsearch": ["v8.16.0", "v8.19.7", "v8.7.0"],
    "github.com/fsnotify/fsnotify": ["v1.8.0", "v1.6.0"],
    "github.com/fsouza/go-dockerclient": ["v1.12.0", "v1.13.3"],
    "github.com/getsentry/sentry-go": ["v0.29.1", "v0.50.0", "v0.37.0"],
    "github.com/go-redis/redis": ["v8.11.5", "v8.5.0"],
    "github.com/go-sql-driver/mysql": ["v1.8.1", "v1.10.1", "v1.4.0"],
    "github.com/go-zookeeper/zk": ["v1.0.4", "v1.0.3"],
    "github.com/gocql/gocql": ["v1.7.0", "v1.3.2"],
    "github.com/golang/glog": ["v1.2.3", "v1.0.0"],
    "github.com/hashicorp/consul/api": ["v1.30.0", "v1.9.1"],
    "github.com/hashicorp/go-memdb": ["v1.3.3", "v1.3.4"],
    "github.com/hashicorp/golang-lru": ["v2.0.7", "v2.0.4"],
    "github.com/hashicorp/memberlist": ["v0.5.1", "v0.7.0", "v0.2.4"],
    "github.com/hashicorp/raft": ["v1.7.1", "v1.8.0", "v1.6.0"],
    "github.com/hashicorp/vault/api": ["v1.15.0", "v1.23.0", "v1.8.2"],
    "github.com/hashicorp/yamux": ["v0.1.2"],
    "github.com/influxdata/influxdb-client-go": ["v2.14.0", "v2.7.0"],
    "github.com/jackc/pgconn": ["v1.14.3", "v1.10.0"],
    "github.com/jackc/pgx": ["v5.7.1", "v5.3.1", "v4.18.3"],
    "github.com/jellydator/ttlcache": ["v3.3.0", "v3.4.1", "v3.0.1"],
    "github.com/lib/pq": ["v1.10.9", "v1.2.0"],
    "github.com/minio/minio-go": ["v7.0.80", "v7.4.1", "v7.0.55"],
    "github.com/moby/moby/client": ["v0.6.3"],
    "github.com/nats-io/nats.go": ["v1.37.0", "v1.13.0"],
    "github.com/nsqio/go-nsq": ["v1.1.0"],
    "github.com/olivere/elastic": ["v7.0.32"],
    "github.com/panjf2000/ants": ["v2.10.0", "v2.12.1", "v2.7.5"],
    "github.com/patrickmn/go-cache": ["v2.1.0+incompatible"],
    "github.com/quic-go/quic-go": ["v0.48.2", "v0.54.0", "v0.40.1"],
    "github.com/rabbitmq/amqp091-go": ["v1.10.0", "v1.16.0", "v1.8.1"],
    "github.com/redis/go-redis": ["v9.7.0", "v9.23.0", "v9.0.4"],
    "github.com/robfig/cron": ["v3.0.1"],
    "github.com/segmentio/kafka-go": ["v0.4.47", "v0.4.51", "v0.4.42"],
    "github.com/sirupsen/logrus": ["v1.9.3", "v1.10.2", "v1.3.0"],
    "github.com/spf13/viper": ["v1.19.0", "v1.21.0", "v1.6.1"],
    "github.com/syndtr/goleveldb": ["v1.0.0"],
    "github.com/testcontainers/testcontainers-go": ["v0.34.0", "v0.20.1"],
    "github.com/twmb/franz-go": ["v1.18.0", "v1.22.3", "v1.7.0"],
    "github.com/valyala/fasthttp": ["v1.57.0", "v1.78.0", "v1.18.0"],
    "go.etcd.io/etcd/client": ["v3.5.17", "v3.6.0"],
    "go.mongodb.org/mongo-driver": ["v1.17.1", "v2.10.0", "v1.17.10", "v1.10.1"],
    "go.opencensus.io": ["v0.24.0", "v0.18.0"],
    "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc":
        ["v0.20.0", "v0.72.0"],
    "go.opentelemetry.io/otel/sdk": ["v1.32.0", "v1.47.0", "v1.6.1"],
    "go.opentelemetry.io/otel/sdk/metric": ["v1.32.0", "v1.47.0", "v1.20.0"],
    "go.temporal.io/sdk": ["v1.29.1", "v1.51.0", "v1.26.1"],
    "go.uber.org/zap": ["v1.27.0", "v1.28.0", "v1.19.0"],
    "golang.org/x/crypto": ["v0.53.0", "v0.59.0", "v0.11.0"],
    "golang.org/x/net": ["v0.31.0", "v0.62.0", "v0.7.0"],
    "golang.org/x/sync": ["v0.9.0", "v0.25.0", "v0.2.0"],
    "google.golang.org/grpc": ["v1.77.0", "v1.70.0", "v1.68.0", "v1.60.0", "v1.54.0", "v1.37.0"],
    "gopkg.in/natefinch/lumberjack.v2": ["v2.2.1"],
    "k8s.io/apimachinery": ["v0.31.2", "v0.37.2", "v0.23.5"],
    "k8s.io/client-go": ["v0.31.2", "v0.29.3"],
    "k8s.io/klog": ["v2.130.1", "v2.10.0"],
    "nhooyr.io/websocket": ["v1.8.10", "v1.8.17", "v1.8.7"],
}
# Names that rows have for copies of one package, and what stands for a module's path with its /v2.
PACKAGES = {"http2": "golang.org/x/net/http2"}
PATHS = {"go.etcd.io/etcd/client": "go.etcd.io/etcd/client/v3",
         "gopkg.in/natefinch/lumberjack.v2": "gopkg.in/natefinch/lumberjack.v2"}


def functions():
    """[(package, function)] of all rows, without the standard library's."""
    found = set()
    with open(os.path.join(ROOT, "data/meanings.tsv"), encoding="utf-8") as file:
        rows = [line.split("\t")[:2] for line in file if not line.startswith("#")][1:]
    for name in {name for row in rows for name in row if name != "-"}:
        slash = name.split("(", maxsplit=1)[0].rfind("/")
        dot = name.index(".", slash + 1)
        package = name[:dot].replace("%2e", ".")
        package = PACKAGES.get(package, package)
        if "." in package.split("/", maxsplit=1)[0]:
            found.add((package, name[dot + 1:]))
    return sorted(found)


def module_of(package):
    """The module with the longest path that the package is in or below; None: there is none."""
    above = [path for path in MODULES if package == path or package.startswith(path + "/")]
    return max(above, key=len, default=None)


@case
def every_row_has_a_module_to_be_held_against(_):
    """All but the standard library's, and no module without a row."""
    modules = {module_of(package) for package, _ in functions()}
    check_equal([package for package, _ in functions() if not module_of(package)], [],
                "packages of no module")
    check_equal(sorted(set(MODULES) - modules), [], "modules without a row")


def source_folder(path, version):
    """Where its source is, fetched through the module proxy."""
    major = version[1:].split(".")[0]
    path = PATHS.get(path, path if major in "01" or "+" in version else f"{path}/v{major}")
    module = f"{path}@{version}"
    done = subprocess.run(["go", "mod", "download", "-json", module], capture_output=True,
                          text=True, timeout=110, check=False)
    try:
        fetched = json.loads(done.stdout)
    except ValueError:
        fetched = {}
    if "Dir" not in fetched:
        raise Skip(f"{module} cannot be fetched: {fetched.get('Error') or done.stderr.strip()}")
    return fetched["Dir"]


def declaration(function):
    """A pattern for what declares it, or that of which it is a closure; receivers may be generic."""
    name = re.sub(r"\.func#$", "", function)
    method = re.fullmatch(r"\(\*(\w+)\)\.(\w+|~)", name)
    if method and method[2] == "~":
        return rf"^(func \(\w* ?\*?{method[1]}(\[[^]]*\])?\) |type {method[1]}\b)"
    if method:
        return rf"^func \(\w* ?\*?{method[1]}(\[[^]]*\])?\) {method[2]}\("
    return r"^func \w" if name == "~" else rf"^func {name}(\[[^]]*\])?\("


def starts_one(body):
    return re.search(r"^\s*go func\(|goFunc\(|withRecover\(func|[gG]o\(func", body, re.MULTILINE)


def texts_of(folder):
    return [open(os.path.join(folder, name), encoding="utf-8").read()
            for name in (sorted(os.listdir(folder)) if os.path.isdir(folder) else [])
            if name.endswith(".go") and not name.endswith("_test.go")]


def is_there(folder, function):
    """Whether the package in a folder declares it; of a closure, and starts one there."""
    bodies = [text[m.start():].split("\n}\n", maxsplit=1)[0] for text in texts_of(folder)
              for m in [re.search(declaration(function), text, re.MULTILINE)] if m]
    return any(not function.endswith(".func#") or starts_one(body) for body in bodies)


@cases_for({path: path for path in MODULES}, tier="versions")
def functions_are_those_of_the_source(_, path):
    """Each is declared in one of the versions; a closure's function has a go statement."""
    folders = [once(f"source of {path}@{version}", lambda v=version: source_folder(path, v))
               for version in MODULES[path]]
    mine = [(package, function) for package, function in functions() if module_of(package) == path]
    missing = [f"{package}.{function}" for package, function in mine
               if not any(is_there(os.path.join(folder, package[len(path):].lstrip("/")), function)
                          for folder in folders)]
    check_equal(missing, [], f"what no version of {path} has")
