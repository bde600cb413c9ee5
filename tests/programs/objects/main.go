// SPDX-License-Identifier: Apache-2.0

// Objects has goroutines in known numbers, all primes, that wait on channels, locks and the like of
// which as much is known: who shares one, what is in it, which has a timer. It says "ready" and then
// a JSON object of addresses by name, and ends with its stdin. It builds with every Go from 1.18 on.
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

type shared struct {
	unbuffered chan int
	full       chan int
	jobs       chan int
	stop       chan struct{}
	mutex      sync.Mutex
	readers    sync.RWMutex // held by a writer
	writer     sync.RWMutex // held by a reader
	group      sync.WaitGroup
	condLock   sync.Mutex
	cond       *sync.Cond
	started    sync.WaitGroup
}

//go:noinline
func receive(s *shared) {
	s.started.Done()
	<-s.unbuffered // waits: receive
}

//go:noinline
func send(s *shared) {
	s.started.Done()
	s.full <- 1 // waits: send
}

// ownAndTimer waits on a channel of its own and on a timer that fires long after the test.
//
//go:noinline
func ownAndTimer(s *shared) {
	own := make(chan int)
	s.started.Done()
	select { // waits: timer
	case <-own:
	case <-time.After(time.Hour):
	}
}

// ownAndStopped has the channel of a timer that will not fire any more.
//
//go:noinline
func ownAndStopped(s *shared) {
	own, timer := make(chan int), time.NewTimer(time.Hour)
	timer.Stop()
	s.started.Done()
	select { // waits: stopped
	case <-own:
	case <-timer.C:
	}
}

//go:noinline
func worker(s *shared) {
	s.started.Done()
	for {
		select { // waits: pool
		case <-s.jobs:
		case <-s.stop:
			return
		}
	}
}

//go:noinline
func lock(s *shared) {
	s.started.Done()
	s.mutex.Lock() // waits: mutex
}

//go:noinline
func read(s *shared) {
	s.started.Done()
	s.readers.RLock() // waits: read
}

//go:noinline
func write(s *shared) {
	s.started.Done()
	s.writer.Lock() // waits: write
}

//go:noinline
func wait(s *shared) {
	s.started.Done()
	s.group.Wait() // waits: group
}

//go:noinline
func listen(s *shared) {
	s.cond.L.Lock()
	s.started.Done()
	s.cond.Wait() // waits: cond
	s.cond.L.Unlock()
}

func many(s *shared, n int, f func(*shared)) {
	s.started.Add(n)
	for i := 0; i < n; i++ {
		go f(s)
	}
}

// parked counts goroutines by the runtime's own account.
func parked(words string) int {
	text := make([]byte, 1<<20)
	text = text[:runtime.Stack(text, true)]
	return strings.Count(string(text), "["+words)
}

func main() {
	s := &shared{
		unbuffered: make(chan int), full: make(chan int, 3), jobs: make(chan int, 31),
		stop: make(chan struct{}),
	}
	s.cond = sync.NewCond(&s.condLock)
	for i := 0; i < cap(s.full); i++ {
		s.full <- i
	}
	s.mutex.Lock()
	s.readers.Lock()
	s.writer.RLock()
	s.group.Add(1)

	many(s, 7, receive)
	many(s, 11, send)
	many(s, 5, ownAndTimer)
	many(s, 23, ownAndStopped)
	many(s, 19, worker)
	many(s, 3, lock)
	many(s, 13, read)
	many(s, 1, write)
	many(s, 2, wait)
	many(s, 17, listen)
	s.started.Wait()
	// The last of them may still be on the way from Done to where it waits.
	for parked("chan receive") < 7 || parked("chan send") < 11 || parked("select") < 47 ||
		parked("sync.Cond.Wait") < 17 || parked("sema")+parked("sync.") < 36 {
		time.Sleep(time.Millisecond)
	}

	fmt.Println("ready")
	fmt.Printf(`{"receive":"%p","send":"%p","jobs":"%p","stop":"%p","mutex":"%p","read":"%p",`+
		`"write":"%p","group":"%p","cond":"%p"}`+"\n", s.unbuffered, s.full, s.jobs, s.stop,
		&s.mutex, &s.readers, &s.writer, &s.group, s.cond)
	bufio.NewReader(os.Stdin).ReadString(0)
	runtime.KeepAlive(s)
}
