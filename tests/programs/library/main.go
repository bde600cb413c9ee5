// SPDX-License-Identifier: Apache-2.0

// library is Go code for programs that are not written in Go: a runtime of its own in somebody else's
// process, as -buildmode=c-shared or c-archive. See host/main.c for what it is asked to do.
package main

import "C"

import (
	"runtime"
	"sync"
)

var never = make(chan struct{})

func parked(ready *sync.WaitGroup) {
	ready.Done()
	<-never // blocked:park
}

//export Park
func Park(n C.int) {
	var ready sync.WaitGroup
	ready.Add(int(n))
	for i := 0; i < int(n); i++ {
		go parked(&ready) // made:park
	}
	ready.Wait()
}

//export Run
func Run(n C.int) {
	var done sync.WaitGroup
	done.Add(int(n))
	for i := 0; i < int(n); i++ {
		go done.Done() // made:run
	}
	done.Wait()
}

//export Count
func Count() C.int {
	return C.int(runtime.NumGoroutine())
}

func main() {}
