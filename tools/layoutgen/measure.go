// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The runtime references all structs of interest by itself; one goroutine on a channel keeps the
// channel code in.
const sample = `package main

func main() {
	c := make(chan int)
	go func() { c <- 1 }()
	<-c
}
`

// measure builds the sample for both architectures and reads it.
func measure(dir, toolchain string) (row, error) {
	minor, err := minorOf(toolchain)
	if err != nil {
		return row{}, err
	}
	r := row{minor: minor, toolchain: toolchain}
	for _, arch := range []string{"amd64", "arm64"} {
		binary, err := build(dir, toolchain, arch)
		if err != nil {
			return row{}, fmt.Errorf("%s: %w", arch, err)
		}
		offsets, reasons, err := read(binary, minor)
		if err != nil {
			return row{}, fmt.Errorf("%s: %w", arch, err)
		}
		if r.offsets == nil {
			r.offsets, r.reasons = offsets, reasons
			continue
		}
		if err := same(r, offsets, reasons); err != nil {
			return row{}, fmt.Errorf("amd64 and arm64 differ: %w", err)
		}
		for i, c := range columns {
			if c.arch == arch {
				r.offsets[i] = offsets[i]
			}
		}
	}
	return r, nil
}

func minorOf(toolchain string) (int, error) {
	var minor int
	if _, err := fmt.Sscanf(toolchain, "go1.%d", &minor); err != nil {
		return 0, fmt.Errorf("%q is not like go1.26.8", toolchain)
	}
	return minor, nil
}

func build(dir, toolchain, arch string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for name, text := range map[string]string{"main.go": sample, "go.mod": "module example.com/sample\n\ngo 1.18\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	out := filepath.Join(dir, "sample-"+arch)
	cmd := exec.Command("go", "build", "-o", out, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOTOOLCHAIN="+toolchain, "GOOS=linux", "GOARCH="+arch,
		"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, text)
	}
	return out, nil
}

func same(r row, offsets []int64, reasons []string) error {
	for i, c := range columns {
		if c.arch == "" && r.offsets[i] != offsets[i] {
			return fmt.Errorf("%s is %d and %d", c.name, r.offsets[i], offsets[i])
		}
	}
	if strings.Join(r.reasons, "\t") != strings.Join(reasons, "\t") {
		return fmt.Errorf("wait reasons")
	}
	return nil
}

// read takes offsets and wait reasons out of one binary.
func read(path string, minor int) ([]int64, []string, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.DWARF()
	if err != nil {
		return nil, nil, err
	}
	structs, err := runtimeStructs(info, minor)
	if err != nil {
		return nil, nil, err
	}
	offsets := make([]int64, len(columns))
	for i, c := range columns {
		if offsets[i], err = offsetOf(c, structs, minor); err != nil {
			return nil, nil, err
		}
	}
	reasons, err := waitReasons(f)
	return offsets, reasons, err
}

// runtimeStructs collects the struct types which the columns need in this version, by name without
// the package.
func runtimeStructs(info *dwarf.Data, minor int) (map[string]*dwarf.StructType, error) {
	wanted := map[string]bool{}
	for _, c := range columns {
		if c.exists(minor) {
			wanted["runtime."+c.typ] = true
		}
	}
	found := map[string]*dwarf.StructType{}
	for r := info.Reader(); ; {
		entry, err := r.Next()
		if err != nil {
			return nil, err
		}
		if entry == nil {
			break
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		if entry.Tag != dwarf.TagStructType || !wanted[name] {
			continue
		}
		typ, err := info.Type(entry.Offset)
		if err != nil {
			return nil, err
		}
		if st, ok := typ.(*dwarf.StructType); ok {
			found[strings.TrimPrefix(name, "runtime.")] = st
		}
	}
	for name := range wanted {
		if found[strings.TrimPrefix(name, "runtime.")] == nil {
			return nil, fmt.Errorf("DWARF has no struct %s", name)
		}
	}
	return found, nil
}

func offsetOf(c column, structs map[string]*dwarf.StructType, minor int) (int64, error) {
	st := structs[c.typ]
	if st == nil {
		return absent, nil // it is not wanted in this version
	}
	if c.isSize() {
		return st.ByteSize, nil
	}
	for _, path := range c.paths {
		if offset, ok := walk(st, strings.Split(path, ".")); ok {
			if !c.exists(minor) {
				return 0, fmt.Errorf("%s is here, but is expected from Go 1.%d on, or until 1.%d",
					c.name, c.since, c.until)
			}
			return offset, nil
		}
	}
	if c.exists(minor) {
		return 0, fmt.Errorf("runtime.%s has no field %s", c.typ, strings.Join(c.paths, " or "))
	}
	return absent, nil
}

// walk follows a dotted path through nested structs. A star in front of the last name accepts the
// field only when it is a plain pointer.
func walk(st *dwarf.StructType, path []string) (int64, bool) {
	name, pointer := strings.CutPrefix(path[0], "*")
	for _, f := range st.Field {
		if f.Name != name {
			continue
		}
		typ := underlying(f.Type)
		if len(path) == 1 {
			_, isPointer := typ.(*dwarf.PtrType)
			return f.ByteOffset, isPointer || !pointer
		}
		inner, ok := typ.(*dwarf.StructType)
		if !ok {
			return 0, false
		}
		offset, ok := walk(inner, path[1:])
		return f.ByteOffset + offset, ok
	}
	return 0, false
}

func underlying(typ dwarf.Type) dwarf.Type {
	for {
		def, ok := typ.(*dwarf.TypedefType)
		if !ok {
			return typ
		}
		typ = def.Type
	}
}

// waitReasons reads runtime.waitReasonStrings, an array of Go strings. In a static executable the
// string headers are final in the file.
func waitReasons(f *elf.File) ([]string, error) {
	symbols, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range symbols {
		if s.Name != "runtime.waitReasonStrings" {
			continue
		}
		const headerSize = 16
		headers, err := contents(f, s.Value, s.Size)
		if err != nil {
			return nil, err
		}
		var reasons []string
		for ; len(headers) >= headerSize; headers = headers[headerSize:] {
			address := binary.LittleEndian.Uint64(headers)
			length := binary.LittleEndian.Uint64(headers[8:])
			text, err := contents(f, address, length)
			if err != nil {
				return nil, err
			}
			if bytes.ContainsAny(text, "\t\n\"\\") || string(text) == emptyText {
				return nil, fmt.Errorf("wait reason %q does not fit the table", text)
			}
			reasons = append(reasons, string(text))
		}
		return reasons, nil
	}
	return nil, fmt.Errorf("no symbol runtime.waitReasonStrings")
}

// contents returns file contents by address.
func contents(f *elf.File, address, size uint64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD || address < p.Vaddr || address-p.Vaddr > p.Filesz ||
			size > p.Filesz-(address-p.Vaddr) {
			continue
		}
		data := make([]byte, size)
		_, err := p.ReadAt(data, int64(address-p.Vaddr))
		return data, err
	}
	return nil, fmt.Errorf("%d bytes at %#x are not in the file", size, address)
}
