#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Puts together what a release consists of, from what `make release` has built: the source, static programs with
# what is in them, packages, checksums, a signature.
#
#	tools/release.sh FOLDER VERSION ARCHES DEB-FOLDER [KEY]
set -euo pipefail

folder=$1 version=$2 arches=$3 debs=$4 key=${5:-}

fail() {
	echo "release: $*" >&2
	exit 1
}

git rev-parse HEAD >/dev/null 2>&1 || fail 'the source is taken from git, and this is no clone'
[ -z "$(git status --porcelain --untracked-files=no)" ] ||
	fail 'there are changes that are not committed: what is built would not be what is named'
grep -q "^## $version\$" CHANGELOG.md || fail "CHANGELOG.md says nothing of version $version"

rm -rf "$folder"
mkdir -p "$folder"
git archive --format=tar --prefix="gleakd-$version/" HEAD | gzip -9n >"$folder/gleakd-$version.tar.gz"
for arch in $arches; do
	name=gleakd-$version-linux-$arch
	install -m 0755 "build/static/gleakd-$arch" "$folder/$name"
	tools/sbom.py "build/static/gleakd-$arch" "build/static/gleakd-$arch.map" "$version" "$arch" \
		>"$folder/$name.cdx.json"
	gzip -9nc "build/image/gleakd-$version-$arch.tar" >"$folder/gleakd-$version-image-$arch.tar.gz"
done
cp "$debs"/*.deb "$folder/"
for arch in $arches; do
	case $arch in
	amd64) cp "build/rpm/gleakd-$version-1.x86_64.rpm" "$folder/" ;;
	arm64) cp "build/rpm/gleakd-$version-1.aarch64.rpm" "$folder/" ;;
	esac
done
(cd "$folder" && sha256sum -- * >SHA256SUMS)
if [ -n "$key" ]; then
	gpg --batch --yes --armor --local-user "$key" --detach-sign "$folder/SHA256SUMS"
	gpg --verify "$folder/SHA256SUMS.asc" "$folder/SHA256SUMS" 2>/dev/null ||
		fail 'the signature that gpg made does not fit'
else
	echo 'release: not signed; RELEASE_KEY=... names the key of gpg to sign SHA256SUMS with'
fi
ls -l "$folder"
