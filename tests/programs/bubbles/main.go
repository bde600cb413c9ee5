// SPDX-License-Identifier: Apache-2.0
//go:build go1.25

// bubbles has tests of testing/synctest going on, in which waits are meant and time is none, and goroutines outside
// of them. It obeys lines on stdin:
//
//	bubble N   a bubble in which N goroutines wait for ever, N pass a token on, and hours pass in a moment
//	leak N     N goroutines outside wait for what nobody has
//	hours      how many have passed in the bubble
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var hours int64

func receive(wait <-chan int) {
	<-wait // blocked:bubble
}

// steps come every ten real milliseconds. While somebody waits for one, the time of a bubble stands still.
func steps() func() {
	out, in, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
			in.Write([]byte{1})
		}
	}()
	one := make([]byte, 1)
	return func() { out.Read(one) }
}

func pass(step func()) {
	for {
		time.Sleep(time.Hour)
		atomic.AddInt64(&hours, 1)
		step()
	}
}

// Whoever has the token keeps it for an hour of the bubble.
func convoy(token chan bool) {
	for {
		token <- true // blocked:convoy
		time.Sleep(time.Hour)
		<-token
	}
}

func bubble(n int) {
	step := steps()
	go test(func() {
		wait, token := make(chan int), make(chan bool, 1)
		for i := 0; i < n; i++ {
			go receive(wait) // made:bubble
			go convoy(token) // made:convoy
		}
		pass(step)
	})
}

func lose(wait <-chan int) {
	<-wait // blocked:leak
}

func leak(n int) {
	for i := 0; i < n; i++ {
		go lose(nil) // made:leak
	}
}

// test runs f in a bubble, as the one test of this program: package testing/synctest wants a test.
func test(f func()) {
	match := func(string, string) (bool, error) { return true, nil }
	run := func(t *testing.T) { synctest.Test(t, func(*testing.T) { f() }) }
	testing.Main(match, []testing.InternalTest{{Name: "bubble", F: run}}, nil, nil)
}

func main() {
	fmt.Println("ready", os.Getpid())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		n := 0
		if len(words) > 1 {
			n, _ = strconv.Atoi(words[1])
		}
		said := ""
		switch words[0] {
		case "bubble":
			bubble(n)
		case "leak":
			leak(n)
		case "hours":
			said = fmt.Sprint(" ", atomic.LoadInt64(&hours))
		}
		fmt.Println("ok", words[0]+said)
	}
}
