// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package main

// #include <unistd.h>
import "C"

func init() {
	sleep = func(seconds int) {
		C.sleep(C.uint(seconds)) // stuck: C
	}
}
