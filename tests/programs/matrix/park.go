// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// reuse leaves dead g structs behind, and takes some of them into use again.
func reuse() {
	for i := 0; i < 3; i++ {
		burst(331)
	}
}

// --- channels ------------------------------------------------------------------------------------

var never = make(chan int)

//go:noinline
func chanSend() { make(chan int) <- 1 }

//go:noinline
func chanReceive() { <-never }

//go:noinline
func chanRange() {
	for range never {
	}
}

//go:noinline
func nilSend() { (chan int)(nil) <- 1 }

//go:noinline
func nilReceive() { <-(chan int)(nil) }

//go:noinline
func selectTwo() {
	select {
	case <-never:
	case make(chan int) <- 1:
	}
}

//go:noinline
func selectNone() { select {} }

func parkOnChannels() {
	for i := 0; i < 3; i++ {
		go chanSend()
	}
	for i := 0; i < 7; i++ {
		go chanReceive()
	}
	go chanRange()
	go nilSend()
	go nilReceive()
	for i := 0; i < 5; i++ {
		go selectTwo()
	}
	go selectNone()
	for _, name := range []string{"chanSend", "chanReceive", "chanRange", "nilSend", "nilReceive",
		"selectTwo", "selectNone"} {
		way(name)
	}
}

// --- package sync --------------------------------------------------------------------------------

var (
	mutex    sync.Mutex
	readers  sync.RWMutex
	writers  sync.RWMutex
	waiting  sync.WaitGroup
	condLock sync.Mutex
	cond     = sync.NewCond(&condLock)
)

//go:noinline
func lockMutex() { mutex.Lock() }

//go:noinline
func lockRead() { readers.RLock() }

//go:noinline
func lockWrite() { writers.Lock() }

//go:noinline
func waitGroup() { waiting.Wait() }

//go:noinline
func waitCond() {
	condLock.Lock()
	cond.Wait()
}

func parkOnSync() {
	mutex.Lock()
	readers.Lock()
	writers.RLock()
	waiting.Add(1)
	for i := 0; i < 2; i++ {
		go lockMutex()
		go lockRead()
	}
	go lockWrite()
	go waitGroup()
	go waitCond()
	// A semaphore's waiter is not preceded by a word of its function in every version's dump.
	for _, name := range []string{"lockMutex/s", "lockRead/s", "lockWrite/s", "waitGroup/s",
		"waitCond/s"} {
		way(name)
	}
}

// --- time ----------------------------------------------------------------------------------------

//go:noinline
func sleepLong() { time.Sleep(100 * time.Hour) }

//go:noinline
func waitTicker() {
	ticker := time.NewTicker(100 * time.Hour)
	defer ticker.Stop()
	for range ticker.C {
	}
}

//go:noinline
func waitContext(ctx context.Context) { <-ctx.Done() }

func parkInTime() {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Hour)
	keep = append(keep, cancel)
	go sleepLong()
	go waitTicker()
	go waitContext(ctx)
	way("sleepLong")
	way("waitTicker")
	way("waitContext")
}

var keep []interface{}

// --- the kernel ----------------------------------------------------------------------------------

func must(err error) {
	if err != nil {
		panic(err)
	}
}

//go:noinline
func readSocket(file *os.File) {
	var buffer [1]byte
	file.Read(buffer[:])
}

//go:noinline
func readBlocking(fd int) {
	var buffer [1]byte
	syscall.Read(fd, buffer[:])
}

//go:noinline
func rawSystemCall(fd int) {
	var buffer [1]byte
	syscall.Syscall(syscall.SYS_READ, uintptr(fd), bufferAddress(&buffer), 1)
}

//go:noinline
func lockedToThread() {
	runtime.LockOSThread()
	<-never
}

// emptyPipe returns the end of a pipe into which nobody writes, and which blocks.
func emptyPipe() int {
	var ends [2]int
	must(syscall.Pipe(ends[:]))
	return ends[0]
}

func parkInKernel() {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(err)
	must(syscall.SetNonblock(pair[0], true))
	file := os.NewFile(uintptr(pair[0]), "socket")
	keep = append(keep, file)
	go readSocket(file)
	go readBlocking(emptyPipe())
	go rawSystemCall(emptyPipe())
	go lockedToThread()
	way("readSocket/IO")
	way("readBlocking/syscall")
	way("rawSystemCall/syscall")
	way("lockedToThread/chan")
}

// --- shapes of stacks ----------------------------------------------------------------------------

//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		return <-never
	}
	return recurse(depth-1) + 1
}

