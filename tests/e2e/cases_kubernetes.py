# SPDX-License-Identifier: Apache-2.0
"""The manifests: built by kustomize, decoded strictly into the API's types (tests/kubernetes)."""

import json
import os
import re
import shutil
import subprocess

import harness
from cases_broker import CALLS, IN_A_SANDBOX
from cases_host import host, pids
from cases_hostile import bystander, hostile
from faults import alive, figures, shows, until
from harness import ROOT, VERSIONS, Failed, Skip, case, check, check_equal
from programs import Program, go_command, go_environment, go_version, start
from tracer import run

FOLDER = os.path.join(ROOT, "deploy", "kubernetes")
NEEDED = {"BPF", "PERFMON", "SYS_PTRACE", "DAC_READ_SEARCH", "CHECKPOINT_RESTORE"}


def checker():
    return harness.once("building tests/kubernetes", _checker)


def _checker():
    path = os.path.join(ROOT, "build", "tests", "kubernetes")
    go_version("local")
    folder = os.path.join(ROOT, "tests", "kubernetes")
    env = dict(go_environment("local"), GOFLAGS="-mod=readonly")
    built = subprocess.run([go_command(), "build", "-buildvcs=false", "-o", path, "."], cwd=folder,
                           env=env, capture_output=True, text=True)
    if "proxy" in built.stderr or "dial tcp" in built.stderr:
        raise Skip("modules of k8s.io (Go module proxy)")
    if "go.mod" in built.stderr and "version" in built.stderr:
        raise Skip("a Go that k8s.io/api builds with (go.mod of tests/kubernetes)")
    if built.returncode:
        raise Failed(f"tests/kubernetes: {built.stderr.strip()}")
    return path


harness.to_prepare("building tests/kubernetes", checker)


def objects(program, folder):
    """{kind: object} of a kustomization."""
    done = subprocess.run([program, folder], capture_output=True, text=True)
    check_equal((done.returncode, done.stderr), (0, ""), folder)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {o["kind"]: o for o in found}


