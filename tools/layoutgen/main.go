// SPDX-License-Identifier: Apache-2.0

// Layoutgen measures where the Go runtime keeps its fields. It builds a small program with each
// toolchain, reads struct offsets from that program's DWARF and wait reason texts from its data,
// and writes both as one line per Go minor version:
//
//	data/go-layout.tsv        offsets, columns as GO_LAYOUT_FIELDS in user/golang/layout.h
//	data/go-wait-reasons.tsv  texts by number
//
// Every version is measured for amd64 and arm64; the table has one row for both, so a difference
// between them is an error and not a choice.
//
//	go run .                   measure again every toolchain that the table names
//	go run . go1.28.0          add or replace the row of one version
//	go run . -check            compare with the committed table; exit status 1 when it differs
//
// Toolchains come from the module proxy, by GOTOOLCHAIN (Go 1.21 or later must be installed).
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
)

func main() {
	data := flag.String("data", "../../data", "directory of the two tables")
	check := flag.Bool("check", false, "compare with the tables instead of writing them")
	flag.Parse()

	changed, err := run(*data, *check, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "layoutgen:", err)
		os.Exit(2)
	}
	if *check && changed {
		os.Exit(1)
	}
}

// run measures the toolchains and writes or compares. It reports whether the tables differ from
// what is committed.
func run(dir string, check bool, toolchains []string) (bool, error) {
	old, err := readTables(dir)
	if err != nil {
		return false, err
	}
	rows := map[int]row{}
	if len(toolchains) == 0 {
		for _, r := range old {
			toolchains = append(toolchains, r.toolchain)
		}
	} else {
		for _, r := range old {
			rows[r.minor] = r
		}
	}
	if len(toolchains) == 0 {
		return false, fmt.Errorf("%s names no toolchain and none was given", dir)
	}

	scratch, err := os.MkdirTemp("", "layoutgen-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(scratch)
	for _, tc := range toolchains {
		fmt.Fprintln(os.Stderr, "layoutgen: measuring", tc)
		r, err := measure(filepath.Join(scratch, tc), tc)
		if err != nil {
			return false, fmt.Errorf("%s: %w", tc, err)
		}
		rows[r.minor] = r
	}

	sorted := make([]row, 0, len(rows))
	for _, r := range rows {
		sorted = append(sorted, r)
	}
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].minor < sorted[j].minor })

	changed := report(os.Stderr, old, sorted)
	if check {
		return changed, nil
	}
	return changed, writeTables(dir, sorted)
}
