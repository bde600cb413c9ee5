// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// --- files

var (
	filesMu sync.Mutex
	files   = map[*os.File]bool{}
)

func openFile() func() {
	f, err := os.Open("/proc/self/maps")
	must(err)
	filesMu.Lock()
	files[f] = true
	filesMu.Unlock()
	return func() {
		filesMu.Lock()
		delete(files, f)
		filesMu.Unlock()
		f.Close()
	}
}

//go:noinline
func loseFile() {
	_, err := os.Open("/proc/self/status")
	must(err)
}

// --- connections

type client struct {
	conn net.Conn
}

var (
	clientsMu sync.Mutex
	clients   []*client
	listenAt  sync.Once
	echo      net.Listener
	listeners = map[net.Listener]bool{}
)

func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		// The other end, which nobody is to count: it is closed here, and the client's stays open.
		c.Close()
	}
}

func openConn() func() {
	listenAt.Do(func() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(err)
		echo = l
		go serve(l)
	})
	c, err := net.Dial("tcp", echo.Addr().String())
	must(err)
	bufio.NewReader(c).ReadByte() // the end of it
	clientsMu.Lock()
	clients = append(clients, &client{c})
	clientsMu.Unlock()
	return func() { c.Close() }
}

func openListener() func() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	clientsMu.Lock()
	listeners[l] = true
	clientsMu.Unlock()
	return func() {
		clientsMu.Lock()
		delete(listeners, l)
		clientsMu.Unlock()
		l.Close()
	}
}

// --- processes

var (
	childrenMu sync.Mutex
	children   []*exec.Cmd
)

func openProcess() func() {
	cmd := exec.Command("true")
	must(cmd.Start())
	childrenMu.Lock()
	children = append(children, cmd)
	childrenMu.Unlock()
	return func() { cmd.Wait() }
}

// Nobody has it, so that nobody will ever wait for it.
func startAndForget() func() {
	must(exec.Command("true").Start())
	return func() {}
}

// --- contexts

var serviceContext, stopService = context.WithCancel(context.Background())

// The child is held by its parent alone.
func openContext() func() {
	_, cancel := context.WithCancel(serviceContext)
	return cancel
}

// --- timers

type lease struct {
	timer  *time.Timer
	ticker *time.Ticker
}

var (
	leasesMu sync.Mutex
	leases   []*lease
)

func keepLease(l *lease) {
	leasesMu.Lock()
	leases = append(leases, l)
	leasesMu.Unlock()
}

func openTimer() func() {
	t := time.NewTimer(time.Hour)
	keepLease(&lease{timer: t})
	return func() { t.Stop() }
}

func openTicker() func() {
	t := time.NewTicker(time.Hour)
	keepLease(&lease{ticker: t})
	return t.Stop
}

func expire() {}

// openTimed leaves a file to nobody but the timer that will close it.
func openTimed() func() {
	f, err := os.Open("/proc/self/limits")
	must(err)
	time.AfterFunc(time.Hour, func() { f.Close() })
	return func() {}
}

func expireSoon() {}

// openBrief is what a program does that has something to tidy up a minute after each request.
func openBrief() func() {
	t := time.AfterFunc(time.Minute, expireSoon)
	return func() { t.Stop() }
}

func openAfter() func() {
	t := time.AfterFunc(time.Hour, expire)
	return func() { t.Stop() }
}
