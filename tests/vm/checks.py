# SPDX-License-Identifier: Apache-2.0
"""What must hold on every kernel. Runs in the virtual machine, where all takes much longer."""

import contextlib
import ctypes
import json
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import time

from harness import SLOW, Skip, case, check, check_equal, until
from image import changed
from nfs import Server
from programs import MACHINE, Program, Target, start
from tracer import Gleakd, at, flagged, run, sites, total

COUNTS = Program("counts")
# Before Go 1.21 probes sit on a branch, and the creator is found by following pointers.
OLD = Program("counts", "1.19.13", strip=True, pie=True)
DEMO = Program("demo", strip=True)
# Thousands of goroutines of which seven are lost, one that works without a pause, and 20 MB of heap.
BALLAST = Program("ballast")
PROGRAMS = (COUNTS, OLD, DEMO, BALLAST)
PATIENCE = 90
REFUSED, NOT_PERMITTED = 3, 4
# Probes cost an emulated processor so much that the governor would have none of them.
ANY_COST = ("--max-overhead", "0")


def tell(thing):
    """Set by guest.py: artefacts for those outside."""
    del thing


def expecting(expected):
    """A case for kernels with "probes", for those that are "refused", or "always"."""

    def register(f):
        f.expected = expected
        return case(f)

    return register


def own_copy(t, program, name):
    if not hasattr(t, "own_folder"):
        t.own_folder = t.directory()
    return shutil.copy(program.build(), os.path.join(t.own_folder, name))


def doctor(t):
    code, out, err = run(t, "doctor", "--json", seconds=PATIENCE)
    check_equal(err, "", "stderr")
    document = json.loads(out)
    tell({"artefact": "doctor.json", "text": out})
    t.note(out)
    return code, {c["name"]: c for c in document["checks"]}, document


def anyhow():
    """Options that let gleakd watch here, as well as it can."""
    refused = os.environ.get("gleakd_expected") == "refused"
    return ("--mode", "census") if refused else ANY_COST


def with_capabilities(*names):
    if not shutil.which("setpriv"):
        raise Skip("setpriv (util-linux)")
    given = ",".join("+" + name for name in names)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={given}",
            f"--ambient-caps={given}"]


# --- with probes ----------------------------------------------------------------------------------


@expecting("probes")
def doctor_says_that_all_works(t):
    """Every BPF object loads, and a probe on gleakd itself is hit."""
    start(t, COUNTS)
    code, items, document = doctor(t)
    wrong = {name: c["found"] for name, c in items.items() if c["status"] == "fail"}
    check_equal(wrong, {}, "what does not work")
    check_equal(code, 0, "exit code")
    for name in ("btf", "ring_buffer", "attach_cookie", "probes", "programs", "probe",
                 "process_events"):
        check_equal((name, items[name]["status"]), (name, "ok"), items[name]["found"])
    measured = [kind for kind, ns in document["ns_per_hit"].items() if ns]
    # A push is one instruction on amd64 alone.
    kinds = 5 if MACHINE == "amd64" else 4
    check(len(measured) >= kinds, f"ns_per_hit {document['ns_per_hit']}")


# (mask, value): what arch/arm64/kernel/probes/decode-insn.c simulates; all else is single-stepped.
SIMULATED = (
    (0x7c000000, 0x14000000),  # b, bl
    (0xff000010, 0x54000000),  # b.cond
    (0x7e000000, 0x34000000),  # cbz, cbnz
    (0x7e000000, 0x36000000),  # tbz, tbnz
    (0xff9ffc1f, 0xd61f0000),  # br, blr, ret
    (0x1f000000, 0x10000000),  # adr, adrp
)


def check_simulated(t, target):
    """On arm64: no probe is on an instruction that has to be single-stepped."""
    words = set()
    with open(f"/proc/{target.pid}/exe", "rb") as file:
        for offset in {at - at % 4 for at in changed(target.pid)}:
            file.seek(offset)
            words.add(int.from_bytes(file.read(4), "little"))
    t.note(f"probed: {sorted(f'{word:08x}' for word in words)}")
    check(len(words) >= 3, f"probed: {words}")
    stepped = [f"{word:08x}" for word in words
               if not any(word & mask == value for mask, value in SIMULATED)]
    check_equal(stepped, [], "single-stepped")


