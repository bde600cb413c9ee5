# SPDX-License-Identifier: Apache-2.0
"""What watching may cost, kept where traps are dear: on a machine, and on one target alone."""

import os
import re
import subprocess
import time

import harness
from faults import PATIENCE, compiled
from harness import Failed, case, check, check_equal, until
from image import changed, file_offset
from programs import Program, start
from tracer import Gleakd, run

PACE = Program("pacebench")
FLOOR = os.path.join(harness.ROOT, "tests", "bench", "floor.c")
SITE = re.compile(r"site (?:create|exit|park) \S+ (0x[0-9a-f]+) ")
# Enough for a fair comparison, and few enough for probes to fit into the budget.
RATE = 211
# Each consumer of a uprobe costs each hit some nanoseconds, whoever is hit.
TRACERS = 800


def runtime_folder(t):
    """An environment whose remembered calibration is the case's own; and the file."""
    folder = os.path.join(t.directory(), "run")
    return dict(os.environ, RUNTIME_DIRECTORY=folder), os.path.join(folder, "calibration")


def paced(t, rate):
    target = start(t, PACE)
    target.ask(f"rate {rate}")
    made = int(target.ask("count").split()[-1])
    until("it works", lambda: int(target.ask("count").split()[-1]) > made)
    return target


def of_target(report):
    return report["targets"][0]


def cpu_ns(pid):
    # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED), include/linux/posix-timers_types.h
    return time.clock_gettime_ns((~pid << 3) | 2)


def cpu_per_goroutine(target, number=1009):
    """Nanoseconds of the target's time for each of so many goroutines."""
    def seen():
        return cpu_ns(target.pid), int(target.ask("count").split()[-1])

    cpu, made = seen()
    until(f"{number} goroutines", lambda: seen()[1] >= made + number, PATIENCE)
    cpu_after, made_after = seen()
    return (cpu_after - cpu) / (made_after - made)


# --- what a hit costs on this machine -------------------------------------------------------------


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def dear(text, ns):
    """The same calibration with hits of @ns."""
    return re.sub(r"^(call|jump|branch|push) .*$", rf"\1 {ns}", text, flags=re.M)


@case
def calibration_is_made_before_the_first_probe_and_remembered(t):
    env, path = runtime_folder(t)
    target = start(t, PACE)
    check_equal(Gleakd(t, target.pid, "--once", env=env).final()["final"], True, "a look")
    check(not os.path.exists(path), "one look needs no calibration")
    run(t, "--pid", str(target.pid), "--duration", "100ms", env=env)
    first = text_of(path)
    check_equal(os.stat(path).st_mode & 0o77, 0, "what others may do with it")
    run(t, "--pid", str(target.pid), "--duration", "100ms", env=env)
    check_equal(text_of(path), first, "it was made again")
    for broken in ("", first[:-1], first.replace("call ", "call 9999999999"), first + "x",
                   "\0" * 5000):
        with open(path, "w", encoding="utf-8") as file:
            file.write(broken)
        run(t, "--pid", str(target.pid), "--duration", "100ms", env=env)
        check(re.search(r"^call [0-9]+$", text_of(path), re.M), "a broken one is not replaced")
        check(text_of(path) != broken, "a broken one is not replaced")


