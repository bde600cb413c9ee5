#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The first process of new namespaces (mount, pid, network, ...) becomes systemd. Its root is a copy
# of the machine's: an overlay, so that what is installed and started there changes nothing here.
#
#	boot-machine.sh FOLDER...	FOLDERs are shared with it, read-only
set -eu

mount --make-rprivate /
base=/mnt
mount -t tmpfs tmpfs $base
mkdir $base/upper $base/work $base/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" $base/root
cd $base/root
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tracefs tracefs sys/kernel/tracing || true
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs dev
mkdir dev/pts dev/shm
for device in null zero full random urandom tty; do
	: >dev/$device
	mount --bind /dev/$device dev/$device
done
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
for folder in "$@"; do
	mkdir -p "./$folder"
	mount --bind "$folder" "./$folder"
	mount -o remount,bind,ro "./$folder"
done

# Only what systemd itself needs is to run; and policy-rc.d is how build machines forbid services.
rm -f usr/sbin/policy-rc.d
find etc/systemd/system -name '*.wants' -prune -exec rm -r {} +
rm -rf etc/systemd/system/gleakd.service.d var/lib/gleakd etc/gleakd
mkdir -p mnt/old
pivot_root . mnt/old
umount -l mnt/old
exec env -i container=gleakd-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --log-target=journal --show-status=0
