# SPDX-License-Identifier: Apache-2.0
"""Where memory is allocated: `gleakd heap`, held against what the program says of itself."""

import json
import os
import re
import subprocess

import heap_profiles
from harness import VERSIONS, Failed, case, cases_for, check, check_equal
from programs import Program, go_command, start
from tracer import check_schema, run

EVERYDAY_PROGRAMS = {
    "local": Program("allocations"),
    "local-pie-stripped": Program("allocations", strip=True, pie=True),
}
VERSION_PROGRAMS = {
    f"go{version}{kind}": Program("allocations", version, strip="-stripped" in kind,
                                  pie="-pie" in kind)
    for version in ("1.18.10", "1.19.13", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13",
                    "1.25.14", "1.26.8", "1.27.1")
    for kind in ("", "-stripped", "-pie-stripped")
}
# Kinds of tests/programs/allocations, and how many of each: primes.
FILLS = {"nodes": 10007, "strings": 4001, "tiny": 20011, "headers": 503, "large": 5, "map": 2003,
         "closures": 3001, "shapes": 1009, "generic": 4003, "deep": 1511}
DROPPED = ("strings", "shapes", "large")
RATE = 4096
MIB = 1 << 20


# --- profiles -------------------------------------------------------------------------------------


def samples(path):
    """Where a fill has allocated."""
    try:
        return heap_profiles.samples(path, "main.fill")
    except subprocess.CalledProcessError as problem:
        raise Failed(f"go tool pprof: {problem.stderr}") from None


def differences(found, own):
    wrong = [f"only in one: {key} {found.get(key)} {own.get(key)}"
             for key in found.keys() ^ own.keys()]
    # Both cut off after a multiplication, with exponentials of their own: by one for each bucket.
    wrong += [f"{key}: {found[key]}, not {own[key]}" for key in found.keys() & own.keys()
              if any(abs(a - b) > 4 for a, b in zip(found[key], own[key]))]
    return "\n".join(wrong)


# --- reports --------------------------------------------------------------------------------------


def look(t, pid, *arguments, seconds=20):
    code, out, said = run(t, "heap", str(pid), "--json", *arguments, seconds=seconds)
    check_equal(code, 0, f"exit code; {said}")
    report = json.loads(out.splitlines()[-1])
    check_schema(report)
    return report["targets"][0]


def sites_in(target, function):
    """Those whose own line is in the function."""
    return [site for site in target["alloc_sites"]
            if site["allocated_at"] and site["allocated_at"]["function"] == "main." + function]


def the_site_in(target, function):
    """The one with most in use."""
    return max(sites_in(target, function), key=lambda site: site["in_use_bytes"])


def begin(t, program, rate=RATE):
    os.environ["RATE"] = str(rate)
    try:
        return start(t, program)
    finally:
        del os.environ["RATE"]


def fill(target, fills):
    for kind, n in fills.items():
        target.ask(f"fill {kind} {n}")


# --- cases ----------------------------------------------------------------------------------------


def judge(t, program):
    """Every stack, every size, every figure, for what stayed and for what was freed."""
    target = begin(t, program)
    fill(target, FILLS)
    for kind in DROPPED:
        target.ask(f"drop {kind}")
    target.ask("collect")
    folder = t.directory()
    ours, own = (os.path.join(folder, name) for name in ("ours.pb.gz", "own.pb.gz"))
    code, _, said = run(t, "heap", str(target.pid), "--pprof", ours)
    check_equal(code, 0, f"exit code; {said}")
    target.ask(f"profile {own}")
    found, wanted = samples(ours), samples(own)
    check(len(wanted) >= len(FILLS), f"stacks: {wanted}")
    check_equal(differences(found, wanted), "", "differences")
    freed = [values for values in found.values() if values[0] and not values[2]]
    check(len(freed) >= len(DROPPED), f"what was freed: {found}")


@cases_for(EVERYDAY_PROGRAMS)
def the_same_as_the_program_says(t, program):
    judge(t, program)


