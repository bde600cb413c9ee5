# SPDX-License-Identifier: Apache-2.0
"""What goroutines wait on: which channel or lock, who shares it, what is in it, has it a timer."""

import json
import os

from harness import cases_for, check, check_equal
from programs import Program, Target
from tracer import Gleakd, sites

PROGRAMS = {
    "local": Program("objects"),
    "local-stripped": Program("objects", strip=True),
    "local-pie-stripped": Program("objects", strip=True, pie=True),
    "go1.18.10-stripped": Program("objects", "1.18.10", strip=True),
    "go1.22.12": Program("objects", "1.22.12"),
    "go1.25.14-stripped": Program("objects", "1.25.14", strip=True),
    "go1.27.1-stripped": Program("objects", "1.27.1", strip=True),
}

# Marker of the line: how many wait there, and the objects they share, by the program's names for
# them, with what is known of each.
CHANNEL = {"length": 0, "capacity": 0, "receivers": 0, "senders": 0, "closed": False,
           "timer": False, "more_waiters": False}
CHANNELS = {
    "receive": (7, {"receive": {**CHANNEL, "receivers": 7}}),
    "send": (11, {"send": {**CHANNEL, "senders": 11, "length": 3, "capacity": 3}}),
    "pool": (19, {"jobs": {**CHANNEL, "receivers": 19, "capacity": 31},
                  "stop": {**CHANNEL, "receivers": 19}}),
}
# Marker: how many, the kind of object, since which Go its kind is known, and how far its semaphore
# is behind its beginning.
VARIABLES = {
    "mutex": (3, "mutex", 20, 4),
    "read": (13, "rwmutex", 20, 12),
    "write": (1, "rwmutex", 20, 8),
    "group": (2, "wait group", 0, 8),
    "cond": (17, "cond", 0, 0),
}


def objects_at(report, program, marker, goroutines):
    """The objects of the one site that waits at a marker."""
    found = sites(report, blocked=program.line("waits: " + marker))
    check_equal([s["goroutines"] for s in found], [goroutines], f"sites at {marker}")
    check(found[0]["objects"], f"nothing is known of what those at {marker} wait on")
    return found[0]["objects"]


def check_channels(report, program, addresses):
    for marker, (goroutines, wanted) in CHANNELS.items():
        objects = objects_at(report, program, marker, goroutines)
        check_equal(objects["looked_at"], goroutines, f"{marker}: looked at")
        check_equal(objects["distinct"], len(wanted), f"{marker}: distinct")
        by_address = {item["address"]: item for item in objects["items"]}
        for name, known in wanted.items():
            item = by_address.get(addresses[name])
            check(item, f"{marker}: {name} at {addresses[name]} is not in {objects['items']}")
            check_equal(item["kind"], "channel", f"{marker}: kind")
            check_equal(item["members"], goroutines, f"{marker}: members")
            check_equal({key: item[key] for key in known}, known, f"{marker}: {name}")


def check_selects(report, program):
    """Channels of their own; it is known of a timer's whether it will fire."""
    for marker, goroutines, armed in (("timer", 5, True), ("stopped", 23, False)):
        objects = objects_at(report, program, marker, goroutines)
        check_equal(objects["looked_at"], goroutines, f"{marker}: looked at")
        check_equal(objects["distinct"], 2 * goroutines, f"{marker}: distinct")
        check_equal({item["members"] for item in objects["items"]}, {1}, f"{marker}: members")
        timers = [item for item in objects["items"] if item["timer"]]
        check_equal(bool(timers), armed, f"{marker}: a timer that runs")
        check_equal({item["capacity"] for item in timers} - {1}, set(), f"{marker}: capacities")


def check_variables(report, program, addresses):
    for marker, (goroutines, kind, since, offset) in VARIABLES.items():
        objects = objects_at(report, program, marker, goroutines)
        check_equal(objects["looked_at"], goroutines, f"{marker}: looked at")
        check_equal((objects["distinct"], len(objects["items"])), (1, 1), f"{marker}: distinct")
        item, address = objects["items"][0], int(addresses[marker], 16)
        if program.minor() < since:
            kind, address = "semaphore", address + offset
        check_equal(item["kind"], kind, f"{marker}: kind")
        check_equal(int(item["address"], 16), address, f"{marker}: address")
        counts = item["members"], item["waiters"], item["more_waiters"]
        check_equal(counts, (goroutines, goroutines, False), f"{marker}: waiters")


def watched(t, program, env=None):
    """The program's own words for its objects, and the last report of a watch."""
    target = Target(t, [program.build()], env=env)
    target.answer("ready")
    addresses = json.loads(target.answer("{"))
    g = Gleakd(t, target.pid, "--interval", "500ms")
    g.report("everybody", lambda r: sum(s["goroutines"] for s in sites(r)) >= 101)
    return addresses, g.interrupt()


@cases_for(PROGRAMS)
def what_they_wait_on(t, program):
    """Every address is the program's own word for it; every count is a prime that it chose."""
    # The module says go 1.18, for which the runtime would not tell channels of their timers.
    env = dict(os.environ, GODEBUG="asynctimerchan=0")
    addresses, report = watched(t, program, env)
    check_channels(report, program, addresses)
    check_selects(report, program)
    check_variables(report, program, addresses)


@cases_for({name: PROGRAMS[name] for name in ("local-stripped", "go1.25.14-stripped")})
def timers_that_channels_do_not_know(t, program):
    """As go 1.18 in go.mod has it (asynctimerchan=1): the runtime's timer heaps tell."""
    _, report = watched(t, program)
    check_selects(report, program)
