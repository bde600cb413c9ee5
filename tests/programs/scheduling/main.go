// SPDX-License-Identifier: Apache-2.0

// Goroutines that do not get on, in each way there is, on command: those that wait for a processor, those
// that keep one, and threads that stay in a system call or in C. It builds with every Go from 1.18 on.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	done  uint64
	stop  uint32
	sleep func(seconds int) // in C
)

// Yields when it is asked to, and goes on as soon as it may.
func busy() {
	for atomic.LoadUint32(&stop) == 0 {
		for i := 0; i < 1000; i++ {
			atomic.AddUint64(&done, 1) // runs: busy
		}
	}
}

// Wakes a thousand times a second, if it may.
func tick() {
	for atomic.LoadUint32(&stop) == 0 {
		time.Sleep(time.Millisecond) // waits: tick
	}
}

// Starts others, and never lets them run.
func hoard(n int) {
	for i := 0; i < n; i++ {
		go tick()
	}
	busy()
}

// A file that is no business of the poller: the thread waits.
func readBlocking(path string) {
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	buffer := make([]byte, 16)
	syscall.Read(fd, buffer) // stuck: read
}

func openBlocking(path string) {
	syscall.Open(path, syscall.O_WRONLY, 0) // stuck: open
}

func nap(seconds int) {
	runtime.LockOSThread()
	span := syscall.Timespec{Sec: int64(seconds)}
	syscall.Nanosleep(&span, nil) // stuck: nanosleep
}

// Waits, with a thread to itself.
func lock() {
	runtime.LockOSThread()
	select {} // waits: lock
}

var (
	convoyed sync.Mutex
	passed   uint64
	waitedNs int64
)

// Each keeps it for a millisecond: all others wait.
func convoy() {
	for atomic.LoadUint32(&stop) == 0 {
		before := time.Now()
		convoyed.Lock() // waits: convoy
		atomic.AddInt64(&waitedNs, int64(time.Since(before)))
		time.Sleep(time.Millisecond)
		convoyed.Unlock()
		atomic.AddUint64(&passed, 1)
	}
}

var handed = make(chan int)

// Waits for what comes once in a millisecond, with others.
func take() {
	for range handed { // waits: take
	}
}

func hand() {
	for atomic.LoadUint32(&stop) == 0 {
		handed <- 1
		time.Sleep(time.Millisecond)
	}
	close(handed)
}

// What the runtime itself says of each wait that is over, since profiling began.
func writeBlockProfile(path string) {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	if err := pprof.Lookup("block").WriteTo(file, 0); err != nil {
		panic(err)
	}
	file.Close()
}

// Traces itself, until stopTrace().
func startTrace(path string) {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	if err := trace.Start(file); err != nil {
		panic(err)
	}
}

// Each takes a while, and has the collector in it.
func regions(n int) {
	for i := 0; i < n; i++ {
		trace.WithRegion(context.Background(), "step", func() {
			time.Sleep(3 * time.Millisecond)
			runtime.GC()
		})
	}
}

// What the runtime itself says: waits of more than 10.49 ms, where its histogram has an edge.
func late() uint64 {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(sample)
	histogram := sample[0].Value.Float64Histogram()
	var n uint64
	for i, count := range histogram.Counts {
		if histogram.Buckets[i] >= 0.01048 {
			n += count
		}
	}
	return n
}

// One figure of the runtime's; 0: this version has none of that name.
func metric(name string) float64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	switch sample[0].Value.Kind() {
	case metrics.KindUint64:
		return float64(sample[0].Value.Uint64())
	case metrics.KindFloat64:
		return sample[0].Value.Float64()
	}
	return 0
}

type leaf struct {
	left, right *leaf
}

func grow(depth int) *leaf {
	if depth == 0 {
		return &leaf{}
	}
	return &leaf{grow(depth - 1), grow(depth - 1)}
}

// Allocates so fast that it has to help the collector, which has much to look at.
func assist(kept []*leaf) {
	for atomic.LoadUint32(&stop) == 0 {
		for i := range kept {
			kept[i] = grow(16) // assists: assist
		}
	}
}

// Goroutines that live one after the other, each for a few milliseconds.
func brief(n int) {
	done := make(chan bool)
	for i := 0; i < n; i++ {
		go func() {
			time.Sleep(3 * time.Millisecond)
			done <- true
		}()
		<-done
	}
}

func number(words []string, at int) int {
	n, err := strconv.Atoi(words[at])
	if err != nil {
		panic(err)
	}
	return n
}

func obey(words []string) string {
	switch words[0] {
	case "busy":
		for i := 0; i < number(words, 1); i++ {
			go busy()
		}
	case "tick":
		for i := 0; i < number(words, 1); i++ {
			go tick()
		}
	case "convoy":
		for i := 0; i < number(words, 1); i++ {
			go convoy()
		}
	case "take":
		for i := 0; i < number(words, 1); i++ {
			go take()
		}
		go hand()
	case "metric":
		return fmt.Sprint(metric(words[1]))
	case "profile":
		runtime.SetBlockProfileRate(1)
	case "profiled":
		writeBlockProfile(words[1])
	case "hoard":
		go hoard(number(words, 1))
	case "waited":
		return fmt.Sprint(atomic.LoadUint64(&passed), atomic.LoadInt64(&waitedNs))
	case "block":
		for i := 0; i < number(words, 1); i++ {
			go readBlocking(words[2])
		}
	case "lock":
		for i := 0; i < number(words, 1); i++ {
			go lock()
		}
	case "read":
		go readBlocking(words[1])
	case "open":
		go openBlocking(words[1])
	case "nap":
		for i := 0; i < number(words, 1); i++ {
			go nap(number(words, 2))
		}
	case "c":
		go sleep(number(words, 1))
	case "trace":
		startTrace(words[1])
	case "regions":
		done := make(chan bool)
		go func() {
			regions(number(words, 1))
			done <- true
		}()
		<-done
	case "untrace":
		trace.Stop()
	case "stop":
		atomic.StoreUint32(&stop, 1)
	case "assist":
		for i := 0; i < number(words, 1); i++ {
			go assist(make([]*leaf, 61))
		}
	case "brief":
		brief(number(words, 1))
	case "late":
		return fmt.Sprint(late())
	case "quit":
		os.Exit(0)
	}
	return ""
}

func main() {
	// As servers do: a thread waits for them, and that is no call that lasts.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	fmt.Println("ready", os.Getpid())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		if words := strings.Fields(in.Text()); len(words) > 0 {
			fmt.Println("ok", words[0], obey(words))
		}
	}
}
