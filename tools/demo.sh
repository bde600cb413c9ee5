#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Start a small order service with three goroutine leaks and many healthy goroutines, stripped and
# knowing nothing of gleakd, and let gleakd watch it for 40 seconds.
#
#	tools/demo.sh [BUILD]
set -eu

cd "$(dirname "$0")/.."
build=${1:-build}
demo=build/programs/demo

if [ "$(id -u)" != 0 ]; then
	echo "demo: attaching probes needs root: sudo make demo" >&2
	exit 4
fi
go=$(command -v go || echo /usr/local/go/bin/go)
if ! [ -x "$go" ]; then
	echo "demo: no go command in PATH or /usr/local/go/bin" >&2
	exit 1
fi
mkdir -p "$(dirname "$demo")"
demo=$(realpath "$(dirname "$demo")")/demo
(cd tests/programs && CGO_ENABLED=0 "$go" build -buildvcs=false -ldflags='-s -w' -o "$demo" ./demo)

out=$(mktemp)
"$demo" -for 90s -quiet >"$out" &
pid=$!
trap 'kill "$pid" 2>/dev/null || true; rm -f "$out"' EXIT
trap 'exit 130' INT TERM
# Its first line says that it listens; it comes at once, or the program has ended.
while ! [ -s "$out" ]; do
	kill -0 "$pid"
	sleep 0.05
done
echo "\$ gleakd --pid $pid --duration 40s --min-age 5s"
"$build/gleakd" --pid "$pid" --duration 40s --min-age 5s