def counts_are_exact(t, program):
    """1009 made at one line: 506 leave and 503 stay at another, and every one is counted."""
    target = start(t, program)
    g = Gleakd(t, target.pid, "--interval", "1s", *ANY_COST)
    g.report("attached in full", lambda r: r["targets"][0]["mode"] == "full", PATIENCE)
    if MACHINE == "arm64":
        check_simulated(t, target)
    target.ask("run 1009 503", PATIENCE)
    made, blocked = program.line("made:run"), program.line("blocked:run")
    g.report("503 parked, 506 gone", lambda r: total(sites(r, made, blocked), "parked") == 503 and
             total(sites(r, made), "exited") == 506, PATIENCE)
    final = g.interrupt(PATIENCE)
    numbers = final["targets"][0]["goroutines"]
    check_equal((numbers["created"], numbers["exited"], numbers["alive"]), (1009, 506, 504),
                "created, exited, alive")
    stuck, = sites(final, made, blocked)
    check_equal((stuck["goroutines"], stuck["parked"], stuck["wait_reason"]),
                (503, 503, "chan receive"), "at the marked line")
    losses = final["targets"][0]["losses"]
    check_equal((losses["events"], losses["repaired"]), (0, 0), "lost events, repaired")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")


@expecting("probes")
def counts_of_this_go(t):
    counts_are_exact(t, COUNTS)


@expecting("probes")
def counts_of_an_old_go(t):
    counts_are_exact(t, OLD)


@expecting("probes")
def leaks_are_flagged_and_nothing_else(t):
    target = Target(t, [DEMO.build(), "-for", "600s", "-calm", str(int(2 * SLOW) if SLOW > 1 else 1)])
    target.answer("ready", PATIENCE)
    leaks = {DEMO.line(f"leak: {kind}") for kind in ("chan send", "mutex", "select")}
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "4s", *ANY_COST)

    def lines(r):
        return {place for place in leaks for s in flagged(r) if at(s["blocked_at"], place)
                and s["verdict"] == "leaking"}

    g.report("all three leaks", lambda r: lines(r) == leaks, PATIENCE)
    g.interrupt(PATIENCE)
    for r in g.reports:
        wrong = [s for s in flagged(r) if not any(at(s["blocked_at"], p) for p in leaks)]
        check_equal([(s["verdict"], s["blocked_at"], s["why"]) for s in wrong], [], "flagged")


@expecting("probes")
def waiting_by_nature_is_not_flagged(t):
    """Fixed populations that wait for work or time, longer than the age limit, and a busy site."""
    target = start(t, COUNTS)
    kinds = ("sleep", "iowait", "chanreceive", "select", "cond")
    for kind in kinds:
        target.ask(f"shape {kind} 13", PATIENCE)
    g = Gleakd(t, target.pid, "--interval", "1s", "--min-age", "2s", *ANY_COST)
    g.report("a first look", seconds=PATIENCE)
    target.ask("spawn 1009", PATIENCE)

    def old(r, kind):
        here = sites(r, COUNTS.line("made:" + kind), COUNTS.line("blocked:" + kind))
        return any(s["oldest_age_seconds"] > 5 for s in here)

    g.report("the age limit passed twice", lambda r: all(old(r, k) for k in kinds), PATIENCE)
    g.interrupt(PATIENCE)
    for r in g.reports:
        check_equal([(s["verdict"], s["blocked_at"], s["why"]) for s in flagged(r)], [], "flagged")


@expecting("probes")
def capabilities_are_enough(t):
    """Not root: what uprobe_multi links allow, and what perf events need besides."""
    target = start(t, COUNTS)
    few = ("bpf", "perfmon", "sys_ptrace", "dac_read_search")
    links = doctor(t)[1]["uprobes"]["status"] == "ok"

    def watch(*names):
        return run(t, "--pid", str(target.pid), *ANY_COST, "--json", "--duration", "2s",
                   prefix=with_capabilities(*names), seconds=PATIENCE)

    code, out, err = watch(*few)
    if not links:
        check_equal(code, NOT_PERMITTED, "exit code without CAP_SYS_ADMIN")
        check("CAP_SYS_ADMIN" in err, err)
        code, out, err = watch(*few, "sys_admin")
    check_equal(code, 0, f"exit code ({err})")
    check_equal(json.loads(out.splitlines()[-1])["targets"][0]["mode"], "full", "mode")


