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
# The first time, Go compiles its library too.
progress=$PWD/tools/progress.sh
(cd tests/programs && CGO_ENABLED=0 "$progress" 'demo: go build' \
	"$go" build -buildvcs=false -ldflags='-s -w' -o "$demo" ./demo)

out=$(mktemp)
"$demo" -for 90s -quiet >"$out" &
pid=$!
ticker=
trap 'kill $pid $ticker 2>/dev/null || true; rm -f "$out"' EXIT
trap 'exit 130' INT TERM
# Its first line says that it listens; it comes at once, or the program has ended.
while ! [ -s "$out" ]; do
	kill -0 "$pid"
	sleep 0.05
done
echo "\$ gleakd --pid $pid --duration 40s --min-age 5s"
# A terminal shows a picture that moves. Elsewhere gleakd says nothing until it has found something.
if ! [ -t 1 ]; then
	(for s in 8 16 24 32; do sleep 8 >/dev/null 2>&1 && echo "demo: $s s of 40 s"; done) &
	ticker=$!
fi
"$build/gleakd" --pid "$pid" --duration 40s --min-age 5s
