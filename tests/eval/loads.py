# SPDX-License-Identifier: Apache-2.0
"""What a server under load is: where it comes from, how it is started, which crowds of clients
come and go (tests/eval/healthy/load).

Shapes are [[percent of the time, clients], ...]; they scale with the length of the run, so a quick
one has the same ups and downs, only steeper.
"""

import os
import urllib.request

from common import free_port, port_answers, until

# --- shapes ---------------------------------------------------------------------------------------


def plateau(n):
    """There at once and for good."""
    return [[0, 0], [2, n], [100, n]]


def ramp(n):
    """Slowly up, a plateau, slowly down, a quiet end."""
    return [[0, 0], [45, n], [62, n], [88, 0], [100, 0]]


def growth(n):
    """More and more until the end: nobody has left yet when the watch is over."""
    return [[0, 0], [95, n], [100, n]]


def late(n):
    """Nothing for long, then a ramp up that stays."""
    return [[0, 0], [40, 0], [80, n], [100, n]]


def bursts(n):
    """Four short crowds with nobody in between."""
    points = [[0, 0]]
    for begin in (8, 32, 56, 80):
        points += [[begin, 0], [begin + 0.5, n], [begin + 7, n], [begin + 7.5, 0]]
    return points + [[100, 0]]


def waves(n):
    """Up and down around a half, never to nothing."""
    points = [[0, 0]]
    for middle in (12, 36, 60, 84):
        points += [[middle, n], [middle + 12, n // 3]]
    return points


def steps(n):
    """Four times as many more, each for a while; then half of them."""
    points = [[0, 0]]
    for i in range(4):
        points += [[i * 20 + 1, n * (i + 1) // 4], [i * 20 + 20, n * (i + 1) // 4]]
    return points + [[85, n // 2], [100, n // 2]]


# --- what a server is -----------------------------------------------------------------------------


class Place:
    """Where one run of a server lives: a folder of its own, ports, its binaries."""

    def __init__(self, folder, binary, helper):
        self.folder, self.binary, self.helper = folder, binary, helper
        self.ports = {}
        os.makedirs(folder, exist_ok=True)

    def port(self, name="main"):
        return self.ports.setdefault(name, free_port())

    def address(self, name="main"):
        return f"127.0.0.1:{self.port(name)}"

    def url(self, path="/", name="main"):
        return f"http://{self.address(name)}{path}"

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return path


class Server:
    """One server under load; subclasses say what is particular."""

    name = ""
    about = ""  # what its goroutines are in for
    debian = ""  # its package, and the path of the program within
    go = ""  # or package@version
    own = ""  # or a folder of tests/eval/healthy/own
    program = ""  # path in the Debian package
    helpers = ()  # names of other servers' binaries that it needs to do its work
    attach = "start"  # or "middle": when 40 % of the load is over
    quick = False  # part of the quick run
    leaks = ()  # beginnings of names of its functions that do leak, as a closer look has confirmed
    loader = "load"

    def argv(self, place):
        return [place.binary, place.address()]

    def helper_argv(self, _place):
        """[[program, ...], ...] to start before it."""
        return []

    def environment(self, place):
        return {"HOME": place.folder, "XDG_CONFIG_HOME": place.folder}

    def ready(self, place):
        until(f"{self.name} listens", lambda: port_answers(place.port()), 60)

    def prepare(self, _place):
        """Once, when it listens."""

    def tend(self, _place, _percent):
        """Every two seconds or so while the load lasts."""

    def crowds(self, place):
        raise NotImplementedError


def crowd(kind, url, shape, **more):
    return dict(kind=kind, url=url, shape=shape, **more)


def post(url, body=b"", method="POST", **headers):
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def web(place, path, shape, kind="http", name="main", **more):
    return crowd(kind, place.url(path, name), shape, **more)
