// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// Healthy: one or more goroutines per connection, in all the ways servers and clients have.
func init() {
	add("connection-pool", func() { startPeer("connect-3min", listen(readAndWrite)) })
	// The same for ever: whether anybody needs those connections cannot be seen.
	add("connections-never-closed", func() { startPeer("connect-always", listen(readAndWrite)) })
	add("sockets-without-io-wait", rawSockets)
	add("long-poll-25", func() { startPeer("poll-25", longPollServer()) })
	add("long-poll-90", func() { startPeer("poll-90", longPollServer()) })
	addPrepared("long-poll-90-running", func() string {
		startPeer("poll-90", longPollServer())
		time.Sleep(2 * time.Minute)
		return ""
	}, func() {})
	addPrepared("long-poll-client", func() string {
		patience = startServingPeer("patience")
		return ""
	}, func() { requests(patience, time.Second, 95*time.Second) })
	addPrepared("http-client-pool", func() string {
		shortAnswers = startServingPeer("short")
		return ""
	}, askManyHosts)
	add("streams", func() { startPeer("streams", longPollServer()) })
	add("slow-clients", func() { startPeer("sip", listen(produce)) })
	path, number := "", 0
	addPrepared("keepalive-100k", func() string {
		path, number = serveIdle(), idleConnections(100000)
		return fmt.Sprint("here ", number)
	}, func() { startPeer("keepalive", fmt.Sprint(path, " ", number, " 1000")) })
	addPrepared("keepalive-20k-there", func() string {
		path := serveIdle()
		number := idleConnections(20000)
		startPeer("keepalive", fmt.Sprint(path, " ", number, " 2000")).ReadString('\n')
		return fmt.Sprint("here ", number)
	}, func() {})
}

var patience, shortAnswers string

// A hundred hosts in turn, one a second; a connection to each stays.
func askManyHosts() {
	port := shortAnswers[strings.LastIndex(shortAnswers, ":"):]
	every(time.Second, -1, func(i int) {
		response, err := http.Get(fmt.Sprintf("http://127.0.1.%d%s", 1+i%100, port))
		if err == nil {
			io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
	})
}

// listen serves connections and returns the address.
func listen(serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(c) // leak: connections
		}
	}()
	return listener.Addr().String()
}

// A reader in a network wait, a writer that waits for something to send.
func readAndWrite(c net.Conn) {
	defer c.Close()
	replies, done := make(chan string, 1), make(chan struct{})
	defer close(done)
	go func() { // leak: connections
		for {
			select {
			case reply := <-replies:
				fmt.Fprintln(c, reply)
			case <-done:
				return
			}
		}
	}()
	for lines := bufio.NewScanner(c); lines.Scan(); {
		replies <- lines.Text()
	}
}

// Sockets that an own event loop would poll: the owners' goroutines wait on channels only. One a
// second for three minutes.
func rawSockets() {
	every(time.Second, 180, func(int) {
		pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			panic(err)
		}
		readable, closed := make(chan int), make(chan struct{})
		go func() {
			for {
				select {
				case fd := <-readable:
					handled.Add(int64(fd))
				case <-closed:
					syscall.Close(pair[0])
					syscall.Close(pair[1])
					return
				}
			}
		}()
		kept = append(kept, readable, closed)
	})
}

func listenHTTP(handler http.HandlerFunc) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, handler)
	return "http://" + listener.Addr().String()
}

func longPollServer() string {
	news := make(chan string)
	mux := http.NewServeMux()
	mux.HandleFunc("/poll25", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-news:
		case <-time.After(25 * time.Second):
			w.WriteHeader(http.StatusNoContent)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/poll", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-news:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("/stream", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; ; i++ {
			fmt.Fprintf(w, "data: %d\n\n", i)
			w.(http.Flusher).Flush()
			select {
			case <-news:
			case <-time.After(15 * time.Second):
			case <-r.Context().Done():
				return
			}
		}
	})
	return listenHTTP(mux.ServeHTTP)
}

// A producer that waits in a send while its slow client reads.
func produce(c net.Conn) {
	defer c.Close()
	c.(*net.TCPConn).SetWriteBuffer(16 << 10)
	blocks, done := make(chan []byte), make(chan struct{})
	defer close(done)
	go func() {
		defer close(blocks)
		for i := 0; i < 10; i++ {
			select {
			case blocks <- make([]byte, 1<<20):
			case <-done:
				return
			}
		}
	}()
	for block := range blocks {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}

func serveIdle() string {
	path := fmt.Sprint("@hard-", os.Getpid()) // no file: nothing to clean up
	listener, err := net.Listen("unix", path)
	if err != nil {
		panic(err)
	}
	server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})}
	go server.Serve(listener)
	return path
}

// raiseFiles returns how many files this process may have open.
func raiseFiles(wanted uint64) uint64 {
	limit := syscall.Rlimit{}
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if limit.Cur < wanted {
		raised := syscall.Rlimit{Cur: wanted, Max: max2(wanted, limit.Max)}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) != nil {
			raised = syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
			syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised)
		}
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	return limit.Cur
}

func max2(a, b uint64) uint64 {
	if a > b {
		return a
	}
	return b
}

// idleConnections is @wanted, or what this machine allows, in steps of a thousand.
func idleConnections(wanted int) int {
	if files := int(raiseFiles(uint64(wanted)+1000)) - 1000; files < wanted {
		wanted = files / 1000 * 1000
	}
	return wanted
}
