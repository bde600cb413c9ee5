#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# meanings-table.sh MEANINGS.tsv - data/meanings.tsv as C initialisers, which user/naming/meanings.c
# includes. Anything that is not as the head of that file says is an error.
set -eu

if [ $# -ne 1 ]; then
	echo "usage: $0 MEANINGS.tsv" >&2
	exit 2
fi

awk -F '\t' '
function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}

function quoted(text) {
	if (text == "-")
		return "NULL"
	if (text == "" || text ~ /[\\"\t]/)
		fail("not a text that C could have: \"" text "\"")
	return "\"" text "\""
}

/^#/ {
	next
}
!rows {
	if ($0 != "frame\tcreator\twaits\tinnermost\tnature\tversions\ttext")
		fail("the header is another one")
	rows = 1
	next
}
{
	if (NF != 7)
		fail(NF " cells instead of 7")
	if ($1 == "-" && $2 == "-")
		fail("neither frame nor creator")
	if ($4 != "-" && $4 != "innermost")
		fail("innermost or -: \"" $4 "\"")
	if ($5 !~ /^(abandoned|connection|service|call)$/)
		fail("no nature: \"" $5 "\"")
	if ($6 !~ /^(-|(<|>=)v[0-9]+\.[0-9]+\.[0-9]+)$/)
		fail("no versions: \"" $6 "\"")
	if ($7 == "-")
		fail("no text")
	classes = ""
	n = split($3 == "-" ? "" : toupper($3), waits, " ")
	for (i = 1; i <= n; i++)
		classes = classes (i > 1 ? " | " : "") "IN(WAIT_" waits[i] ")"
	printf "\t{%s, %s, %s, %s,\n\t %s, %s, {%s, %s}},\n", quoted($1), quoted($2),
		n ? classes : "0", $4 == "innermost" ? "true" : "false",
		$6 ~ /^>/ ? quoted(substr($6, 3)) : "NULL",
		$6 ~ /^</ ? quoted(substr($6, 2)) : "NULL", quoted($7),
		$5 == "call" ? "NATURE_UNKNOWN" : "NATURE_" toupper($5)
	rows++
}
END {
	if (!failed && rows < 2) {
		printf "%s: no rows\n", FILENAME > "/dev/stderr"
		failed = 1
	}
	exit failed
}' "$1"
