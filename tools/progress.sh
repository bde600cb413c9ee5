#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Run a command that says too much or nothing. Every few seconds a line tells for how long it has
# been at work and what it said last; when it fails, the end of what it said is shown.
#
#	tools/progress.sh WORDS COMMAND...
set -u

words=$1
shift
log=$(mktemp)
# Of its own process group, if possible, so that what it started ends with it.
setsid=$(command -v setsid || true)
$setsid "$@" >"$log" 2>&1 </dev/null &
pid=$!
# shellcheck disable=SC2317 # called by a trap
ended() {
	kill -TERM -"$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	rm -f "$log"
	exit "$1"
}
trap 'ended 130' INT
trap 'ended 143' TERM HUP
begin=$(date +%s)
told=$begin
while kill -0 "$pid" 2>/dev/null; do
	sleep 0.25
	now=$(date +%s)
	[ $((now - told)) -ge 5 ] || continue
	told=$now
	printf '%s: %s s  %s\n' "$words" $((now - begin)) \
		"$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-78)"
done
code=0
wait "$pid" || code=$?
if [ "$code" != 0 ]; then
	tail -n 30 "$log" >&2
	echo "$words: exit code $code" >&2
fi
rm -f "$log"
exit "$code"
