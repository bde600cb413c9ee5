// SPDX-License-Identifier: Apache-2.0

// library is Go code for programs that are not written in Go: a runtime of its own in somebody else's
// process, as -buildmode=c-shared or c-archive. See host/main.c for what it is asked to do.
package main

/*
#include <pthread.h>

extern void OnThread(void);

static void *on_thread(void *nothing)
{
	OnThread();
	return nothing;
}

static int start_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, on_thread, NULL);
}
*/
import "C"

import (
	"runtime"
	"runtime/cgo"
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

func wait(c chan struct{}, ready *sync.WaitGroup) {
	ready.Done()
	<-c // blocked:wait
}

func waiting(n int, ready *sync.WaitGroup) chan struct{} {
	c := make(chan struct{})
	for i := 0; i < n; i++ {
		go wait(c, ready) // made:wait
	}
	return c
}

var kept []any

// Lose begins N goroutines that nobody can wake, and as many three times over that somebody may: by a
// variable, by a handle that C would have, and by what is on the stack of a thread of C's in here.
//
//export Lose
func Lose(n C.int) {
	var ready, entered sync.WaitGroup
	ready.Add(4 * int(n))
	waiting(int(n), &ready)
	kept = append(kept, waiting(int(n), &ready))
	handles = append(handles, uintptr(cgo.NewHandle(waiting(int(n), &ready))))
	entered.Add(1)
	onThread = func() {
		c := waiting(int(n), &ready)
		entered.Done()
		<-never
		close(c)
	}
	startThread()
	entered.Wait()
	ready.Wait()
}

var (
	handles  []uintptr
	onThread func()
)

//export OnThread
func OnThread() { onThread() }

//export Count
func Count() C.int {
	return C.int(runtime.NumGoroutine())
}

func startThread() {
	if C.start_thread() != 0 {
		panic("no thread")
	}
}

func main() {}
