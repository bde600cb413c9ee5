#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A folder as a container image, without a container engine:

    tools/image.py ARCHIVE FOLDER VERSION ARCH EPOCH

writes an OCI image layout in a tar archive, which `docker load`, `podman load`, `ctr image import`, skopeo and umoci
read: beside the layout it has the manifest.json that Docker before 25 looks for. The same files give the same bytes:
times are EPOCH, owners root.
"""

import datetime
import hashlib
import io
import json
import os
import sys
import tarfile

# https://github.com/opencontainers/image-spec: layer.md, config.md, manifest.md, image-layout.md.
OCI = "application/vnd.oci.image."
NAME = "gleakd"


def entry(name, epoch, mode):
    info = tarfile.TarInfo(name)
    info.mtime, info.mode = epoch, mode
    return info


def add_file(tar, name, data, epoch):
    info = entry(name, epoch, 0o644)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def add_folder(tar, name, epoch):
    info = entry(name, epoch, 0o755)
    info.type = tarfile.DIRTYPE
    tar.addfile(info)


def layer(folder, epoch):
    """All of a folder, in order, as a tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for base, folders, files in os.walk(folder):
            folders.sort()
            below = os.path.relpath(base, folder)
            if below != ".":
                add_folder(tar, below, epoch)
            for name in sorted(files):
                path = os.path.join(base, name)
                if os.path.islink(path):
                    info = entry(os.path.normpath(os.path.join(below, name)), epoch, 0o777)
                    info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
                    tar.addfile(info)
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                info = entry(os.path.normpath(os.path.join(below, name)), epoch,
                             0o755 if os.stat(path).st_mode & 0o111 else 0o644)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Blobs:
    """What is named by its checksum."""

    def __init__(self):
        self.all = {}

    def add(self, kind, data):
        """Its descriptor; `data`: bytes, or what becomes JSON."""
        if not isinstance(data, bytes):
            data = json.dumps(data, sort_keys=True).encode()
        digest = hashlib.sha256(data).hexdigest()
        self.all[digest] = data
        return {"mediaType": OCI + kind, "digest": "sha256:" + digest, "size": len(data)}


def path_of(descriptor):
    return "blobs/" + descriptor["digest"].replace(":", "/")


def config_of(files, version, arch, created):
    return {
        "created": created, "architecture": arch, "os": "linux",
        "config": {
            "Entrypoint": ["/usr/sbin/gleakd"],
            "Env": ["PATH=/usr/sbin:/bin"],
            "Labels": {"org.opencontainers.image.title": NAME,
                       "org.opencontainers.image.version": version},
        },
        # Of a layer that is not compressed it is the checksum of what is stored.
        "rootfs": {"type": "layers", "diff_ids": [files["digest"]]},
        "history": [{"created": created, "created_by": "make image"}],
    }


def main():
    archive, folder, version, arch, epoch = sys.argv[1:]
    epoch = int(epoch)
    created = datetime.datetime.fromtimestamp(epoch, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    blobs = Blobs()
    files = blobs.add("layer.v1.tar", layer(folder, epoch))
    config = blobs.add("config.v1+json", config_of(files, version, arch, created))
    manifest = blobs.add("manifest.v1+json", {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                                              "config": config, "layers": [files]})
    manifest |= {"platform": {"architecture": arch, "os": "linux"},
                 "annotations": {"org.opencontainers.image.ref.name": version,
                                 "io.containerd.image.name": f"docker.io/library/{NAME}:{version}"}}
    top = {
        "oci-layout": {"imageLayoutVersion": "1.0.0"},
        "index.json": {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [manifest]},
        "manifest.json": [{"Config": path_of(config), "RepoTags": [f"{NAME}:{version}"],
                           "Layers": [path_of(files)]}],
    }
    with tarfile.open(archive + ".new", "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in ("blobs", "blobs/sha256"):
            add_folder(tar, name, epoch)
        for digest in sorted(blobs.all):
            add_file(tar, "blobs/sha256/" + digest, blobs.all[digest], epoch)
        for name, content in sorted(top.items()):
            add_file(tar, name, json.dumps(content, sort_keys=True).encode(), epoch)
    os.replace(archive + ".new", archive)


if __name__ == "__main__":
    main()
