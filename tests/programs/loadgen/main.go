// SPDX-License-Identifier: Apache-2.0

// loadgen sends HTTP requests over a fixed number of connections that stay open, at a constant rate
// that does not wait for answers: a request's latency counts from when it was due, not from when it
// could be sent, so a server that stalls cannot hide the requests it held up. It obeys lines on stdin:
//
//	rate N   N requests a second from now on; 0: each connection as fast as it is answered
//	window   one line of JSON on what was answered since the last `rate` or `window`
//
// Each connection is a thread that blocks in the kernel: Go's timers may be a millisecond late.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A request that was due longer ago than this when its turn came is not sent any more.
const backlogMax = 2 * time.Second

const (
	prSetTimerslack = 29 // include/uapi/linux/prctl.h
	// Closed loop has no pause; an idle generator looks for work this often.
	idlePause = 5 * time.Millisecond
)

// plan is what all connections are to do; a new one begins a new schedule.
type plan struct {
	started  time.Time
	interval time.Duration // between two requests of one connection; 0: no pause
	idle     bool
}

type generator struct {
	request     []byte
	connections int
	mutex       sync.Mutex
	plan        plan
	books       []*book
}

// book is what one connection saw since the last window.
type book struct {
	mutex   sync.Mutex
	latency histogram
	missed  int
}

func die(err error) {
	fmt.Fprintln(os.Stderr, "loadgen:", err)
	os.Exit(1)
}

func dial(address string) (int, error) {
	to, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return 0, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return 0, err
	}
	name := syscall.SockaddrInet4{Port: to.Port}
	copy(name.Addr[:], to.IP.To4())
	return fd, syscall.Connect(fd, &name)
}

// answered tells whether data is a whole answer; one that is not 200 is an error.
func answered(data []byte) (bool, error) {
	end := bytes.Index(data, []byte("\r\n\r\n"))
	if end < 0 {
		return false, nil
	}
	if !bytes.HasPrefix(data, []byte("HTTP/1.1 200 ")) {
		return false, fmt.Errorf("the server said %q", data[:end])
	}
	const field = "Content-Length: "
	at := bytes.Index(data[:end], []byte(field))
	if at < 0 {
		return false, errors.New("an answer without Content-Length")
	}
	digits := data[at+len(field) : end]
	if line := bytes.IndexByte(digits, '\r'); line >= 0 {
		digits = digits[:line]
	}
	length, err := strconv.Atoi(string(digits))
	if err != nil {
		return false, err
	}
	return len(data) >= end+4+length, nil
}

func exchange(fd int, request, buffer []byte) error {
	if _, err := syscall.Write(fd, request); err != nil {
		return err
	}
	for got := 0; ; {
		n, err := syscall.Read(fd, buffer[got:])
		if err == syscall.EINTR {
			continue
		}
		if err == nil && n == 0 {
			err = errors.New("the server closed a connection, or answered too much")
		}
		if err != nil {
			return err
		}
		got += n
		done, err := answered(buffer[:got])
		if done || err != nil {
			return err
		}
	}
}

func sleep(length time.Duration) {
	request := syscall.NsecToTimespec(int64(length))
	// Interrupted or not: the caller looks at the clock again.
	_ = syscall.Nanosleep(&request, nil)
}

func (g *generator) current() plan {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.plan
}

// wait returns when the next request is due, and when that was; false: look at the plan again.
func (g *generator) wait(p plan, due time.Time, b *book) (time.Time, bool) {
	if p.idle {
		sleep(idlePause)
		return due, false
	}
	if p.interval == 0 {
		return time.Now(), true
	}
	for {
		left := time.Until(due)
		if left <= 0 {
			break
		}
		// A new plan is not to wait for a slow old one.
		if left > 100*time.Millisecond {
			sleep(100 * time.Millisecond)
			return due, false
		}
		sleep(left)
	}
	for late := time.Since(due); late > backlogMax; late -= p.interval {
		due = due.Add(p.interval)
		b.mutex.Lock()
		b.missed++
		b.mutex.Unlock()
	}
	return due, true
}