@expecting("probes")
def the_governor_goes_up_and_down(t):
    """Quiet: probes are attached. Busy beyond the budget: they are taken away at once."""
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "1s", "--max-overhead", "2%")
    g.report("probes", lambda r: r["targets"][0]["mode"] == "full", PATIENCE)
    check(changed(target.pid), "no probe is to be seen")
    target.send("churn 20000 20000")
    seen = len(g.reports)
    g.report("fewer probes", lambda r: r["targets"][0]["mode"] != "full" and
             len(g.reports) > seen and r is g.reports[-1], PATIENCE)
    check(any(r["targets"][0]["cost"]["overhead"] > 0 for r in g.reports), "no cost was seen")
    until("the probes are gone", lambda: not changed(target.pid), PATIENCE)


def ends_without_a_trace(t, number):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, *ANY_COST)
    g.report("a report", seconds=PATIENCE)
    check(changed(target.pid), "no probe is to be seen while it runs")
    g.process.send_signal(number)
    if number == signal.SIGTERM:
        g.final(PATIENCE)
    g.process.wait(PATIENCE)
    until("the code is as in the file again", lambda: not changed(target.pid), PATIENCE)
    target.ask("storm 20000", PATIENCE)


@expecting("probes")
def sigterm_leaves_no_probe(t):
    ends_without_a_trace(t, signal.SIGTERM)


@expecting("probes")
def sigkill_leaves_no_probe(t):
    ends_without_a_trace(t, signal.SIGKILL)


# --- without --------------------------------------------------------------------------------------


@expecting("refused")
def doctor_says_what_is_missing(t):
    code, items, _ = doctor(t)
    check_equal(code, REFUSED, "exit code")
    missing = items["attach_cookie"]
    check_equal(missing["status"], "fail", "attach_cookie")
    check("5.15" in missing["found"] and "--mode census" in missing["advice"], f"{missing}")


@expecting("refused")
def watching_is_refused_in_words(t):
    target = start(t, COUNTS)
    code, _, err = run(t, "--pid", str(target.pid), "--duration", "1s", seconds=PATIENCE)
    check_equal(code, REFUSED, "exit code")
    check("attach cookies" in err and "without probes" in err, err)
    check_equal(changed(target.pid), [], "bytes of code changed")


# --- everywhere -----------------------------------------------------------------------------------


@expecting("always")
def once_needs_no_probe(t):
    target = start(t, COUNTS)
    target.ask("run 1009 503", PATIENCE)
    final = Gleakd(t, target.pid, "--once").final(PATIENCE)
    here = sites(final, COUNTS.line("made:run"), COUNTS.line("blocked:run"))
    check_equal(total(here, "parked"), 503, "parked")
    check_equal(final["targets"][0]["goroutines"]["alive"], 504, "alive")


@expecting("always")
def census_needs_no_probe(t):
    target = start(t, COUNTS)
    g = Gleakd(t, target.pid, "--interval", "1s", "--mode", "census")
    g.report("a first look", seconds=PATIENCE)
    target.ask("run 1009 503", PATIENCE)
    place = COUNTS.line("made:run"), COUNTS.line("blocked:run")
    g.report("503 parked", lambda r: total(sites(r, *place), "parked") == 503, PATIENCE)
    check_equal(changed(target.pid), [], "bytes of code changed")
    g.interrupt(PATIENCE)


