// SPDX-License-Identifier: Apache-2.0

// pacebench creates goroutines at a steady rate and does nothing else: what is added to its processor
// time at a rate is what tracing costs at that rate. It obeys lines on stdin, and answers each:
//
//	rate N   N goroutines a second from now on
//	count    how many there have been
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Often enough to be steady, seldom enough that waking up is little beside the work.
const tick = 5 * time.Millisecond

const batch = 256

// What could not be made in time is let go of: a tracer that slows the program down must not be
// charged for a backlog as well.
const backlogSeconds = 0.1

var rate, made int64

func brief(wg *sync.WaitGroup) {
	wg.Done()
}

// spawn never has many at a time: how late it is must not decide how much memory they touch.
func spawn(n int) {
	var wg sync.WaitGroup
	for n > 0 {
		k := n
		if k > batch {
			k = batch
		}
		wg.Add(k)
		for i := 0; i < k; i++ {
			go brief(&wg)
		}
		wg.Wait()
		n -= k
	}
}

func pace() {
	owed, last := 0.0, time.Now()
	for {
		time.Sleep(tick)
		now := time.Now()
		wanted := float64(atomic.LoadInt64(&rate))
		owed += wanted * now.Sub(last).Seconds()
		last = now
		if owed > wanted*backlogSeconds && wanted*backlogSeconds > 1 {
			owed = wanted * backlogSeconds
		}
		if n := int(owed); n > 0 {
			spawn(n)
			atomic.AddInt64(&made, int64(n))
			owed -= float64(n)
		}
	}
}

func main() {
	// One processor: the price of one goroutine, not of the competition for run queues.
	runtime.GOMAXPROCS(1)
	fmt.Println("ready", os.Getpid())
	go pace()
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		fields := strings.Fields(input.Text())
		switch {
		case len(fields) == 2 && fields[0] == "rate":
			n, err := strconv.Atoi(fields[1])
			if err != nil || n < 0 {
				fmt.Println("error no rate:", fields[1])
				os.Exit(2)
			}
			atomic.StoreInt64(&rate, int64(n))
			fmt.Println("ok rate")
		case len(fields) == 1 && fields[0] == "count":
			fmt.Println("ok count", atomic.LoadInt64(&made))
		default:
			fmt.Println("error unknown command:", input.Text())
			os.Exit(2)
		}
	}
}
