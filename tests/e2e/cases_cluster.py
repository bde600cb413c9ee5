# SPDX-License-Identifier: Apache-2.0
"""
Manifests, chart and the recipe for one pod, taken by an API server: Debian's etcd and a kube-apiserver of
tests/kubernetes/server. There is no node, so nothing of it runs.
"""

import json
import os
import re
import socket
import subprocess

import harness
from cases_kubernetes import CHART, FOLDER, NEEDED, helm
from harness import CLUSTER, ROOT, Failed, Skip, case, check, check_equal, until
from packages import prepared, unpacked
from programs import go_command, go_version

prepared("etcd-server", tier=CLUSTER)
KUBERNETES = "1.32.9"
BUILT = os.path.join(ROOT, "build", "tests", "kubernetes-server")
IMAGE = "r.example/gleakd:0.1.0"
LABEL = "pod-security.kubernetes.io/enforce="


def server():
    """The folder of kube-apiserver and kubectl."""
    return harness.once("building kube-apiserver", _server)


def _server():
    go_version("local")
    major, minor = KUBERNETES.split(".")[:2]
    version = "k8s.io/component-base/version.git"
    flags = " ".join(f"-X {version}{name}={value}" for name, value in
                     (("Version", "v" + KUBERNETES), ("Major", major), ("Minor", minor)))
    os.makedirs(BUILT, exist_ok=True)
    built = subprocess.run(
        [go_command(), "build", "-buildvcs=false", "-ldflags", flags, "-o", BUILT + "/",
         "k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kubectl"],
        cwd=os.path.join(ROOT, "tests", "kubernetes", "server"), capture_output=True, text=True,
        env=dict(os.environ, GOFLAGS="-mod=readonly"))
    if "proxy" in built.stderr or "dial tcp" in built.stderr:
        raise Skip("the module k8s.io/kubernetes (Go module proxy)")
    if built.returncode:
        raise Failed(f"tests/kubernetes/server: {built.stderr.strip()[-800:]}")
    return BUILT


