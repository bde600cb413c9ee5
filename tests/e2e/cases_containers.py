# SPDX-License-Identifier: Apache-2.0
"""Programs in containers: made of the kernel's own parts, as container runtimes do it."""

import os
import secrets
import shutil
import subprocess

from cases_host import host, of_pid, pids
from faults import (PATIENCE, Disk, attached, check_unharmed, counts_are, metrics_when, shows,
                    until)
from harness import Skip, case, check_equal
from programs import Program, Target

COUNTS = Program("counts")
# An overlay in a mount namespace of its own, and the program as the first process of its own.
CONTAINER = ("mount -t overlay none -o lowerdir=$0/image,upperdir=$1/upper,workdir=$1/work "
             "$1/root && exec chroot $1/root /service")


class Container(Target):
    """A process whose root is a writable layer over an image that others share."""

    def __init__(self, t, disk, name):
        layers = os.path.join(disk.path, name)
        for part in ("upper", "work", "root"):
            os.makedirs(os.path.join(layers, part))
        super().__init__(t, ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c",
                             CONTAINER, disk.path, layers])
        check_equal(self.answer("ready").split()[1], "1", "its pid in its own namespace")
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children",
                  encoding="utf-8") as children:
            self.pid = int(children.read().split()[0])


class Image(Disk):
    """A file system with an image that holds one program."""

    def __init__(self, t):
        super().__init__(t, "64m")
        os.mkdir(os.path.join(self.path, "image"))
        shutil.copy(COUNTS.build(), os.path.join(self.path, "image", "service"))

    def busy(self):
        return subprocess.run(["umount", self.path], capture_output=True).returncode != 0


def control_group(t, name):
    """A group of the unified hierarchy, for as long as the case lasts."""
    with open("/proc/mounts", encoding="utf-8") as mounts:
        bases = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    for base in bases:
        path = os.path.join(base, name)
        try:
            os.mkdir(path)
        except OSError:
            continue
        t.defer(os.rmdir, path)
        return path
    raise Skip("a cgroup2 file system to make groups in")


def host_of(t, image, *args):
    t.own_folder = image.path
    return host(t, *args)


@case
def shared_layers_are_counted_by_container(t):
    """One file of an image below two containers: each has its own figures, nothing is doubled."""
    image = Image(t)
    one, other = Container(t, image, "one"), Container(t, image, "other")
    g = host_of(t, image)
    shows(g, "events of both", attached(one, other))
    one.ask("run 1009 503")
    other.ask("run 2003 101")
    shows(g, "the figures of one", counts_are(one.pid, alive=504))
    shows(g, "those of the other", counts_are(other.pid, alive=102))
    final = g.interrupt(PATIENCE)
    for container, created in ((one, 1009), (other, 2003)):
        target = of_pid(final, container.pid)
        check_equal(target["goroutines"]["created"], created, "created")
        check_equal(target["losses"]["repaired"], 0, "repaired")
        check_unharmed(container)


@case
def nothing_of_a_container_is_held_when_it_has_gone(t):
    image = Image(t)
    container = Container(t, image, "one")
    g = host_of(t, image)
    shows(g, "it", lambda r: pids(r) == [container.pid])
    container.process.kill()
    shows(g, "nobody", lambda r: pids(r) == [])
    until("the file system can be unmounted", lambda: not image.busy())
    g.interrupt(PATIENCE)


@case
def where_it_runs_is_told(t):
    name = secrets.token_hex(32)
    group = control_group(t, f"docker-{name}.scope")
    image = Image(t)
    container = Container(t, image, "one")
    with open(os.path.join(group, "cgroup.procs"), "w", encoding="utf-8") as procs:
        procs.write(str(container.pid))
    path = os.path.join(t.directory(), "gleakd.prom")
    g = host_of(t, image, "--textfile", path, "--group-by", "container")
    report = shows(g, "it", lambda r: pids(r) == [container.pid])
    check_equal(of_pid(report, container.pid)["container_id"], name, "container")
    metrics_when("its group", path, lambda m: any(name in key for key in m))
    container.process.kill()
    container.process.wait()
    g.interrupt(PATIENCE)
    until("the group is empty", lambda: not open(os.path.join(group, "cgroup.procs"),
                                                 encoding="utf-8").read())
