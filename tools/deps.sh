#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Install what building and testing gleakd needs, on Debian 12 and 13 (apt, as root). Only what is
# missing is installed; when nothing is, neither the network nor apt is asked.
#
#	tools/deps.sh [build] [deb] [test] [vm] [lint] [cross]      all of them without arguments
set -eu

build='clang llvm gcc make pkg-config bpftool libbpf-dev libdw-dev libelf-dev zlib1g-dev libzydis-dev
	libzycore-dev libjansson-dev'
deb='debhelper lintian systemd dbus'
test='libcriterion-dev libclang-rt-dev python3 python3-jsonschema util-linux bpftrace dpkg-dev
	ca-certificates prometheus prometheus-node-exporter jsonnet mandoc man-db zsh fish
	debhelper lintian systemd dbus'
vm='qemu-system-x86 busybox-static'
lint='clang-format clang-tidy cppcheck shellcheck python3'
cross='gcc-aarch64-linux-gnu libbpf-dev:arm64 libdw-dev:arm64 libelf-dev:arm64 zlib1g-dev:arm64
	libzydis-dev:arm64 libzycore-dev:arm64 libjansson-dev:arm64'

installed() {
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

missing() {
	for package in "$@"; do
		installed "$package" || printf '%s ' "$package"
	done
}

# Debian 12's own Go 1.19 cannot fetch other toolchains, but it builds the demo and most tests.
go_packages() {
	command -v go >/dev/null 2>&1 || [ -x /usr/local/go/bin/go ] || echo golang-go
}

packages=
foreign=
[ $# -gt 0 ] || set -- build deb test vm lint cross
for group in "$@"; do
	case $group in
	build) packages="$packages $build $(go_packages)" ;;
	test) packages="$packages $test $(go_packages)" ;;
	deb) packages="$packages $deb" ;;
	vm) packages="$packages $vm" ;;
	lint) packages="$packages $lint" ;;
	cross)
		packages="$packages $cross"
		foreign=arm64
		;;
	*)
		echo "deps: unknown group '$group' (build, deb, test, vm, lint, cross)" >&2
		exit 2
		;;
	esac
done

# Word splitting is what makes a list of a string here.
# shellcheck disable=SC2086
wanted=$(missing $packages)
[ -n "$wanted" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	echo "deps: no apt-get here; install the equivalents of: $wanted" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "deps: must be root to install: $wanted" >&2
	exit 1
fi
echo "deps: installing $wanted"
if [ -n "$foreign" ] && ! dpkg --print-foreign-architectures | grep -qx "$foreign"; then
	dpkg --add-architecture "$foreign"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $wanted >/dev/null