@expecting("always")
def the_host_is_followed(t):
    """Who comes is told by the kernel, long before the next look through /proc; who ends goes."""
    first = start(t, COUNTS, path=own_copy(t, COUNTS, "first"))
    metrics = os.path.join(t.directory(), "gleakd.prom")
    g = Gleakd(t, None, "--only", f"exe:{t.own_folder}/*", "--config", "/dev/null", "--interval",
               "1s", "--min-process-age", "200ms", "--textfile", metrics, *anyhow())

    def pids(r):
        return sorted(target["pid"] for target in r["targets"] if target["pid"])

    g.report("the first", lambda r: pids(r) == [first.pid], PATIENCE)
    second = start(t, COUNTS, path=own_copy(t, COUNTS, "second"))
    both = sorted((first.pid, second.pid))
    # Without process events /proc is looked through every 5 s, with them every 30 s.
    g.report("the second", lambda r: pids(r) == both, 20)
    first.process.kill()
    g.report("the first gone", lambda r: pids(r) == [second.pid], 20)
    with open(metrics, encoding="utf-8") as file:
        text = file.read()
    check(re.search(r"^gleakd_", text, re.MULTILINE), f"metrics: {text[:300]!r}")
    check_equal(pids(g.interrupt(PATIENCE)), [second.pid], "at the end")
    silent = [line for line in g.errors if "looking through /proc alone" in line]
    check_equal(silent, [], "said about process events")


@expecting("always")
def without_btf_it_says_so(t):
    """As on a kernel that was built without."""
    target = start(t, COUNTS)
    hide = 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
    code, _, err = run(t, "--pid", str(target.pid), "--duration", "1s", seconds=PATIENCE,
                       prefix=["unshare", "-m", "sh", "-c", hide])
    check_equal(code, REFUSED, "exit code")
    check("CONFIG_DEBUG_INFO_BTF" in err, err)


