# SPDX-License-Identifier: Apache-2.0
"""A virtual machine, emulated if need be: boots a kernel, and hears what the guest has to tell."""

import json
import os
import shutil
import subprocess
import sys

from harness import Skip

QEMU = "qemu-system-x86_64"
SECONDS = 900
HERE = os.path.dirname(os.path.abspath(__file__))


def command(image, initramfs, log, told, only, expected):
    # All clocks of an emulated processor are the host's; a guest left to itself mistrusts them.
    words = ["tsc=reliable", "console=ttyS0", "panic=-1", "quiet", "mitigations=off", "oops=panic",
             f"gleakd_python={sys.executable}", f"gleakd_guest={os.path.join(HERE, 'guest.py')}",
             f"gleakd_expected={expected}", f"gleakd_only={only}"]
    return [QEMU, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
            "-nodefaults", "-no-reboot", "-display", "none", "-nic", "none",
            "-serial", f"file:{log}", "-serial", f"file:{told}",
            "-kernel", image, "-initrd", initramfs, "-append", " ".join(words)]


def run(image, initramfs, folder, only, expected):
    """What the guest told, as objects, and how the machine ended ("" when in order)."""
    os.makedirs(folder, exist_ok=True)
    log, told = os.path.join(folder, "console.log"), os.path.join(folder, "told.jsonl")
    for path in (log, told):
        if os.path.exists(path):
            os.unlink(path)
    ended = ""
    try:
        done = subprocess.run(command(image, initramfs, log, told, only, expected), timeout=SECONDS,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            ended = f"{QEMU} ended with {done.returncode}: {done.stderr.strip()[-300:]}"
    except subprocess.TimeoutExpired:
        ended = f"still running after {SECONDS} s"
    return list(objects(told)), ended


def check_prerequisites():
    if not shutil.which(QEMU):
        raise Skip(f"{QEMU} (package qemu-system-x86)")


def objects(path):
    if not os.path.exists(path):
        return
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:  # cut off
                return