func (g *generator) run(index, fd int) {
	runtime.LockOSThread()
	// The default slack of 50 µs would be part of every latency.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetTimerslack, 1, 0)
	var p plan
	var due time.Time
	buffer := make([]byte, 4096)
	b := g.books[index]
	for {
		if now := g.current(); now != p {
			p = now
			// Spread evenly over the interval.
			due = p.started.Add(p.interval * time.Duration(index) / time.Duration(g.connections))
		}
		at, ready := g.wait(p, due, b)
		due = at
		if !ready {
			continue
		}
		if err := exchange(fd, g.request, buffer); err != nil {
			die(err)
		}
		took := time.Since(at)
		b.mutex.Lock()
		b.latency.add(took)
		b.mutex.Unlock()
		due = due.Add(p.interval)
	}
}

// window is the line of JSON.
type window struct {
	Seconds float64 `json:"seconds"`
	Count   int     `json:"count"`
	Missed  int     `json:"missed"`
	Rate    float64 `json:"rate"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
	Max     float64 `json:"max_us"`
}

// take empties the books.
func (g *generator) take(length time.Duration) window {
	var all histogram
	w := window{Seconds: length.Seconds()}
	for _, b := range g.books {
		b.mutex.Lock()
		all.merge(&b.latency)
		w.Missed += b.missed
		b.latency, b.missed = histogram{}, 0
		b.mutex.Unlock()
	}
	w.Count = all.count
	w.Rate = float64(w.Count) / w.Seconds
	w.P50, w.P99, w.Max = all.quantile(0.5), all.quantile(0.99), all.quantile(1)
	return w
}

func (g *generator) setRate(rate int) {
	p := plan{started: time.Now()}
	if rate > 0 {
		p.interval = time.Second * time.Duration(g.connections) / time.Duration(rate)
	}
	g.mutex.Lock()
	g.plan = p
	g.mutex.Unlock()
}

func (g *generator) obey() {
	input := bufio.NewScanner(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	begin := time.Now()
	for input.Scan() {
		fields := strings.Fields(input.Text())
		switch {
		case len(fields) == 2 && fields[0] == "rate":
			rate, err := strconv.Atoi(fields[1])
			if err != nil || rate < 0 {
				die(fmt.Errorf("no rate: %q", fields[1]))
			}
			g.setRate(rate)
			g.take(time.Since(begin))
			begin = time.Now()
		case len(fields) == 1 && fields[0] == "window":
			now := time.Now()
			w := g.take(now.Sub(begin))
			begin = now
			if err := output.Encode(w); err != nil {
				die(err)
			}
		default:
			die(fmt.Errorf("unknown command %q", input.Text()))
		}
	}
}

func main() {
	if len(os.Args) != 4 {
		die(errors.New("usage: loadgen ADDRESS PATH CONNECTIONS"))
	}
	connections, err := strconv.Atoi(os.Args[3])
	if err != nil || connections < 1 || connections > 256 {
		die(fmt.Errorf("not a number of connections: %q", os.Args[3]))
	}
	// A thread that blocks keeps its processor of the runtime: nobody else needs it.
	runtime.GOMAXPROCS(connections + 1)
	debug.SetGCPercent(400)
	g := &generator{connections: connections, plan: plan{idle: true}}
	g.request = []byte("GET " + os.Args[2] + " HTTP/1.1\r\nHost: " + os.Args[1] + "\r\n\r\n")
	for i := 0; i < connections; i++ {
		fd, err := dial(os.Args[1])
		if err != nil {
			die(err)
		}
		g.books = append(g.books, &book{})
		defer syscall.Close(fd)
		go g.run(i, fd)
	}
	fmt.Println("ready", os.Getpid())
	g.obey()
}
