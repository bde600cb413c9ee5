// SPDX-License-Identifier: Apache-2.0

// sleepers keeps N goroutines parked in a channel receive and watches how long the program itself
// is ever held up. Commands on stdin, one line of answer each:
//
//	stall     the longest gap in nanoseconds since the last asking, and how many gaps there were
//	wake      every goroutine runs once and parks again
//	release   all of them end
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var longest, turns int64

// meter never parks: a gap between two readings of the clock is time in which the thread or the
// whole process did not run.
func meter() {
	runtime.LockOSThread()
	last := time.Now()
	for {
		now := time.Now()
		gap := now.Sub(last).Nanoseconds()
		last = now
		if gap > atomic.LoadInt64(&longest) {
			atomic.StoreInt64(&longest, gap)
		}
		atomic.AddInt64(&turns, 1)
	}
}

func sleeper(nudges <-chan struct{}, woken *sync.WaitGroup) {
	for range nudges { // blocked:sleepers
		woken.Done()
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil || n < 0 {
		fmt.Println("usage: sleepers N")
		os.Exit(2)
	}
	// The collector's own pauses are not what is measured.
	debug.SetGCPercent(-1)
	nudges := make(chan struct{})
	var woken sync.WaitGroup
	for i := 0; i < n; i++ {
		go sleeper(nudges, &woken) // made:sleepers
	}
	go meter()
	fmt.Println("ready", os.Getpid())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		switch strings.TrimSpace(input.Text()) {
		case "stall":
			fmt.Println("stall", atomic.SwapInt64(&longest, 0), atomic.SwapInt64(&turns, 0))
		case "wake":
			woken.Add(n)
			for i := 0; i < n; i++ {
				nudges <- struct{}{}
			}
			woken.Wait()
			fmt.Println("ok wake")
		case "release":
			close(nudges)
			nudges = make(chan struct{})
			fmt.Println("ok release")
		default:
			fmt.Println("error unknown command")
		}
	}
}
