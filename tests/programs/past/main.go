// SPDX-License-Identifier: Apache-2.0

// Past has goroutines that wait in the ways that leaks and healthy services do. How long each has
// waited is written into it from outside (tests/e2e/past.py), so that a test need not take half an
// hour. It obeys lines "KIND N" on stdin: N goroutines of that kind, or N pairs of connections, or so
// many collections; and acknowledges each. Ends with its stdin.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Ways to leak.

func unreceived(n int) {
	for i := 0; i < n; i++ {
		result := make(chan int)
		go func() { // made:unreceived
			result <- 17 // blocked:unreceived
		}()
	}
}

func unsent(n int) {
	for i := 0; i < n; i++ {
		result := make(chan int)
		go func() { // made:unsent
			<-result // blocked:unsent
		}()
	}
}

// Healthy ones.

type worker struct{ jobs chan func() }

var workers []*worker

func (w *worker) run() {
	for job := range w.jobs { // blocked:worker
		job()
	}
}

func startWorkers(n int) {
	for i := 0; i < n; i++ {
		w := &worker{make(chan func())}
		workers = append(workers, w)
		go w.run() // made:worker
	}
}

var queue = make(chan func())

func startPool(n int) {
	for i := 0; i < n; i++ {
		go func() { // made:pool
			for job := range queue { // blocked:pool
				job()
			}
		}()
	}
}

type subscriber struct{ messages chan string }

var (
	subscribers []*subscriber
	shutdown    = make(chan struct{})
)

func (s *subscriber) listen() {
	for {
		select { // blocked:subscriber
		case <-s.messages:
		case <-shutdown:
			return
		}
	}
}

func subscribe(n int) {
	for i := 0; i < n; i++ {
		s := &subscriber{make(chan string)}
		subscribers = append(subscribers, s)
		go s.listen() // made:subscriber
	}
}

func tick(n int) {
	for i := 0; i < n; i++ {
		go func() { // made:tick
			ticker := time.NewTicker(time.Hour)
			for {
				select { // blocked:tick
				case <-ticker.C:
				case <-shutdown:
					return
				}
			}
		}()
	}
}

// A group as golang.org/x/sync/errgroup with SetLimit(2), at its limit.
type group struct {
	limit chan struct{}
	tasks sync.WaitGroup
}

func (g *group) start(task func()) {
	g.limit <- struct{}{} // blocked:limit
	g.tasks.Add(1)
	go func() { // made:task
		defer func() { <-g.limit; g.tasks.Done() }()
		task()
	}()
}

func limited(n int) {
	for i := 0; i < n; i++ {
		go func() { // made:limit
			g := &group{limit: make(chan struct{}, 2)}
			for j := 0; j < 3; j++ {
				g.start(func() { <-shutdown }) // blocked:task
			}
			g.tasks.Wait()
		}()
	}
}

// A connection has a reader and a writer with a queue of its own.
func connect(n int) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	for i := 0; i < n; i++ {
		dialled, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			return err
		}
		accepted, err := listener.Accept()
		if err != nil {
			return err
		}
		serve(dialled, accepted)
	}
	return nil
}

func serve(peer, conn net.Conn) {
	ctx, cancel := context.WithCancel(context.Background())
	out := make(chan []byte)
	go func() { // made:reader
		defer cancel()
		_, _ = conn.Read(make([]byte, 1)) // blocked:reader
		peer.Close()
	}()
	go func() { // made:writer
		for {
			select { // blocked:writer
			case message := <-out:
				_, _ = conn.Write(message)
			case <-ctx.Done():
				return
			}
		}
	}()
}

func obey(kind string, n int) error {
	switch kind {
	case "collect":
		for i := 0; i < n; i++ {
			runtime.GC()
		}
	case "unreceived":
		unreceived(n)
	case "unsent":
		unsent(n)
	case "workers":
		startWorkers(n)
	case "pool":
		startPool(n)
	case "subscribers":
		subscribe(n)
	case "tick":
		tick(n)
	case "limited":
		limited(n)
	case "connect":
		return connect(n)
	default:
		return fmt.Errorf("unknown kind %q", kind)
	}
	return nil
}

func main() {
	runtime.GC() // starts the collector's own goroutines
	fmt.Println("ready", os.Getpid())
	input := bufio.NewScanner(os.Stdin)
	for input.Scan() {
		words := strings.Fields(input.Text())
		n, err := 0, error(nil)
		if len(words) == 2 {
			n, err = strconv.Atoi(words[1])
		}
		if err == nil && len(words) == 2 {
			err = obey(words[0], n)
		}
		if err != nil || len(words) != 2 {
			fmt.Println("error", input.Text(), err)
			os.Exit(2)
		}
		fmt.Println("ok", words[0])
	}
}
