#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Install what gleakd needs, on Debian 12 and 13 (apt, as root): only what is missing; when nothing
# is, neither the network nor apt is asked. Nothing that is installed runs as a service: the servers
# that tests use are unpacked below build/ (tests/e2e/packages.py).
#
#	tools/deps.sh [--list] [GROUP...]      all groups without arguments; --list only names them
#
#	build	the compilers and libraries		go	a Go, where there is none
#	test	what the everyday tests run		deb	the Debian package
#	bench, fuzz, vm, lint, fresh, static, rpm	what these targets of make need
#	cross, static-arm64, vm-arm64		what they need for arm64
set -eu

build='clang gcc libc6-dev make pkg-config bpftool libbpf-dev libdw-dev libelf-dev zlib1g-dev libzydis-dev
	libzycore-dev libjansson-dev libprotobuf-c-dev protobuf-c-compiler libncurses-dev
	libsqlite3-dev'
deb='build-essential debhelper lintian'
rpm='rpm'
test="libcriterion-dev python3 python3-jsonschema libxml2-utils util-linux binutils ca-certificates
	chromium chromium-driver jsonnet mandoc man-db tmux zsh fish systemd dbus $deb $rpm"
bench='bpftrace'
fuzz='libclang-rt-dev'
fresh='debootstrap debian-archive-keyring'
vm='qemu-system-x86 busybox-static'
lint='clang-format clang-tidy cppcheck shellcheck python3'
cross='gcc-aarch64-linux-gnu libbpf-dev:arm64 libdw-dev:arm64 libelf-dev:arm64 zlib1g-dev:arm64
	libzydis-dev:arm64 libzycore-dev:arm64 libjansson-dev:arm64 libprotobuf-c-dev:arm64
	libncurses-dev:arm64 libsqlite3-dev:arm64'
static='dpkg-dev debian-archive-keyring musl-tools libbz2-dev liblzma-dev libzstd-dev'
static_arm64="$cross libbz2-dev:arm64 liblzma-dev:arm64 libzstd-dev:arm64"
vm_arm64='qemu-system-arm debian-archive-keyring'

installed() {
	dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

missing() {
	for package in "$@"; do
		installed "$package" || printf '%s ' "$package"
	done
}

# Debian 12's own Go 1.19 cannot fetch other toolchains, which the everyday tests do without.
go_package() {
	command -v go >/dev/null 2>&1 || [ -x /usr/local/go/bin/go ] || echo golang-go
}

packages=
foreign=
list=
if [ "${1:-}" = --list ]; then
	list=yes
	shift
fi
[ $# -gt 0 ] || set -- build go test deb bench fuzz vm lint fresh static static-arm64 vm-arm64
for group in "$@"; do
	case $group in
	build) packages="$packages $build" ;;
	go) packages="$packages $(go_package)" ;;
	test) packages="$packages $test" ;;
	bench) packages="$packages $bench" ;;
	fuzz) packages="$packages $fuzz" ;;
	fresh) packages="$packages $fresh" ;;
	deb) packages="$packages $deb" ;;
	rpm) packages="$packages $rpm" ;;
	vm) packages="$packages $vm" ;;
	lint) packages="$packages $lint" ;;
	static) packages="$packages $static" ;;
	vm-arm64) packages="$packages $vm_arm64" ;;
	cross)
		packages="$packages $cross"
		foreign=arm64
		;;
	static-arm64)
		packages="$packages $static_arm64"
		foreign=arm64
		;;
	*)
		echo "deps: unknown group '$group' (tools/deps.sh says which there are)" >&2
		exit 2
		;;
	esac
done

if [ -n "$list" ]; then
	# shellcheck disable=SC2086
	printf '%s\n' $packages
	exit 0
fi
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
tools=$(dirname "$0")
"$tools/progress.sh" 'deps: apt-get update' apt-get update -q
# How much it is going to be.
# shellcheck disable=SC2086
apt-get install --assume-no --no-install-recommends $wanted 2>/dev/null |
	sed -n 's/^\(Need to get\|After this operation\)/deps: \1/p' || true
# shellcheck disable=SC2086
"$tools/progress.sh" 'deps: apt-get install' apt-get install -y -q --no-install-recommends \
	-o Dpkg::Use-Pty=0 $wanted