@case
def what_others_may_write_is_not_believed(t):
    env, path = runtime_folder(t)
    target = paced(t, RATE)
    run(t, "--pid", str(target.pid), "--duration", "100ms", env=env)
    forged = dear(text_of(path), 2900000)
    for place, mode in ((path, 0o666), (os.path.dirname(path), 0o777)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(forged)
        was = os.stat(place).st_mode & 0o777
        os.chmod(place, mode)
        g = Gleakd(t, target.pid, "--interval", "200ms", env=env)
        g.report("probes, which the forged figures forbid",
                 lambda r: of_target(r)["mode"] != "census")
        g.interrupt()
        os.chmod(place, was)


@case
def where_every_trap_is_dear_nothing_is_attached(t):
    """50 us a hit: 200 goroutines a second would cost two hundredths of a core."""
    env, path = runtime_folder(t)
    target = paced(t, RATE)
    run(t, "--pid", str(target.pid), "--duration", "100ms", env=env)
    text = dear(text_of(path), 50000)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    g = Gleakd(t, target.pid, "--interval", "200ms", env=env)
    r = g.report("the first look")
    check_equal(of_target(r)["mode"], "census", "mode")
    check(re.search(r"lifecycle would cost about [0-9.]+% of a core, 0.5% is allowed",
                    of_target(r)["mode_reason"]), of_target(r)["mode_reason"])
    final = g.interrupt()
    check_equal(of_target(final)["cost"]["probe_hits"],
                {"create": 0, "exit": 0, "park": 0, "wake": 0}, "hits")
    check_equal(of_target(final)["cost"]["mode_changes"], 0, "changes")
    check_equal(text_of(path), text, "it was measured again")


# --- what a hit costs one target ------------------------------------------------------------------


def settled(report):
    """Seconds of it are known."""
    return of_target(report)["cost"]["ns_per_goroutine"]


@case
def cost_is_told_per_goroutine_and_of_its_cpu(t):
    env, _ = runtime_folder(t)
    target = paced(t, RATE)
    bare = cpu_per_goroutine(target)
    g = Gleakd(t, target.pid, "--interval", "300ms", env=env)
    cost = of_target(g.report("what it costs", settled, PATIENCE))["cost"]
    t.note(f"{bare:.0f} ns a goroutine without probes; {cost}")
    check_equal(cost["basis"], "calibrated", "basis")
    check(500 < cost["ns_per_goroutine"] < 100000, f"{cost['ns_per_goroutine']} ns a goroutine")
    check(0 < cost["cpu_share"] < 0.9, f"share {cost['cpu_share']}")
    g.interrupt()
    _, text, _ = run(t, "--pid", str(target.pid), "--interval", "1s", "--duration", "4s", env=env)
    words = r"cost [0-9.]+ µs per goroutine, [0-9.]+% of a core \(0.5% allowed\)"
    check(re.search(words, text), text)


def others_trace(t, program, offsets):
    """So many probes of another process on the same instructions."""
    path = compiled(FLOOR, "floor", "-lbpf")
    process = subprocess.Popen(
        [path, str(program.pid), PACE.path, *(o for o in offsets for _ in range(TRACERS))],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    t.defer(process.wait)
    t.defer(process.kill)
    line = process.stdout.readline()
    if not line.startswith("attached"):
        reason = process.stderr.read().strip()
        if "no program for uprobe_multi" in reason:
            raise harness.Skip("uprobe_multi links (Linux 6.6)")
        raise Failed(reason)
    return process


@case(alone=True, seconds=180)
def hits_that_others_make_dear_are_found_out(t):
    """No calibration can see it: hits of this program's sites cost several times what they should."""
    env, _ = runtime_folder(t)
    other, target = start(t, PACE), paced(t, RATE)
    _, _, said = run(t, "--pid", str(other.pid), "--duration", "100ms", "-vv", env=env)
    offsets = [f"{file_offset(PACE.path, int(a, 16)):x}" for a in SITE.findall(said)]
    check_equal(len(offsets), 3, f"sites in {said}")
    others_trace(t, other, offsets)
    check_equal(changed(target.pid), [], "the others' probes are not on this process")
    bare = cpu_per_goroutine(target)
    g = Gleakd(t, target.pid, "--interval", "300ms", env=env)
    g.report("probes", lambda r: of_target(r)["mode"] != "census")
    probed = cpu_per_goroutine(target, 307)
    r = g.report("they are too dear", lambda r: of_target(r)["mode"] == "census"
                 and "times what it should" in of_target(r)["mode_reason"], PATIENCE)
    ratio = of_target(r)["cost"]["hit_cost_ratio"]
    until("the probes are gone", lambda: not changed(target.pid))
    again = cpu_per_goroutine(target)
    t.note(f"{bare:.0f} ns a goroutine, {probed:.0f} with probes, {again:.0f} after that; "
           f"ratio {ratio}")
    check(ratio > 1.2, f"hit_cost_ratio {ratio}")
    final = g.interrupt()
    check(of_target(final)["observed_seconds"] < 60, "it took too long")
    check_equal(changed(target.pid), [], "bytes of code changed afterwards")
