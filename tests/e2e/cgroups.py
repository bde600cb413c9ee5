# SPDX-License-Identifier: Apache-2.0
"""Control groups that a case makes."""

import os

from faults import CGROUPS
from harness import Skip


class Group:
    """Control groups of a case, the lower ones maybe given to a user."""

    def __init__(self, t):
        base = next((base for base in CGROUPS
                     if os.access(os.path.join(base, "cgroup.procs"), os.W_OK)), None)
        if not base:
            raise Skip("control groups", always=True)
        self.base, self.path = base, os.path.join(base, f"gleakd-test-{os.getpid()}-{id(self)}")
        t.defer(self._end)

    def take(self, pid, name, owner=0):
        """Process @pid into group @name, whose folder is the owner's."""
        path = os.path.join(self.path, name)
        os.makedirs(path, exist_ok=True)
        if owner:
            os.chown(os.path.dirname(path), owner, owner)
        with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(pid))

    def _end(self):
        for folder, _, _ in os.walk(self.path, topdown=False):
            with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as file:
                left = file.read().split()
            for pid in left:
                with open(os.path.join(self.base, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write(pid)
            os.rmdir(folder)