@cases_for(VERSION_PROGRAMS, tier=VERSIONS)
def the_same_as_the_program_says_in(t, program):
    judge(t, program)


@case
def samples_stand_for_what_was_not_sampled(t):
    """At the usual rate of 512 KiB, of 64-byte nodes one in 8,192 is a sample."""
    target = begin(t, Program("allocations"), rate=512 << 10)
    fill(target, {"nodes": 3_000_017, "large": 7})
    target.ask("collect")
    report = look(t, target.pid)
    check_equal(report["memory"]["source"], "runtime_samples", "source")
    check_equal(report["memory"]["sample_rate_bytes"], 512 << 10, "rate")
    site = the_site_in(report, "newNode")
    error = site["relative_error"]
    check(0.02 < error < 0.1, f"1 / sqrt(366 or so): {error}")
    for name, wanted in (("in_use_objects", 3_000_017), ("in_use_bytes", 64 * 3_000_017)):
        off = abs(site[name] / wanted - 1)
        check(off < 5 * error, f"{name}: {site[name]}, not {wanted}, with an error of {error}")
    # Larger than the distance of two samples: nearly all of them are seen, and the error is small.
    site = the_site_in(report, "fillLarge")
    check(site["relative_error"] < 0.03, f"error of large ones: {site}")
    check(abs(site["in_use_bytes"] / (21 * MIB) - 1) < 0.3, f"large ones: {site}")


@case
def what_is_there_now_and_not_two_collections_ago(t):
    target = begin(t, Program("allocations"))
    target.ask("collect")
    target.ask("never")
    fill(target, {"nodes": 10007})
    site = the_site_in(look(t, target.pid), "newNode")
    check(abs(site["in_use_objects"] / 10007 - 1) < 0.5, f"not collected since: {site}")
    target.ask("drop nodes")
    target.ask("collect")
    site = the_site_in(look(t, target.pid), "newNode")
    check_equal((site["in_use_bytes"], site["in_use_objects"]), (0, 0), "freed")
    check(site["alloc_objects"] > 5000, f"but it was allocated: {site}")


@case
def with_every_object_sampled_the_figures_are_exact(t):
    target = begin(t, Program("allocations"), rate=1)
    fill(target, {"headers": 503, "deep": 1511})
    report = look(t, target.pid)
    site = the_site_in(report, "fillHeaders")
    check_equal((site["in_use_objects"], site["relative_error"]), (503, 0), "headers")
    check_equal(site["in_use_bytes"], 503 * 896, "bytes of the size class")
    deep = next(s for s in sites_in(report, "deep") if s["in_use_objects"] == 1511)
    functions = [frame["function"] for frame in deep["stack"]]
    check_equal(functions.count("main.deep"), 41 if len(functions) > 40 else -1, "the whole stack")
    check("main.fillDeep" in functions, f"{functions}")


@case
def allocated_here_and_held_there(t):
    target = begin(t, Program("allocations"))
    fill(target, {"nodes": 10007, "shapes": 1009, "strings": 4001})
    target.ask("drop strings")
    target.ask("collect")
    report = look(t, target.pid)
    for function, kind, held in (("newNode", "main.node", r"main\.kept\[…\]"),
                                 ("(*square).grow", "[]uint8", r"main\.kept.*\.rows\[…\]")):
        site = the_site_in(report, function)
        check_equal(site["type"], kind, f"type of {function}")
        check(re.match(held, site["held_by"][0]), f"who holds {function}: {site['held_by']}")
    for site in sites_in(report, "fillStrings"):
        check_equal(site["held_by"], [], "who holds what is not in use")
        check(site["type"] in ("[]string", "[]uint8"), f"its type all the same: {site['type']}")
    code, out, said = run(t, "heap", str(target.pid))
    check_equal(code, 0, f"exit code; {said}")
    check("main.node, held by main.kept[…]" in out, f"{out}")


