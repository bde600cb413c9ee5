// SPDX-License-Identifier: Apache-2.0

// service is what a soak run lets gleakd watch. How it behaves is its first argument:
//
//	server         a crowd of goroutines that come and go, at a steady rate
//	leak N         the same, and N goroutines per second that nobody will wake
//	brief TIME     some goroutines, and the end after TIME
//
// It ends with its parent: end of input is end of service.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	workers = 40
	visits  = 25 // per second
)

// worker waits for jobs as long as the service lives.
func worker(jobs <-chan time.Duration) {
	for job := range jobs {
		time.Sleep(job)
	}
}

// visit lives for a while: most shortly, some for seconds.
func visit(jobs chan<- time.Duration) {
	jobs <- time.Duration(rand.Intn(20)) * time.Millisecond
	time.Sleep(time.Duration(rand.ExpFloat64() * float64(300*time.Millisecond)))
}

func serve() {
	jobs := make(chan time.Duration)
	for i := 0; i < workers; i++ {
		go worker(jobs)
	}
	for range time.Tick(time.Second / visits) {
		go visit(jobs)
	}
}

func forgotten(answer chan<- int) {
	answer <- 1 // leak: the one who asked is gone
}

func leak(perSecond int) {
	for range time.Tick(time.Second / time.Duration(perSecond)) {
		go forgotten(make(chan int))
	}
}

func brief(life time.Duration) {
	var all sync.WaitGroup
	for i := 0; i < 20; i++ {
		all.Add(1)
		go func(part time.Duration) {
			time.Sleep(part)
			all.Done()
		}(life * time.Duration(i+1) / 20)
	}
	all.Wait()
}

func argument() string {
	if len(os.Args) < 3 {
		return ""
	}
	return os.Args[2]
}

func main() {
	how := ""
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	fmt.Println("ready", os.Getpid())
	switch how {
	case "server":
		go serve()
	case "leak":
		n, err := strconv.Atoi(argument())
		if err != nil || n < 1 || n > 1000 {
			fmt.Fprintln(os.Stderr, "service leak N: 1 to 1000 per second")
			os.Exit(2)
		}
		go serve()
		go leak(n)
	case "brief":
		life, err := time.ParseDuration(argument())
		if err != nil {
			fmt.Fprintln(os.Stderr, "service brief TIME:", err)
			os.Exit(2)
		}
		brief(life)
		return
	default:
		fmt.Fprintln(os.Stderr, "service server | leak N | brief TIME")
		os.Exit(2)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
