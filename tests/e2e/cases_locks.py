# SPDX-License-Identifier: Apache-2.0
"""Who waits for a lock, whatever the site, and who seems to hold it."""

import json

from harness import cases_for, check, check_equal
from programs import Program, start
from tracer import run, sites

PROGRAMS = {
    "local": Program("locks"),
    "local-pie-stripped": Program("locks", strip=True, pie=True),
    "go1.20.14": Program("locks", "1.20.14"),
    "go1.22.12-stripped": Program("locks", "1.22.12", strip=True),
    "go1.27.1": Program("locks", "1.27.1"),
}

# Marker of who holds it: the kind of lock, and how many wait at which markers.
LOCKS = {
    "read": ("rwmutex", {"write": 1, "read": 7}),
    "mutex": ("mutex", {"mutex": 11}),
    "variable": ("mutex", {"variable": 3}),
}


def check_lock(report, program, marker):
    kind, waits = LOCKS[marker]
    holder, = sites(report, blocked=program.line("holds: " + marker))
    waiting = [site for name in waits
               for site in sites(report, blocked=program.line("waits: " + name))]
    check_equal(sorted(site["goroutines"] for site in waiting), sorted(waits.values()), marker)
    check_equal([(lock["kind"], lock["waiters"], sorted(lock["sites"]))
                 for lock in holder["holds"]],
                [(kind, sum(waits.values()), sorted(site["id"] for site in waiting))],
                f"what {marker} holds")
    for site in waiting:
        item, = site["objects"]["items"]
        check_equal(sorted(item["sites"]), sorted(other["id"] for other in waiting),
                    f"who waits for what {marker} holds")
        check_equal([found["site"] for found in item["holders"]], [holder["id"]],
                    f"who seems to hold what {marker} holds")
        check(item["holders"][0]["goid"] > 1, f"{marker}: {item['holders']}")


@cases_for(PROGRAMS)
def the_goroutine_that_waits_with_a_lock_in_its_hand_is_named(t, program):
    """A sender with a read lock, a deferred unlock, a variable; not those that have but a pointer."""
    target = start(t, program)
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json", "--all")
    check_equal(code, 0, f"exit code ({err})")
    report = json.loads(out)
    for marker in LOCKS:
        check_lock(report, program, marker)
    for bystander in ("bystander", "bystander with a lock of its own"):
        site, = sites(report, blocked=program.line(bystander))
        check_equal(site["holds"], [], bystander)
    site, = sites(report, blocked=program.line("waits: mutex"))
    _, text, _ = run(t, "--pid", str(target.pid), "--once", "--explain", site["id"])
    check("seems to hold it" in text and "(*account).settle" in text, text)


ENDS = {
    "local": Program("ends"),
    "local-pie-stripped": Program("ends", strip=True, pie=True),
    "go1.18.10": Program("ends", "1.18.10"),
    "go1.22.12-stripped": Program("ends", "1.22.12", strip=True),
    "go1.27.4": Program("ends", "1.27.4"),
}

# Who waits at a channel: how many, and who has the other end.
CHANNELS = {"work": (5, "gather"), "read": (3, "fill")}


@cases_for(ENDS)
def who_has_the_other_end_of_a_channel_is_named(t, program):
    """A collector that waits for its workers, a sender that has not been started; no bystander."""
    target = start(t, program)
    code, out, err = run(t, "--pid", str(target.pid), "--once", "--json", "--all")
    check_equal(code, 0, f"exit code ({err})")
    report = json.loads(out)
    for marker, (number, end) in CHANNELS.items():
        site, = sites(report, blocked=program.line("waits: " + marker))
        other, = sites(report, blocked=program.line("waits: " + end))
        item, = site["objects"]["items"]
        check_equal((item["kind"], item["sites"]), ("channel", [site["id"]]), marker)
        check_equal([holder["site"] for holder in item["holders"]], [other["id"]],
                    f"the other end of what {marker} waits for")
        check_equal([(held["kind"], held["waiters"], held["sites"]) for held in other["holds"]],
                    [("channel", number, [site["id"]])], f"what {end} is the other end of")
    site, = sites(report, blocked=program.line("bystander"))
    check_equal(site["holds"], [], "a bystander")
    site, = sites(report, blocked=program.line("waits: read"))
    _, text, _ = run(t, "--pid", str(target.pid), "--once", "--explain", site["id"])
    check("other end" in text and "seems to be it" in text and "(*feed).fill" in text, text)


@cases_for({key: program for key, program in ENDS.items() if key != "go1.18.10"})
def a_lock_and_a_channel_between_two_goroutines_are_told_both(t, program):
    """One sends with the lock in its hand that the other wants before it receives again. From Go 1.20 on."""
    target = start(t, program)
    _, out, err = run(t, "--pid", str(target.pid), "--once", "--json", "--all")
    report = json.loads(out)
    publish, = sites(report, blocked=program.line("waits: publish"))
    watch, = sites(report, blocked=program.line("waits: watch"))
    for site, other, kind in ((publish, watch, "channel"), (watch, publish, "mutex")):
        item, = site["objects"]["items"]
        check_equal((item["kind"], [holder["site"] for holder in item["holders"]]),
                    (kind, [other["id"]]), f"who would end the wait ({err})")
        check_equal([held["kind"] for held in other["holds"]], [kind], "what the other holds")
