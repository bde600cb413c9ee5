# SPDX-License-Identifier: Apache-2.0
"""An NFS server in the virtual machine, and its own client: both in the kernel, with nobody in user space.

What rpc.mountd answers the kernel is written before it asks, as Documentation/filesystems/nfs/rpc-cache.rst has it.
"""

import ctypes
import glob
import os
import time

from harness import Failed, Skip

# Where initramfs.py leaves the kernel's modules, and folders of a kernel's modules that they come from.
MODULES = "/modules"
FOLDERS = ("fs/lockd", "fs/netfs", "fs/fscache", "fs/nfs", "fs/nfs_common", "fs/nfsd", "net/dns_resolver", "net/sunrpc")

FINIT_MODULE = 313  # arch/x86/entry/syscalls/syscall_64.tbl
NFSD, EXPORTED, CLIENT = "/proc/fs/nfsd", "/srv/exported", "127.0.0.1"
# include/uapi/linux/nfsd/export.h: INSECURE_PORT, NOSUBTREECHECK, FSID, of which 0 is the root of version 4.
FLAGS = 0x0002 | 0x0400 | 0x2000
FSID_NUM = 1  # fs/nfsd/nfsfh.h

libc = ctypes.CDLL(None, use_errno=True)


def load_modules():
    """As many as can be, each once those are there that it needs; their order nobody has told."""
    left = glob.glob(MODULES + "/*.ko")
    if not left:
        raise Skip("modules of NFS", always=True)
    for _ in range(len(left)):
        for path in list(left):
            fd = os.open(path, os.O_RDONLY)
            if not libc.syscall(FINIT_MODULE, fd, b"", 0):
                left.remove(path)
            os.close(fd)
    if not os.path.exists("/sys/module/nfsd") or not os.path.exists("/sys/module/nfsv4"):
        raise Failed(f"modules that could not be loaded: {left}")


def mount(source, target, kind, options=b""):
    os.makedirs(target, exist_ok=True)
    if libc.mount(source, target.encode(), kind, 0, options):
        raise Failed(f"mount {target}: {os.strerror(ctypes.get_errno())}")


def tell_kernel(path, line):
    with open(path, "w", encoding="ascii") as file:
        file.write(line + "\n")


class Server:
    """At `folder` is what it exports, by way of it; stop() leaves its client without an answer."""

    def __init__(self, folder):
        load_modules()
        self.folder = folder
        mount(b"tmpfs", EXPORTED, b"tmpfs")
        mount(b"nfsd", NFSD, b"nfsd")
        self.start()
        mount(b"127.0.0.1:/", folder, b"nfs4", b"vers=4.2,addr=127.0.0.1,clientaddr=127.0.0.1,hard")

    def start(self):
        """Anew: the kernel forgets all with the last of its threads."""
        expiry = int(time.time()) + 86400
        tell_kernel("/proc/net/rpc/auth.unix.ip/channel", f"nfsd {CLIENT} {expiry} {CLIENT}")
        tell_kernel("/proc/net/rpc/nfsd.export/channel", f"{CLIENT} {EXPORTED} {expiry} {FLAGS} 65534 65534 0")
        tell_kernel("/proc/net/rpc/nfsd.fh/channel", rf"{CLIENT} {FSID_NUM} \x00000000 {expiry} {EXPORTED}")
        tell_kernel(NFSD + "/versions", "-2 -3 +4 +4.1 +4.2")
        for name in ("nfsv4leasetime", "nfsv4gracetime"):
            tell_kernel(f"{NFSD}/{name}", "10")
        tell_kernel(NFSD + "/portlist", "tcp 2049")
        tell_kernel(NFSD + "/threads", "2")

    def stop(self):
        tell_kernel(NFSD + "/threads", "0")
        # What the client has in memory it would not have to ask for.
        tell_kernel("/proc/sys/vm/drop_caches", "3")