def types_by_allocation(t, program):
    """Of some objects it is known where they were allocated; all that hang there are of their type."""
    target = begin(t, program)
    fill(target, {"chain": 10007, "closures": 3001, "hooks": 4001})
    target.ask("collect")
    report = look(t, target.pid, "--all")
    objects = {kind["type"]: kind["objects"] for kind in report["types"]}
    for kind in ("main.link", "main.payload"):
        check(abs(objects.get(kind, 0) - 10007) <= 100, f"{kind}: {objects}")
    check(abs(objects.get("main.captured", 0) - 4001) <= 40, f"held by closures: {objects}")
    check_equal(the_site_in(report, "fillChain")["type"] in ("main.link", "main.payload"), True,
                "the type of the place")
    closures = {site["type"] for site in sites_in(report, "fillClosures")}
    known = re.compile(r"\[\]func\(\) int|int|struct \{ \S+ uintptr; .*\}")
    check(closures and all(kind and known.fullmatch(kind) for kind in closures),
          f"closures: {closures}")


@cases_for({"local": EVERYDAY_PROGRAMS["local"],
            "local-stripped": Program("allocations", strip=True),
            "local-pie-stripped": EVERYDAY_PROGRAMS["local-pie-stripped"]})
def types_of_what_variables_and_closures_hold(t, program):
    types_by_allocation(t, program)


@cases_for({name: program for name, program in VERSION_PROGRAMS.items() if "-stripped" in name},
           tier=VERSIONS)
def types_of_what_variables_and_closures_hold_in(t, program):
    types_by_allocation(t, program)


