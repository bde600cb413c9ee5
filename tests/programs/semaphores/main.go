// SPDX-License-Identifier: Apache-2.0

// semaphores takes weights of golang.org/x/sync/semaphore. It obeys commands on stdin and acknowledges each with one line:
//
//	take N        of each of N more semaphores 3 of 5, kept
//	free N        N more semaphores of which nothing is taken, kept
//	wait N        N goroutines wait for all of the first one
//	leak MS       take 1 each MS milliseconds, until the end
//	turn MS       all of one more semaphore is taken and given back each MS milliseconds
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const size, part = 5, 3

var (
	mu      sync.Mutex
	tenants []*semaphore.Weighted
	shared  = semaphore.NewWeighted(size)
)

func acquire(s *semaphore.Weighted, n int64) {
	if err := s.Acquire(context.Background(), n); err != nil {
		panic(err)
	}
}

func add(n int64) {
	s := semaphore.NewWeighted(size)
	if n > 0 {
		acquire(s, n)
	}
	mu.Lock()
	tenants = append(tenants, s)
	mu.Unlock()
}

func each(ms int, what func()) {
	for range time.Tick(time.Duration(ms) * time.Millisecond) {
		what()
	}
}

func obey(what string, n int) {
	switch what {
	case "leak":
		go each(n, func() { add(part) })
		return
	case "turn":
		go each(n, func() {
			acquire(shared, size)
			shared.Release(size)
		})
		return
	}
	for i := 0; i < n; i++ {
		switch what {
		case "take":
			add(part)
		case "free":
			add(0)
		case "wait":
			go acquire(tenants[0], size)
		}
	}
}

func main() {
	fmt.Println("ready", os.Getpid())
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) != 2 {
			continue
		}
		n, _ := strconv.Atoi(words[1])
		obey(words[0], n)
		fmt.Println("ok", words[0])
	}
}
