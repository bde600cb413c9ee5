// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	layoutFile  = "go-layout.tsv"
	reasonsFile = "go-wait-reasons.tsv"

	absent    = -1
	emptyText = "-" // stands for an absent field and for the empty wait reason
)

// A row is what one Go minor version looks like.
type row struct {
	minor     int
	toolchain string
	offsets   []int64 // by index in columns
	reasons   []string
}

func (r row) layoutLine() string {
	cells := []string{strconv.Itoa(r.minor), r.toolchain}
	for _, offset := range r.offsets {
		if offset == absent {
			cells = append(cells, emptyText)
		} else {
			cells = append(cells, strconv.FormatInt(offset, 10))
		}
	}
	return strings.Join(cells, "\t")
}

func (r row) reasonsLine() string {
	cells := []string{strconv.Itoa(r.minor)}
	for _, text := range r.reasons {
		if text == "" {
			text = emptyText
		}
		cells = append(cells, text)
	}
	return strings.Join(cells, "\t")
}

func header() string {
	names := []string{"minor", "measured"}
	for _, c := range columns {
		names = append(names, c.name)
	}
	return strings.Join(names, "\t")
}

// writeTables replaces both files.
func writeTables(dir string, rows []row) error {
	layout := header() + "\n"
	reasons := ""
	for _, r := range rows {
		layout += r.layoutLine() + "\n"
		reasons += r.reasonsLine() + "\n"
	}
	if err := replace(filepath.Join(dir, layoutFile), layout); err != nil {
		return err
	}
	return replace(filepath.Join(dir, reasonsFile), reasons)
}

func replace(path, text string) error {
	if err := os.WriteFile(path+".new", []byte(text), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// readTables returns the committed rows; none when there is no table yet. Columns are matched by
// name, so that a table from before a new column can be read: what it lacks reads as absent.
func readTables(dir string) ([]row, error) {
	layout, err := lines(filepath.Join(dir, layoutFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	reasons, err := lines(filepath.Join(dir, reasonsFile))
	if err != nil {
		return nil, err
	}
	if len(layout) == 0 {
		return nil, fmt.Errorf("%s is empty", layoutFile)
	}
	byMinor := map[string][]string{}
	for _, cells := range reasons {
		for i, text := range cells {
			if text == emptyText {
				cells[i] = ""
			}
		}
		byMinor[cells[0]] = cells[1:]
	}
	var rows []row
	for _, cells := range layout[1:] {
		r, err := parseRow(layout[0], cells)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", layoutFile, err)
		}
		r.reasons = byMinor[cells[0]]
		rows = append(rows, r)
	}
	return rows, nil
}

func parseRow(names, cells []string) (row, error) {
	if len(names) != len(cells) || len(cells) < 2 {
		return row{}, fmt.Errorf("line of %q has %d cells, the header %d", cells[0], len(cells), len(names))
	}
	minor, err := strconv.Atoi(cells[0])
	if err != nil {
		return row{}, err
	}
	r := row{minor: minor, toolchain: cells[1], offsets: make([]int64, len(columns))}
	byName := map[string]string{}
	for i, name := range names {
		byName[name] = cells[i]
	}
	for i, c := range columns {
		text := byName[c.name]
		if text == emptyText || text == "" {
			r.offsets[i] = absent
			continue
		}
		if r.offsets[i], err = strconv.ParseInt(text, 10, 32); err != nil {
			return row{}, err
		}
	}
	return r, nil
}

func lines(path string) ([][]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all [][]string
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		all = append(all, strings.Split(line, "\t"))
	}
	return all, nil
}

// report prints every difference between two tables and tells whether there is one.
func report(w io.Writer, old, rows []row) bool {
	before := map[int]row{}
	for _, r := range old {
		before[r.minor] = r
	}
	changed := len(old) != len(rows)
	for _, r := range rows {
		o, ok := before[r.minor]
		if !ok {
			fmt.Fprintf(w, "layoutgen: Go 1.%d is new\n", r.minor)
			changed = true
			continue
		}
		for i, c := range columns {
			if o.offsets[i] != r.offsets[i] {
				fmt.Fprintf(w, "layoutgen: Go 1.%d: %s: table %d, measured %d\n", r.minor,
					c.name, o.offsets[i], r.offsets[i])
				changed = true
			}
		}
		if o.reasonsLine() != r.reasonsLine() {
			fmt.Fprintf(w, "layoutgen: Go 1.%d: wait reasons\n  table    %q\n  measured %q\n",
				r.minor, o.reasons, r.reasons)
			changed = true
		}
	}
	return changed
}
