#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a new user types, on a new Debian: each command in a root of its own that debootstrap has
# made, from a fresh clone of HEAD, on this machine's kernel. Timed, with the megabytes that it has
# brought and its longest silence; on a busy machine the CPU time says more. Root; the archive is the
# one that this machine's apt has.
#
#	tools/fresh-machine.sh [--suite bookworm|trixie]... [--keep] [demo] [test] [deb]
#
# demo and test are the commands in README.md. deb makes the package, installs it in another new
# root and looks at what that did. All of them without arguments. Exit code 1 when one has failed.
# Logs: build/fresh/SUITE-COMMAND.log. New roots are copied from /var/cache/gleakd (or $GLEAKD_CACHE).
set -u

cd "$(dirname "$0")/.." || exit 1
top=$PWD
cache=${GLEAKD_CACHE:-/var/cache/gleakd}
work=$top/build/fresh
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
max_age_days=30
# Beside minbase: what somebody has who has cloned this and runs a service manager.
users='systemd-sysv,dbus,procps,sudo,git,make,ca-certificates'

suites=() commands=() keep=
while [ $# -gt 0 ]; do
	case $1 in
	--suite) shift && suites+=("$1") ;;
	--keep) keep=yes ;;
	demo | test | deb) commands+=("$1") ;;
	*) sed -n '3,15s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
	esac
	shift