@case
def what_grows_comes_first_when_asked_for(t):
    target = begin(t, Program("allocations"))
    fill(target, {"headers": 5003})
    grower = subprocess.Popen(
        [os.path.join(t.build, "gleakd"), "heap", str(target.pid), "--json", "--duration", "6s",
         "--sort", "growth"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    t.defer(grower.kill)
    first = json.loads(grower.stdout.readline())
    check_equal({site["growth_bytes_per_minute"] for site in first["targets"][0]["alloc_sites"]},
                {None}, "after one look")
    fill(target, {"nodes": 10007})
    out, said = grower.communicate(timeout=30)
    check_equal(said, "", "nothing is said of leaks, which nobody asked for")
    last = json.loads(out.splitlines()[-1])
    sites = last["targets"][0]["alloc_sites"]
    check_equal(sites[0]["allocated_at"]["function"], "main.newNode", "first")
    check(sites[0]["growth_bytes_per_minute"] > 640 * 1009, f"growth: {sites[0]}")
    headers = the_site_in(last["targets"][0], "fillHeaders")
    check_equal(headers["growth_bytes_per_minute"], 0, "what stays as it is")


@case
def orders(t):
    target = begin(t, Program("allocations"))
    fill(target, {"nodes": 5003, "large": 3, "strings": 4001})
    target.ask("drop strings")
    target.ask("collect")
    for order in ("in_use_bytes", "in_use_objects", "alloc_bytes", "alloc_objects"):
        sites = look(t, target.pid, "--sort", order)["alloc_sites"]
        figures = [site[order] for site in sites]
        check_equal(figures, sorted(figures, reverse=True), order)
        check(figures[0] > 0, f"{order}: {figures}")


@case
def a_profile_less_an_earlier_one(t):
    target = begin(t, Program("allocations"))
    fill(target, {"headers": 503})
    folder = t.directory()
    before, after = (os.path.join(folder, name) for name in ("before.pb.gz", "after.pb.gz"))
    run(t, "heap", str(target.pid), "--pprof", before)
    fill(target, {"nodes": 10007})
    run(t, "heap", str(target.pid), "--pprof", after)
    got = subprocess.run(
        [go_command(), "tool", "pprof", "-top", "-unit=B", "-diff_base", before, after],
        capture_output=True, text=True, timeout=60, env=dict(os.environ, HOME="/root"))
    check_equal(got.returncode, 0, f"go tool pprof: {got.stderr}")
    rows = {line.split()[5]: line.split()[0] for line in got.stdout.splitlines()
            if len(line.split()) >= 6 and line.split()[5].startswith("main.")}
    check(int(rows["main.newNode"].removesuffix("B")) > 320_000, f"what came: {got.stdout}")
    check("main.fillHeaders" not in rows or rows["main.fillHeaders"] == "0",
          f"what stayed: {got.stdout}")


@case
def a_table_for_people(t):
    target = begin(t, Program("allocations"))
    fill(target, {"nodes": 10007, "large": 3})
    code, out, said = run(t, "heap", str(target.pid))
    check_equal(code, 0, f"exit code; {said}")
    for word in ("allocated at", "one per 4.1 kB", "main.newNode", "±", "main.go:"):
        check(word in out, f"{word!r} in {out!r}")
    check("main.fillNodes" not in out, f"no stacks: {out}")
    code, out, said = run(t, "heap", str(target.pid), "-v")
    check("main.fillNodes" in out, f"stacks: {out}")


@case(seconds=200, tier=VERSIONS)
def a_leak_grows_and_what_is_healthy_beside_it_does_not(t):
    target = begin(t, Program("allocations"))
    target.ask("churn")
    target.ask("leak")
    code, out, said = run(t, "heap", str(target.pid), "--json", "--duration", "95s", "--sort",
                          "growth", "--error-exitcode", "17", seconds=150)
    check_equal(code, 17, f"exit code; {said}")
    sites = json.loads(out.splitlines()[-1])["targets"][0]["alloc_sites"]
    growing = [site for site in sites if site["verdict"] == "growing"]
    check("main.newNode" in [s["allocated_at"]["function"] for s in sites[:3]], f"{sites[:3]}")
    # The list that leaks them grows as well, now and then: too seldom to be told.
    check_equal({site["allocated_at"]["function"] for site in growing}, {"main.newNode"}, "growing")
    why = growing[0]["why"]
    check("in each of 6 periods" in why[0] and "was freed" in why[1], f"{why}")
    for healthy in ("fillHeaders", "cache"):
        check_equal({site["verdict"] for site in sites_in({"alloc_sites": sites}, healthy)},
                    {"steady"}, healthy)


@case
def what_grows_takes_its_time(t):
    target = begin(t, Program("allocations"))
    fill(target, {"nodes": 1009})
    code, out, said = run(t, "heap", str(target.pid), "--json", "--error-exitcode", "17")
    check_equal(code, 5, f"exit code; {said}")
    check("--duration 90s" in said, f"why: {said}")
    check_equal({s["verdict"] for s in json.loads(out)["targets"][0]["alloc_sites"]}, {None},
                "verdicts")


# --- no profile -----------------------------------------------------------------------------------


@case
def programs_that_are_linked_without_a_profile(t):
    target = start(t, Program("memory"))
    report = look(t, target.pid)
    check_equal(report["memory"]["source"], None, "source")
    check("linked without" in report["memory"]["source_missing"], f"{report['memory']}")
    check_equal(report["alloc_sites"], [], "sites")
    code, out, said = run(t, "heap", str(target.pid))
    check_equal(code, 0, f"exit code; {said}")
    check("net/http/pprof" in out, f"advice: {out}")
    code, _, said = run(t, "heap", str(target.pid), "--pprof", os.path.join(t.directory(), "none"))
    check_equal(code, 1, "exit code without a profile")
    check("linked without" in said, f"why: {said}")


@case
def programs_that_turn_their_profile_off(t):
    report = look(t, begin(t, Program("allocations"), rate=0).pid)
    check_equal(report["memory"]["source"], None, "source")
    check("turned off" in report["memory"]["source_missing"], f"{report['memory']}")


@case
def a_profile_is_of_one_process(t):
    one, other = begin(t, Program("allocations")), begin(t, Program("allocations"))
    code, _, said = run(t, "heap", str(one.pid), str(other.pid), "--pprof",
                        os.path.join(t.directory(), "two"))
    check_equal(code, 1, "exit code")
    check("--pprof" in said, f"why: {said}")
