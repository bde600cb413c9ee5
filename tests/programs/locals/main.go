// SPDX-License-Identifier: Apache-2.0

// Locals keeps all it has in variables of functions that wait, and in what closures have captured.
package main

import (
	"fmt"
	"runtime"
	"time"
)

type session struct {
	id   int
	data []byte
}

type table struct {
	name   string
	byName map[string]*session
}

func newSession(size int) *session { return &session{id: size, data: make([]byte, size)} }

func wait() { time.Sleep(time.Hour) }

var sink interface{}

// Each variable is of use after the call that the goroutine waits in.
//
//go:noinline
func worker(first *session, done chan struct{}) {
	buf := make([]*session, 0)
	for i := 0; i < 101; i++ {
		buf = append(buf, newSession(47))
	}
	sessions := make(map[int]*session)
	sink = sessions // it would lie on the stack
	for i := 0; i < 103; i++ {
		sessions[i] = newSession(53)
	}
	moved := [3]*session{newSession(1009), nil, nil}
	sink = &moved
	sink = nil
	var there table
	there.byName = map[string]*session{"only": newSession(2003)}
	address := &there
	close(done)
	wait()
	runtime.KeepAlive(first)
	runtime.KeepAlive(buf)
	runtime.KeepAlive(sessions)
	runtime.KeepAlive(moved)
	runtime.KeepAlive(address)
	fmt.Println(first.id, buf[0].id, sessions[0].id, moved[0].id, len(address.byName))
}

// Inlined into main.
func fill(n int) []*session {
	filled := make([]*session, n)
	for i := range filled {
		filled[i] = newSession(59)
	}
	return filled
}

var handlers []func() int

//go:noinline
func addHandler(count int) {
	kept := newSession(61)
	byID := map[int]*session{}
	handlers = append(handlers, func() int {
		count++
		byID[count] = kept
		return kept.id + len(byID)
	})
}

func grow(rising map[int]*session) {
	for i := 0; ; i++ {
		rising[i] = newSession(67)
		time.Sleep(time.Millisecond)
	}
}

func main() {
	done := make(chan struct{})
	first := newSession(3001)
	go worker(first, done)
	<-done
	for i := 0; i < 107; i++ {
		addHandler(i)
	}
	local := fill(109)
	fmt.Println("ready")
	rising := map[int]*session{}
	sink = rising
	sink = nil
	grow(rising)
	fmt.Println(local[0].id, handlers[0]())
}
