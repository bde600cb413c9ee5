// SPDX-License-Identifier: Apache-2.0

// Ends has channels whose one end waits, while who has the other end waits for something else, in known
// numbers; and channels of which nobody can tell. It says "ready" when all wait, and ends with its stdin. It
// builds with every Go from 1.18 on.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// A monitor sends while it holds the lock that its receiver wants before it goes on receiving.
type monitor struct {
	mutex  sync.Mutex
	events chan int
	seen   int
}

//go:noinline
func (m *monitor) publish() {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for i := 0; ; i++ {
		m.events <- i // waits: publish
	}
}

//go:noinline
func (m *monitor) watch() {
	for range m.events {
		m.mutex.Lock() // waits: watch
		m.seen++
		m.mutex.Unlock()
	}
}

// Workers send results that are read only after all of them are done.
//
//go:noinline
func work(results chan<- int, done *sync.WaitGroup) {
	results <- 1 // waits: work
	done.Done()
}

//go:noinline
func gather() (sum int) {
	var done sync.WaitGroup
	results := make(chan int)
	done.Add(5)
	for i := 0; i < 5; i++ {
		go work(results, &done)
	}
	done.Wait() // waits: gather
	close(results)
	for result := range results {
		sum += result
	}
	return sum
}

// Readers of a channel whose sender waits for what never comes.
type feed struct {
	name  string
	items chan string
	start chan struct{}
}

//go:noinline
func (f *feed) read() string {
	return <-f.items // waits: read
}

//go:noinline
func (f *feed) fill() {
	<-f.start // waits: fill
	f.items <- f.name
}

// A bystander has the feed, and no code that sends.
//
//go:noinline
func (f *feed) look() string {
	never.Wait() // bystander
	return f.name
}

var never sync.WaitGroup

func waiting(words string) int {
	text := make([]byte, 1<<20)
	text = text[:runtime.Stack(text, true)]
	return strings.Count(string(text), words)
}

// until waits for n goroutines that run f and wait.
func until(f string, n int) {
	for waiting("main."+f+"(") < n {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
}

func main() {
	never.Add(1)
	m := &monitor{events: make(chan int)}
	m.mutex.Lock()
	go m.watch()
	until("(*monitor).watch", 1)
	m.events <- 0
	until("(*monitor).watch", 1)
	go m.publish()
	until("(*monitor).publish", 1)
	m.mutex.Unlock()

	go gather()
	until("work", 5)

	f := &feed{name: "news", items: make(chan string), start: make(chan struct{})}
	go f.fill()
	for i := 0; i < 3; i++ {
		go f.read()
		go f.look()
	}
	until("(*feed).read", 3)
	until("(*feed).fill", 1)
	until("(*feed).look", 3)
	until("(*monitor).watch", 1)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
}
