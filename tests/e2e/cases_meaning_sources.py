# SPDX-License-Identifier: Apache-2.0
"""Functions by which goroutines of libraries are recognised, held against the libraries' sources."""

import json
import os
import re
import subprocess

from harness import ROOT, Skip, cases_for, check, once

# Module at a version: functions as user/naming/meanings.c has them, behind the package's path.
SOURCES = {
    "golang.org/x/crypto@v0.53.0": {
        "golang.org/x/crypto/ssh": [
            "(*Client).handleGlobalRequests", "(*Client).handleChannelOpens", "NewClient.func#",
            "(*mux).loop", "(*handshakeTransport).readLoop", "(*handshakeTransport).kexLoop",
            "DiscardRequests"],
    },
    "github.com/IBM/sarama@v1.43.3": {
        "github.com/IBM/sarama": [
            "(*asyncProducer).dispatcher", "(*asyncProducer).retryHandler",
            "(*topicProducer).dispatch", "(*partitionProducer).dispatch", "(*brokerProducer).run",
            "(*asyncProducer).newBrokerProducer.func#", "(*partitionConsumer).dispatcher",
            "(*partitionConsumer).responseFeeder", "(*brokerConsumer).subscriptionManager",
            "(*brokerConsumer).subscriptionConsumer", "(*offsetManager).mainLoop",
            "(*consumerGroupSession).heartbeatLoop", "(*client).backgroundMetadataUpdater",
            "(*Broker).responseReceiver"],
    },
    "github.com/segmentio/kafka-go@v0.4.47": {
        "github.com/segmentio/kafka-go": [
            "NewConsumerGroup.func#", "(*Reader).start.func#", "(*Reader).readLag",
            "(*connPool).discover", "(*conn).run"],
    },
    "github.com/gocql/gocql@v1.7.0": {
        "github.com/gocql/gocql": [
            "(*Conn).serve", "(*Conn).heartBeat", "(*writeCoalescer).writeFlusher",
            "(*controlConn).heartBeat", "(*eventDebouncer).flusher", "(*refreshDebouncer).flusher",
            "(*Session).reconnectDownedHosts"],
    },
    "github.com/olivere/elastic/v7@v7.0.32": {
        "github.com/olivere/elastic": [
            "(*Client).sniffer", "(*Client).healthchecker", "(*BulkProcessor).flusher",
            "(*bulkWorker).work"],
    },
    "github.com/dgraph-io/badger/v4@v4.3.1": {
        "github.com/dgraph-io/badger": [
            "(*DB).doWrites", "(*DB).monitorCache", "(*DB).updateSize",
            "(*levelsController).runCompactor", "(*publisher).listenForUpdates",
            "(*vlogThreshold).listenForValueThresholdUpdate", "(*valueLog).waitOnGC"],
        "github.com/dgraph-io/badger/y": ["(*WaterMark).process"],
    },
    "github.com/dgraph-io/ristretto@v0.1.1": {
        "github.com/dgraph-io/ristretto": [
            "(*Cache).processItems", "(*defaultPolicy).processItems"],
    },
    "github.com/dgraph-io/ristretto/v2@v2.2.0": {
        "github.com/dgraph-io/ristretto": [
            "(*Cache).processItems", "(*defaultPolicy).processItems"],
    },
    "github.com/allegro/bigcache/v3@v3.1.0": {
        "github.com/allegro/bigcache": ["newBigCache.func#"],
    },
    "github.com/jellydator/ttlcache/v3@v3.3.0": {
        "github.com/jellydator/ttlcache": ["(*Cache).Start"],
    },
    "github.com/hashicorp/go-memdb@v1.3.3": {
        "github.com/hashicorp/go-memdb": ["watchFew"],
    },
    "github.com/robfig/cron/v3@v3.0.1": {
        "github.com/robfig/cron": ["(*Cron).run"],
    },
    "github.com/containerd/fifo@v1.1.0": {
        "github.com/containerd/fifo": ["openFifo.func#"],
    },
    "github.com/DataDog/datadog-go/v5@v5.5.0": {
        "github.com/DataDog/datadog-go/statsd": [
            "(*worker).pullMetric", "(*aggregator).pullMetric", "(*sender).sendLoop"],
    },
    "github.com/hashicorp/memberlist@v0.5.1": {
        "github.com/hashicorp/memberlist": [
            "(*Memberlist).streamListen", "(*Memberlist).packetListen",
            "(*Memberlist).packetHandler", "(*Memberlist).checkBroadcastQueueDepth",
            "(*Memberlist).triggerFunc", "(*Memberlist).pushPullTrigger",
            "(*NetTransport).tcpListen", "(*NetTransport).udpListen"],
    },
    "github.com/hashicorp/raft@v1.7.1": {
        "github.com/hashicorp/raft": [
            "(*NetworkTransport).handleConn", "(*NetworkTransport).listen",
            "(*raftState).goFunc.func#"],
    },
    "github.com/quic-go/quic-go@v0.48.2": {
        "github.com/quic-go/quic-go": [
            "(*connection).run", "(*sendQueue).Run", "(*Transport).listen"],
    },
    "github.com/coder/websocket@v1.8.12": {
        "github.com/coder/websocket": ["(*Conn).timeoutLoop"],
    },
}


def module_folder(module):
    """Where its source is, fetched through the module proxy."""
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
    """A pattern for the line that declares it, or of which it is a closure; receivers may be generic."""
    name = re.sub(r"\.func#$", "", function)
    method = re.fullmatch(r"\(\*(\w+)\)\.(\w+)", name)
    if method:
        return rf"^func \(\w* ?\*?{method[1]}(\[[^]]*\])?\) {method[2]}\("
    return rf"^func {name}(\[[^]]*\])?\("


def starts_one(body):
    return re.search(r"^\s*go func\(|goFunc\(|withRecover\(func|[gG]o\(func", body, re.MULTILINE)


@cases_for({module.split("@", maxsplit=1)[0]: module for module in SOURCES}, tier="versions")
def functions_are_those_of_the_source(_, module):
    """Each is declared there; a closure's function has a go statement."""
    folder = once(f"source of {module}", lambda: module_folder(module))
    with open(os.path.join(ROOT, "user/naming/meanings.c"), encoding="utf-8") as file:
        rows = "".join(re.sub(r'"\s*"', "", file.read()).split())
    for package, functions in SOURCES[module].items():
        path = module.split("@", maxsplit=1)[0]
        below = package[len(re.sub(r"/v\d+$", "", path)):].lstrip("/")
        where = os.path.join(folder, below)
        texts = [open(os.path.join(where, name), encoding="utf-8").read()
                 for name in sorted(os.listdir(where))
                 if name.endswith(".go") and not name.endswith("_test.go")]
        for function in functions:
            check(function.replace(" ", "") in rows, f"{function} is in no row")
            found = [text[m.start():] for text in texts
                     for m in [re.search(declaration(function), text, re.MULTILINE)] if m]
            check(found, f"{package} has no {function}")
            if function.endswith(".func#"):
                check(starts_one(found[0].split("\n}\n", maxsplit=1)[0]),
                      f"{function}: nothing is started there")
