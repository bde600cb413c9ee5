// SPDX-License-Identifier: Apache-2.0
//go:build go1.24

package main

import (
	"runtime"
	"time"
)

func startCleanups() {
	done := make(chan bool)
	object := &node{}
	runtime.AddCleanup(object, func(c chan bool) { close(c) }, done)
	object = nil
	for {
		runtime.GC()
		select {
		case <-done:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
