#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# make test: install what is missing, build, run the tests. However it ends, the last line is
# "N passed, N failed, N skipped".
#
#	tools/test.sh BUILD MAKE [OPTIONS OF tests/run]		DEPS=true installs nothing
set -u

cd "$(dirname "$0")/.." || exit 1
build=$1 make=$2
shift 2

child=
ended() {
	trap '' INT TERM HUP
	[ -z "$child" ] || kill -TERM "$child" 2>/dev/null
	wait
	echo "FAIL $2"
	echo '0 passed, 1 failed, 0 skipped'
	exit "$1"
}

# A trap waits for what runs in front, and not for this.
run() {
	"$@" &
	child=$!
	wait "$child"
}

trap 'ended 130 "interrupted before the tests began"' INT
trap 'ended 143 "ended before the tests began"' TERM HUP
# What cannot be installed here (no root, no apt) shows as a compiler's error or a SKIP by name.
run "${DEPS:-tools/deps.sh}" build go test || echo 'test: going on without what is missing'
# Words of make's own, if it has any, are words of this shell too.
run $make --no-print-directory tested || ended 1 'build: it does not compile'
trap - INT TERM HUP
exec tests/run --build "$build" "$@"
