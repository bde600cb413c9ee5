// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"sync"
)

// --- deferred calls

type deferring struct {
	once  sync.Once
	turns chan bool // one that is to be deferred: until the end of all turns, or of this
}

var deferredCalls deferring

//go:noinline
func expireTurn(turns *deferring) {}

func deferInLoop(d *deferring) {
	for late := range d.turns {
		if late {
			defer expireTurn(d)
			continue
		}
		func() {
			defer expireTurn(d)
		}()
	}
}

func (d *deferring) turn(late bool) func() {
	d.once.Do(func() {
		d.turns = make(chan bool)
		go deferInLoop(d)
	})
	d.turns <- late
	return func() {}
}

func openDefer() func()  { return deferredCalls.turn(true) }
func closeDefer() func() { return deferredCalls.turn(false) }

// --- clients

type served struct {
	conn   net.Conn
	cancel context.CancelFunc
}

var (
	servedMu sync.Mutex
	accepted []*served
)

// What it accepts it keeps, with a context for each.
func acceptClients() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	go func() {
		for {
			c, err := l.Accept()
			must(err)
			_, cancel := context.WithCancel(serviceContext)
			servedMu.Lock()
			accepted = append(accepted, &served{c, cancel})
			servedMu.Unlock()
		}
	}()
	return l.Addr().String()
}

// --- pools

const perTurn = 16

var (
	buffers     = sync.Pool{New: newBuffer}
	lostBuffers = sync.Pool{New: newBuffer}
)

func newBuffer() interface{} { return new([64]byte) }

//go:noinline
func takeAndKeep() func() {
	for i := 0; i < perTurn; i++ {
		lostBuffers.Get()
	}
	lostBuffers.Put(newBuffer())
	return func() {}
}

//go:noinline
func takeAndPut() func() {
	for i := 0; i < perTurn; i++ {
		buffers.Put(buffers.Get())
	}
	return func() {}
}
