// SPDX-License-Identifier: Apache-2.0

// hard is a set of programs that are hard to judge from outside: `hard CASE` runs one of them until
// its stdin ends. What each go statement does, and how often, is fixed; nothing depends on chance
// that is not seeded. A go statement whose goroutines are lost has a comment "leak: NAME" on its
// line (where a library starts them: where they are blocked); all others are healthy.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"os"
	"sort"
	"sync/atomic"
	"time"
)

// What a case is: prepare runs before gleakd attaches (nil: nothing), run begins with the attach.
type scenario struct {
	prepare func() string
	run     func()
}

var scenarios = map[string]scenario{}

func add(name string, run func()) {
	scenarios[name] = scenario{run: run}
}

func addPrepared(name string, prepare func() string, run func()) {
	scenarios[name] = scenario{prepare, run}
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "peer" {
		peer(os.Args[2], os.Args[3])
		return
	}
	found, ok := scenario{}, false
	if len(os.Args) == 2 {
		found, ok = scenarios[os.Args[1]]
	}
	if !ok {
		names := []string{}
		for name := range scenarios {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "usage: hard CASE, one of:", names)
		os.Exit(2)
	}
	business()
	note := ""
	if found.prepare != nil {
		note = found.prepare()
	}
	fmt.Println("ready", note)
	one := make([]byte, 1)
	if _, err := os.Stdin.Read(one); err != nil { // "go", when gleakd is attached
		return
	}
	go found.run()
	io.Copy(io.Discard, os.Stdin)
}

// every calls do(0), do(1), ... at fixed times from now on, n times (n < 0: for ever).
func every(period time.Duration, n int, do func(i int)) {
	begin := time.Now()
	for i := 0; n < 0 || i < n; i++ {
		time.Sleep(time.Until(begin.Add(time.Duration(i) * period)))
		do(i)
	}
}

// seeded gives the same numbers in every run.
func seeded() *rand.Rand {
	return rand.New(rand.NewSource(20))
}

// later closes the channel after a while; a timer, no goroutine waits for it.
func later(after time.Duration) <-chan struct{} {
	done := make(chan struct{})
	time.AfterFunc(after, func() { close(done) })
	return done
}

var handled atomic.Int64

// business is what every case has around it: short requests, a few workers, a ticker.
func business() {
	tasks := make(chan int)
	for i := 0; i < 8; i++ {
		go func() {
			for range tasks {
				handled.Add(1)
			}
		}()
	}
	go func() {
		for range time.NewTicker(3 * time.Second).C {
			handled.Load()
		}
	}()
	go every(50*time.Millisecond, -1, func(i int) {
		go func() {
			<-later(time.Duration(i%20) * time.Millisecond)
			tasks <- i
		}()
	})
}
