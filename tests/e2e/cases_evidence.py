# SPDX-License-Identifier: Apache-2.0
"""--evidence: what was known of a finding when it was made is there tomorrow."""

import json
import os
import re
import signal
import stat
import subprocess

from cases_host import host, own_copy
from faults import PATIENCE, shows
from harness import case, check, check_equal, until
from programs import Program, go_command, start
from tracer import Gleakd, run

COUNTS = Program("counts")
STUCK = 7  # goroutines that receive from a nil channel
FILES = ["goroutines.pb.gz", "goroutines.txt", "heap.txt", "report.json"]
NAME = re.compile(r"\d{8}T\d{6}Z-(\d+)-([0-9a-f]{8})")


def kept_in(folder):
    return sorted(name for name in os.listdir(folder) if NAME.fullmatch(name))


def stuck_site(report, pid=None):
    for target in report["targets"]:
        for site in target["sites"]:
            place = site["blocked_at"] or {}
            if pid in (None, target["pid"]) and place.get("function") == "main.nilReceive":
                return site
    return None


def named(report, pid=None):
    """The folder that the report names for what is stuck."""
    site = stuck_site(report, pid)
    return site["evidence_folder"] if site else None


def text_of(folder, file):
    with open(os.path.join(folder, file), encoding="utf-8") as stream:
        return stream.read()


def check_folder(t, folder, pid):
    """Private, whole, and each file as the one for whom it is reads it."""
    check_equal(sorted(os.listdir(folder)), FILES, "files")
    check_equal(stat.S_IMODE(os.stat(folder).st_mode), 0o700, "mode of the folder")
    for file in FILES:
        found = os.stat(os.path.join(folder, file))
        check_equal((stat.S_IMODE(found.st_mode), found.st_uid), (0o600, os.geteuid()), file)
    report = json.loads(text_of(folder, "report.json"))
    check_equal([target["pid"] for target in report["targets"]], [pid], "processes in the report")
    check_equal(stuck_site(report)["goroutines"], STUCK, "goroutines in the report")
    dump = text_of(folder, "goroutines.txt")
    check_equal(len(re.findall(r"^goroutine \d+ \[chan receive \(nil chan\)", dump, re.M)), STUCK,
                "goroutines in the dump")
    check_equal(dump.count("goroutine ") - dump.count("in goroutine "), STUCK, "no others")
    check("live objects" in text_of(folder, "heap.txt"), text_of(folder, "heap.txt")[:300])
    top = subprocess.run([go_command(), "tool", "pprof", "-top", os.path.join(folder, "goroutines.pb.gz")],
                         capture_output=True, text=True, check=False)
    check(re.search(rf"^\s+{STUCK} .* main\.nilReceive$", top.stdout, re.M), top.stdout + top.stderr)
    code, out, err = run(t, "report", os.path.join(folder, "report.json"))
    check(code == 0 and "STUCK" in out, f"gleakd report: {code}, {out}, {err}")


@case
def of_a_process_by_name(t):
    target, folder = start(t, COUNTS), os.path.join(t.directory(), "evidence")
    target.ask(f"shape nilreceive {STUCK}")
    g = Gleakd(t, target.pid, "--interval", "300ms", "--min-age", "500ms", "--evidence", folder)
    report = g.report("where it is kept", named, seconds=PATIENCE)
    path = os.path.join(folder, *kept_in(folder))
    check_equal(named(report), path, "folder in the report")
    pid, site = NAME.fullmatch(os.path.basename(path)).groups()
    check_equal((int(pid), site), (target.pid, stuck_site(report)["id"]), "process and site in the name")
    until("the log names it", lambda: any(path in line and "is stuck" in line for line in g.errors))
    check_equal(stat.S_IMODE(os.stat(folder).st_mode), 0o700, "mode of the folder")
    check_folder(t, path, target.pid)
    seen = len(g.reports)
    g.report("it is kept once", lambda r: len(g.reports) > seen + 3)
    g.interrupt(PATIENCE)
    check_equal(kept_in(folder), [os.path.basename(path)], "one folder")
    target.ask("run 1009 503")


@case
def of_what_the_last_report_finds(t):
    """Before gleakd ends."""
    target, folder = start(t, COUNTS), t.directory()
    target.ask(f"shape nilreceive {STUCK}")
    g = Gleakd(t, target.pid, "--min-age", "1s", "--interval", "1h", "--duration", "3s", "--evidence", folder)
    final = g.final(PATIENCE)
    check_equal((stuck_site(final)["verdict"], named(final)), ("stuck", None), "the report, made before it")
    check_folder(t, os.path.join(folder, *kept_in(folder)), target.pid)


@case
def of_a_host_and_a_daemon_that_starts_anew(t):
    """Of each process its own; not again by the next worker, nor by the next gleakd."""
    folder = t.directory()
    targets = [start(t, COUNTS, path=own_copy(t, COUNTS, name)) for name in ("first", "second")]
    for target in targets:
        target.ask(f"shape nilreceive {STUCK}")
    # Whatever that takes on a busy machine: else it looks less and less often.
    arguments = ("--min-age", "500ms", "--max-self-cpu", "0", "--evidence", folder)
    g = host(t, *arguments)
    both = lambda r: all(named(r, target.pid) for target in targets)
    names = {target.pid: named(shows(g, "both", both), target.pid) for target in targets}
    for pid, path in names.items():
        check_folder(t, path, pid)
    os.kill(g.workers()[0], signal.SIGKILL)
    seen = len(g.reports)
    again = shows(g, "both, by another worker", lambda r: len(g.reports) > seen and both(r))
    check_equal({target.pid: named(again, target.pid) for target in targets}, names, "folders")
    g.interrupt(PATIENCE)
    g = host(t, *arguments)
    again = shows(g, "both, by another gleakd", both)
    check_equal({target.pid: named(again, target.pid) for target in targets}, names, "folders")
    g.interrupt(PATIENCE)
    check_equal(kept_in(folder), sorted(os.path.basename(path) for path in names.values()), "folders")


@case
def the_oldest_go(t):
    folder = t.directory()
    target = start(t, COUNTS)
    for hour in range(7):
        os.mkdir(os.path.join(folder, f"20200101T0{hour}0000Z-1-0000000{hour}"), 0o700)
    target.ask(f"shape nilreceive {STUCK}")
    g = Gleakd(t, target.pid, "--interval", "300ms", "--min-age", "500ms", "--evidence", folder,
               "--max-evidence", "3")
    path = named(g.report("where it is kept", named, seconds=PATIENCE))
    g.interrupt(PATIENCE)
    check_equal(kept_in(folder), ["20200101T050000Z-1-00000005", "20200101T060000Z-1-00000006",
                                  os.path.basename(path)], "folders")


@case
def a_folder_that_is_not_gleakds_own(t):
    """It is refused before anything is watched, in words that say what to do."""
    target, folder = start(t, COUNTS), t.directory()
    os.mkdir(os.path.join(folder, "open"))
    os.chmod(os.path.join(folder, "open"), 0o777)
    os.symlink(folder, os.path.join(folder, "link"))
    for name, words in (("open", "others than gleakd may write there; name a folder of its own"),
                        ("link", "name a folder, and not a link to one"), ("not/there", "cannot be made")):
        code, out, err = run(t, "--pid", str(target.pid), "--once", "--json", "--evidence",
                             os.path.join(folder, name))
        check(code in (1, 4) and not out and words in err, f"{name}: {code}, {err}")
