# SPDX-License-Identifier: Apache-2.0
"""`gleakd doctor`: says what works, fails for what does not, leaves nothing behind, never hangs."""

import json
import os
import shutil
import stat
import subprocess
import sys

from harness import ROOT, Failed, Skip, case, cases_for, check, check_equal
from programs import Program, start
from tracer import binary, needs_tracing, run

try:
    import jsonschema
except ImportError:
    jsonschema = None

COUNTS = Program("counts")
STATUSES = ("ok", "warn", "fail")
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
KERNEL, PERMISSION, OTHER, USAGE = 3, 4, 1, 2
EMULATED = ("call", "jump", "branch", "push")

# Mounts a FUSE file system whose server never answers, in a mount namespace that ends with it.
STUCK_FUSE = """
import ctypes, os, subprocess, sys
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
if libc.mount(b"stuck", sys.argv[1].encode(), b"fuse", 0, options):
    sys.exit(77)
sys.exit(subprocess.run(sys.argv[2:]).returncode)
"""


def examine(t, *args, **options):
    """What was found, by name of the check, and all of the document."""
    code, out, err = run(t, "doctor", "--json", *args, **options)
    check_equal(err, "", "stderr")
    check_equal(out.count("\n"), 1, "lines of JSON")
    document = json.loads(out)
    t.note(document)
    check_equal(document["schema_version"], 1, "schema_version")
    check_equal(document["exit_code"], code, "exit code")
    checks = {c["name"]: c for c in document["checks"]}
    check_equal(len(checks), len(document["checks"]), "names of checks")
    for c in document["checks"]:
        check(c["status"] in STATUSES and c["found"], f"{c}")
        check_equal(c["advice"] is None, c["status"] == "ok", f"advice of {c}")
    failed = any(c["status"] == "fail" for c in document["checks"])
    check_equal(failed, code != 0, "something failed")
    return checks, document


def needs_setpriv():
    needs_tracing()
    if not shutil.which("setpriv"):
        raise Skip("setpriv (util-linux)")


def installed(t):
    """gleakd where nobody may run it."""
    return shutil.copy(binary(t), os.path.join(t.directory(), "gleakd"))


def with_capabilities(*names):
    given = ",".join("+" + name for name in names)
    return [*NOBODY, f"--inh-caps={given}", f"--ambient-caps={given}"]


@case
def as_root(t):
    """Everything that is tried works, and the probes on itself cost what probes cost."""
    needs_tracing()
    target = start(t, COUNTS)
    checks, document = examine(t)
    check_equal(document["exit_code"], 0, "exit code")
    for name in ("btf", "ring_buffer", "attach_cookie", "probes", "memory_of_others", "programs",
                 "probe"):
        check_equal(checks[name]["status"], "ok", name)
    costs = document["ns_per_hit"]
    emulated = [costs[kind] for kind in EMULATED if costs[kind]]
    check(len(emulated) >= 3, f"costs {costs}")
    check(all(50 < ns < 20000 for ns in emulated), f"costs {costs}")
    check(costs["single-step"] > min(emulated), f"costs {costs}")
    check_equal(costs["nop5"], None, "nothing is probed there")
    check(int(checks["go_processes"]["found"].split(",")[0]) >= 1, f"{target.pid} was not found")


@case
def nothing_stays_behind(t):
    """No probe in the target, no file in the directory, and the target does not notice."""
    needs_tracing()
    target = start(t, COUNTS)
    folder = t.directory()
    examine(t, "--textfile", os.path.join(folder, "gleakd.prom"))
    check_equal(os.listdir(folder), [], "files in the textfile directory")
    with open(f"/proc/{target.pid}/maps", encoding="utf-8") as maps:
        check("[uprobes" not in maps.read(), "the target was probed")


@case
def text(t):
    needs_tracing()
    code, out, _ = run(t, "doctor")
    check_equal(code, 0, "exit code")
    check(out.startswith("gleakd ") and "gleakd works here" in out, out)
    check("\033" not in out, "colours in a pipe")


@case
def unprivileged(t):
    needs_setpriv()
    checks, document = examine(t, prefix=NOBODY, path=installed(t))
    check_equal(document["exit_code"], PERMISSION, "exit code")
    check("CAP_BPF and CAP_PERFMON" in checks["probes"]["found"], checks["probes"]["found"])
    check_equal(checks["memory_of_others"]["status"], "fail", "memory_of_others")
    check_equal(checks["ring_buffer"]["status"], "warn", "ring_buffer")
    check_equal(document["ns_per_hit"], None, "ns_per_hit")


