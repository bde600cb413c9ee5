#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# layout-table.sh LAYOUT.tsv WAIT-REASONS.tsv - the two tables of data/ as C initialisers, which
# user/golang/layout.c includes. Fields are initialised by name and their number is given along, so
# that a column which struct go_layout does not have, or one it has in excess, does not compile.
# Anything that is not exactly as tools/layoutgen writes it is an error.
set -eu

if [ $# -ne 2 ]; then
	echo "usage: $0 LAYOUT.tsv WAIT-REASONS.tsv" >&2
	exit 2
fi

awk -F '\t' '
function fail(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text > "/dev/stderr"
	failed = 1
	exit 1
}

# The layout: a header line with the names, then one line per Go minor version, oldest first.
FILENAME == ARGV[1] && FNR == 1 {
	if ($1 != "minor" || $2 != "measured")
		fail("the header must begin with minor and measured")
	for (i = 1; i <= NF; i++) {
		if ($i !~ /^[A-Za-z][A-Za-z0-9_]*$/)
			fail("column " i " has no proper name: \"" $i "\"")
		if ($i in seen)
			fail("column " $i " is there twice")
		seen[$i] = 1
		name[i] = $i
	}
	columns = NF
	next
}
FILENAME == ARGV[1] {
	if (NF != columns)
		fail(NF " cells, but the header has " columns)
	if ($1 !~ /^[1-9][0-9]*$/ || $1 + 0 <= minor[rows] + 0)
		fail("Go minor versions must be numbers in rising order: \"" $1 "\"")
	if ($2 !~ /^go1\.[0-9.]+$/ || length($2) > 15)
		fail("not a toolchain: \"" $2 "\"")
	minor[++rows] = $1
	row[rows] = "\t\t.minor = " $1 ",\n\t\t.measured = \"" $2 "\",\n"
	for (i = 3; i <= NF; i++) {
		if ($i !~ /^(-|0|[1-9][0-9]*)$/ || $i + 0 > 4194304)
			fail("column " name[i] " is not an offset: \"" $i "\"")
		row[rows] = row[rows] "\t\t." name[i] " = " \
			($i == "-" ? "GO_LAYOUT_ABSENT" : $i) ",\n"
	}
	next
}

# The wait reasons: the minor version, then the texts by number; "-" is the empty text.
{
	if ($1 != minor[FNR])
		fail("expected Go minor version " minor[FNR] ", found \"" $1 "\"")
	if (NF < 2 || $2 != "-")
		fail("wait reason 0 must be \"-\"")
	if (NF > 257)
		fail(NF - 1 " wait reasons do not fit a byte")
	reasons[FNR] = ""
	for (i = 2; i <= NF; i++) {
		if ($i !~ /^[-A-Za-z0-9 .()]+$/)
			fail("wait reason " i - 2 " is not plain text: \"" $i "\"")
		reasons[FNR] = reasons[FNR] "\t\"" ($i == "-" ? "" : $i) "\",\n"
	}
	reason_rows = FNR
}

END {
	if (failed)
		exit 1
	if (!rows || reason_rows != rows) {
		printf "%s: %d versions, %s: %d\n", ARGV[1], rows, ARGV[2], reason_rows > "/dev/stderr"
		exit 1
	}
	printf "/* Made by tools/layout-table.sh from data/; not to be edited. */\n"
	printf "#define GO_LAYOUT_TABLE_COLUMNS %d\n\n", columns - 2
	for (r = 1; r <= rows; r++)
		printf "static const char *const go_wait_reasons_%s[] = {\n%s};\n\n", minor[r], reasons[r]
	printf "static const struct go_layout go_layout_table[] = {\n"
	for (r = 1; r <= rows; r++)
		printf "\t{\n%s\t\t.wait_reasons = go_wait_reasons_%s,\n%s\t},\n", row[r], minor[r], \
			"\t\t.n_wait_reasons = ARRAY_SIZE(go_wait_reasons_" minor[r] "),\n"
	printf "};\n"
}' "$1" "$2"
