// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// What the goroutines of a shape park on. Held for ever, except what release closes.
var (
	silent    = make(chan int)
	full      = make(chan int)
	lock      sync.Mutex
	rwlock    sync.RWMutex
	undone    sync.WaitGroup
	condition = sync.NewCond(new(sync.Mutex))
	about     int64 // goroutines that are about to park
)

func chanReceive() {
	atomic.AddInt64(&about, 1)
	<-silent // blocked:chanreceive
}

func chanSend() {
	atomic.AddInt64(&about, 1)
	full <- 1 // blocked:chansend
}

func selectTwo() {
	other := make(chan int)
	atomic.AddInt64(&about, 1)
	select { // blocked:select
	case <-silent:
	case <-other:
	}
}

func selectNone() {
	atomic.AddInt64(&about, 1)
	select {} // blocked:selectnone
}

func nilReceive() {
	var none chan int
	atomic.AddInt64(&about, 1)
	<-none // blocked:nilreceive
}

func nilSend() {
	var none chan int
	atomic.AddInt64(&about, 1)
	none <- 1 // blocked:nilsend
}

func mutexLock() {
	atomic.AddInt64(&about, 1)
	lock.Lock() // blocked:mutex
	lock.Unlock()
}

func rwmutexRead() {
	atomic.AddInt64(&about, 1)
	rwlock.RLock() // blocked:rwmutexread
	rwlock.RUnlock()
}

func waitGroup() {
	atomic.AddInt64(&about, 1)
	undone.Wait() // blocked:waitgroup
}

func condWait() {
	condition.L.Lock()
	atomic.AddInt64(&about, 1)
	condition.Wait() // blocked:cond
	condition.L.Unlock()
}

func sleeper() {
	atomic.AddInt64(&about, 1)
	time.Sleep(time.Hour) // blocked:sleep
}

// ioWait reads from a connection into which nobody writes.
func ioWait() {
	here, there := connected()
	atomic.AddInt64(&about, 1)
	_, _ = here.Read(make([]byte, 1)) // blocked:iowait
	there.Close()
}

func connected() (net.Conn, net.Conn) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	here, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	there, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	return here, there
}

// Every start in its own function, so that every shape has its own creation line.
var shapes = map[string]func(){
	"chanreceive": func() { go chanReceive() }, // made:chanreceive
	"chansend":    func() { go chanSend() },    // made:chansend
	"select":      func() { go selectTwo() },   // made:select
	"selectnone":  func() { go selectNone() },  // made:selectnone
	"nilreceive":  func() { go nilReceive() },  // made:nilreceive
	"nilsend":     func() { go nilSend() },     // made:nilsend
	"mutex":       func() { go mutexLock() },   // made:mutex
	"rwmutexread": func() { go rwmutexRead() }, // made:rwmutexread
	"waitgroup":   func() { go waitGroup() },   // made:waitgroup
	"cond":        func() { go condWait() },    // made:cond
	"sleep":       func() { go sleeper() },     // made:sleep
	"iowait":      func() { go ioWait() },      // made:iowait
}

func init() {
	lock.Lock()
	rwlock.Lock()
	undone.Add(1)
}

// shape starts n goroutines and returns when each has come to the statement at which it parks.
func shape(name string, n int) error {
	start := shapes[name]
	if start == nil {
		return fmt.Errorf("unknown shape %q", name)
	}
	goal := atomic.LoadInt64(&about) + int64(n)
	for i := 0; i < n; i++ {
		start()
	}
	for atomic.LoadInt64(&about) < goal {
		runtime.Gosched()
	}
	return nil
}
