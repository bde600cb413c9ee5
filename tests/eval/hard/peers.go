// SPDX-License-Identifier: Apache-2.0
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The other side of a connection is a process of its own, so that only one side is watched. It ends
// with the case: its stdin is a pipe from there.
func startPeer(name, address string) *bufio.Reader {
	command := exec.Command(os.Args[0], "peer", name, address)
	command.Stderr = os.Stderr
	hold, err := command.StdinPipe()
	if err != nil {
		panic(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := command.Start(); err != nil {
		panic(err)
	}
	holds = append(holds, hold)
	return bufio.NewReader(output)
}

var holds []io.Closer

// startServingPeer returns where the peer listens.
func startServingPeer(name string) string {
	line, err := startPeer(name, "-").ReadString('\n')
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(line)
}

func peer(name, address string) {
	go peers[name](address)
	io.Copy(io.Discard, os.Stdin)
}

var peers = map[string]func(address string){
	"bodies":         func(string) { serveAndTell(sendBody) },
	"short":          func(string) { serveAndTell(answerShort) },
	"patience":       func(string) { serveAndTell(answerLate) },
	"connect-3min":   func(to string) { every(time.Second, 180, func(int) { stayConnected(to) }) },
	"connect-always": func(to string) { every(time.Second, -1, func(int) { stayConnected(to) }) },
	"poll-25":        func(to string) { requests(to+"/poll25", time.Second/2, 200*time.Second) },
	"poll-90":        func(to string) { requests(to+"/poll", time.Second/2, 90*time.Second) },
	"requests":       shortRequests,
	"streams":        func(to string) { requests(to+"/stream", time.Second, 600*time.Second) },
	"sip":            func(address string) { every(time.Second, -1, func(int) { go sip(address) }) },
	"keepalive":      keepAlive,
}

func serveAndTell(handler http.HandlerFunc) {
	listener, err := net.Listen("tcp4", "0.0.0.0:0") // all of 127.0.0.0/8
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://127.0.0.1:%d\n", listener.Addr().(*net.TCPAddr).Port)
	http.Serve(listener, handler)
}

func sendBody(w http.ResponseWriter, _ *http.Request) {
	w.Write(make([]byte, 16<<10))
}

func answerShort(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, "yes")
}

func answerLate(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(90 * time.Second):
	}
}

// The protocol of the connection pool: a line every 20 s.
func stayConnected(address string) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	go every(20*time.Second, -1, func(int) { fmt.Fprintln(c, "ping") })
	go io.Copy(io.Discard, c)
}

func requests(url string, period, timeout time.Duration) {
	client := &http.Client{Timeout: timeout}
	every(period, -1, func(int) {
		go func() {
			response, err := client.Get(url)
			if err == nil {
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		}()
	})
}

// Two a second, on a connection each.
func shortRequests(url string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	every(time.Second/2, -1, func(int) {
		response, err := client.Get(url)
		if err == nil {
			response.Body.Close()
		}
	})
}

// A client that takes 40 s for what the server could send in one go.
func sip(address string) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	c.(*net.TCPConn).SetReadBuffer(16 << 10)
	buffer := make([]byte, 64<<10)
	for i := 0; i < 160; i++ {
		time.Sleep(250 * time.Millisecond)
		if _, err := io.ReadFull(c, buffer); err != nil {
			return
		}
	}
}

// keepAlive opens connections to a Unix socket ("PATH NUMBER PER-SECOND"), asks once on each and
// keeps it.
func keepAlive(arguments string) {
	var path string
	var number, perSecond int
	fmt.Sscan(arguments, &path, &number, &perSecond)
	raiseFiles(uint64(number) + 1000)
	answer := make([]byte, 4096)
	every(time.Second/100, number*100/perSecond, func(int) {
		for i := 0; i < perSecond/100; i++ {
			c, err := net.Dial("unix", path)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			c.Read(answer)
			idle = append(idle, c)
		}
	})
	fmt.Println("all")
}

var idle []net.Conn
