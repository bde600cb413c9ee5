// SPDX-License-Identifier: Apache-2.0

// compare leaks in one of ten ways, one goroutine in 100 ms, for as long as -for says, and writes what tools that
// are part of a program say at its end: goleak, the goroutine profile, and the runtime's goroutineleak profile.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/pprof"
	"strings"
	"sync"
	"time"

	"go.uber.org/goleak"
)

// held is what a program knows for ever: what waits on it can be reached.
var held = map[int]chan int{}

func ask(ctx context.Context, answer chan<- int) {
	answer <- 1 // nobody receives after the timeout
}

func each(in <-chan int) {
	for range in {
	}
}

func lock(mu *sync.Mutex) {
	mu.Lock()
	mu.Unlock()
}

var ways = []struct {
	name  string
	leaks bool
	once  func(i int)
}{
	{"send after a timeout", true, func(int) { go ask(context.Background(), make(chan int)) }},
	{"range over a channel that nobody closes", true, func(int) { go each(make(chan int)) }},
	{"receive from a channel that a global map holds", true, func(i int) {
		held[i] = make(chan int)
		go each(held[i])
	}},
	{"select on a context that nobody cancels", true, func(int) {
		ctx, cancel := context.WithCancel(context.Background())
		_ = cancel
		in := make(chan int)
		go func() {
			select {
			case <-ctx.Done():
			case <-in:
			}
		}()
	}},
	{"a lock that was never let go", true, func(int) {
		mu := &sync.Mutex{}
		mu.Lock()
		go lock(mu)
	}},
	{"one Done too few", true, func(int) {
		wg := &sync.WaitGroup{}
		wg.Add(1)
		go wg.Wait()
	}},
	{"a nil channel", true, func(int) {
		var never chan int
		go each(never)
	}},
	{"a body that is not closed", true, nil},
	{"a loop around time.Sleep", true, func(int) {
		go func() {
			for {
				time.Sleep(time.Second)
			}
		}()
	}},
	{"nothing: a pool of workers", false, nil},
}

func body(url string) func(int) {
	client := &http.Client{Transport: &http.Transport{}}
	return func(int) {
		if response, err := client.Get(url); err == nil {
			_ = response.Body // not closed
		}
	}
}

func pool() func(int) {
	work := make(chan int)
	for i := 0; i < 20; i++ {
		go func() {
			for range work {
				time.Sleep(time.Millisecond)
			}
		}()
	}
	return func(i int) { work <- i }
}

// count is how many goroutines the profile has, of "goroutineleak" those that it says are leaked; -1: there is none.
func count(name string, debug int) (int, time.Duration) {
	profile := pprof.Lookup(name)
	if profile == nil {
		return -1, 0
	}
	var text bytes.Buffer
	began := time.Now()
	if profile.WriteTo(&text, debug) != nil {
		return -1, 0
	}
	took := time.Since(began)
	n := 0
	for _, block := range strings.Split(text.String(), "\n\n") {
		if name != "goroutineleak" || strings.Contains(block, "leaked)") {
			if strings.HasPrefix(block, "goroutine ") {
				n++
			}
		}
	}
	return n, took
}

func main() {
	way := flag.Int("way", 0, "which")
	length := flag.Duration("for", 20*time.Second, "how long to leak")
	flag.Parse()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.CopyN(w, strings.NewReader(strings.Repeat("x", 1<<20)), 1<<20)
	}))
	ways[7].once = body(server.URL)
	ways[9].once = pool()
	before := goleak.IgnoreCurrent()
	end := time.Now().Add(*length)
	n := 0
	for ; time.Now().Before(end); n++ {
		ways[*way].once(n)
		time.Sleep(100 * time.Millisecond)
	}
	all, allTook := count("goroutine", 2)
	leaked, leakedTook := count("goroutineleak", 2)
	began := time.Now()
	found := goleak.Find(before)
	said := 0
	if found != nil {
		said = strings.Count(found.Error(), "Goroutine ")
	}
	fmt.Fprintf(os.Stderr, "COMPARE\t%d\t%s\t%t\t%d\t%d\t%.1f\t%d\t%.1f\t%d\t%.1f\n", *way, ways[*way].name,
		ways[*way].leaks, n, all, float64(allTook.Microseconds())/1000, leaked,
		float64(leakedTook.Microseconds())/1000, said, float64(time.Since(began).Microseconds())/1000)
}
