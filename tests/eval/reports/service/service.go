// SPDX-License-Identifier: Apache-2.0

// The service that every program of the public reports is a part of: an HTTP server with clients, workers,
// tickers and long-lived connections, none of which leaks. It is compiled into each of them, runs what
// they register, and ends with its stdin. What they talk to is a process of its own: the same program,
// called with the word "peer", which says its address.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// What a program does: step is called again and again, each time a pause after it returned.
type program struct {
	step  func(peer string)
	pause time.Duration
	delay time.Duration // before the first step
	start func()        // once, before all else
	peer  func() string // in a process of its own; its address
}

// peerEnds is open for as long as the peer shall live.
var peerEnds io.Closer

var repaired = os.Getenv("REPAIRED") != ""

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// untilStdinEnds ends this process when who started it ends.
func untilStdinEnds() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	return l
}

func startPeer() string {
	cmd := exec.Command(os.Args[0], "peer")
	cmd.Stderr = os.Stderr
	end, err := cmd.StdinPipe()
	must(err)
	peerEnds = end
	out, err := cmd.StdoutPipe()
	must(err)
	must(cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(err)
	return strings.TrimSpace(line)
}

func worker(jobs <-chan time.Duration) {
	for d := range jobs {
		time.Sleep(d)
	}
}

func tick(every time.Duration) {
	for range time.NewTicker(every).C {
	}
}

// keep is one end of a connection that something goes through every few seconds.
func keep(c net.Conn, every time.Duration) {
	b := make([]byte, 1)
	for {
		time.Sleep(every)
		if _, err := c.Write(b); err != nil {
			return
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return
		}
	}
}

func connections(n int) {
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			must(err)
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	for i := 0; i < n; i++ {
		c, err := net.Dial("tcp", l.Addr().String())
		must(err)
		go keep(c, time.Duration(3+i%5)*time.Second)
	}
}

func client(url string) {
	for {
		if answer, err := http.Get(url); err == nil {
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
		time.Sleep(70 * time.Millisecond)
	}
}

func business() {
	jobs := make(chan time.Duration, 32)
	for i := 0; i < 5; i++ {
		go worker(jobs)
	}
	for _, every := range []time.Duration{300 * time.Millisecond, 2 * time.Second, time.Minute} {
		go tick(every)
	}
	connections(11)
	handler := func(w http.ResponseWriter, _ *http.Request) {
		select {
		case jobs <- 3 * time.Millisecond:
		default:
		}
		fmt.Fprintln(w, "done")
	}
	l := listen()
	go func() { must(http.Serve(l, http.HandlerFunc(handler))) }()
	for i := 0; i < 3; i++ {
		go client("http://" + l.Addr().String())
	}
}

func run(p program) {
	if len(os.Args) > 1 && os.Args[1] == "peer" {
		fmt.Println(p.peer())
		untilStdinEnds()
	}
	peer := ""
	if p.peer != nil {
		peer = startPeer()
	}
	if p.start != nil {
		p.start()
	}
	business()
	go func() {
		time.Sleep(p.delay)
		for p.step != nil {
			p.step(peer)
			time.Sleep(p.pause)
		}
	}()
	fmt.Println("ready")
	untilStdinEnds()
}
