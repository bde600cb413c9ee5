// SPDX-License-Identifier: Apache-2.0

// Unreachable has goroutines in known numbers, all primes, that wait for what nobody can give them any
// more, and others that look the same and can be woken: by a variable, a timer, a stack, a goroutine
// that waits itself, a finalizer. It says "ready" and ends with its stdin. It builds with every Go from
// 1.18 on.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

type state struct {
	mutex sync.Mutex
	rw    sync.RWMutex
	group sync.WaitGroup
	cond  *sync.Cond
	pad   [8]*int
}

func newState() *state {
	s := new(state)
	s.cond = sync.NewCond(&s.mutex)
	s.mutex.Lock()
	s.rw.Lock()
	s.group.Add(1)
	return s
}

// What is lost: the caller returns, and with it goes the last that knew the other end.

func lostReceive() { c := make(chan int); go func() { <-c }() }
func lostSend()    { c := make(chan *state); go func() { c <- newState() }() }
func lostSelect() {
	a, b := make(chan int), make(chan string, 1)
	go func() {
		select {
		case <-a:
		case <-b:
		}
	}()
}
func lostNil()   { go func() { var c chan int; <-c }() }
func lostNever() { go func() { select {} }() }
func lostGroup() { s := newState(); go func() { s.group.Wait() }() }
func lostLock()  { s := newState(); go func() { s.mutex.Lock() }() }
func lostRead()  { s := newState(); go func() { s.rw.RLock() }() }
func lostCond() {
	s := newState()
	s.mutex.Unlock()
	go func() { s.mutex.Lock(); s.cond.Wait() }()
}

// lostPair is two that only have each other.
func lostPair() {
	a, b := make(chan int), make(chan int)
	go func() { a <- <-b }()
	go func() { b <- <-a }()
}

// lostArray is held by an array too large for a size class, which nobody holds.
func lostArray() {
	all := make([]chan int, 10007)
	all[10006] = make(chan int)
	go func() { <-all[10006] }()
}

// lostContext waits for a context whose cancel function is gone.
func lostContext() {
	ctx, cancel := context.WithCancel(context.Background())
	_ = cancel
	go func() { <-ctx.Done() }()
}

// What is not.

var (
	inMap    = map[int]chan int{}
	inSlice  []*state
	inArray  = make([]chan int, 10007)
	asAny    []any
	asFunc   []func()
	variable sync.Mutex
)

func heldByMap() { c := make(chan int); inMap[len(inMap)] = c; go func() { <-c }() }
func heldBySlice() {
	s := newState()
	inSlice = append(inSlice, s)
	go func() { s.mutex.Lock() }()
}
func heldByArray() {
	c := make(chan int)
	for i := range inArray {
		if inArray[i] == nil {
			inArray[i] = c
			break
		}
	}
	go func() { <-c }()
}
func heldByInterface() { c := make(chan int); asAny = append(asAny, c); go func() { <-c }() }
func heldByClosure() {
	c := make(chan int)
	asFunc = append(asFunc, func() { c <- 1 })
	go func() { <-c }()
}
func heldByVariable() { go func() { variable.Lock() }() }
func heldByTimer()    { go func() { <-time.After(time.Hour) }() }
func heldByAfterFunc() {
	c := make(chan int)
	time.AfterFunc(time.Hour, func() { close(c) })
	go func() { <-c }()
}
func heldByDeadline() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	_ = cancel
	go func() { <-ctx.Done() }()
}

// heldByStack is held by one that sleeps, in a variable whose address was taken.
func heldByStack() {
	c := make(chan int)
	go func() { <-c }()
	go func() {
		local := struct {
			n int
			c chan int
		}{1, c}
		sleep(&local.n)
		local.c <- 1
	}()
}

//go:noinline
func sleep(n *int) { time.Sleep(time.Duration(*n) * time.Hour) }

// heldByDefer is held by a deferred call only.
func heldByDefer() {
	c := make(chan int)
	go func() { <-c }()
	go func() {
		defer func() { c <- 1 }()
		time.Sleep(time.Hour)
	}()
}

// heldByWaiting is held by one that waits and can be woken.
func heldByWaiting() {
	c, d := make(chan int), make(chan int)
	asAny = append(asAny, d)
	go func() { <-c }()
	go func() { <-d; c <- 1 }()
}

// heldByFinalizer is held by garbage that its finalizer is going to be given at the next collection.
func heldByFinalizer() {
	s := &struct{ c chan int }{make(chan int)}
	c := s.c
	runtime.SetFinalizer(s, func(s *struct{ c chan int }) { close(s.c) })
	go func() { <-c }()
}

// heldByBuffer is in the buffer of a channel that a variable has.
func heldByBuffer() { c := make(chan int); queue <- c; go func() { <-c }() }

var queue = make(chan chan int, 1009)

var all = []struct {
	f func()
	n int
}{
	{lostReceive, 2}, {lostSend, 3}, {lostSelect, 5}, {lostNil, 7}, {lostNever, 11},
	{lostGroup, 13}, {lostLock, 17}, {lostRead, 19}, {lostCond, 23}, {lostPair, 29},
	{lostArray, 31}, {lostContext, 37},
	{heldByMap, 41}, {heldBySlice, 41}, {heldByArray, 41}, {heldByInterface, 41},
	{heldByClosure, 41}, {heldByVariable, 41}, {heldByTimer, 41}, {heldByAfterFunc, 41},
	{heldByDeadline, 41}, {heldByStack, 41}, {heldByDefer, 41}, {heldByWaiting, 41},
	{heldByBuffer, 41},
}

// settle returns when all goroutines have come to where they wait.
func settle() {
	for {
		before := runtime.NumGoroutine()
		time.Sleep(100 * time.Millisecond)
		if before == runtime.NumGoroutine() {
			return
		}
	}
}

func main() {
	variable.Lock()
	for _, kind := range all {
		for i := 0; i < kind.n; i++ {
			kind.f()
		}
	}
	settle()
	runtime.GC()
	debug.SetGCPercent(-1)
	for i := 0; i < 41; i++ {
		heldByFinalizer()
	}
	settle()
	fmt.Println("ready")
	bufio.NewReader(os.Stdin).ReadString('\n')
}