def knows_written_pages():
    """Whether the kernel marks a page that was just written (soft-dirty, CONFIG_MEM_SOFT_DIRTY)."""
    page = mmap.mmap(-1, mmap.PAGESIZE)
    page[0] = 1
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    with open("/proc/self/pagemap", "rb") as file:
        file.seek(address // mmap.PAGESIZE * 8)
        return bool(struct.unpack("Q", file.read(8))[0] >> 55 & 1)


@expecting("always")
def a_proof_copies_again_what_was_written(t):
    """
    Lost goroutines are proven, as many as no dead word on a thread's own stack happens to lead to; where
    the kernel tells written pages, no others are copied.
    """
    target = Target(t, [BALLAST.build(), "20", "3003", "7"])
    target.answer("ready", PATIENCE)
    code, out, err = run(t, "prove", str(target.pid), "--max-stop", "1m", "--json",
                         seconds=PATIENCE)
    check_equal(code, 0, f"exit code; {err}")
    proven = [s["proof"]["goroutines"] for s in json.loads(out.splitlines()[-1])["targets"][0]
              ["sites"] if s["proof"]["level"] == "proven"]
    check(proven in ([5], [6], [7]), f"proven: {proven} of 7")
    written = knows_written_pages()
    tell({"artefact": "prove.txt", "text": f"soft-dirty {written}\n{err}"})
    check_equal("what is written meanwhile once more" in err, written, f"what is copied: {err}")
    check("stopped for" in err, err)
    target.send("window")
    target.answer("{", PATIENCE)


@expecting("always")
def what_written_pages_are_worth(t):
    """How long a proof stops a process with the kernel's marks and without them: prove_both.txt."""
    target = Target(t, [BALLAST.build(), "40", "3", "2"])
    target.answer("ready", PATIENCE)
    target.send("pace 1")
    target.answer("ok", PATIENCE)
    written, told = knows_written_pages(), []
    unmarked = ("unshare", "-m", "sh", "-c", "mount --bind /dev/full "
                f"/proc/{target.pid}/clear_refs && exec \"$0\" \"$@\"")
    for prefix in ((), unmarked):
        code, _, err = run(t, "prove", str(target.pid), "--max-stop", "1m", "--json",
                           seconds=3 * PATIENCE, prefix=prefix)
        check_equal(code, 0, f"exit code; {err}")
        marked = written and not prefix
        check_equal("what is written meanwhile once more" in err, marked, f"what is copied: {err}")
        told.append(f"soft-dirty {marked}\n{err}")
    tell({"artefact": "prove_both.txt", "text": "\n".join(told)})


what_written_pages_are_worth.seconds = 7 * PATIENCE


@expecting("probes")
def an_nfs_server_that_is_gone(t):
    """What runs from there is in quarantine and named, whichever command looks; all else goes on."""
    if MACHINE != "amd64":
        raise Skip("modules of NFS for an emulated machine", always=True)
    server = Server("/mnt/nfs")
    path = shutil.copy(COUNTS.build(), os.path.join(server.folder, "remote"))
    remote = Target(t, [path])
    remote.answer("ready", PATIENCE)
    other = start(t, COUNTS, path=own_copy(t, COUNTS, "local"))
    options = ("--only", "comm:remote", "--only", "comm:local", "--interval", "1s", "--min-process-age", "1s",
               "--max-self-cpu", "0", *anyhow())
    before = Gleakd(t, None, *options)
    before.report("both", lambda r: {remote.pid, other.pid} <= {x["pid"] for x in r["targets"]}, PATIENCE)
    server.stop()
    t.defer(server.start)
    began = time.monotonic()
    after = Gleakd(t, None, *options)
    r = after.report("it is in quarantine", lambda r: r["self"]["quarantined"] >= 1, PATIENCE)
    check_equal([p["pid"] for p in r["self"]["quarantined_processes"]], [remote.pid], "in quarantine")
    check(any(f"pid {remote.pid}: its memory or a file" in line for line in after.errors), f"{after.errors}")
    other.ask("shape chanreceive 37")
    for g in (before, after):
        seen = len(g.reports)
        g.report("the other's", lambda r, g=g, seen=seen: len(g.reports) > seen and any(
            x["pid"] == other.pid and total(x["sites"], "goroutines") == 38 for x in r["targets"]), PATIENCE)
    for args, expected in ((("list", "--json"), 0), (("--pid", str(remote.pid), "--once"), 1)):
        code, _, err = run(t, *args, seconds=PATIENCE)
        check_equal(code, expected, f"exit code of {args[0]}: {err}")
        check(str(remote.pid) in err, f"{args[0]} does not name it: {err}")
    tell({"artefact": "nfs.txt", "text": f"{time.monotonic() - began:.0f} s\n" + "\n".join(after.errors)})
    for g in (before, after):
        g.interrupt(PATIENCE)


an_nfs_server_that_is_gone.seconds = 5 * PATIENCE


@expecting("probes")
def yama_forbids_everything(t):
    """At kernel.yama.ptrace_scope 3, which stays so until the machine ends, not even root reads a process's memory."""
    scope = "/proc/sys/kernel/yama/ptrace_scope"
    if not os.path.exists(scope):
        raise Skip("Yama in the kernel", always=True)
    with open(scope, "w", encoding="ascii") as file:
        file.write("3")
    code, out, err = run(t, "run", "--duration", "10s", "--", DEMO.build(), "-for", "300s", seconds=PATIENCE)
    check_equal(code, NOT_PERMITTED, f"exit code; {err}")
    check("runs before it is watched, as the kernel does not let it be held" in err, err)
    check("kernel.yama.ptrace_scope is 3, which forbids it to everybody until the next boot" in err, err)
    left = subprocess.run(["pidof", os.path.basename(DEMO.path)], capture_output=True, text=True).stdout
    check_equal(left, "", "programs left behind")


# Of those that come last, in their order.
yama_forbids_everything.last = 1


@expecting("always")
def the_kernel_does_not_complain(t):
    """Of all that came before."""
    said = subprocess.run(["dmesg"], capture_output=True, text=True, errors="replace").stdout
    marks = ("WARNING:", "BUG:", "Oops", "Call Trace", "rcu_", "general protection", "segfault")
    lines = [line for line in said.splitlines() if any(mark in line for mark in marks)]
    t.note("\n".join(said.splitlines()[-60:]))
    check_equal([line for line in lines if "rcu_" not in line or "stall" in line], [],
                "the kernel's log")
    with contextlib.suppress(FileNotFoundError):
        with open("/sys/kernel/tracing/uprobe_events", encoding="utf-8") as file:
            check_equal(file.read(), "", "uprobes in tracefs")


the_kernel_does_not_complain.last = 2
