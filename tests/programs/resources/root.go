// SPDX-License-Identifier: Apache-2.0

//go:build go1.24

package main

import (
	"os"
	"sync"
)

var (
	rootsMu sync.Mutex
	roots   = map[*os.Root]bool{}
)

func openRoot() func() {
	r, err := os.OpenRoot("/proc/self")
	must(err)
	rootsMu.Lock()
	roots[r] = true
	rootsMu.Unlock()
	return func() {
		rootsMu.Lock()
		delete(roots, r)
		rootsMu.Unlock()
		r.Close()
	}
}

func init() {
	kinds["root"] = &kind{open: openRoot}
}