@cases_for({
    "no-ptrace": (("bpf", "perfmon"), {"memory_of_others": "fail"}),
    "no-perfmon": (("bpf", "sys_ptrace"), {"probes": "fail", "memory_of_others": "ok"}),
    "no-dac": (("bpf", "perfmon", "sys_ptrace"),
               {"memory_of_others": "ok", "files_of_others": "warn"}),
    "all": (("bpf", "perfmon", "sys_ptrace", "dac_read_search"),
            {"memory_of_others": "ok", "files_of_others": "ok"}),
})
def capabilities(t, kind):
    names, wanted = kind
    needs_setpriv()
    checks, document = examine(t, prefix=with_capabilities(*names), path=installed(t))
    for name, status in wanted.items():
        check_equal(checks[name]["status"], status, name)
    if "fail" in wanted.values():
        check_equal(document["exit_code"], PERMISSION, "exit code")
    elif "only as perf events" not in checks["uprobes"]["found"]:
        check_equal(document["exit_code"], 0, "exit code")
        check_equal(checks["probe"]["status"], "ok", "probe")


@case
def in_a_pid_namespace(t):
    """Calibration works there too; that the host does not show is said."""
    needs_tracing()
    checks, document = examine(t, prefix=["unshare", "--pid", "--fork", "--mount-proc"])
    check_equal(document["exit_code"], 0, "exit code")
    check_equal(checks["pid_namespace"]["status"], "warn", "pid_namespace")
    check_equal(checks["probe"]["status"], "ok", "probe")
    check_equal(checks["go_processes"]["found"], "none at present", "go_processes")


@case
def with_a_foreign_proc(t):
    needs_tracing()
    checks, document = examine(t, prefix=["unshare", "--pid", "--fork"])
    check_equal(checks["pid_namespace"]["status"], "fail", "pid_namespace")
    check_equal(document["exit_code"], OTHER, "exit code")


@case
def in_a_user_namespace(t):
    needs_tracing()
    prefix = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        raise Skip("user namespaces", always=True)
    # Where everybody may execute it: this tree may be in a home that is nobody else's business.
    tool = shutil.copy(binary(t), os.path.join(t.directory(), "gleakd"))
    checks, document = examine(t, prefix=prefix, path=tool)
    check("user namespace" in checks["probes"]["found"], checks["probes"]["found"])
    check_equal(document["exit_code"], PERMISSION, "exit code")


@case
def textfile_directories(t):
    needs_tracing()
    folder = t.directory()
    path = os.path.join(folder, "gleakd.prom")
    check_equal(examine(t, "--textfile", path)[0]["textfile"]["status"], "ok", "a good one")
    os.chmod(folder, stat.S_IRWXU)
    checks, document = examine(t, "--textfile", path)
    check_equal(checks["textfile"]["status"], "warn", "one that others may not read")
    check_equal(document["exit_code"], 0, "exit code")
    checks, document = examine(t, "--textfile", os.path.join(folder, "missing", "gleakd.prom"))
    check("No such file" in checks["textfile"]["found"], checks["textfile"]["found"])
    check_equal(document["exit_code"], OTHER, "exit code")
    code, _, err = run(t, "doctor", "--textfile", os.path.join(folder, "gleakd.txt"))
    check_equal(code, USAGE, "exit code")
    check(".prom" in err, err)


@case
def a_file_system_that_does_not_answer(t):
    """It is given up on, soon, by what waits for the output too."""
    needs_tracing()
    if not os.path.exists("/dev/fuse"):
        raise Skip("/dev/fuse", always=True)
    folder = t.directory()
    path = os.path.join(folder, "gleakd.prom")
    prefix = ["unshare", "--mount", sys.executable, "-c", STUCK_FUSE, folder]
    try:
        checks, document = examine(t, "--textfile", path, prefix=prefix, seconds=15)
    except Failed:
        if run(t, "list", prefix=prefix)[0] == 77:
            raise Skip("FUSE mounts", always=True) from None
        raise
    check("timed out" in checks["textfile"]["found"], checks["textfile"]["found"])
    check_equal(document["exit_code"], OTHER, "exit code")


@case
def as_the_schema_says(t):
    needs_tracing()
    if not jsonschema:
        raise Skip("python3-jsonschema")
    with open(os.path.join(ROOT, "data", "report.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    del schema["oneOf"]
    for name in ("checkup", "checkup_item", "checkup_costs"):
        schema["$defs"][name]["additionalProperties"] = False
    validator = jsonschema.Draft202012Validator({**schema, "$ref": "#/$defs/checkup"})
    for options in ({}, {"prefix": ["unshare", "--pid", "--fork"]}):
        document = examine(t, **options)[1]
        for error in validator.iter_errors(document):
            raise Failed(f"{list(error.absolute_path)}: {error.message[:300]}")
