// SPDX-License-Identifier: Apache-2.0
//go:build cgo

package main

// static int answer(void) { return 42; }
import "C"

// linkC makes the program link with C, which moves the Go text and merges sections.
func linkC() {
	if C.answer() != 42 {
		panic("C is out of order")
	}
}
