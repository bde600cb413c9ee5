// SPDX-License-Identifier: Apache-2.0

// crowd is an ordinary service with N goroutines: most wait for work on a channel or in a select,
// one in twenty wakes up every second, one in a hundred ends and is replaced every second. Ends with
// its input.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"
)

func worker(jobs <-chan int) {
	for range jobs {
	}
}

func subscriber(events <-chan int, stop <-chan struct{}) {
	for {
		select {
		case <-events:
		case <-stop:
			return
		}
	}
}

func poller(stop <-chan struct{}) {
	for {
		select {
		case <-time.After(time.Second):
		case <-stop:
			return
		}
	}
}

func request(done *sync.WaitGroup) {
	time.Sleep(time.Second)
	done.Done()
}

func requests(n int) {
	for {
		var done sync.WaitGroup
		done.Add(n)
		for i := 0; i < n; i++ {
			go request(&done)
		}
		done.Wait()
	}
}

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil || n < 100 {
		fmt.Println("usage: crowd N, at least 100")
		os.Exit(2)
	}
	jobs, events := make(chan int), make(chan int)
	stop := make(chan struct{})
	short, waking := n/100, n/20
	for i := 0; i < waking; i++ {
		go poller(stop)
	}
	for i := 0; i < n/2; i++ {
		go worker(jobs)
	}
	for i := n/2 + waking + short; i < n; i++ {
		go subscriber(events, stop)
	}
	go requests(short)
	fmt.Println("ready", os.Getpid())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
