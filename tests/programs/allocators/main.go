// SPDX-License-Identifier: Apache-2.0

// Allocators allocates a number of objects, by different goroutines at different places, when it is told.
//
//	RATE=1 allocators    every object is a sample; without RATE it has no profile
//
// Each line on stdin is answered: "run NAME KIND N" by a goroutine of that profiler label, which has
// ended by then, "mix N" by rounds of all kinds for N ms, "steps N FIRST SECOND" by two that take turns, "slices N" likewise, with what was done and used by then
// every 20 ms (CLOCK_MONOTONIC, rounds, CPU time), "collect".
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type node struct {
	next *node
	rest [7]int
}

type header struct {
	next *header
	rest [100]int
}

var (
	sinkNode   *node
	sinkHeader *header
	sinkBytes  []byte
	sinkInt    *int32
	sinkString string
	sinkMap    map[int]int
	sinkInts   []int
	kept       []*node
)

//go:noinline
func makeNode() { sinkNode = new(node) }

//go:noinline
func makeOther() { sinkNode = &node{rest: [7]int{1}} }

//go:noinline
func makeKept() { kept = append(kept, new(node)) }

//go:noinline
func makeHeader() { sinkHeader = new(header) }

//go:noinline
func makeBytes(n int) { sinkBytes = make([]byte, n) }

//go:noinline
func makeLarge(n int) { sinkBytes = make([]byte, n) }

//go:noinline
func makeTiny() { sinkInt = new(int32) }

//go:noinline
func makeString(s string) { sinkString = s + sinkText }

//go:noinline
func makeMap(n int) {
	m := make(map[int]int)
	for i := 0; i < n; i++ {
		m[i] = i
	}
	sinkMap = m
}

//go:noinline
func makeInts(n int) {
	var all []int
	for i := 0; i < n; i++ {
		all = append(all, i)
	}
	sinkInts = all
}

var sinkText = "the end of a string that is made of two"

var kinds = map[string]func(){
	"node":   makeNode,
	"other":  makeOther,
	"kept":   makeKept,
	"header": makeHeader,
	"bytes":  func() { makeBytes(sizes[0]) },
	"large":  func() { makeLarge(sizes[1]) },
	"tiny":   makeTiny,
	"string": func() { makeString("and the beginning: ") },
	"map":    func() { makeMap(sizes[2]) },
	"append": func() { makeInts(sizes[2]) },
}

// Variables, so that the compiler does not know them.
var sizes = []int{1000, 100000, 50}

func run(name, kind string, n int) {
	make := kinds[kind]
	done := make1()
	go func() {
		pprof.Do(context.Background(), pprof.Labels("tenant", name), func(context.Context) {
			for i := 0; i < n; i++ {
				make()
			}
		})
		close(done)
	}()
	<-done
}

func make1() chan struct{} { return make(chan struct{}) }

// mix is, for so long, one goroutine that does nothing but allocate, and one that allocates 200 objects of
// the same size each millisecond. It says how many rounds, and how many of the others there were.
func mix(ms int) (rounds, others int) {
	end := time.Now().Add(time.Duration(ms) * time.Millisecond)
	done := make1()
	go func() {
		for time.Now().Before(end) {
			time.Sleep(time.Millisecond)
			for i := 0; i < 200; i++ {
				makeOther()
			}
			others += 200
		}
		close(done)
	}()
	for ; rounds%100 != 0 || time.Now().Before(end); rounds++ {
		if rounds%100 == 0 {
			note(rounds)
		}
		for k := 0; k < 10; k++ {
			makeNode()
			makeTiny()
		}
		makeHeader()
		makeBytes(sizes[0])
		makeString("and the beginning: ")
		if rounds%10 == 0 {
			makeMap(sizes[2])
			makeInts(sizes[2])
		}
		if rounds%100 == 0 {
			makeLarge(sizes[1])
		}
	}
	<-done
	return rounds, others
}

// steps is, for so long, two goroutines that take turns, over a channel without a buffer: first so many objects of one,
// then so many of the other, of the same size. It says how many turns there were.
func steps(ms, first, second int) (turns int) {
	end := time.Now().Add(time.Duration(ms) * time.Millisecond)
	turn := make1()
	go func() {
		for range turn {
			for i := 0; i < second; i++ {
				makeOther()
			}
			turn <- struct{}{}
		}
	}()
	for ; turns%100 != 0 || time.Now().Before(end); turns++ {
		for i := 0; i < first; i++ {
			makeNode()
		}
		turn <- struct{}{}
		<-turn
	}
	close(turn)
	return turns
}

type slice struct {
	at, cpu int64
	rounds  int
}

// The log is made before anything is measured; without room nothing is noted.
var slices []slice
var noted time.Time

func clock(id uintptr) int64 {
	var at syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&at)), 0)
	return at.Nano()
}

func note(rounds int) {
	if len(slices) == cap(slices) || time.Since(noted) < 20*time.Millisecond {
		return
	}
	noted = time.Now()
	slices = append(slices, slice{clock(1), clock(2), rounds}) // CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID
}

func mixInSlices(ms int) {
	slices = make([]slice, 0, ms/20+2)
	mix(ms)
	fmt.Print("ok slices")
	for _, s := range slices {
		fmt.Print(" ", s.at, ",", s.rounds, ",", s.cpu)
	}
	fmt.Println()
	slices = nil
}

func init() {
	if rate, err := strconv.Atoi(os.Getenv("RATE")); err == nil {
		runtime.MemProfileRate = rate
	}
}

func main() {
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		switch words[0] {
		case "run":
			n, _ := strconv.Atoi(words[3])
			run(words[1], words[2], n)
		case "mix":
			n, _ := strconv.Atoi(words[1])
			rounds, others := mix(n)
			fmt.Println("ok mix", rounds, others)
			continue
		case "steps":
			n, _ := strconv.Atoi(words[1])
			first, _ := strconv.Atoi(words[2])
			second, _ := strconv.Atoi(words[3])
			fmt.Println("ok steps", steps(n, first, second))
			continue
		case "slices":
			n, _ := strconv.Atoi(words[1])
			mixInSlices(n)
			continue
		case "collect":
			runtime.GC()
		}
		fmt.Println("ok", words[0])
	}
}
