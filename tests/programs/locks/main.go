// SPDX-License-Identifier: Apache-2.0

// Locks are held by goroutines that wait for something else, in each way that code holds a lock, and
// waited for by others, in known numbers. It says "ready" when all wait, and ends with its stdin. It builds
// with every Go from 1.18 on.
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

// A store is reached through what holds it: no pointer to it has to stay on a stack.
type store struct {
	name string
	rest [9]int
	lock sync.RWMutex
}

type shop struct {
	store *store
	jobs  chan int
}

type account struct {
	owner string
	mutex sync.Mutex
	ready chan int
}

var (
	registry  sync.Mutex
	answer    = make(chan int)
	neverSent = make(chan int)
)

// A reader that sends, and does not say when it unlocks.
//
//go:noinline
func (s *shop) publish() {
	s.store.lock.RLock()
	s.jobs <- 1 // holds: read
	s.store.lock.RUnlock()
}

//go:noinline
func (s *shop) update() {
	s.store.lock.Lock() // waits: write
	s.store.rest[0]++
	s.store.lock.Unlock()
}

//go:noinline
func (s *shop) look() int {
	s.store.lock.RLock() // waits: read
	defer s.store.lock.RUnlock()
	return s.store.rest[0]
}

//go:noinline
func (a *account) settle() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	select { // holds: mutex
	case <-a.ready:
	case <-time.After(time.Hour):
	}
}

//go:noinline
func (a *account) pay() {
	a.mutex.Lock() // waits: mutex
	a.owner += "!"
	a.mutex.Unlock()
}

// listen has the same account, but takes no lock.
//
//go:noinline
func (a *account) listen() {
	<-a.ready // bystander
	a.owner = ""
}

//go:noinline
func register() {
	registry.Lock()
	<-answer // holds: variable
	registry.Unlock()
}

//go:noinline
func unregister() {
	registry.Lock() // waits: variable
	neverSent <- 1
	registry.Unlock()
}

// count takes a lock of its own for a moment, and is done with it.
//
//go:noinline
func count(own *sync.Mutex) {
	own.Lock()
	own.Unlock()
	<-neverSent // bystander with a lock of its own
}

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

func many(n int, f func()) {
	for i := 0; i < n; i++ {
		go f()
	}
}

func main() {
	s := &shop{store: &store{}, jobs: make(chan int)}
	a := &account{ready: make(chan int)}

	go s.publish()
	until("(*shop).publish", 1)
	many(1, s.update)
	until("(*shop).update", 1)
	many(7, func() { s.look() })

	go a.settle()
	many(5, a.listen)
	until("(*account).settle", 1)
	many(11, a.pay)

	go register()
	until("register", 1)
	many(3, unregister)
	many(4, func() { count(new(sync.Mutex)) })

	until("(*shop).look", 7)
	until("(*account).pay", 11)
	until("unregister", 3)
	until("count", 4)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
	}
}
