# SPDX-License-Identifier: Apache-2.0
"""The container image of `make image`: read by umoci, and run by runc with what the manifests give a pod."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile

from harness import ROOT, STATIC, Failed, Skip, case, check, check_equal, until
from packages import prepared, program
from programs import MACHINE, Program, Target, start
from tracer import flagged

FOLDER = os.path.join(ROOT, "deploy", "kubernetes")
PROFILE = os.path.join(FOLDER, "own-seccomp", "gleakd-seccomp.json")
METRICS = "/var/lib/node-exporter"
COUNTS, DEMO = Program("counts"), Program("demo", strip=True)
prepared("umoci", "runc", tier=STATIC)


def version():
    with open(os.path.join(ROOT, "version.mk"), encoding="utf-8") as file:
        return re.search(r"^VERSION\s*:?=\s*(\S+)", file.read(), re.M)[1]


def image():
    path = os.path.join(ROOT, "build", "image", f"gleakd-{version()}-{MACHINE}.tar")
    if not os.path.exists(path):
        raise Skip(f"{path} (make image)")
    return path


def manifest():
    with open(os.path.join(FOLDER, "base", "daemonset.yaml"), encoding="utf-8") as file:
        return file.read()


def capabilities():
    added = re.search(r"add:\n((?: +- \w+ *(?:#.*)?\n)+)", manifest())[1]
    return ["CAP_" + name for name in re.findall(r"- (\w+)", added)]


def liveness():
    """The command of the probe."""
    return [re.search(rf"{before}\n +- (.*)\n", manifest())[1] for before in ("command:", "- sh", "- -c")]


class Container:
    """One that runc starts: in the host's process namespace, all else its own, and a root that is not written to."""

    def __init__(self, t, *args):
        if os.geteuid() != 0:
            raise Skip("root")
        self.t, self.folder, self.name = t, t.directory(), f"gleakd-test-{os.getpid()}-{id(self)}"
        layout, self.bundle = (os.path.join(self.folder, name) for name in ("layout", "bundle"))
        self.metrics = os.path.join(self.folder, "metrics")
        os.mkdir(self.metrics)
        with tarfile.open(image()) as tar:
            tar.extractall(layout)
        self.said(program("umoci", "umoci"), "unpack", "--image", f"{layout}:{version()}", self.bundle)
        self.root = os.path.join(self.bundle, "rootfs")
        self.configure(args)

    def said(self, *command, **options):
        done = subprocess.run(command, capture_output=True, text=True, **options)
        check_equal(done.returncode, 0, f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def configure(self, args):
        path = os.path.join(self.bundle, "config.json")
        with open(path, encoding="utf-8") as file:
            config = json.load(file)
        process, linux = config["process"], config["linux"]
        check_equal(process["args"], ["/usr/sbin/gleakd"], "what is started")
        process["args"] += args
        process["terminal"], process["noNewPrivileges"] = False, True
        process["capabilities"] = {kind: capabilities() for kind in ("bounding", "effective", "permitted")}
        config["root"]["readonly"] = True
        config["mounts"] = [m for m in config["mounts"] if m["type"] != "cgroup"]
        config["mounts"].append({"destination": METRICS, "type": "bind", "source": self.metrics,
                                 "options": ["bind", "rw"]})
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "pid"]
        with open(PROFILE, encoding="utf-8") as file:
            linux["seccomp"] = seccomp = json.load(file)
        # As the kubelet hands it on.
        seccomp["architectures"] = [a["architecture"] for a in seccomp.pop("archMap")]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def runc(self, *args):
        return [program("runc", "runc"), "--root", os.path.join(self.folder, "runc"), *args]

    def reports(self):
        """What it reports, one after the other, for as long as it runs."""
        with open(os.path.join(self.folder, "err"), "w+", encoding="utf-8") as err:
            process = subprocess.Popen(self.runc("run", "--bundle", self.bundle, self.name),
                                       stdout=subprocess.PIPE, stderr=err, text=True)
            self.t.defer(process.wait)
            self.t.defer(lambda: subprocess.run(self.runc("delete", "--force", self.name), capture_output=True))
            for line in process.stdout:
                yield json.loads(line)
            err.seek(0)
            raise Failed(f"the container ended with {process.wait()}: {err.read()}")


@case(tier=STATIC)
def the_image_has_what_it_needs_and_no_more(t):
    root = Container(t).root
    found = {os.path.relpath(os.path.join(base, name), root)
             for base, _, files in os.walk(root) for name in files}
    found = {name for name in found if not name.startswith(("lib/terminfo/", "usr/share/doc/"))}
    check_equal(sorted(found), ["bin/busybox", "bin/find", "bin/sh", "usr/sbin/gleakd"], "files")
    check(os.path.exists(os.path.join(root, "lib/terminfo/x/xterm")), "terminfo")
    again = os.path.join(t.directory(), "again.tar")
    with tarfile.open(image()) as tar:
        epoch = tar.getmember("index.json").mtime
    check_equal(subprocess.run([os.path.join(ROOT, "tools", "image.py"), again,
                                os.path.join(ROOT, "build", "image", "root-" + MACHINE), version(), MACHINE,
                                str(epoch)]).returncode, 0, "tools/image.py")
    digests = []
    for path in (image(), again):
        with open(path, "rb") as file:
            digests.append(hashlib.sha256(file.read()).hexdigest())
    check_equal(digests[1], digests[0], "the same files give the same image")


def first(reports, condition):
    return next(report for report in reports if report["targets"] and condition(report))


@case(tier=STATIC)
def a_container_counts_exactly(t):
    """With the capabilities and the seccomp profile of the manifests: probes, and every goroutine."""
    target = start(t, COUNTS)
    reports = Container(t, "--pid", str(target.pid), "--json", "--interval", "500ms", "--max-overhead", "0").reports()
    first(reports, lambda r: r["targets"][0]["mode"] == "full")
    target.ask("run 1009 503")

    def numbers(report):
        of = report["targets"][0]["goroutines"]
        return of["created"], of["exited"], of["alive"]

    first(reports, lambda r: numbers(r) == (1009, 506, 504))


@case(tier=STATIC)
def a_container_follows_the_host(t):
    """As the pod of the manifests does: a leak is found, metrics are written, and the liveness probe is content."""
    path = shutil.copy(DEMO.build(), os.path.join(t.directory(), f"pods-{os.getpid()}"))
    Target(t, [path, "-for", "120s"]).answer("ready")
    container = Container(t, "--only", os.path.basename(path), "--json", "--interval", "1s", "--min-age", "3s",
                          f"--textfile={METRICS}/gleakd.prom")
    alive = container.runc("exec", container.name, *liveness())
    first(container.reports(), lambda r: r["targets"][0]["pid"] and flagged(r))
    metrics = os.path.join(container.metrics, "gleakd.prom")
    until("metrics", lambda: os.path.exists(metrics) and os.path.getsize(metrics))
    container.said(*alive)
    other = [word.replace("gleakd.prom", "other.prom") for word in alive]
    check_equal(subprocess.run(other, capture_output=True).returncode, 1, "the probe of metrics that are not written")