done
[ ${#suites[@]} != 0 ] || suites=(bookworm trixie)
[ ${#commands[@]} != 0 ] || commands=(demo test deb)

fail() {
	echo "fresh-machine: $*" >&2
	exit 1
}

[ "$(id -u)" = 0 ] || fail 'needs root: debootstrap, mounts and probes'
tools/deps.sh fresh || exit 1
mkdir -p "$work" "$cache"

# --- roots ----------------------------------------------------------------------------------------

# archive NAME - where this machine's apt gets Debian from: the address by its last folder.
archive() {
	apt-get indextargets --format '$(REPO_URI)' | sed -n "\\,/$1/*\$,p" | head -n 1
}

# base SUITE - the cached root, made when it is not there or old.
base() {
	local suite=$1 root=$cache/$1 debian security
	[ -z "$(find "$root.made" -mtime "+$max_age_days" 2>/dev/null)" ] || rm -f "$root.made"
	[ ! -e "$root.made" ] || return 0
	debian=$(archive debian) security=$(archive debian-security)
	[ -n "$debian" ] || fail "apt's sources name no archive of Debian"
	rm -rf "$root"
	tools/progress.sh "debootstrap $suite" debootstrap --variant=minbase --include="$users" \
		--keyring="$keyring" "$suite" "$root" "$debian" || return 1
	{
		echo "deb $debian $suite main"
		echo "deb $debian $suite-updates main"
		[ -z "$security" ] || echo "deb $security $suite-security main"
	} >"$root/etc/apt/sources.list"
	# How this machine fetches (proxies, certificates and the like) holds there too.
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Check|Retries)[^"]* "[^"]+";' \
		>"$root/etc/apt/apt.conf.d/90machine"
	cp -r /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null
	chroot "$root" update-ca-certificates >/dev/null
	printf '127.0.0.1 localhost %s\n' "$(hostname)" >"$root/etc/hosts"
	chroot "$root" useradd --create-home --shell /bin/bash user
	echo 'user ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/user"
	chroot "$root" apt-get clean
	touch "$root.made"
}

# new_root SUITE NAME - a copy of it; its path is in $root.
new_root() {
	base "$1" || return 1
	root=$work/root-$1-$2
	rm -rf --one-file-system "$root"
	cp -a --reflink=auto "$cache/$1" "$root"
	cp /etc/resolv.conf "$root/etc/resolv.conf"
}

drop_root() {
	[ -n "$keep" ] || rm -rf --one-file-system "$root"
}

# inside COMMAND - a user's shell in $root, as if the machine had been started from it: the kernel's
# file systems are there, and it is the root, not a chroot, so that tests can make namespaces. The
# mounts end with it.
inside() {
	local pass=() name
	for name in http_proxy https_proxy no_proxy GOPROXY GOSUMDB GONOSUMDB GOFLAGS; do
		[ -z "${!name:-}" ] || pass+=("$name=${!name}")
	done
	# The inner shell expands its own arguments.
	# shellcheck disable=SC2016
	unshare --mount --propagation private sh -euc '
		root=$1
		shift
		mount --bind "$root" "$root"
		for folder in proc sys dev; do mount --rbind "/$folder" "$root/$folder"; done
		mount -t tmpfs tmpfs "$root/run"
		cd "$root"
		mkdir -p mnt/old
		pivot_root . mnt/old
		umount -l mnt/old
		cd /
		exec env -i HOME=/home/user USER=user TERM=dumb \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
	' inside "$root" "${pass[@]}" setpriv --reuid=1000 --regid=1000 --init-groups \
		sh -c "cd /home/user/gleakd && $1" </dev/null
}

clone() {
	git -c safe.directory="$top" clone -q --no-hardlinks "$top" "$root/home/user/gleakd" &&
		chown -R 1000:1000 "$root/home/user/gleakd"
}

# --- figures --------------------------------------------------------------------------------------

packages_mb() {
	chroot "$root" dpkg-query -W -f '${Installed-Size}\n' | awk '{n += $1} END {print int(n / 1024)}'
}

files_mb() {
	du -smx "$root" | cut -f 1
}

# What systemd would start. man-db's timer is on every Debian that is not minimal; debhelper needs it.
enabled() {
	find "$root/etc/systemd/system" -type l ! -name man-db.timer 2>/dev/null |
		sed "s,^$root,," | sort
}

# listen LOG GAP - stdin into LOG and on; the longest time between two lines into GAP.
listen() {
	python3 -uc '
import sys, time
last, longest, before = time.monotonic(), (0, ""), ""
with open(sys.argv[1], "w") as log:
    for line in sys.stdin:
        now = time.monotonic()
        longest, last = max(longest, (now - last, before)), now
        before = line
        log.write(line)
        log.flush()
        print("    " + line, end="", flush=True)
print(f"longest silence {longest[0]:.1f} s, after: {longest[1]}", end="")
with open(sys.argv[2], "w") as file:
    file.write(str(round(longest[0])))
' "$1" "$2"
}

rows=() failed=0

# measured SUITE NAME COMMAND - runs it in $root and keeps a row of the table, without its end.
measured() {
	local suite=$1 name=$2 command=$3 before files begin code log TIMEFORMAT='%0U %0S'
	log=$work/$suite-$name.log
	before=$(packages_mb) files=$(files_mb)
	enabled >"$work/enabled-before"
	echo "== $suite: $command"
	begin=$SECONDS
	{ time inside "$command" 2>&1; } 2>"$work/cpu" | listen "$log" "$work/gap"
	code=${PIPESTATUS[0]}
	row=$(printf '| %s | `%s` | %d | %d | %s | %d | %d |' "$suite" "$command" \
		$((SECONDS - begin)) $(($(tr ' ' '+' <"$work/cpu"))) "$(cat "$work/gap")" \
		$(($(packages_mb) - before)) $(($(files_mb) - files)))
	enabled >"$work/enabled-after"
	result=
	if [ "$code" != 0 ]; then
		result="exit code $code"
	elif ! cmp -s "$work/enabled-before" "$work/enabled-after"; then
		result="left enabled: $(comm -13 "$work/enabled-before" "$work/enabled-after" | tr '\n' ' ')"
	fi
}

# keep_row WORDS - what came of it; $result is what went wrong.
keep_row() {
	[ -z "$result" ] || failed=1
	rows+=("$row ${result:+FAILED: $result; }$1 |")
}

# The README's own words: "sudo make demo     # installs what is missing, ..." gives the command.
readme_command() {
	sed -n "s/^\\(sudo make $1\\)\\( .*\\)\\?\$/\\1/p" README.md | head -n 1
}

# --- the commands ---------------------------------------------------------------------------------

demo() {
	local shown
	new_root "$1" demo && clone || return 1
	measured "$1" demo "$(readme_command demo)"
	shown=$(grep -c '^ *LEAKING' "$work/$1-demo.log")
	[ "$shown" -ge 3 ] || result="${result:-not all of its three leaks were found}"
	keep_row "$shown lines of LEAKING"
	drop_root
}

test_() {
	new_root "$1" test && clone || return 1
	measured "$1" test "$(readme_command test)"
	keep_row "$(grep -E '^[0-9]+ passed, ' "$work/$1-test.log" | tail -n 1)"
	drop_root
}

deb() {
	local package
	new_root "$1" deb && clone || return 1
	measured "$1" deb 'sudo make deb'
	package=$(find "$root/home/user/gleakd/build/deb" -name 'gleakd_*.deb' 2>/dev/null)
	if [ -z "$package" ]; then
		keep_row 'no package'
		return
	fi
	mv "$package" "$work/$1.deb"
	keep_row "$(basename "$package")"
	drop_root
	new_root "$1" install && mkdir "$root/home/user/gleakd" || return 1
	mv "$work/$1.deb" "$root/home/user/gleakd/gleakd.deb"
	cp tools/installed.sh "$root/home/user/gleakd/"
	measured "$1" install 'sudo ./installed.sh ./gleakd.deb'
	keep_row "$(tail -n 1 "$work/$1-install.log")"
	drop_root
}

# A function, so that the script may change while it runs.
main() {
	local suite command function
	for suite in "${suites[@]}"; do
		for command in "${commands[@]}"; do
			function=$command
			[ "$command" != test ] || function=test_
			"$function" "$suite" || failed=1
		done
	done
	echo
	echo '| Debian | command | seconds | CPU, s | longest silence, s | packages, MB | all files, MB |' \
		'result |'
	echo '| --- | --- | --- | --- | --- | --- | --- | --- |'
	printf '%s\n' "${rows[@]}"
	exit "$failed"
}

main
