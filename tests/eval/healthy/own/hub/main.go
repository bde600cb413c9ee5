// SPDX-License-Identifier: Apache-2.0

// Many streams over few connections, as HTTP/2 and gRPC have them: each stream has a goroutine that
// waits for something to pass on. "open\n" makes a stream, "close\n" ends the oldest of its
// connection, and all end with the connection. Something is published every 20 seconds, and then
// only to every tenth stream.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"sync"
	"time"
)

type hub struct {
	mutex   sync.Mutex
	streams map[*stream]struct{}
}

type stream struct {
	queue  chan string
	cancel context.CancelFunc
}

func (h *hub) publish() {
	for now := range time.Tick(20 * time.Second) {
		h.mutex.Lock()
		left := 0
		for s := range h.streams {
			if left++; left%10 == 0 {
				select {
				case s.queue <- now.String():
				default:
				}
			}
		}
		h.mutex.Unlock()
	}
}

func (h *hub) run(ctx context.Context, s *stream, write func(string)) {
	defer func() {
		h.mutex.Lock()
		delete(h.streams, s)
		h.mutex.Unlock()
	}()
	for {
		select {
		case <-ctx.Done():
			return
		case text := <-s.queue:
			write(text)
		}
	}
}

func (h *hub) open(ctx context.Context, write func(string)) *stream {
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{make(chan string, 4), cancel}
	h.mutex.Lock()
	h.streams[s] = struct{}{}
	h.mutex.Unlock()
	go h.run(ctx, s, write)
	return s
}

func (h *hub) serve(conn net.Conn) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mutex sync.Mutex
	write := func(text string) {
		mutex.Lock()
		defer mutex.Unlock()
		fmt.Fprintln(conn, text)
	}
	var open []*stream
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		switch {
		case lines.Text() == "open":
			open = append(open, h.open(ctx, write))
		case lines.Text() == "close" && len(open) > 0:
			open[0].cancel()
			open = open[1:]
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	h := &hub{streams: make(map[*stream]struct{})}
	go h.publish()
	for {
		conn, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go h.serve(conn)
	}
}
