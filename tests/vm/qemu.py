# SPDX-License-Identifier: Apache-2.0
"""A virtual machine, emulated if need be: boots a kernel, and hears what the guest has to tell."""

import json
import os
import shutil
import subprocess

from harness import Skip

HERE = os.path.dirname(os.path.abspath(__file__))


class Machine:
    """
    An architecture's. `told`: the guest's name of the line on which it tells its results; `told_by`: the
    options that make it of the character device "told".
    """

    def __init__(self, program, package, console, told, told_by, options, words, seconds):
        self.program, self.package, self.console = program, package, console
        self.told, self.told_by = told, told_by
        self.options, self.words, self.seconds = options, words, seconds

    def check_prerequisites(self):
        if not shutil.which(self.program):
            raise Skip(f"{self.program} (package {self.package})")

    def command(self, image, initramfs, lines, words):
        log, told = lines
        given = [*self.words, f"console={self.console}", "panic=-1", "quiet", "mitigations=off",
                 "oops=panic", f"gleakd_guest={os.path.join(HERE, 'guest.py')}",
                 f"gleakd_told=/dev/{self.told}", *words]
        return [self.program, "-accel", "tcg,thread=multi", "-smp", "2", "-nodefaults",
                "-no-reboot", "-display", "none", "-nic", "none", *self.options,
                "-chardev", f"file,id=told,path={told}", "-serial", f"file:{log}", *self.told_by,
                "-kernel", image, "-initrd", initramfs, "-append", " ".join(given)]

    def run(self, image, initramfs, folder, words):
        """What the guest told, as objects, and how the machine ended ("" when in order)."""
        os.makedirs(folder, exist_ok=True)
        lines = os.path.join(folder, "console.log"), os.path.join(folder, "told.jsonl")
        for path in lines:
            if os.path.exists(path):
                os.unlink(path)
        ended = ""
        try:
            done = subprocess.run(self.command(image, initramfs, lines, words),
                                  timeout=self.seconds, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True)
            if done.returncode:
                ended = f"{self.program} ended with {done.returncode}: {done.stderr.strip()[-300:]}"
        except subprocess.TimeoutExpired:
            ended = f"still running after {self.seconds} s"
        return list(objects(lines[1])), ended


MACHINES = {
    # All clocks of an emulated processor are the host's; a guest left to itself mistrusts them.
    "amd64": Machine("qemu-system-x86_64", "qemu-system-x86", "ttyS0", "ttyS1",
                     ["-serial", "chardev:told"], ["-cpu", "max", "-m", "1024"],
                     ["tsc=reliable"], 900),
    # The algorithm that signs its pointers is dear to emulate; there is a cheap one. A processor that gets no time
    # of the host's is not stuck.
    "arm64": Machine("qemu-system-aarch64", "qemu-system-arm", "ttyAMA0", "ttyS0",
                     ["-device", "pci-serial,chardev=told"],
                     ["-machine", "virt", "-cpu", "max,pauth-impdef=on", "-m", "2048"],
                     ["nosoftlockup", "gleakd_slow=5"], 3000),
}


def objects(path):
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:  # cut off
                return
