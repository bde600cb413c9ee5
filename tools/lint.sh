#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every check of the sources that needs no run of the program. A tool that is missing is named and
# counts as a failure in CI (CI=true), as skipped elsewhere. Generated headers must be there
# (make lint takes care).
#
#	tools/lint.sh [BUILD]
set -u

cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
failed=0

# check NAME TOOL COMMAND...
check() {
	local name=$1 tool=$2 said
	shift 2
	if ! command -v "$tool" >/dev/null 2>&1; then
		echo "lint: $name: SKIP, needs $tool"
		[ "${CI:-}" = true ] && failed=1
		return
	fi
	if said=$("$@" 2>&1); then
		echo "lint: $name: ok"
	else
		failed=1
		printf '%s\nlint: %s: FAILED\n' "$said" "$name"
	fi
}

# Files as git sees them, without what it ignores; a tree without git has no ignored ones.
files() {
	git -c safe.directory="$PWD" ls-files -co --exclude-standard -- "$@" 2>/dev/null |
		sort -u | while read -r file; do [ -f "$file" ] && echo "$file"; done
}

mapfile -t c_files < <(files 'user/*.[ch]' 'bpf/*.[ch]' 'tests/*.[ch]')
mapfile -t user_sources < <(files 'user/*.c')
mapfile -t scripts < <(files '*.sh' '.ci/run')
mapfile -t python < <(files '*.py' tests/run tests/{bench,eval,matrix,soak,vm}/run)
mapfile -t go_files < <(files '*.go')
go=$(command -v go || echo /usr/local/go/bin/go)

# tidy_each N FILE... - clang-tidy over N files at a time; names those complained of in $complained.
tidy_each() {
	local at_once=$1
	shift
	: >"$complained"
	# The inner shell expands its own arguments.
	# shellcheck disable=SC2016
	printf '%s\n' "$@" | xargs -P "$(nproc)" -n "$at_once" sh -c \
		'build=$1 complained=$2; shift 2
		clang-tidy --quiet "$@" -- -D_GNU_SOURCE -std=gnu11 -Iuser -I"$build/generated" ||
			{ code=$?; printf "%s\n" "$@" >>"$complained"; echo "clang-tidy: exit $code: $*"; }' \
		tidy "$build" "$complained"
	[ ! -s "$complained" ]
}

# Clang's analyzer goes through some of its tables by address, which differs from run to run: what
# it does not say a second time of the same source is no finding. It is shown all the same.
tidy() {
	local said again
	complained=$build/clang-tidy.complained
	said=$(tidy_each 4 "${user_sources[@]}" 2>&1) && return
	mapfile -t again <"$complained"
	tidy_each 1 "${again[@]}" 2>&1 | grep -v ' warnings\? generated'
	[ -s "$complained" ] || echo "lint: clang-tidy: said once and not again:
$(grep -v ' warnings\? generated' <<<"$said")" >&3
	[ ! -s "$complained" ]
}

no_output() {
	local said
	said=$("$@")
	[ -z "$said" ] || { echo "$said" && return 1; }
}

compile_python() {
	local file
	for file in "${python[@]}"; do
		python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" ||
			return 1
	done
}

# What a check says although it holds.
exec 3>&1
check sources python3 tools/check-sources.py
check clang-format clang-format clang-format --dry-run -Werror "${c_files[@]}"
check shellcheck shellcheck shellcheck --severity=warning "${scripts[@]}"
check python python3 compile_python
[ ${#go_files[@]} = 0 ] || check gofmt "$go" no_output "$(dirname "$go")/gofmt" -l "${go_files[@]}"
check cppcheck cppcheck cppcheck --quiet --error-exitcode=1 --inline-suppr -j "$(nproc)" \
	--enable=warning,performance,portability --std=c11 --language=c \
	--suppressions-list=tools/cppcheck.suppressions -D_GNU_SOURCE -Iuser user
check clang-tidy clang-tidy tidy
exit "$failed"
