#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Zydis as source, of the release whose library Debian has here, which comes without a static one:
#
#	tools/zydis-source.sh FOLDER
#
# apt fetches it with sources and lists of its own, beside FOLDER; the machine's stay as they are.
set -eu

folder=$1
work=$folder.apt
keys=/usr/share/keyrings/debian-archive-keyring.gpg

for program in apt-get dpkg-source; do
	command -v "$program" >/dev/null 2>&1 || {
		echo "static: no $program here (package dpkg-dev), which fetches Zydis' source;" \
			"unpack a release of it and name its folder: make static ZYDIS=FOLDER" >&2
		exit 1
	}
done
# shellcheck source=/dev/null
. /etc/os-release
archive=$(apt-get indextargets --format '$(REPO_URI)' | grep '/debian/$' | head -n 1)
rm -rf "$folder" "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial"
echo "deb-src [signed-by=$keys] ${archive:-http://deb.debian.org/debian} $VERSION_CODENAME main" \
	>"$work/sources.list"
work=$(cd "$work" && pwd)

our_apt() {
	apt-get -q -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$work/lists" -o Dir::Cache="$work" \
		-o Acquire::Languages=none -o APT::Sandbox::User=root "$@"
}

our_apt update
(cd "$work" && our_apt source --download-only zydis && dpkg-source -x ./*.dsc unpacked)
mv "$work/unpacked" "$folder"
rm -rf "$work"
