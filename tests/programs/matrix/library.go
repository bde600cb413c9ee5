// SPDX-License-Identifier: Apache-2.0
//go:build library

package main

import "C"

// Begin is main for those who load this as a library or a plugin; it does not return. The thread that calls
// it is one of C, on which coroutines may not be made and used elsewhere (src/runtime/coro.go).
//
//export Begin
func Begin() {
	go main()
	<-never
}
