#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Install the package on a machine that may be thrown away, look at what that did, and purge it.
# Used by tools/fresh-machine.sh.
#
#	tools/installed.sh ./gleakd_VERSION_ARCH.deb
set -eu

fail() {
	echo "FAILED: $*"
	exit 1
}

export DEBIAN_FRONTEND=noninteractive
apt-get update -q
apt-get install -y -q --no-install-recommends "$1"
gleakd --version
for file in /usr/sbin/gleakd /etc/gleakd/gleakd.conf /usr/share/gleakd/gleakd.rules.yml \
	/usr/share/gleakd/dashboards/gleakd.json /usr/share/gleakd/mixin/mixin.libsonnet; do
	[ -e "$file" ] || fail "$file is not there"
done
units=$(dpkg -L gleakd | grep '/gleakd\.service$')
[ "$(echo "$units" | wc -l)" = 1 ] && [ -e "$units" ] || fail "units: $units"
state=$(systemctl is-enabled gleakd 2>/dev/null || true)
[ "$state" = disabled ] || fail "the service is '$state' after the installation, not disabled"
# By path: a new root has its processes in common with the machine.
! readlink /proc/[0-9]*/exe | grep -qx /usr/sbin/gleakd || fail 'the service runs after the installation'
dpkg --verify gleakd
apt-get purge -y -q gleakd
left=$(find /usr /etc /lib -name '*gleakd*' ! -path '*/dpkg/*')
[ -z "$left" ] || fail "left behind: $left"
echo 'installed, not enabled, purged'
