# SPDX-License-Identifier: Apache-2.0
"""Kernels of Debian's, unpacked below build/vm."""

import glob
import lzma
import os
import shutil

import nfs

from debian import FOLDER, Source
from harness import Failed


class Kernel:
    """A series of kernels. `probes`: whether gleakd is to work in full there, or to refuse."""

    def __init__(self, name, suites, package, *, arch="amd64", probes=True):
        self.name, self.package, self.arch, self.probes = name, package, arch, probes
        self.source = Source(name, suites, arch)
        self.image = os.path.join(FOLDER, "vmlinuz-" + name)
        self.modules = os.path.join(FOLDER, "modules-" + name)

    def fetched(self):
        """Path of the kernel's image; from the network the first time."""
        if not os.path.exists(self.image) or not os.path.exists(self.modules):
            self.fetch()
        return self.image

    def fetch(self):
        self.source.update()
        unpacked = os.path.join(self.source.base, "unpacked")
        package = self.source.newest(self.package)
        # Since Linux 6.19 modules have a package of their own.
        self.source.unpack([package, *([package.replace("binary", "modules")] if "binary" in package else [])],
                           unpacked)
        # /boot/vmlinuz-VERSION, since Linux 6.19 /usr/lib/modules/VERSION/vmlinuz.
        images = glob.glob(os.path.join(unpacked, "**", "vmlinuz*"), recursive=True)
        if len(images) != 1:
            raise Failed(f"images in a package {self.package}: {images}")
        self.keep_modules(unpacked)
        os.rename(images[0], self.image)
        shutil.rmtree(unpacked)

    def keep_modules(self, unpacked):
        """Those of NFS, as the kernel takes them."""
        os.makedirs(self.modules, exist_ok=True)
        for folder in nfs.FOLDERS:
            for path in glob.glob(f"{unpacked}/**/kernel/{folder}/**/*.ko*", recursive=True):
                name = os.path.basename(path).partition(".ko")[0] + ".ko"
                opened = lzma.open if path.endswith(".xz") else open
                with opened(path, "rb") as file, open(os.path.join(self.modules, name), "wb") as out:
                    shutil.copyfileobj(file, out)


# Cloud kernels need no module for what is in a virtual machine.
KERNELS = [
    Kernel("5.10", ["bullseye", "bullseye-security"],
           r"linux-image-5\.10\.0-[0-9]+-cloud-amd64", probes=False),
    Kernel("6.1", ["bookworm", "bookworm-security"], r"linux-image-6\.1\.0-[0-9]+-cloud-amd64"),
    Kernel("6.12", ["trixie", "trixie-security"],
           r"linux-image-6\.12\.[0-9.]+\+deb13[0-9.]*-cloud-amd64"),
    Kernel("6.18", ["trixie-backports"], r"linux-image-6\.18\.[0-9]+\+deb13[0-9.]*-cloud-amd64"),
    Kernel("newest", ["trixie-backports"], r"linux-binary-[0-9.]+\+deb13[0-9.]*-cloud-amd64"),
    Kernel("arm64-6.1", ["bookworm", "bookworm-security"],
           r"linux-image-6\.1\.0-[0-9]+-cloud-arm64", arch="arm64"),
    Kernel("arm64-6.12", ["trixie", "trixie-security"],
           r"linux-image-6\.12\.[0-9.]+\+deb13[0-9.]*-cloud-arm64", arch="arm64"),
    # Pages of 16 KiB.
    Kernel("arm64-6.12-16k", ["trixie", "trixie-security"],
           r"linux-image-6\.12\.[0-9.]+\+deb13[0-9.]*-arm64-16k", arch="arm64"),
    Kernel("arm64-newest", ["trixie-backports"],
           r"linux-binary-[0-9.]+\+deb13[0-9.]*-cloud-arm64", arch="arm64"),
]