type shape struct{ wait chan int }

//go:noinline
func (s shape) byValue() { <-s.wait }

//go:noinline
func (s *shape) byPointer() { <-s.wait }

type byValuer interface{ byValue() }

type embeds struct {
	padding [3]int
	shape
}

//go:noinline
func throughInterface(v byValuer) { v.byValue() }

type pair[K comparable, V any] struct {
	key   K
	value V
}

//go:noinline
func (p pair[K, V]) genericMethod(wait chan V) V { return <-wait }

//go:noinline
func genericFunction[T any](wait chan T) T { return <-wait }

//go:noinline
func genericApply[T any](value T, f func(T) T) T { return f(value) }

func inlinedInner(wait chan int) int  { return <-wait }
func inlinedMiddle(wait chan int) int { return inlinedInner(wait) + 1 }

//go:noinline
func inlinedOuter(wait chan int) int { return inlinedMiddle(wait) + 1 }

//go:noinline
func inDefer() {
	defer chanReceiveDeferred()
	sink.Add(1)
}

//go:noinline
func chanReceiveDeferred() { <-never }

//go:noinline
func inPanic() {
	defer func() {
		<-never
	}()
	panic("on purpose")
}

//go:noinline
func inFault(nothing *shape) {
	defer func() {
		<-never
	}()
	sink.Add(int64(len(nothing.wait)))
}

//go:noinline
func nested() func() {
	return func() {
		func() {
			<-never
		}()
	}
}

//go:noinline
func onceForever(once *sync.Once) { once.Do(chanReceiveOnce) }

//go:noinline
func chanReceiveOnce() { <-never }

//go:noinline
func labelled(ctx context.Context) { <-never }

//go:noinline
func bigFrame() byte {
	var space [64 << 10]byte
	fill(space[:])
	<-never
	return space[len(space)/2]
}

//go:noinline
func fill(space []byte) {
	for i := range space {
		space[i] = byte(i)
	}
}

// manyArguments is started by a wrapper that carries them.
//
//go:noinline
func manyArguments(a, b, c, d int, s string, wait chan int) int {
	return a + b + c + d + len(s) + <-wait
}

// startedInside is created in a function that the compiler inlines, if it inlines such ones.
func startedInside() { go chanReceiveInside() }

//go:noinline
func chanReceiveInside() { <-never }

func parkInShapes() {
	s := &shape{never}
	go recurse(47)
	go recurse(200)
	go s.byValue()
	go s.byPointer()
	go throughInterface(&embeds{shape: *s})
	bound := s.byPointer
	go bound()
	go pair[string, int]{}.genericMethod(never)
	go pair[int, int]{}.genericMethod(never)
	go genericFunction(never)
	go genericFunction(make(chan map[string]int))
	go genericApply(1, func(n int) int { return n + <-never })
	go inlinedOuter(never)
	go inDefer()
	go inPanic()
	go inFault(nil)
	go nested()()
	go onceForever(&sync.Once{})
	go pprof.Do(context.Background(), pprof.Labels("request", "42"), labelled)
	go bigFrame()
	go manyArguments(1, 2, 3, 4, "five", never)
	startedInside()
	go func() {
		<-never
	}()
	for _, name := range []string{"recurse", "shape.byValue", "(*shape).byPointer",
		"throughInterface", "genericFunction", "genericApply", "inlinedOuter", "inDefer", "inPanic",
		"inFault", "nested", "onceForever", "labelled", "bigFrame", "manyArguments",
		"chanReceiveInside"} {
		way(name + "/chan")
	}
}

// --- what does not park --------------------------------------------------------------------------

type counter struct{ n int64 }

func (c *counter) Add(n int64) { atomic.AddInt64(&c.n, n) }

var sink counter

//go:noinline
func busy() {
	for {
		sink.Add(1)
	}
}

//go:noinline
func yields() {
	for {
		runtime.Gosched()
	}
}

func keepRunning() {
	go busy()
	go yields()
	go yields()
	way("busy/run")
	way("yields/run")
}

type node struct{ next *node }

// startCleaners makes the runtime start the goroutines which run finalizers and cleanups, and lets
// them come to rest.
func startCleaners() {
	done := make(chan bool)
	// Not a small object without pointers: those share a block with others, which keep it alive.
	object := &node{}
	runtime.SetFinalizer(object, func(*node) { close(done) })
	object = nil
	for finished := false; !finished; {
		runtime.GC()
		select {
		case <-done:
			finished = true
		case <-time.After(5 * time.Millisecond):
		}
	}
	startCleanups()
}
