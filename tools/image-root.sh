#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The files of the container image:
#
#	tools/image-root.sh FOLDER GLEAKD ARCH
#
# the program, busybox of Debian's package as the shell of the liveness probe (deploy/kubernetes/base/daemonset.yaml),
# and what `gleakd top` has to know of terminals. Nothing is installed.
set -eu

folder=$1 gleakd=$2 arch=$3
work=$folder.apt

if ! command -v apt-get >/dev/null 2>&1; then
	echo "image: no apt-get here, which fetches busybox; deploy/container/Dockerfile builds the image in Debian" >&2
	exit 1
fi
rm -rf "$folder" "$work"
mkdir -p "$folder/bin" "$folder/usr/sbin" "$folder/lib" "$work"
work=$(cd "$work" && pwd)
download() {
	(cd "$work" && apt-get download -q -o APT::Sandbox::User=root "busybox-static:$arch")
}
# Images of machines come without apt's lists.
download >/dev/null 2>&1 || { apt-get update -q && download; } >/dev/null
(cd "$work" && dpkg-deb -x busybox-static_*.deb .)
# In /bin, since Debian 13 in /usr/bin.
busybox=$(find "$work" -type f -path '*bin/busybox')
install -m 0755 "$busybox" "$folder/bin/busybox"
install -D -m 0644 "$work/usr/share/doc/busybox-static/copyright" "$folder/usr/share/doc/busybox-static/copyright"
rm -rf "$work"
for name in sh find; do ln -s busybox "$folder/bin/$name"; done
install -m 0755 "$gleakd" "$folder/usr/sbin/gleakd"
cp -rL /lib/terminfo "$folder/lib/"
