#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A program that is to run on any distribution asks for no dynamic linker and no library.
#
#	tools/check-static.sh PROGRAM
set -eu

program=$1
asked=$(readelf --wide --program-headers --dynamic "$program" | grep -E ' INTERP |\(NEEDED\)' || true)
if [ -n "$asked" ]; then
	printf 'static: %s is not static:\n%s\n' "$program" "$asked" >&2
	exit 1
fi
echo "static: $program, $(stat -c %s "$program") bytes"