@case
def manifests_are_valid_and_ask_for_little(t):
    program = checker()
    base = objects(program, os.path.join(FOLDER, "base"))
    check_equal(set(base), {"Namespace", "ConfigMap", "DaemonSet"}, "kinds")
    pod = base["DaemonSet"]["spec"]["template"]["spec"]
    check(pod["hostPID"] and not pod.get("hostNetwork") and not pod.get("hostIPC"), "host's")
    check_equal(pod["automountServiceAccountToken"], False, "token")
    container, = pod["containers"]
    security = container["securityContext"]
    check_equal(security["capabilities"]["drop"], ["ALL"], "capabilities dropped")
    check_equal(set(security["capabilities"]["add"]), NEEDED, "capabilities")
    for name, wanted in {"privileged": False, "allowPrivilegeEscalation": False,
                         "readOnlyRootFilesystem": True}.items():
        check_equal(security[name], wanted, name)
    check_equal(set(container["resources"]["limits"]), {"cpu", "memory"}, "limits")
    textfile = next(a for a in container["args"] if a.startswith("--textfile="))
    mounts = [m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")]
    check(os.path.dirname(textfile.split("=")[1]) in mounts, "the textfile cannot be written")


@case
def manifests_for_old_kernels_add_sys_admin(t):
    program = checker()
    old = objects(program, os.path.join(FOLDER, "old-kernels"))
    container, = old["DaemonSet"]["spec"]["template"]["spec"]["containers"]
    check_equal(set(container["securityContext"]["capabilities"]["add"]), NEEDED | {"SYS_ADMIN"},
                "capabilities")


CHART = os.path.join(ROOT, "deploy", "helm", "gleakd")
# The last of the series that builds with the Go of go.mod.
HELM = "helm.sh/helm/v3/cmd/helm@v3.16.4"


def helm():
    return harness.once("building helm", _helm)


def _helm():
    folder = os.path.join(ROOT, "build", "tests")
    go_version("local")
    env = dict(go_environment("local"), GOBIN=folder, GOTOOLCHAIN="auto")
    built = subprocess.run([go_command(), "install", HELM], env=env, capture_output=True, text=True)
    if "proxy" in built.stderr or "dial tcp" in built.stderr:
        raise Skip("helm (Go module proxy)")
    if built.returncode:
        raise Failed(f"helm: {built.stderr.strip()[-500:]}")
    return os.path.join(folder, "helm")


harness.to_prepare("building helm", helm, VERSIONS)


def rendered(t, *args):
    """{kind: object} of what Helm makes of the chart, decoded strictly like a kustomization."""
    done = subprocess.run([helm(), "template", "leaks", CHART, "--namespace", "watch",
                           "--kube-version", "1.31.0", *args],
                          capture_output=True, text=True)
    check_equal(done.returncode, 0, done.stderr)
    folder = t.directory()
    for name, text in (("all.yaml", done.stdout),
                       ("kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\n"
                        "kind: Kustomization\nresources:\n  - all.yaml\n")):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    return objects(checker(), folder)


@case(tier=VERSIONS, seconds=900)
def helm_makes_the_same_of_its_chart(t):
    linted = subprocess.run([helm(), "lint", "--strict", CHART], capture_output=True, text=True)
    check_equal(linted.returncode, 0, linted.stdout + linted.stderr)
    plain = objects(checker(), os.path.join(FOLDER, "base"))
    made = rendered(t)
    check_equal(set(made), {"ConfigMap", "DaemonSet"}, "kinds")
    pods = [o["DaemonSet"]["spec"]["template"]["spec"] for o in (plain, made)]
    for pod in pods:
        for volume in pod["volumes"]:
            volume.get("configMap", {}).pop("name", None)
    check_equal(pods[1], pods[0], "the pod")
    selector = made["DaemonSet"]["spec"]["selector"]["matchLabels"]
    labels = made["DaemonSet"]["spec"]["template"]["metadata"]["labels"]
    check(selector.items() <= labels.items(), f"{selector} of {labels}")
    path = os.path.join(t.directory(), "gleakd.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(made["ConfigMap"]["data"]["gleakd.conf"])
    code, out, err = run(t, "--config", path, "--print-config")
    check_equal((code, err), (0, ""), f"the configuration; {out}")


@case(tier=VERSIONS, seconds=900)
def helm_with_other_values(t):
    made = rendered(t, "--set", "oldKernels=true", "--set", "seccompProfile.type=Localhost",
                    "--set", "seLinuxOptions.type=spc_t", "--set", "image.repository=r.example/g",
                    "--set", "image.tag=9.9.9", "--set", "nodeSelector.disk=ssd",
                    "--set", "hostPaths.state=/srv/gleakd", "--set", "priorityClassName=low",
                    "--set", "podAnnotations.a=b")
    pod = made["DaemonSet"]["spec"]["template"]["spec"]
    container, = pod["containers"]
    check_equal(set(container["securityContext"]["capabilities"]["add"]), NEEDED | {"SYS_ADMIN"},
                "capabilities")
    check_equal(container["image"], "r.example/g:9.9.9", "image")
    check_equal(pod["securityContext"]["seccompProfile"],
                {"type": "Localhost", "localhostProfile": "gleakd-seccomp.json"}, "seccomp")
    check_equal(pod["securityContext"]["seLinuxOptions"], {"type": "spc_t"}, "SELinux")
    check_equal(pod["nodeSelector"], {"kubernetes.io/os": "linux", "disk": "ssd"}, "nodes")
    check("/srv/gleakd" in [v.get("hostPath", {}).get("path") for v in pod["volumes"]], "state")


PROFILE = os.path.join(FOLDER, "own-seccomp", "gleakd-seccomp.json")


# What comes between the profile and main().
BY_THE_ENGINE = set("arch_prctl chdir execve fchdir set_tid_address setgid setgroups setuid".split())


def calls_of(trace):
    """Names of the system calls that strace -f wrote into a file."""
    with open(trace, encoding="utf-8", errors="replace") as file:
        found = (re.match(r"\d+ +([a-z]\w*)\(", line) for line in file)
        return {match.group(1) for match in found if match}


@case
def own_seccomp_profile_allows_what_is_done_and_no_more(t):
    with open(PROFILE, encoding="utf-8") as file:
        profile = json.load(file)
    rule, = profile["syscalls"]
    allowed = set(rule["names"])
    check_equal((rule["action"], profile["defaultAction"]), ("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"),
                "actions")
    for name in ("ptrace", "process_vm_writev", "mount", "unshare", "setns", "init_module"):
        check(name not in allowed, name)
    check_equal(sorted(allowed - set.union(*CALLS.values()) - IN_A_SANDBOX - BY_THE_ENGINE), [],
                "allowed, and nobody does it")
    base = objects(checker(), os.path.join(FOLDER, "own-seccomp"))
    security = base["DaemonSet"]["spec"]["template"]["spec"]["securityContext"]
    check_equal(security["seccompProfile"],
                {"type": "Localhost", "localhostProfile": os.path.basename(PROFILE)}, "profile")
    if not shutil.which("strace"):
        raise Skip("strace")
    files = t.directory()
    target = start(t, Program("counts"))
    trace = os.path.join(files, "trace")
    args = ["--duration", "3s", "--interval", "500ms", "--min-process-age", "200ms",
            "--state", os.path.join(files, "state"),
            "--textfile", os.path.join(files, "gleakd.prom")]
    run(t, *args, prefix=["strace", "-f", "-o", trace], seconds=60)
    target.end()
    used = calls_of(trace)
    check({"bpf", "process_vm_readv", "landlock_restrict_self"} <= used, f"strace saw {used}")
    check(used <= allowed, f"not allowed: {used - allowed}")


@case
def mistakes_in_manifests_are_found(t):
    """The check itself: a misspelt field, a volume that is not there."""
    program = checker()
    for old, new in {"readOnlyRootFilesystem": "readOnlyRootFileSystem",
                     "- name: textfiles\n          hostPath": "- name: other\n          hostPath",
                     "cpu: 500m": "cpu: 500x"}.items():
        folder = t.directory()
        for name in os.listdir(os.path.join(FOLDER, "base")):
            with open(os.path.join(FOLDER, "base", name), encoding="utf-8") as file:
                text = file.read()
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text.replace(old, new))
        done = subprocess.run([program, folder], capture_output=True, text=True)
        check_equal(done.returncode, 1, f"exit code with {new!r}: {done.stderr}")


@case
def configuration_of_the_pods_is_valid(t):
    check("--config" in run(t, "help", "watch")[1], "gleakd has no --config")
    config = objects(checker(), os.path.join(FOLDER, "base"))["ConfigMap"]
    path = os.path.join(t.directory(), "gleakd.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(config["data"]["gleakd.conf"])
    code, out, err = run(t, "--config", path, "--print-config")
    check_equal((code, err), (0, ""), f"exit code and words; {out}")


# --- with the limits of the container -------------------------------------------------------------

UNITS = {"M": 1 << 20, "Mi": 1 << 20, "m": 0.001}


def shipped(name, pattern):
    """A number of a manifest, by its unit."""
    with open(os.path.join(FOLDER, "base", name), encoding="utf-8") as file:
        found = re.search(pattern, file.read(), re.S)
    return int(found[1]) * UNITS[found[2]]


def limited(t, memory, cpu):
    """What gleakd is started with to have no more than that, and where the most that it had is told."""
    name = f"gleakd-test-{os.getpid()}-{id(t)}"
    script = []
    for controller, file, value in (("memory", "memory.limit_in_bytes", memory),
                                    ("cpu", "cpu.cfs_quota_us", int(cpu * 100000))):
        path = os.path.join("/sys/fs/cgroup", controller, name)
        try:
            os.makedirs(path)
            t.defer(lambda path=path: until("nobody is left", lambda: removed(path)))
            with open(os.path.join(path, file), "w", encoding="ascii") as limit:
                limit.write(str(value))
        except OSError as error:
            raise Skip(f"control groups of version 1 ({error})", always=True) from None
        script.append(f"echo $$ > {path}/cgroup.procs")
    return (["sh", "-c", "; ".join((*script, 'exec "$@"')), "sh"],
            os.path.join("/sys/fs/cgroup/memory", name, "memory.max_usage_in_bytes"))


def removed(path):
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


@case(seconds=240)
def eight_million_goroutines_of_each_process(t):
    """Three processes that show eight million goroutines each, at eight bytes: gleakd lives in what its pod has."""
    memory = shipped("daemonset.yaml", r"limits:.*?memory: (\d+)(Mi)")
    prefix, most = limited(t, memory, shipped("daemonset.yaml", r"limits:.*?cpu: (\d+)(m)"))
    crowds = [hostile(t, "many", 7900000, name=f"many-{i}") for i in range(3)]
    other = bystander(t)
    g = host(t, "--max-memory", str(shipped("configmap.yaml", r"max-memory = (\d+)(M)")), prefix=prefix)
    shows(g, "all", lambda r: len(pids(r)) == 4)
    for target in crowds:
        target.ask("arm")
    for target in crowds:
        shows(g, "what finds no room is counted", lambda r, pid=target.pid: pid in pids(r)
              and figures(r, pid, "losses")["refused"] > 1000000)
    other.ask("shape chanreceive 11")
    shows(g, "the other's", lambda r: alive(r).get(other.pid) == 49)
    check(not any("ended by signal" in e for e in g.errors), f"it was ended: {g.errors}")
    with open(most, encoding="ascii") as file:
        used = int(file.read())
    print(f"memory of gleakd: {used >> 20} of {memory >> 20} MiB at most", flush=True)
    check(used < memory, f"{used} of {memory} bytes: the kernel had to take some away")