harness.to_prepare("building kube-apiserver", server, CLUSTER)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: it, cluster: {server: "https://127.0.0.1:PORT", insecure-skip-tls-verify: true}}]
users: [{name: it, user: {token: secret}}]
contexts: [{name: it, context: {cluster: it, user: it}}]
current-context: it
"""


class Cluster:
    """An API server of its own."""

    def __init__(self, t):
        self.t, self.folder = t, t.directory()
        store, peers, port = free_port(), free_port(), free_port()
        address = f"http://127.0.0.1:{store}"
        self.start("etcd", os.path.join(unpacked("etcd-server"), "usr", "bin", "etcd"), "--data-dir", "etcd",
                   "--listen-client-urls", address, "--advertise-client-urls", address,
                   "--listen-peer-urls", f"http://127.0.0.1:{peers}")
        self.put("tokens", 'secret,admin,1,"system:masters"\n')
        subprocess.run(["openssl", "genrsa", "-out", os.path.join(self.folder, "key"), "2048"], check=True,
                       capture_output=True)
        self.api = self.start(
            "api", os.path.join(server(), "kube-apiserver"), f"--etcd-servers={address}", "--cert-dir=certs",
            f"--secure-port={port}", "--bind-address=127.0.0.1", "--token-auth-file=tokens",
            "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
            f"--service-account-issuer=https://127.0.0.1:{port}", "--service-account-key-file=key",
            # Nobody is there who would make the account that pods have.
            "--service-account-signing-key-file=key", "--disable-admission-plugins=ServiceAccount")
        self.config = self.put("kubeconfig", KUBECONFIG.replace("PORT", str(port)))
        until("the API server is ready", self.is_ready, 90)

    def put(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
            file.write(text)
        return path

    def start(self, name, *command):
        with open(os.path.join(self.folder, name + ".log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        self.t.defer(process.wait)
        self.t.defer(process.kill)
        return process

    def is_ready(self):
        check_equal(self.api.poll(), None, "kube-apiserver has ended")
        return self.asked("get", "--raw", "/readyz").returncode == 0

    def asked(self, *args, program=None):
        return subprocess.run([program or os.path.join(server(), "kubectl"), *args], capture_output=True,
                              text=True, env=dict(os.environ, KUBECONFIG=self.config))

    def said(self, *args, program=None):
        done = self.asked(*args, program=program)
        check_equal(done.returncode, 0, f"{args}: {done.stderr}")
        return done.stdout

    def pod_of(self, *args):
        """The only DaemonSet there, and a file with a pod as it would make it."""
        found, = json.loads(self.said("get", "daemonset", "-o", "json", *args))["items"]
        template = found["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
               "metadata": {"name": "one", "labels": template["metadata"]["labels"]}}
        return found, self.put("pod.json", json.dumps(pod))

    def namespace(self, name, level):
        self.said("create", "namespace", name)
        self.said("label", "namespace", name, LABEL + level)


def added(found):
    container, = found["spec"]["template"]["spec"]["containers"]
    return set(container["securityContext"]["capabilities"]["add"])


@case(tier=CLUSTER, seconds=300)
def it_takes_the_manifests(t):
    cluster = Cluster(t)
    for name, wanted in (("base", NEEDED), ("old-kernels", NEEDED | {"SYS_ADMIN"}), ("own-seccomp", NEEDED)):
        cluster.said("apply", "-k", os.path.join(FOLDER, name))
        found, pod = cluster.pod_of("-n", "gleakd")
        check_equal(added(found), wanted, f"capabilities of {name}")
        cluster.said("-n", "gleakd", "create", "-f", pod)
        cluster.said("-n", "gleakd", "delete", "-f", pod, "--force", "--grace-period=0")


@case(tier=CLUSTER, seconds=300)
def no_pod_where_baseline_is_enforced(t):
    """As docs/kubernetes.md says of the namespace, with what it is that does not pass."""
    cluster = Cluster(t)
    cluster.said("apply", "-k", os.path.join(FOLDER, "base"))
    _, pod = cluster.pod_of("-n", "gleakd")
    cluster.namespace("strict", "baseline")
    refused = cluster.asked("-n", "strict", "create", "-f", pod)
    check(refused.returncode and 'violates PodSecurity "baseline' in refused.stderr, refused.stderr)
    for what in (*NEEDED, "hostPID=true", "hostPath volumes", "AppArmor"):
        check(what in refused.stderr, f"{what}: {refused.stderr}")


@case(tier=CLUSTER, seconds=600)
def helm_installs_and_upgrades(t):
    cluster = Cluster(t)
    cluster.namespace("watch", "privileged")
    said = cluster.said("install", "leaks", CHART, "-n", "watch", "--set", "image.repository=r.example/gleakd",
                        program=helm())
    check("STATUS: deployed" in said, said)
    found, pod = cluster.pod_of("-n", "watch")
    check_equal(added(found), NEEDED, "capabilities")
    cluster.said("-n", "watch", "create", "-f", pod)
    cluster.said("upgrade", "leaks", CHART, "-n", "watch", "--set", "oldKernels=true", "--set",
                 "seLinuxOptions.type=spc_t", program=helm())
    check_equal(added(cluster.pod_of("-n", "watch")[0]), NEEDED | {"SYS_ADMIN"}, "capabilities afterwards")
    cluster.said("uninstall", "leaks", "-n", "watch", program=helm())
    check_equal(json.loads(cluster.said("-n", "watch", "get", "daemonset", "-o", "json"))["items"], [], "left")


def recipe():
    """The command of "One pod, now" in docs/kubernetes.md, without the terminal that it asks for."""
    with open(os.path.join(ROOT, "docs", "kubernetes.md"), encoding="utf-8") as file:
        text = re.search(r"^kubectl (debug .*)\\\n +(-- .*)$", file.read(), re.M)
    words = (text[1] + text[2]).replace("'", "").split()
    return [{"POD": "shop", "--target=CONTAINER": "--target=shop"}.get(word, word.replace("REGISTRY", "r.example"))
            for word in words if word != "-it"]


@case(tier=CLUSTER, seconds=300)
def the_recipe_for_one_pod(t):
    cluster = Cluster(t)
    for name, level in (("usual", "privileged"), ("strict", "baseline")):
        cluster.namespace(name, level)
        cluster.said("-n", name, "run", "shop", "--image=r.example/shop", "--restart=Never")
    cluster.said("-n", "usual", *recipe())
    pod = json.loads(cluster.said("-n", "usual", "get", "pod", "shop", "-o", "json"))
    beside, = pod["spec"]["ephemeralContainers"]
    check_equal((beside["image"], beside["targetContainerName"]), (IMAGE, "shop"), "image, target")
    check_equal(beside["securityContext"], {"capabilities": {"add": ["SYS_PTRACE"]}}, "what it may")
    check_equal(beside["command"], ["/usr/sbin/gleakd", "--only", "*", "--mode", "census", "--duration", "2m"],
                "command")
    refused = cluster.asked("-n", "strict", *recipe())
    check(refused.returncode and "SYS_PTRACE" in refused.stderr, refused.stderr)
